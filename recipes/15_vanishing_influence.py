"""Vanishing influence: a hundred sigmoids between a weight and the error.

제목: 사라지는 영향력: 시그모이드 100층
Question: How much does the first weight of a deep network influence the error?
Finding: Through 1 sigmoid by {influence_1}, through 10 by {influence_10}, through 100
    by 10 to the power {log10_influence_100}; from {frozen_depth} layers on, a step no
    longer moves it in float32. Through 100 ReLU it hangs on the weights: where each is
    0.9, 1 or 1.1, by {relu_influence[0]}, {relu_influence[1]} or {relu_influence[2]};
    so He's start gives them just the right size. With it, in layers of 100 neurons, the
    first gradient is 10 to the power {log10_relu_ratio} times the last, but with
    sigmoids in place of ReLU 10 to the power {log10_sigmoid_ratio}.
결과: 시그모이드 1개를 거치면 {influence_1}, 10개를 거치면 {influence_10}, 100개를
    거치면 10의 {log10_influence_100}제곱이고, {frozen_depth}층부터는 한 걸음 학습해도
    float32 가중치가 움직이지 않습니다. ReLU 100개를 거칠 때는 가중치에 달려 있어서,
    모두 0.9, 1, 1.1이면 각각 {relu_influence[0]}, {relu_influence[1]},
    {relu_influence[2]}입니다. 그래서 He는 가중치의 크기를 꼭 맞춥니다. 그렇게
    시작하면 신경 세포가 100개씩인 층에서 첫 층의 기울기는 마지막 층의 10의
    {log10_relu_ratio}제곱배이지만, ReLU 대신 시그모이드를 쓰면 10의
    {log10_sigmoid_ratio}제곱배입니다.
Lecture: 003, vanishing influence; 004, gradient vanishing
Changes from: 14_weight_initialization (one neuron per layer first; up to 100 layers)
Run: python recipes/15_vanishing_influence.py
Try: (1) WEIGHT 4: local gradient times weight can be 1; is the influence saved?
    (2) tanh in both experiments (3) 1.1 times He's start in the wide layers
"""

from common import plots
from common.running import Measure, cli

import numpy as np
import tensorflow as tf

LAYERS = 100
WEIGHT = 1.0  # of every sigmoid in the chain
RELU_WEIGHTS = (0.9, 1.0, 1.1)  # of every ReLU in three chains
LEARNING_RATE = 0.1
WIDTH = 100  # neurons per layer in the wide networks
SAMPLES = 100  # random inputs that they see


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def relu(z):
    return np.maximum(z, 0.0)


def local_gradient(activation, output):
    """The derivative of the activation, where its output is `output`."""
    return output * (1 - output) if activation is sigmoid else float(output > 0)


def error(first_weight, weight, depth, activation):
    """E = h^2 behind a chain of `depth` neurons that is fed 1; and every output h."""
    outputs = [activation(first_weight * 1.0)]
    while len(outputs) < depth:
        outputs.append(activation(weight * outputs[-1]))
    return outputs[-1] ** 2, outputs


def influence(weight, depth, activation):
    """dE/dw of the first weight: what lies between the two, multiplied up."""
    _, outputs = error(weight, weight, depth, activation)
    local = [local_gradient(activation, output) for output in reversed(outputs)]
    product = 2 * outputs[-1] * local[0]  # from E back into the last neuron
    for gradient in local[1:]:
        product *= weight * gradient
    return product


def influence_by_tape(weight, depth, activation):
    """The same by TensorFlow, and how many local gradients its graph multiplies."""

    @tf.function
    def gradient(first_weight):
        with tf.GradientTape() as tape:
            tape.watch(first_weight)
            function = getattr(tf.nn, activation.__name__)
            value, _ = error(first_weight, weight, depth, function)
        return tape.gradient(value, first_weight)

    first_weight = tf.constant(weight, tf.float64)
    graph = gradient.get_concrete_function(first_weight).graph
    operations = [operation.type for operation in graph.get_operations()]
    local = operations.count(f"{activation.__name__.capitalize()}Grad")
    return float(gradient(first_weight)), local


