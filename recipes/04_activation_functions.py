"""Ten activation functions, their derivatives, and what depth makes of them.

제목: 활성화 함수와 그 미분
Question: What does an activation function let through, forward and backward?
Finding: Backward a sigmoid passes on at most {sigmoid_slope} of what arrives, and 100
    of them, weights aside, at most 10 to the power {power_of_ten}, which is 0 in
    float32 from layer {layers_to_zero} on. Forward, 100 linear layers are one linear
    layer ({linear_layers_differ} of 1,000 inputs differ); with ReLU between them
    {relu_layers_differ} differ, which would also be so if they let nothing through.
결과: 역방향에서 시그모이드는 받은 값의 최대 {sigmoid_slope}배를 넘깁니다. 100개를
    지나면(가중치는 빼고) 많아야 10의 {power_of_ten}제곱이고, float32로는
    {layers_to_zero}층부터 0입니다. 순방향에서 선형층 100개는 선형층 하나와
    같습니다(입력 1,000개 중 다른 것 {linear_layers_differ}개). 층 사이에 ReLU를 두면
    {relu_layers_differ}개가 다르지만, 아무것도 통과시키지 않는 망도 그렇습니다.
Lecture: 002, kinds of activation function; 003, vanishing influence
Changes from: 03 (other functions in the place of the sigmoid)
Run: python recipes/04_activation_functions.py
Try: (1) ELU with another ALPHA: where does its derivative jump? (2) maxout of the lines
    0 and x: which function is it? (3) LAYERS = 200 and the slope of the bipolar sigmoid
"""

from common import plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf

LEAK = 0.1  # the slide's slope of leaky ReLU below 0
ALPHA = 1.0  # ELU's depth, which the slide leaves open
LINES = ((-0.5, 0.0), (1.0, 0.0))  # w, b of the lines of which maxout is the upper
POINTS = np.array([-20.0, -1.0, 0.0, 1.0, 20.0])  # both ends and every break point
LAYERS = 100


def logistic(x):
    return 1 / (1 + np.exp(-x))


def activations():
    """By name: the function, its derivative, the function in Keras.

    The two steps have no third: there is no slope for GradientTape to find.
    """
    (w1, b1), (w2, b2) = LINES
    in_keras = keras.activations
    return {
        "step": (lambda x: (x >= 0) * 1.0, np.zeros_like, None),
        "bipolar step": (lambda x: np.where(x > 0, 1.0, -1.0), np.zeros_like, None),
        "threshold": (
            lambda x: np.where(x <= -1, -1.0, np.where(x <= 1, x, 1.0)),
            lambda x: (abs(x) < 1) * 1.0,
            in_keras.hard_tanh,
        ),
        "bipolar sigmoid": (
            lambda x: 2 * logistic(x) - 1,
            lambda x: 2 * (1 - logistic(x)) * logistic(x),
            lambda x: in_keras.tanh(x / 2),
        ),
        "sigmoid": (
            logistic,
            lambda x: (1 - logistic(x)) * logistic(x),
            in_keras.sigmoid,
        ),
        "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2, in_keras.tanh),
        "ReLU": (lambda x: np.maximum(0, x), lambda x: (x > 0) * 1.0, in_keras.relu),
        "leaky ReLU": (
            lambda x: np.maximum(LEAK * x, x),
            lambda x: np.where(x > 0, 1.0, LEAK),
            lambda x: in_keras.leaky_relu(x, negative_slope=LEAK),
        ),
        "maxout": (
            lambda x: np.maximum(w1 * x + b1, w2 * x + b2),
            lambda x: np.where(w1 * x + b1 > w2 * x + b2, w1, w2),
            lambda x: keras.ops.maximum(w1 * x + b1, w2 * x + b2),
        ),
        "ELU": (
            lambda x: np.where(x >= 0, x, ALPHA * np.expm1(np.minimum(x, 0))),
            lambda x: np.where(x >= 0, 1.0, ALPHA * np.exp(np.minimum(x, 0))),
            lambda x: in_keras.elu(x, alpha=ALPHA),
        ),
    }


def keras_disagreements(x):
    """At how many (function, x) Keras has another value or another slope."""
    count, x_keras = 0, tf.constant(x)
    for function, slope, in_keras in activations().values():
        if in_keras:
            with tf.GradientTape() as tape:
                tape.watch(x_keras)
                y = in_keras(x_keras)
            keras_slope = tape.gradient(y, x_keras)
            same = np.isclose(function(x), y) & np.isclose(slope(x), keras_slope)
            count += (~same).sum()
    return count


