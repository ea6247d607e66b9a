"""XOR with deep sigmoid networks: the vanishing gradient, and when it really strikes.

제목: 깊은 시그모이드 신경망의 XOR: 사라지는 기울기
Question: Does a deep sigmoid network fail to learn XOR because its gradient vanishes?
Finding: The lecture's mostly does not fail: within 10,001 steps {lab_success_rate} of
    the 2-2-2-1 networks learn XOR, and {wide_success_rate} of wider ones, whose first
    layer gets only {wide_gradient_ratio} of the last one's gradient. Where even less
    arrives, few learned by then ({glorot_success_rate} at {glorot_gradient_ratio},
    {deep_success_rate} at {deep_gradient_ratio}), and with ReLU {control_success_rate}
    at {control_gradient_ratio}; but start or depth differ there, too.
결과: 강의의 망은 대개 실패하지 않습니다. 10,001걸음 안에 2-2-2-1 망의
    {lab_success_rate}, 더 넓은 망의 {wide_success_rate}가 XOR을 배웁니다. 넓은 망의 첫
    층에 닿는 기울기는 마지막 층의 {wide_gradient_ratio}배뿐입니다. 그보다 적게 닿으면
    그때까지 배운 망이 드물고({glorot_gradient_ratio}배에서 {glorot_success_rate},
    {deep_gradient_ratio}배에서 {deep_success_rate}), ReLU는
    {control_gradient_ratio}배에서 {control_success_rate}이지만, 이들은 시작이나 깊이도
    다릅니다.
Lecture: 003, lab 18.py and the slides before it
Changes from: 17_xor (more layers; a hundred networks of each kind train at once)
Run: python recipes/18_xor_vanishing_gradient.py
Try: (1) tanh in place of sigmoid (2) a learning rate of 1: how many learn now?
    (3) hidden layers 1 to 9 of 5 neurons: from which depth on does no network learn?
"""

from itertools import pairwise
from typing import NamedTuple

from common import plots
from common.running import Measure, cli

import numpy as np
import tensorflow as tf

NETWORKS = 100  # of each kind, all trained together; each has weights of its own
STEPS = 10_001  # updates on the full batch of four, as in the lab
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")  # [4, 2]
Y = np.array([[0], [1], [1], [0]], "float32")  # [4, 1]


class Kind(NamedTuple):
    """One kind of network; its hidden layers as in the label."""

    label: str
    hidden: tuple
    activation: str
    start: str  # N(0, 1), for biases too; Glorot and He: normal, biases 0
    learning_rate: float


KINDS = {
    "lab": Kind("2-2-2-1 sigmoid, N(0, 1)", (2, 2), "sigmoid", "N(0, 1)", 0.2),
    "wide": Kind("2-10-10-10-1 sigmoid, N(0, 1)", (10,) * 3, "sigmoid", "N(0, 1)", 0.1),
    "glorot": Kind("2-10-10-10-1 sigmoid, Glorot", (10,) * 3, "sigmoid", "Glorot", 0.1),
    "deep": Kind("2-(9 of 5)-1 sigmoid, N(0, 1)", (5,) * 9, "sigmoid", "N(0, 1)", 0.1),
    "control": Kind("2-10-10-10-1 ReLU, He", (10,) * 3, "relu", "He", 0.1),
}


def initial_weights(kind, networks, seed):
    """Weights [inputs, outputs, networks] and biases [outputs, networks] by layer."""
    rng = np.random.default_rng(seed)
    weights = []
    for inputs, outputs in pairwise((2, *kind.hidden, 1)):
        variance = {"N(0, 1)": 1, "Glorot": 2 / (inputs + outputs), "He": 2 / inputs}
        scale = variance[kind.start] ** 0.5
        bias_scale = 1 if kind.start == "N(0, 1)" else 0
        weights.append(scale * rng.normal(size=(inputs, outputs, networks)))
        weights.append(bias_scale * rng.normal(size=(outputs, networks)))
    return [tf.constant(w, tf.float32) for w in weights]


def forward(weights, activation):
    """The logits [4, networks] of every network on the four samples."""
    signal = X[:, :, None]  # [4, inputs, networks], the same for all networks
    for layer in range(0, len(weights), 2):
        if layer:
            signal = getattr(tf.nn, activation)(signal)
        # A matrix product per network, written out, with the networks last: the
        # processor works on many at once.
        signal = tf.reduce_sum(signal[:, :, None] * weights[layer], axis=1)
        signal += weights[layer + 1]
    return signal[:, 0]


def losses_and_gradients(weights, activation):
    """Cross-entropy [networks], and its gradient for every weight and bias."""
    with tf.GradientTape() as tape:
        tape.watch(weights)
        logits = forward(weights, activation)
        targets = tf.broadcast_to(Y, tf.shape(logits))
        cost = tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)
        losses = tf.reduce_mean(cost, axis=0)
        # No network sees another, so the gradient of the sum is each one's own.
        total = tf.reduce_sum(losses)
    return losses, tape.gradient(total, weights)


