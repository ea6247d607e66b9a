"""Weight initialization: signals and gradients on their way through many layers.

제목: 가중치 초기화: N(0, 1), Xavier, He
Question: Which start keeps signals and gradients at one size through twenty layers?
Finding: Through ReLU, He's: from layer to layer it multiplies the variance of signals
    by {relu_he_signal} and that of gradients by {relu_he_gradient}, where Xavier gives
    {relu_xavier_signal} and {relu_xavier_gradient}, N(0, 1) {relu_normal_signal} and
    {relu_normal_gradient}. Xavier loses gradients slowly through tanh
    ({tanh_xavier_gradient} a layer) and fast through sigmoids
    ({sigmoid_xavier_gradient}). N(0, 1) drives {tanh_normal_saturated} of the last tanh
    beyond 0.99, and yet gradients do not vanish there, they grow, by
    {tanh_normal_gradient} a layer: the squared slopes are {tanh_normal_slope} on
    average, but 256 of them are summed, and that makes {tanh_normal_expected}.
결과: ReLU에서는 He입니다. 한 층을 지날 때마다 신호의 분산은 {relu_he_signal}배,
    기울기의 분산은 {relu_he_gradient}배가 되며, Xavier에서는 {relu_xavier_signal}배와
    {relu_xavier_gradient}배, N(0, 1)에서는 {relu_normal_signal}배와
    {relu_normal_gradient}배입니다. Xavier의 기울기는 tanh에서 층마다
    {tanh_xavier_gradient}배로 천천히, 시그모이드에서 {sigmoid_xavier_gradient}배로
    빠르게 줄어듭니다. N(0, 1)에서는 마지막 tanh 출력의 {tanh_normal_saturated}가 크기
    0.99를 넘어 포화되지만, 기울기는 사라지지 않고 층마다 {tanh_normal_gradient}배로
    커집니다. 미분값의 제곱은 평균 {tanh_normal_slope}이어도 256개가 더해져
    {tanh_normal_expected}배가 되기 때문입니다.
Lecture: 004, gradient vanishing: fitting initial weights; 003, deep learning
Changes from: 13_batch_normalization (no training: a look before the first step)
Run: python recipes/14_weight_initialization.py
Try: (1) N(0, 0.01) as a fourth start (2) 50 layers: by how much does Xavier shrink a
    signal through ReLU? (3) leaky ReLU: which variance would keep its signals?
"""

from itertools import pairwise

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf

LAYERS = 20  # hidden layers
WIDTH = 256  # neurons in each
SAMPLES = 200  # digits that are sent through
ACTIVATIONS = ("sigmoid", "tanh", "relu")
STARTS = ("normal", "xavier", "he")


def by_hand(start, inputs, outputs, rng):
    """Weights [inputs, outputs] whose variance makes up for what a layer does.

    A sum of n products has n times their variance: Xavier divides by n, as a mean of
    the way forward (inputs) and back (outputs). ReLU silences half: He doubles.
    """
    if start == "xavier":
        limit = np.sqrt(3 * 2 / (inputs + outputs))  # uniform, variance limit^2 / 3
        return rng.uniform(-limit, limit, (inputs, outputs))
    variance = {"normal": 1, "he": 2 / inputs}[start]
    return np.sqrt(variance) * rng.normal(size=(inputs, outputs))


def by_keras(start, inputs, outputs, rng):
    """The same from Keras."""
    seed = int(rng.integers(2**31))
    initializer = {
        "normal": keras.initializers.RandomNormal(stddev=1.0, seed=seed),
        "xavier": keras.initializers.GlorotUniform(seed=seed),
        "he": keras.initializers.HeNormal(seed=seed),
    }[start]
    return initializer((inputs, outputs), dtype="float64")


def through_the_layers(x, weights, activation, rng):
    """Send samples forward and a gradient back.

    x: [samples, pixels]; weights: [inputs, outputs] by layer.
    Returns the outputs of each layer, and the gradient that arrives at each of them,
    both [samples, neurons] by layer.
    """
    signals = []
    # The gradient enters behind the last layer as noise of variance 1.
    noise = rng.normal(size=(len(x), WIDTH))
    with tf.GradientTape() as tape:
        signal = tf.constant(x)
        tape.watch(signal)
        for w in weights:
            signal = getattr(tf.nn, activation)(signal @ w)
            signals.append(signal)
        value = tf.reduce_sum(signal * noise)
    return signals, tape.gradient(value, signals)


def per_layer(variances):
    """The factor from one layer to the next, as a mean over all of them."""
    return (variances[-1] / variances[0]) ** (1 / (len(variances) - 1))