def differ_from_one_layer(activation, seed):
    """Of 1,000 inputs, on how many do 100 layers differ from one linear layer?

    The one layer has the product of all weight matrices for its weights.
    """
    random = np.random.default_rng(seed)
    inputs = deep = random.normal(size=(1000, 4))
    # Orthogonal weights, so that 100 layers neither shrink nor blow up the signal.
    layers = [np.linalg.qr(random.normal(size=(4, 4)))[0] for _ in range(LAYERS)]
    for weights in layers:
        deep = activation(deep @ weights)
    single = inputs @ np.linalg.multi_dot(layers)
    return (~np.isclose(deep, single, atol=1e-9).all(axis=1)).sum()


def activation_figure():
    figure, axes = plots.new_figure(2, 5, width=2.2, height=2.1)
    x = np.linspace(-3, 3, 1200)
    rows = activations().items()
    for axis, (name, (function, slope, _)) in zip(axes.flat, rows, strict=True):
        for style, y in (("-", function(x)), ("--", slope(x))):
            y[1:][abs(np.diff(y)) > 0.3] = np.nan  # a jump is not a steep line
            axis.plot(x, y, style)
        axis.set(title=name, xlabel="x", ylim=(-1.3, 2), xticks=(-2, 0, 2))
    axes[0, 0].legend(["function", "derivative"], fontsize="x-small")
    return figure


def main(run):
    functions = {name: rows[0] for name, rows in activations().items()}

    def values(*names):
        return [functions[name](POINTS) for name in names]

    slope = activations()["sigmoid"][1](np.linspace(-3, 3, 601)).max()
    products = np.cumprod(np.full(LAYERS, slope, "float32"), dtype="float32")
    run.save_figure(activation_figure(), "activations")
    # The slide: it cannot be written as one formula.
    formula = (np.abs(POINTS + 1) - np.abs(POINTS - 1)) / 2
    return {
        "threshold_formula": np.abs(functions["threshold"](POINTS) - formula).max(),
        "step": functions["step"](POINTS),
        "step_at_threshold": functions["step"](0.0),
        "kinds": values("bipolar step", "threshold", "bipolar sigmoid"),
        "functions": values("sigmoid", "tanh", "ReLU", "leaky ReLU", "ELU"),
        # These points miss the break points, where slopes are a choice.
        "keras_disagreements": keras_disagreements(np.linspace(-3, 3, 2000)),
        "sigmoid_slope": slope,
        "influence_after_100": products[-1],
        "power_of_ten": LAYERS * np.log10(slope),
        "layers_to_zero": 1 + np.flatnonzero(products == 0)[0],
        "linear_layers_differ": differ_from_one_layer(lambda x: x, run.seed),
        "relu_layers_differ": differ_from_one_layer(functions["ReLU"], run.seed),
    }


MEASURES = {
    "threshold_formula": Measure(
        "",
        "threshold less (|x + 1| - |x - 1|) / 2",
        "임계 함수 - (|x + 1| - |x - 1|) / 2",
    ),
    "step": Measure("", "step at -20, -1, 0, 1, 20", "-20, -1, 0, 1, 20의 계단 함수"),
    "step_at_threshold": Measure("", "step exactly at 0", "정확히 0의 계단 함수"),
    "kinds": Measure(
        "",
        "bipolar step, threshold, bipolar sigmoid there",
        "같은 점의 양극 계단, 임계, 양극 시그모이드",
    ),
    "functions": Measure(
        "",
        "sigmoid, tanh, ReLU, leaky ReLU, ELU there",
        "같은 점의 시그모이드, tanh, ReLU, 리키 ReLU, ELU",
    ),
    "keras_disagreements": Measure("", "points where Keras differs", "Keras와 다른 점"),
    "sigmoid_slope": Measure("", "maximum of sigmoid'", "시그모이드 미분의 최댓값"),
    "influence_after_100": Measure(
        "", "its 100th power, float32", "그 100제곱 float32"
    ),
    "power_of_ten": Measure("", "that as a power of ten", "같은 값, 10의 거듭제곱"),
    "layers_to_zero": Measure("", "layers until float32 is 0", "float32가 0이 되는 층"),
    "linear_layers_differ": Measure(
        "",
        "of 1,000 inputs: 100 linear layers differ from one",
        "입력 1,000개 중 선형층 100개가 하나와 다른 수",
    ),
    "relu_layers_differ": Measure("", "with ReLU between them", "사이에 ReLU를 둘 때"),
}


if __name__ == "__main__":
    cli(main)