@tf.function(jit_compile=True)
def train(weights, activation, learning_rate, steps):
    """Gradient descent for all networks in one compiled loop (`fit` on four samples
    would spend its time between the steps). Returns weights, losses [steps, networks].
    """
    history = tf.TensorArray(tf.float32, steps)
    for step in tf.range(steps):
        losses, gradients = losses_and_gradients(weights, activation)
        weights = [
            w - learning_rate * g for w, g in zip(weights, gradients, strict=True)
        ]
        history = history.write(step, losses)
    return weights, history.stack()


def accuracies(weights, activation):
    """Percent of the four samples that each network has right: [networks]."""
    return 100 * np.mean((forward(weights, activation) > 0) == (Y > 0.5), axis=0)


def gradient_by_layer(weights, activation):
    """Root mean square of the gradient of each layer's weights, over all networks."""
    _, gradients = losses_and_gradients(weights, activation)
    return [float(tf.sqrt(tf.reduce_mean(g**2))) for g in gradients[::2]]


def loss_figure(curves, accuracy):
    """The loss of every network by step; those that learned XOR in blue."""
    figure, axes = plots.new_figure(1, len(curves), width=3)
    for axis, name in zip(axes, curves, strict=True):
        learned = accuracy[name] == 100
        steps = np.unique(np.geomspace(1, len(curves[name]), 200).astype(int))
        for value, color in ((False, "tab:red"), (True, "tab:blue")):
            lines = curves[name][steps - 1][:, learned == value]
            axis.loglog(steps, lines, color=color, alpha=0.25, linewidth=0.8)
        title = f"{KINDS[name].label}\n{learned.sum()} of {len(learned)} learn"
        axis.set(title=title, xlabel="step", ylim=(1e-4, 3))
    axes[0].set_ylabel("cross-entropy (blue: learned, red: not)")
    return figure


def gradient_figure(gradients):
    """How much of the gradient arrives at each layer before the first step."""
    figure, axis = plots.new_figure(width=5.5, height=3.6)
    for name, values in gradients.items():
        layers = np.arange(1, len(values) + 1)
        axis.semilogy(layers, values, "o-", label=KINDS[name].label)
    axis.set(xlabel="layer (1: next to the input)", ylabel="RMS gradient at step 0")
    axis.legend(fontsize="small")
    return figure


def main(run):
    networks = run.pick(NETWORKS, 10)
    steps = run.length(STEPS, quick=200)
    curves, accuracy, gradients, values = {}, {}, {}, {}
    for name, kind in KINDS.items():
        start = initial_weights(kind, networks, run.seed)
        gradients[name] = gradient_by_layer(start, kind.activation)
        final, losses = train(start, kind.activation, kind.learning_rate, steps)
        accuracy[name] = accuracies(final, kind.activation)
        curves[name] = losses.numpy()
        values[f"{name}_success_rate"] = 100 * np.mean(accuracy[name] == 100)
        values[f"{name}_gradient_ratio"] = gradients[name][0] / gradients[name][-1]
    # The lab trained one network; ours is the first of the hundred.
    values["lab_run_accuracy"] = accuracy["lab"][0]

    run.save_figure(loss_figure(curves, accuracy), "learning_curves")
    run.save_figure(gradient_figure(gradients), "gradient_by_layer")
    return values


MEASURES = {
    "lab_success_rate": Measure(
        "%", "2-2-2-1 learns XOR, N(0, 1)", "2-2-2-1이 XOR을 배움, N(0, 1)"
    ),
    "lab_gradient_ratio": Measure(
        "",
        "gradient, first layer / last, 2-2-2-1",
        "기울기, 첫 층 / 마지막 층, 2-2-2-1",
    ),
    "wide_success_rate": Measure(
        "%", "2-10-10-10-1 learns XOR, N(0, 1)", "2-10-10-10-1이 XOR을 배움, N(0, 1)"
    ),
    "wide_gradient_ratio": Measure("", "gradient ratio, N(0, 1)", "기울기 비, N(0, 1)"),
    "glorot_success_rate": Measure("%", "2-10-10-10-1, Glorot", "같은 망, Glorot"),
    "glorot_gradient_ratio": Measure("", "gradient ratio, Glorot", "기울기 비, Glorot"),
    "deep_success_rate": Measure("%", "nine layers of 5, N(0, 1)", "5개씩 9층"),
    "deep_gradient_ratio": Measure("", "gradient ratio, 9 layers", "기울기 비, 9층"),
    "control_success_rate": Measure("%", "control: ReLU, He", "대조: ReLU, He"),
    "control_gradient_ratio": Measure("", "gradient ratio, ReLU", "기울기 비, ReLU"),
    "lab_run_accuracy": Measure("%", "one 2-2-2-1 network", "2-2-2-1 망 하나의 정답률"),
}


if __name__ == "__main__":
    cli(main)