def wide_gradients(activation, rng):
    """RMS gradient of each layer's weights in a network of wide layers.

    He's start, variance 2 / inputs, also where sigmoids follow: Xavier's would be
    smaller. float64: in float32 the smallest gradients would be exactly 0.
    """
    weights = rng.normal(size=(LAYERS, WIDTH, WIDTH)) * np.sqrt(2 / WIDTH)
    weights = [tf.constant(w) for w in weights]
    signal = tf.constant(rng.normal(size=(SAMPLES, WIDTH)))
    with tf.GradientTape() as tape:
        tape.watch(weights)
        for w in weights:
            signal = getattr(tf.nn, activation.__name__)(signal @ w)
        value = tf.reduce_mean(signal**2)
    return np.array([np.sqrt(np.mean(g**2)) for g in tape.gradient(value, weights)])


def influence_figure(chain, wide):
    """Influence, {label: [values]}, by depth of the chain, and by layer."""
    figure, axes = plots.new_figure(1, 2, width=5)
    layers = np.arange(1, LAYERS + 1)
    for axis, curves in zip(axes, (chain, wide), strict=True):
        for label, values in curves.items():
            axis.semilogy(layers, values, label=label)
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
        axis.legend(loc=corner, fontsize="small")
    return figure


def main(run):
    depths = range(1, LAYERS + 1)
    by_depth = [influence(WEIGHT, depth, sigmoid) for depth in depths]
    by_tape = [influence_by_tape(WEIGHT, depth, sigmoid) for depth in (1, 10, LAYERS)]
    chain = {f"sigmoid, weights {WEIGHT:g}": by_depth}
    for weight in RELU_WEIGHTS:
        curve = [influence(weight, depth, relu) for depth in depths]
        chain[f"ReLU, weights {weight:g}"] = curve
    # The update w - 0.1 dE/dw in the float32 that networks are trained in.
    weight, rate = np.float32(WEIGHT), np.float32(LEARNING_RATE)
    frozen = [weight - rate * np.float32(value) == weight for value in by_depth]
    rng = np.random.default_rng(run.seed)
    wide = {f: wide_gradients(f, rng) for f in (sigmoid, relu)}
    shown = {"sigmoid, He's start": wide[sigmoid], "ReLU, He's start": wide[relu]}
    run.save_figure(influence_figure(chain, shown), "influence")
    return {
        "local_gradients": by_tape[-1][1],
        "influence_1": by_depth[0],
        "influence_10": by_depth[9],
        "influence_100": by_depth[-1],
        "log10_influence_100": np.log10(by_depth[-1]),
        "relu_influence": [influence(weight, LAYERS, relu) for weight in RELU_WEIGHTS],
        "tape_difference": max(
            abs(value / by_depth[depth - 1] - 1)
            for (value, _), depth in zip(by_tape, (1, 10, LAYERS), strict=True)
        ),
        "frozen_depth": 1 + frozen.index(True),
        "log10_sigmoid_ratio": np.log10(wide[sigmoid][0] / wide[sigmoid][-1]),
        "log10_relu_ratio": np.log10(wide[relu][0] / wide[relu][-1]),
    }


MEASURES = {
    "local_gradients": Measure(
        "", "local gradients in the graph", "그래프의 국소 기울기", deterministic=True
    ),
    "influence_1": Measure(
        "", "dE/dw of the first weight, 1 layer", "첫 dE/dw, 1층", deterministic=True
    ),
    "influence_10": Measure("", "10 sigmoids", "시그모이드 10층", deterministic=True),
    "influence_100": Measure(
        "", "100 sigmoids", "시그모이드 100층", deterministic=True
    ),
    "log10_influence_100": Measure(
        "", "the same, a power of ten", "같은 값, 10의 거듭제곱", deterministic=True
    ),
    "relu_influence": Measure(
        "", "100 ReLU, weights 0.9, 1, 1.1", "ReLU 100층", deterministic=True
    ),
    "tape_difference": Measure(
        "", "from GradientTape's, relative", "테이프와 상대 차이", deterministic=True
    ),
    "frozen_depth": Measure(
        "", "layers from which on w stays, float32", "멈추는 층수", deterministic=True
    ),
    "log10_sigmoid_ratio": Measure(
        "",
        "gradient, first / last of 100 wide sigmoid layers, power of ten",
        "넓은 시그모이드 100층의 기울기, 처음 / 끝, 10의 거듭제곱",
    ),
    "log10_relu_ratio": Measure(
        "", "control: ReLU, same start", "대조: ReLU, 같은 시작"
    ),
}


if __name__ == "__main__":
    cli(main)
