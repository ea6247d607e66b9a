"""Backpropagation, the generalised delta rule, written out.

제목: 역전파: 일반화된 델타 규칙을 직접 구현하기
Question: How does the error at the output reach the hidden layers, and what for?
Finding: Over the weights: each hidden neuron collects the deltas of the neurons that it
    feeds. One such pass back gives what {nudging_passes} passes forward with nudged
    weights give (they differ by {nudging_difference}, GradientTape by
    {tape_difference}, relatively); 4,000 of them take the error on XOR from
    {error_before} to {error_after}, and where only the last weights learn,
    {error_last_only} is left.
결과: 오차는 가중치를 거슬러 올라가고, 은닉 세포마다 자신이 신호를 보낸 세포들의 델타를
    모읍니다. 한 번 거슬러 가면 가중치를 하나씩 건드리며 {nudging_passes}번 순전파한
    것과 같은 기울기를 얻습니다(상대 차이 {nudging_difference}, GradientTape와는
    {tape_difference}). XOR의 오차는 4,000에폭 뒤 {error_before}에서 {error_after}로
    줄지만, 마지막 가중치만 배우면 {error_last_only} 남습니다.
Lecture: 002, Multilayer perceptron; 002, Backpropagation, steps (1) to (4)
Changes from: 06, whose rule has no answer for hidden neurons; 02 and 03, one graph
Run: python recipes/10_backpropagation.py
Try: (1) start all weights at 0.5: why do the hidden neurons never part?
    (2) SIZES 2, 20, 1: do the last weights alone learn XOR now? (3) two hidden layers
"""

from itertools import chain, pairwise

from common import plots
from common.running import Measure, cli

import numpy as np
import tensorflow as tf

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)  # [4, 2]
D = np.array([[0], [1], [1], [0]], float)  # XOR, [4, 1]
SIZES = (2, 4, 1)  # neurons of each layer, the inputs first
EPOCHS = 4_000
LEARNING_RATE = 1.0  # for the error summed over the four samples
CHECKED = (3, 5, 4, 2)  # the gradients are checked on a deeper network
NUDGE = 1e-6


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def start(rng, sizes):
    """N(0, 1) weights of every layer: W [inputs, outputs], b [outputs]."""
    return [(rng.normal(size=(n, m)), rng.normal(size=m)) for n, m in pairwise(sizes)]


def forward(x, weights):
    """Step (1): the outputs of every layer, [samples, neurons], the input first."""
    outputs = [x]
    for W, b in weights:
        outputs.append(sigmoid(outputs[-1] @ W + b))
    return outputs


def error(y, d):
    """Step (2): half the squared difference, summed over samples and outputs."""
    return ((y - d) ** 2).sum() / 2


def backward(outputs, d, weights):
    """Steps (3) and (4): dE/dW and dE/db of every layer.

    delta, dE/dz: how much the error grows with the sum of a neuron. At the output it
    is (y - d) y (1 - y); a hidden neuron collects the deltas of all neurons that it
    feeds, each over the weight between them, times its own slope y (1 - y).
    """
    delta = (outputs[-1] - d) * outputs[-1] * (1 - outputs[-1])
    gradients = []
    for (W, _), y in zip(reversed(weights), reversed(outputs[:-1]), strict=True):
        gradients.append((y.T @ delta, delta.sum(axis=0)))
        delta = (delta @ W.T) * y * (1 - y)
    return gradients[::-1]


def train(weights, x, d, epochs, first=0):
    """Follow the slope downhill; layers from `first` on learn, in place.

    Returns the error before each epoch, [epochs].
    """
    errors = []
    for _ in range(epochs):
        outputs = forward(x, weights)
        errors.append(error(outputs[-1], d))
        gradients = backward(outputs, d, weights)
        for (W, b), (dW, db) in zip(weights[first:], gradients[first:], strict=True):
            W -= LEARNING_RATE * dW
            b -= LEARNING_RATE * db
    return np.array(errors)


def nudged(weights, x, d):
    """dE/dw without any calculus: nudge each weight up and down, watch the error.

    Returns the slopes, and how many passes forward they took.
    """
    slopes, passes = [], 0
    for array in chain(*weights):
        slopes.append(np.zeros_like(array))
        for index in np.ndindex(array.shape):
            kept, errors = array[index], []
            for step in (NUDGE, -NUDGE):
                array[index] = kept + step
                errors.append(error(forward(x, weights)[-1], d))
                passes += 1
            array[index] = kept
            slopes[-1][index] = (errors[0] - errors[1]) / (2 * NUDGE)
    return slopes, passes


