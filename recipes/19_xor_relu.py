"""XOR with deep ReLU networks: the cure, and what it needs beside it.

제목: 깊은 ReLU 신경망의 XOR: 해결책과 그 조건
Question: Does ReLU alone make a deep network learn XOR?
Finding: Not the lecture's: within 10,001 steps {lab_success_rate} of the 2-2-2-1
    networks learn XOR, and {narrow_success_rate} from a He start. Wider ones do: with
    ten neurons a layer {wide_success_rate}, from He {he_success_rate} (sigmoids from
    Glorot: {control_success_rate}); but of those with nine layers of 5
    {deep_success_rate}, though their first layer gets about as much gradient as the
    last ({deep_gradient_ratio}).
결과: 강의의 망에서는 아닙니다. 10,001걸음 안에 2-2-2-1 망의 {lab_success_rate}가 XOR을
    배우고, He로 시작하면 {narrow_success_rate}입니다. 더 넓은 망은 배웁니다. 층마다
    신경 세포가 열이면 {wide_success_rate}, He로는 {he_success_rate}입니다(시그모이드,
    Glorot은 {control_success_rate}). 그러나 5개씩 아홉 층이면 첫 층의 기울기가 마지막
    층과 비슷한데도({deep_gradient_ratio}배) {deep_success_rate}입니다.
Lecture: 003, lab 19.py
Changes from: 18_xor_vanishing_gradient (ReLU in place of sigmoid; He beside N(0, 1))
Run: python recipes/19_xor_relu.py
Try: (1) the lab script's 1,001 steps: --epochs 1001 (2) leaky ReLU: do narrow networks
    still die? (3) the biases at 0.1 instead of 0
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
    "lab": Kind("2-2-2-1 ReLU, N(0, 1)", (2, 2), "relu", "N(0, 1)", 0.2),
    "narrow": Kind("2-2-2-1 ReLU, He", (2, 2), "relu", "He", 0.2),
    "wide": Kind("2-10-10-10-1 ReLU, N(0, 1)", (10,) * 3, "relu", "N(0, 1)", 0.1),
    "he": Kind("2-10-10-10-1 ReLU, He", (10,) * 3, "relu", "He", 0.1),
    "deep": Kind("2-(9 of 5)-1 ReLU, He", (5,) * 9, "relu", "He", 0.1),
    "control": Kind(
        "2-10-10-10-1 sigmoid, Glorot", (10,) * 3, "sigmoid", "Glorot", 0.1
    ),
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
    "narrow_success_rate": Measure("%", "2-2-2-1 learns, He", "2-2-2-1, He"),
    "narrow_gradient_ratio": Measure("", "gradient ratio, He", "기울기 비, He"),
    "wide_success_rate": Measure(
        "%", "2-10-10-10-1 learns XOR, N(0, 1)", "2-10-10-10-1이 XOR을 배움, N(0, 1)"
    ),
    "wide_gradient_ratio": Measure("", "gradient ratio, N(0, 1)", "기울기 비, N(0, 1)"),
    "he_success_rate": Measure("%", "2-10-10-10-1, He", "2-10-10-10-1, He"),
    "he_gradient_ratio": Measure("", "gradient ratio, He", "기울기 비, He"),
    "deep_success_rate": Measure("%", "nine layers of 5, He", "5개씩 9층, He"),
    "deep_gradient_ratio": Measure("", "gradient ratio, 9 layers", "기울기 비, 9층"),
    "control_success_rate": Measure("%", "control: sigmoids", "대조: 시그모이드"),
    "control_gradient_ratio": Measure("", "gradient ratio, sigmoid", "기울기 비, 대조"),
    "lab_run_accuracy": Measure("%", "one 2-2-2-1 network", "2-2-2-1 망 하나의 정답률"),
}


if __name__ == "__main__":
    cli(main)
