"""Backpropagation, the generalised delta rule, written out.

제목: 역전파: 일반화된 델타 규칙을 직접 구현하기
Question: How does the error at the output reach the hidden layers, and does it teach
    them XOR?
Finding: Over the weights: each hidden neuron collects the deltas of the neurons that it
    feeds, and the gradients differ from GradientTape's by {tape_difference},
    relatively. Within 4,000 epochs {solved_2_hidden} of the 2-2-1 and {solved_4_hidden}
    of the 2-4-1 networks learned XOR, and no 2-1 network ever got more than
    {best_without_hidden} right.
결과: 오차는 가중치를 거슬러 올라갑니다. 은닉 세포마다 자신이 먹이는 세포들의 델타를
    모으며, 그 기울기와 GradientTape의 상대 차이는 {tape_difference}입니다. 4,000에폭
    안에 XOR을 배운 망은 2-2-1의 {solved_2_hidden}, 2-4-1의 {solved_4_hidden}이고, 2-1의
    정답은 많아야 {best_without_hidden}였습니다.
Lecture: 002, Multilayer perceptron; 002, Backpropagation, steps (1) to (4)
Changes from: 06, whose rule has no answer for hidden neurons; 02 and 03, one graph
Run: python recipes/10_backpropagation.py
Try: (1) 2-2-1 with ten times the epochs: do the stuck networks come free?
    (2) start all weights at 0.5: why do the hidden neurons never part?
    (3) two hidden layers, 2-4-4-1
"""

from itertools import chain, pairwise

from common import plots
from common.running import Measure, cli

import numpy as np
import tensorflow as tf

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
D = np.array([[0], [1], [1], [0]], float)  # XOR
EPOCHS = 4_000
LEARNING_RATE = 1.0  # for the error summed over the four samples
NETWORKS = 100  # of each size, from different starts, trained side by side
CHECKED = (3, 5, 4, 2)  # the gradients are checked on a deeper network
NUDGE = 1e-6


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def start(rng, sizes, networks):
    """N(0, 1) weights of every layer.

    Returns per layer W [networks, inputs, outputs], b [networks, 1, outputs].
    """
    return [
        (rng.normal(size=(networks, n, m)), rng.normal(size=(networks, 1, m)))
        for n, m in pairwise(sizes)
    ]


def forward(x, weights):
    """Step (1): the outputs of every layer, the input first."""
    outputs = [x]
    for W, b in weights:
        outputs.append(sigmoid(outputs[-1] @ W + b))
    return outputs


def error(y, d):
    """Step (2): half the squared difference, summed over samples and outputs."""
    return ((y - d) ** 2).sum(axis=(-2, -1)) / 2


def backward(outputs, d, weights):
    """Steps (3) and (4): dE/dW and dE/db of every layer, the last layer first.

    delta, dE/dz: how much the error grows with the sum of a neuron. At the output it
    is (y - d) y (1 - y); a hidden neuron collects the deltas of all neurons that it
    feeds, each over the weight between them, times its own slope y (1 - y).
    """
    delta = (outputs[-1] - d) * outputs[-1] * (1 - outputs[-1])
    gradients = []
    for (W, _), y in zip(reversed(weights), reversed(outputs[:-1]), strict=True):
        transposed = np.swapaxes(y, -1, -2)
        gradients.append((transposed @ delta, delta.sum(axis=-2, keepdims=True)))
        delta = (delta @ np.swapaxes(W, -1, -2)) * y * (1 - y)
    return gradients[::-1]


def train(weights, x, d, epochs):
    """Follow the slope downhill; weights are changed in place.

    Returns the share of right answers, [epochs, networks].
    """
    right = []
    for _ in range(epochs):
        outputs = forward(x, weights)
        right.append(((outputs[-1] > 0.5) == d).mean(axis=(-2, -1)))
        gradients = backward(outputs, d, weights)
        for (W, b), (dW, db) in zip(weights, gradients, strict=True):
            W -= LEARNING_RATE * dW
            b -= LEARNING_RATE * db
    return np.array(right)