def variance_figure(signals, gradients):
    """Variance by layer, one panel per activation, signals above, gradients below."""
    figure, axes = plots.new_figure(2, len(ACTIVATIONS), width=3.4, height=2.6)
    names = {"normal": "N(0, 1)", "xavier": "Xavier", "he": "He"}
    layers = np.arange(1, LAYERS + 1)
    for row, variances in zip(axes, (signals, gradients), strict=True):
        for axis, activation in zip(row, ACTIVATIONS, strict=True):
            for start in STARTS:
                axis.semilogy(layers, variances[activation, start], label=names[start])
            axis.set(xticks=[1, 5, 10, 15, 20], ylim=(1e-26, 1e48))
            axis.set_yticks([1e-20, 1, 1e20, 1e40])
    for axis, activation in zip(axes[0], ACTIVATIONS, strict=True):
        axis.set_title(activation)
    for axis in axes[1]:
        axis.set_xlabel("layer")
    axes[0, 0].set_ylabel("variance of the signal")
    axes[1, 0].set_ylabel("variance of the gradient")
    axes[0, 0].legend()
    return figure


def main(run):
    (images, _), _, _ = datasets.mnist(limit=run.pick(SAMPLES, 50))
    x = images.reshape(len(images), -1).astype("float64")
    x = (x - x.mean()) / x.std()
    sizes = (x.shape[1], *[WIDTH] * LAYERS)
    rng = np.random.default_rng(run.seed)
    signals, gradients, saturated, values = {}, {}, {}, {}
    for activation in ACTIVATIONS:
        for start in STARTS:
            weights = [by_hand(start, *shape, rng) for shape in pairwise(sizes)]
            outputs, arriving = through_the_layers(x, weights, activation, rng)
            key = activation, start
            signals[key] = [np.var(output) for output in outputs]
            gradients[key] = [np.var(gradient) for gradient in arriving]
            saturated[key] = 100 * np.mean(np.abs(outputs[-1]) > 0.99)
            if key == ("tanh", "normal"):
                # Saturated tanh have slopes 1 - y^2 near 0, and N(0, 1) weights of
                # variance 1 sum up WIDTH of them: it is the product that counts.
                slopes = [np.mean((1 - output**2) ** 2) for output in outputs[1:]]
                values["tanh_normal_slope"] = np.mean(slopes)
    weights = [by_keras("he", *shape, rng) for shape in pairwise(sizes)]
    outputs, _ = through_the_layers(x, weights, "relu", rng)

    run.save_figure(variance_figure(signals, gradients), "variance_by_layer")
    for start in STARTS:
        values[f"relu_{start}_signal"] = per_layer(signals["relu", start])
        values[f"relu_{start}_gradient"] = per_layer(gradients["relu", start][::-1])
    values["relu_he_signal_keras"] = per_layer([np.var(output) for output in outputs])
    for activation in ("tanh", "sigmoid"):
        back = gradients[activation, "xavier"][::-1]
        values[f"{activation}_xavier_gradient"] = per_layer(back)
    values["tanh_normal_gradient"] = per_layer(gradients["tanh", "normal"][::-1])
    values["tanh_normal_expected"] = WIDTH * values["tanh_normal_slope"]
    for start in ("normal", "xavier"):
        values[f"tanh_{start}_saturated"] = saturated["tanh", start]
    return values


MEASURES = {
    "relu_normal_signal": Measure(
        "",
        "ReLU, N(0, 1): signal variance per layer",
        "ReLU, N(0, 1): 층마다 신호 분산의 배율",
    ),
    "relu_normal_gradient": Measure(
        "", "ReLU, N(0, 1): gradient, going back", "ReLU, N(0, 1): 기울기 분산의 배율"
    ),
    "relu_xavier_signal": Measure("", "ReLU, Xavier: signal", "ReLU, Xavier: 신호"),
    "relu_xavier_gradient": Measure(
        "", "ReLU, Xavier: gradient", "ReLU, Xavier: 기울기"
    ),
    "relu_he_signal": Measure("", "ReLU, He: signal", "ReLU, He: 신호"),
    "relu_he_gradient": Measure("", "ReLU, He: gradient", "ReLU, He: 기울기"),
    "relu_he_signal_keras": Measure(
        "", "ReLU, He: signal with Keras' HeNormal", "ReLU, He: Keras HeNormal의 신호"
    ),
    "tanh_xavier_gradient": Measure(
        "", "tanh, Xavier: gradient", "tanh, Xavier: 기울기"
    ),
    "tanh_normal_gradient": Measure(
        "", "tanh, N(0, 1): gradient, going back", "tanh, N(0, 1): 기울기"
    ),
    "tanh_normal_slope": Measure(
        "", "its squared slopes, mean", "그 미분값의 제곱, 평균"
    ),
    "tanh_normal_expected": Measure("", "256 times as much", "그 256배"),
    "sigmoid_xavier_gradient": Measure(
        "", "sigmoid, Xavier: gradient", "시그모이드, Xavier: 기울기"
    ),
    "tanh_normal_saturated": Measure(
        "%",
        "tanh, N(0, 1): last outputs beyond 0.99",
        "tanh, N(0, 1): 0.99를 넘는 마지막 출력",
    ),
    "tanh_xavier_saturated": Measure("%", "control: the same, Xavier", "대조: Xavier"),
}


if __name__ == "__main__":
    cli(main)