def taped(weights, x, d):
    """dE/dw by TensorFlow, which keeps the computational graph on a tape."""
    variables = [tf.Variable(array) for array in chain(*weights)]
    with tf.GradientTape() as tape:
        y = tf.constant(x)
        for W, b in zip(variables[::2], variables[1::2], strict=True):
            y = tf.sigmoid(y @ W + b)
        value = tf.reduce_sum(tf.square(y - d)) / 2
    return [gradient.numpy() for gradient in tape.gradient(value, variables)]


def check(rng):
    """How far the gradients of three ways are apart, and what nudging costs."""
    weights = start(rng, CHECKED)
    x, d = rng.normal(size=(6, CHECKED[0])), rng.uniform(size=(6, CHECKED[-1]))
    slopes, passes = nudged(weights, x, d)
    ways = (chain(*backward(forward(x, weights), d, weights)), taped(weights, x, d))
    ours, *others = (
        np.concatenate([g.ravel() for g in way]) for way in (*ways, slopes)
    )
    tape, nudge = (np.linalg.norm(ours - g) / np.linalg.norm(g) for g in others)
    return {
        "tape_difference": tape,
        "nudging_difference": nudge,
        "nudging_passes": passes,
    }


def draw(weights, errors):
    """One sample's outputs and deltas; errors {which weights learn: [epochs]}."""
    figure, (left, right) = plots.new_figure(1, 2, width=4.6, height=3.6)
    outputs = forward(X[[1]], weights)
    deltas = [db for _, db in backward(outputs, D[[1]], weights)]  # of a lone sample
    places = [
        [(layer, (len(y[0]) - 1) / 2 - neuron) for neuron in range(len(y[0]))]
        for layer, y in enumerate(outputs)
    ]
    for (W, _), (sources, targets) in zip(weights, pairwise(places), strict=True):
        for i, j in np.ndindex(W.shape):
            style = {"color": "tab:blue" if W[i, j] > 0 else "tab:red", "alpha": 0.5}
            line = np.transpose([sources[i], targets[j]])
            left.plot(*line, lw=2 * abs(W[i, j]), zorder=0, **style)
    for layer, y, delta in zip(places, outputs, [None, *deltas], strict=True):
        for i, place in enumerate(layer):
            text = f"{y[0, i]:.2f}" + ("" if delta is None else f"\n{delta[i]:+.3f}")
            left.scatter(*place, 1500, "white", edgecolor="black")
            left.text(*place, text, ha="center", va="center", fontsize="x-small")
    left.set(xlim=(-0.4, 2.4), ylim=(-2, 2), title="y goes forward, delta comes back")
    left.axis("off")
    for name, values in errors.items():
        right.loglog(np.arange(1, len(values) + 1), values, label=f"{name} learn")
    right.set(xlabel="epoch", ylabel="error on XOR", ylim=(3e-4, 2))
    right.legend(loc="lower left")
    return figure


def main(run):
    values = check(np.random.default_rng(run.seed))
    epochs, errors = run.length(EPOCHS, 400), {}
    for name, first in (("only the last weights", -1), ("all weights", 0)):
        weights = start(np.random.default_rng(run.seed), SIZES)
        errors[name] = train(weights, X, D, epochs, first)
    last_only, every = errors.values()
    values |= {"error_before": every[0], "error_after": every[-1]}
    values["error_last_only"] = last_only[-1]
    weights = start(np.random.default_rng(run.seed), SIZES)
    run.save_figure(draw(weights, errors), "deltas")
    return values


MEASURES = {
    "tape_difference": Measure("", "difference from the tape", "테이프와의 차이"),
    "nudging_difference": Measure("", "difference from nudging", "수치 미분과의 차이"),
    "nudging_passes": Measure(
        "",
        "passes forward that nudging takes",
        "수치 미분의 순전파",
        deterministic=True,
    ),
    "error_before": Measure("", "error on XOR at the start", "XOR의 오차, 처음"),
    "error_after": Measure("", "after 4,000 epochs", "4,000에폭 뒤"),
    "error_last_only": Measure(
        "", "control: last weights only", "대조: 마지막 가중치만"
    ),
}


if __name__ == "__main__":
    cli(main)