def nudged(weights, x, d):
    """dE/dw without any calculus: nudge each weight up and down, watch the error."""
    slopes = []
    for array in chain(*weights):
        slopes.append(np.zeros_like(array))
        for index in np.ndindex(array.shape):
            kept, errors = array[index], []
            for step in (NUDGE, -NUDGE):
                array[index] = kept + step
                errors.append(error(forward(x, weights)[-1], d).sum())
            array[index] = kept
            slopes[-1][index] = (errors[0] - errors[1]) / (2 * NUDGE)
    return slopes


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
    """Relative differences of our gradients: [from GradientTape's, from nudging's]."""
    weights = start(rng, CHECKED, networks=1)
    x = rng.normal(size=(1, 6, CHECKED[0]))
    d = rng.uniform(size=(1, 6, CHECKED[-1]))
    gradients = chain(*backward(forward(x, weights), d, weights))
    ways = (gradients, taped(weights, x, d), nudged(weights, x, d))
    ours, *others = (np.concatenate([g.ravel() for g in way]) for way in ways)
    norm = np.linalg.norm
    return [norm(ours - theirs) / norm(theirs) for theirs in others]


def draw(solved, weights):
    """Left: how many networks have learned XOR. Right: what one of them answers."""
    figure, (left, right) = plots.new_figure(1, 2, width=4.4, height=3.6)
    for name, share in solved.items():
        left.semilogx(np.arange(1, len(share) + 1), 100 * share, label=name)
    left.set(xlabel="epoch", ylabel="networks that solve XOR (%)", ylim=(-5, 105))
    left.legend()
    line = np.linspace(-0.3, 1.3, 100)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(1, -1, 2)
    answers = forward(grid, weights)[-1].reshape(len(line), len(line))
    surface = right.contourf(line, line, answers, np.linspace(0, 1, 11), cmap="RdBu")
    right.figure.colorbar(surface, label="output y")
    for label, marker in enumerate("ox"):
        right.scatter(*X[D[:, 0] == label].T, 90, "white", marker=marker, lw=3)
    right.set(xlabel="$x_1$", ylabel="$x_2$", xticks=[0, 1], yticks=[0, 1])
    right.set_title("the answers of one 2-4-1")
    return figure


def main(run):
    tape_difference, nudging_difference = check(np.random.default_rng(run.seed))
    epochs = run.length(EPOCHS, 400)
    right, solved = {}, {}
    for sizes in ((2, 1), (2, 2, 1), (2, 4, 1)):
        name = "-".join(map(str, sizes))
        rng = np.random.default_rng([run.seed, len(sizes), sizes[1]])
        weights = start(rng, sizes, run.pick(NETWORKS, 20))
        right[name] = train(weights, X, D, epochs)
        solved[name] = right[name] == 1

    at_end = solved["2-4-1"][-1]
    needed = (~solved["2-4-1"]).sum(axis=0)  # epochs with a mistake
    needed = needed[at_end | ~at_end.any()]  # of those that learn it, if any do
    network = [tuple(array[[at_end.argmax()]] for array in layer) for layer in weights]
    shares = {name: one.mean(axis=1) for name, one in solved.items()}
    run.save_figure(draw(shares, network), "xor_learned")
    return {
        "tape_difference": tape_difference,
        "nudging_difference": nudging_difference,
        "best_without_hidden": 100 * right["2-1"].max(),
        "solved_2_hidden": 100 * shares["2-2-1"][-1],
        "solved_4_hidden": 100 * shares["2-4-1"][-1],
        "solved_4_hidden_early": 100 * shares["2-4-1"][epochs // 20],
        "epochs_fastest": needed.min(),
        "epochs_slowest": needed.max(),
    }


MEASURES = {
    "tape_difference": Measure("", "difference from the tape", "테이프와의 차이"),
    "nudging_difference": Measure("", "difference from nudging", "수치 미분과의 차이"),
    "best_without_hidden": Measure("%", "2-1 on XOR, best", "XOR에서 가장 나은 2-1"),
    "solved_2_hidden": Measure("%", "2-2-1 nets that learn XOR", "XOR을 배운 2-2-1"),
    "solved_4_hidden": Measure("%", "2-4-1 nets that learn XOR", "XOR을 배운 2-4-1"),
    "solved_4_hidden_early": Measure("%", "2-4-1 at 1/20 of it", "그 1/20에서의 2-4-1"),
    "epochs_fastest": Measure("", "2-4-1, epochs, fewest", "2-4-1, 걸린 에폭, 최소"),
    "epochs_slowest": Measure("", "2-4-1, epochs, most", "2-4-1, 걸린 에폭, 최대"),
}


if __name__ == "__main__":
    cli(main)
