"""XOR with deep ReLU networks: the cure, and what it needs beside it.

제목: 깊은 ReLU 신경망의 XOR: 해결책과 그 조건
Question: Does ReLU alone make a deep network learn XOR?
Lecture: 003, lab 19.py
Changes from: 18_xor_vanishing_gradient (ReLU in place of sigmoid, nothing else)
Run: python recipes/19_xor_relu.py
Try: (1) the lab script's 1,001 steps: --epochs 1001 (2) leaky ReLU: do narrow networks
    still die? (3) the biases at 0.1 instead of 0
"""

from itertools import pairwise
from typing import NamedTuple

from common import plots
from common.running import Claim, cli

import numpy as np
import tensorflow as tf

CLAIMS = [
    Claim(
        "lab_run_accuracy", 100, "%", "003, lab 19.py", text="accuracy of one network"
    ),
    Claim(
        "lab_success_rate", 100, "%", "003, lab 19.py", text="2-2-2-1 ReLU learns XOR"
    ),
    Claim("narrow_success_rate", None, "%", text="2-2-2-1 ReLU, He"),
    Claim("wide_success_rate", None, "%", text="2-10-10-10-1 ReLU, N(0, 1)"),
    Claim("he_success_rate", None, "%", text="2-10-10-10-1 ReLU, He"),
    Claim("deep_success_rate", None, "%", text="2-(9 layers of 5)-1 ReLU, He"),
    Claim("control_success_rate", None, "%", text="control: the same sigmoid, Glorot"),
    Claim("he_gradient_ratio", None, text="gradient, first layer / last, He"),
    Claim("deep_gradient_ratio", None, text="gradient, first layer / last, 9 layers"),
    Claim("control_gradient_ratio", None, text="gradient, first layer / last, sigmoid"),
]

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
    "lab": Kind("2-2-2-1 ReLU", (2, 2), "relu", "N(0, 1)", 0.2),
    "narrow": Kind("2-2-2-1 ReLU", (2, 2), "relu", "He", 0.2),
    "wide": Kind("2-10-10-10-1 ReLU", (10,) * 3, "relu", "N(0, 1)", 0.1),
    "he": Kind("2-10-10-10-1 ReLU", (10,) * 3, "relu", "He", 0.1),
    "deep": Kind("2-(9 of 5)-1 ReLU", (5,) * 9, "relu", "He", 0.1),
    "control": Kind("2-10-10-10-1 sigmoid", (10,) * 3, "sigmoid", "Glorot", 0.1),
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
        # A matrix product per network, written out: with the networks last, the
        # processor works on many at once, 30 times faster than batched tf.matmul.
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
        axis.set(
            title=f"{KINDS[name].label}, {KINDS[name].start}\n"
            f"{learned.sum()} of {len(learned)} learn",
            xlabel="step",
            ylim=(1e-4, 3),
        )
    axes[0].set_ylabel("cross-entropy (blue: learned, red: not)")
    return figure


def gradient_figure(gradients):
    """How much of the gradient arrives at each layer before the first step."""
    figure, axis = plots.new_figure(width=5.5, height=3.6)
    for name, values in gradients.items():
        label = f"{KINDS[name].label}, {KINDS[name].start}"
        axis.semilogy(np.arange(1, len(values) + 1), values, "o-", label=label)
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


if __name__ == "__main__":
    cli(main)
