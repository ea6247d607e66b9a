"""Vanishing influence: a hundred sigmoids between a weight and the error.

제목: 사라지는 영향력: 시그모이드 100층
Question: How much does the first weight of a deep network influence the error?
Finding: Through 1 sigmoid by {influence_1}, through 10 by {influence_10}, through 100
    by 10 to the power {log10_influence_100}; from {frozen_depth} layers on, a step no
    longer moves it in float32. Through 100 ReLU it is still {relu_influence_100}, as
    every weight of the chain is 1; in layers of 100 neurons the first gradient is 10 to
    the power {log10_sigmoid_ratio} times the last with sigmoids (Xavier), and with ReLU
    (He) {log10_relu_ratio}.
결과: 시그모이드 1개를 거치면 {influence_1}, 10개를 거치면 {influence_10}, 100개를
    거치면 10의 {log10_influence_100}제곱입니다. {frozen_depth}층부터는 한 걸음 학습해도
    float32 가중치가 움직이지 않습니다. ReLU는 100개를 거쳐도 {relu_influence_100}인데,
    사슬의 가중치가 모두 1이기 때문입니다. 신경 세포가 100개씩인 층에서 첫 층의 기울기는
    마지막 층의 10의 {log10_sigmoid_ratio}제곱배(시그모이드, Xavier), 10의
    {log10_relu_ratio}제곱배(ReLU, He)입니다.
Lecture: 003, vanishing influence; 004, gradient vanishing
Changes from: 14_weight_initialization (one neuron per layer first; up to 100 layers)
Run: python recipes/15_vanishing_influence.py
Try: (1) WEIGHT 4: local gradient times weight can be 1; is the influence saved?
    (2) tanh in both experiments (3) the wide sigmoid layers with N(0, 1)
"""

from common import plots
from common.running import Measure, cli

import numpy as np
import tensorflow as tf

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


MEASURES = {
    "local_gradients": Measure("", "local gradients multiplied", "곱한 국소 기울기"),
    "influence_1": Measure(
        "", "dE/dw of the first weight, 1 layer", "첫 가중치의 dE/dw, 1층"
    ),
    "influence_10": Measure("", "10 sigmoid layers", "시그모이드 10층"),
    "influence_100": Measure("", "100 sigmoid layers", "시그모이드 100층"),
    "log10_influence_100": Measure(
        "",
        "100 sigmoid layers, as a power of ten",
        "시그모이드 100층, 10의 거듭제곱으로",
    ),
    "relu_influence_100": Measure("", "control: 100 ReLU layers", "대조: ReLU 100층"),
    "tape_difference": Measure(
        "", "by hand and by GradientTape, relative", "손과 GradientTape의 상대 차이"
    ),
    "frozen_depth": Measure(
        "",
        "layers from which on w - 0.1 dE/dw is w in float32",
        "w - 0.1 dE/dw가 w인 층수",
    ),
    "nudge_depth": Measure(
        "",
        "layers from which on a nudge of 0.00001 does nothing",
        "0.00001을 못 느끼는 층수",
    ),
    "log10_sigmoid_ratio": Measure(
        "",
        "gradient first / last of 100 wide layers, power of ten",
        "넓은 100층의 기울기, 처음 / 끝, 10의 거듭제곱",
    ),
    "log10_relu_ratio": Measure("", "control: the same with ReLU", "대조: ReLU"),
}


if __name__ == "__main__":
    cli(main)
