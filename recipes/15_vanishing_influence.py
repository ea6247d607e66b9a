"""Vanishing influence: a hundred sigmoids between a weight and the error.

제목: 사라지는 영향력: 시그모이드 100층
Question: How much does the first weight of a deep network influence the error?
Lecture: 003, vanishing influence; 004, gradient vanishing
Changes from: 14_weight_initialization (one neuron per layer first; up to 100 layers)
Run: python recipes/15_vanishing_influence.py
Try: (1) WEIGHT 4: local gradient times weight can be 1; is the influence saved?
    (2) tanh in both experiments (3) the wide sigmoid layers with N(0, 1)
"""

from common import plots
from common.running import Claim, cli

import numpy as np
import tensorflow as tf

CLAIMS = [
    Claim(
        "local_gradients",
        100,
        source="003, vanishing influence: 100 layers, 100 sigmoids",
        kind="exact",
        text="local gradients multiplied behind 100 layers",
    ),
    Claim(
        "influence_100",
        0,
        source="003, vanishing influence: almost 0",
        kind="exact",
        text="dE/dw of the first weight, 100 sigmoid layers",
    ),
    Claim("log10_influence_100", None, text="the same as a power of ten"),
    Claim("influence_10", None, text="10 sigmoid layers"),
    Claim("influence_1", None, text="1 sigmoid layer"),
    Claim("relu_influence_100", None, text="control: 100 ReLU layers"),
    Claim("tape_difference", None, text="by hand and by GradientTape, relative"),
    Claim("frozen_depth", None, "layers", text="first weight - 0.1 dE/dw = the weight"),
    Claim("nudge_depth", None, "layers", text="a nudge of 0.00001 changes nothing"),
    Claim("log10_sigmoid_ratio", None, text="gradient first / last of 100 wide layers"),
    Claim("log10_relu_ratio", None, text="control: the same with ReLU"),
    Claim(
        "winter",
        (1986, 2006),
        unit="year",
        source="004, gradient vanishing: second winter",
        kind="cited",
        text="years of the second winter of neural networks",
    ),
]

LAYERS = 100
WEIGHT = 1.0  # of every neuron in the chain
LEARNING_RATE = 0.1
NUDGE = 0.00001  # the lecture's "very little"
WIDTH = 100  # neurons per layer in the wide networks
SAMPLES = 100  # random inputs that they see


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def relu(z):
    return np.maximum(z, 0.0)


def local_gradient(activation, output):
    """The derivative of the activation, where its output is `output`."""
    return output * (1 - output) if activation is sigmoid else float(output > 0)


def error(first_weight, depth, activation):
    """E = h^2 behind a chain of `depth` neurons that is fed 1; and every output h."""
    outputs = [activation(first_weight * 1.0)]
    while len(outputs) < depth:
        outputs.append(activation(WEIGHT * outputs[-1]))
    return outputs[-1] ** 2, outputs


def influence(depth, activation):
    """dE/dw of the first weight: what lies between the two, multiplied up.

    Returns it, and the local gradients of the neurons from the last to the first.
    """
    _, outputs = error(WEIGHT, depth, activation)
    local = [local_gradient(activation, output) for output in reversed(outputs)]
    product = 2 * outputs[-1] * local[0]  # from E back into the last neuron
    for gradient in local[1:]:
        product *= WEIGHT * gradient
    return product, local


def influence_by_nudge(depth, activation):
    """The same as the lecture first found it: move the weight a little and look."""
    up, _ = error(WEIGHT + NUDGE, depth, activation)
    down, _ = error(WEIGHT - NUDGE, depth, activation)
    return (up - down) / (2 * NUDGE)


def influence_by_tape(depth, activation):
    """The same by TensorFlow."""
    first_weight = tf.constant(WEIGHT, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(first_weight)
        value, _ = error(first_weight, depth, getattr(tf.nn, activation.__name__))
    return float(tape.gradient(value, first_weight))


def wide_gradients(activation, rng):
    """RMS gradient of each layer's weights in a network of wide layers.

    float64: in float32 the smallest of these gradients would be exactly 0.
    """
    variance = (1 if activation is sigmoid else 2) / WIDTH  # Xavier and He
    weights = [variance**0.5 * rng.normal(size=(WIDTH, WIDTH)) for _ in range(LAYERS)]
    weights = [tf.constant(w) for w in weights]
    signal = tf.constant(rng.normal(size=(SAMPLES, WIDTH)))
    with tf.GradientTape() as tape:
        tape.watch(weights)
        for w in weights:
            signal = getattr(tf.nn, activation.__name__)(signal @ w)
        value = tf.reduce_mean(signal**2)
    return np.array([np.sqrt(np.mean(g**2)) for g in tape.gradient(value, weights)])


def influence_figure(chain, wide):
    """Influence on a log scale: by depth of the chain, and by layer.

    chain, wide: {activation: [values by depth, or by layer]}.
    """
    figure, axes = plots.new_figure(1, 2, width=5)
    layers = np.arange(1, LAYERS + 1)
    for axis, curves in zip(axes, (chain, wide), strict=True):
        for activation, values in curves.items():
            axis.semilogy(layers, values, label=activation.__name__)
    axes[0].semilogy(layers, 0.25**layers, "k:", label="0.25 per layer, the best case")
    axes[0].set(
        xlabel="layers in the chain",
        ylabel="dE/dw of the first weight",
        title="one neuron per layer",
    )
    axes[1].set(
        xlabel="layer (1: next to the input)",
        ylabel="RMS gradient of its weights",
        title=f"one network of {LAYERS} layers, {WIDTH} neurons each",
    )
    for axis, corner in zip(axes, ("lower left", "lower right"), strict=True):
        smallest = np.finfo("float32").tiny
        axis.axhline(smallest, color="grey", ls="--", label="float32 ends here")
        axis.legend(loc=corner)
    return figure


def main(run):
    depths = range(1, LAYERS + 1)
    chain = {f: [influence(depth, f)[0] for depth in depths] for f in (relu, sigmoid)}
    by_depth = chain[sigmoid]
    by_tape = [influence_by_tape(depth, sigmoid) for depth in (1, 10, LAYERS)]
    # The update w - 0.1 dE/dw in the float32 that networks are trained in.
    weight, rate = np.float32(WEIGHT), np.float32(LEARNING_RATE)
    frozen = [weight - rate * np.float32(value) == weight for value in by_depth]
    unseen = [influence_by_nudge(depth, sigmoid) == 0 for depth in depths]
    rng = np.random.default_rng(run.seed)
    wide = {f: wide_gradients(f, rng) for f in (relu, sigmoid)}
    run.save_figure(influence_figure(chain, wide), "influence")
    return {
        "local_gradients": len(influence(LAYERS, sigmoid)[1]),
        "influence_1": by_depth[0],
        "influence_10": by_depth[9],
        "influence_100": by_depth[99],
        "log10_influence_100": np.log10(by_depth[99]),
        "relu_influence_100": chain[relu][99],
        "tape_difference": max(
            abs(tape / by_depth[depth - 1] - 1)
            for tape, depth in zip(by_tape, (1, 10, LAYERS), strict=True)
        ),
        "frozen_depth": 1 + frozen.index(True),
        "nudge_depth": 1 + unseen.index(True),
        "log10_sigmoid_ratio": np.log10(wide[sigmoid][0] / wide[sigmoid][-1]),
        "log10_relu_ratio": np.log10(wide[relu][0] / wide[relu][-1]),
    }


if __name__ == "__main__":
    cli(main)
