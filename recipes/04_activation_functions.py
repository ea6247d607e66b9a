"""Ten activation functions, their derivatives, and what depth makes of them.

제목: 활성화 함수와 그 미분
Question: What does an activation function let through, forward and backward?
Finding: Backward a sigmoid passes on at most {sigmoid_slope} of what arrives, and 100
    of them, weights aside, at most {influence_after_100}, less than the smallest number
    of float32. Forward, 100 linear layers are one linear layer ({linear_layers_differ}
    of 1,000 inputs differ), but of what two layers with ReLU put out, the best single
    linear layer leaves {relu_unexplained} of the variance unexplained.
결과: 역방향에서 시그모이드는 받은 값의 최대 {sigmoid_slope}배를 넘깁니다. 100개를
    지나면(가중치는 빼고) 많아야 {influence_after_100}배로, float32의 가장 작은 수보다도
    작습니다. 순방향에서 선형층 100개는 선형층 하나와 같지만(입력 1,000개 중 다른 것
    {linear_layers_differ}개), ReLU를 둔 두 층의 출력은 가장 잘 맞춘 선형층 하나로도
    분산의 {relu_unexplained}를 설명하지 못합니다.
Lecture: 002, kinds of activation function; 003, vanishing influence
Changes from: 03 (other functions in the place of the sigmoid)
Run: python recipes/04_activation_functions.py
Try: (1) ELU with another ALPHA: where does its derivative jump? (2) maxout of the lines
    0 and x: which function is it? (3) LAYERS = 200 and the slope of the bipolar sigmoid
"""

from functools import reduce

from common import plots
from common.running import Measure, cli

import numpy as np

LEAK = 0.1  # the slide's slope of leaky ReLU below 0
ALPHA = 1.0  # ELU's depth, which the slide leaves open
LINES = ((-0.5, 0.0), (1.0, 0.0))  # w, b of the lines of which maxout is the upper
POINTS = np.array([-20.0, -1.0, 0.0, 1.0, 20.0])  # both ends and every break point
STEP_AT = 0.0  # where the slides have two steps: x >= 0 says 1, x > 0 says 0
LAYERS = 100
FEW = 2  # layers, enough to be more than one linear layer
WIDTH = 16  # neurons of every layer


def linear(x):
    return x


def logistic(x):
    return 1 / (1 + np.exp(-x))


def relu(x):
    return np.maximum(0, x)


def activations():
    """The function and its derivative, by name."""
    (w1, b1), (w2, b2) = LINES
    return {
        "step": (lambda x: (x >= 0) * 1.0, np.zeros_like),
        "bipolar step": (lambda x: np.where(x > 0, 1.0, -1.0), np.zeros_like),
        "threshold": (
            lambda x: np.where(x <= -1, -1.0, np.where(x <= 1, x, 1.0)),
            lambda x: (abs(x) < 1) * 1.0,
        ),
        "bipolar sigmoid": (
            lambda x: 2 * logistic(x) - 1,
            lambda x: 2 * (1 - logistic(x)) * logistic(x),
        ),
        "sigmoid": (logistic, lambda x: (1 - logistic(x)) * logistic(x)),
        "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
        "ReLU": (relu, lambda x: (x > 0) * 1.0),
        "leaky ReLU": (
            lambda x: np.maximum(LEAK * x, x),
            lambda x: np.where(x > 0, 1.0, LEAK),
        ),
        "maxout": (
            lambda x: np.maximum(w1 * x + b1, w2 * x + b2),
            lambda x: np.where(w1 * x + b1 > w2 * x + b2, w1, w2),
        ),
        "ELU": (
            lambda x: np.where(x >= 0, x, ALPHA * np.expm1(np.minimum(x, 0))),
            lambda x: np.where(x >= 0, 1.0, ALPHA * np.exp(np.minimum(x, 0))),
        ),
    }


def through_layers(x, layers, activation):
    for weights in layers:
        x = activation(x @ weights)
    return x


def differ_from_one_layer(x, layers, activation):
    """At how many x the layers differ from one with the product of their weights."""
    single = x @ reduce(np.matmul, layers)
    deep = through_layers(x, layers, activation)
    return (~np.isclose(deep, single, atol=1e-9).all(axis=1)).sum()


def best_linear_layer(x, y):
    """The outputs of the linear layer with a bias that comes closest to y."""
    x = np.column_stack([np.ones(len(x)), x])
    return x @ np.linalg.lstsq(x, y, rcond=None)[0]


def unexplained(x, layers, activation):
    """The share of the output's variance that the best linear layer leaves, in %."""
    y = through_layers(x, layers, activation)
    return 100 * (y - best_linear_layer(x, y)).var(axis=0).sum() / y.var(axis=0).sum()


def activation_figure():
    figure, axes = plots.new_figure(2, 5, width=2.2, height=2.1)
    x = np.linspace(-3, 3, 1200)
    rows = activations().items()
    for axis, (name, (function, slope)) in zip(axes.flat, rows, strict=True):
        for style, y in (("-", function(x)), ("--", slope(x))):
            y[1:][abs(np.diff(y)) > 0.3] = np.nan  # a jump is not a steep line
            axis.plot(x, y, style)
        axis.set(title=name, xlabel="x", ylim=(-1.3, 2), xticks=(-2, 0, 2))
    axes[0, 0].legend(["function", "derivative"], fontsize="x-small")
    return figure


def depth_figure(x, layers):
    """One output as the input moves on a straight line from x."""
    figure, axis = plots.new_figure(width=4.8)
    along = np.linspace(-3, 3, 301)
    line = x[0] + np.outer(along, x[1])
    straight, bent = (through_layers(line, layers, a) for a in (linear, relu))
    most = bent.var(axis=0).argmax()  # the output that moves most
    axis.plot(along, straight[:, most], label=f"{len(layers)} linear layers")
    axis.plot(along, bent[:, most], label="with ReLU")
    best = best_linear_layer(line, bent)[:, most]
    axis.plot(along, best, "C1:", label="the best line for it")
    axis.set(xlabel="input", ylabel="output", title="Only a bend makes layers count")
    axis.legend()
    return figure


def main(run):
    functions = {name: function for name, (function, _) in activations().items()}
    kinds = ("bipolar step", "threshold", "bipolar sigmoid")
    others = ("sigmoid", "tanh", "ReLU", "leaky ReLU", "ELU")
    slope = activations()["sigmoid"][1](np.linspace(-3, 3, 601)).max()
    random = np.random.default_rng(run.seed)
    x = random.normal(size=(1000, WIDTH))
    # Orthogonal weights, so that 100 linear layers neither shrink nor blow up.
    layers = np.linalg.qr(random.normal(size=(LAYERS, WIDTH, WIDTH)))[0]
    run.save_figure(activation_figure(), "activations")
    run.save_figure(depth_figure(x, layers[:FEW]), "depth")
    return {
        "step": functions["step"](POINTS),
        "step_conventions": [functions["step"](STEP_AT), 1.0 * (STEP_AT > 0)],
        "kinds": [functions[name](POINTS) for name in kinds],
        "functions": [functions[name](POINTS) for name in others],
        "sigmoid_slope": slope,
        "influence_after_100": slope**LAYERS,
        "linear_layers_differ": differ_from_one_layer(x, layers, linear),
        "relu_unexplained": unexplained(x, layers[:FEW], relu),
    }


MEASURES = {
    "step": Measure(
        "", "step at -20, -1, 0, 1, 20", "계단, -20, -1, 0, 1, 20", deterministic=True
    ),
    "step_conventions": Measure(
        "", "at 0: x >= 0, x > 0", "0에서: x >= 0, x > 0", deterministic=True
    ),
    "kinds": Measure(
        "",
        "bipolar step, threshold, bipolar sigmoid there",
        "같은 점의 양극 계단, 임계, 양극 시그모이드",
        deterministic=True,
    ),
    "functions": Measure(
        "",
        "sigmoid, tanh, ReLU, leaky ReLU, ELU there",
        "같은 점의 시그모이드, tanh, ReLU, 리키 ReLU, ELU",
        deterministic=True,
    ),
    "sigmoid_slope": Measure(
        "", "maximum of sigmoid'", "시그모이드 미분의 최댓값", deterministic=True
    ),
    "influence_after_100": Measure(
        "", "its 100th power", "그 100제곱", deterministic=True
    ),
    "linear_layers_differ": Measure(
        "",
        "of 1,000 inputs: 100 linear layers differ from one",
        "입력 1,000개 중 선형층 100개가 하나와 다른 수",
    ),
    "relu_unexplained": Measure(
        "%",
        "2 ReLU layers: variance that one linear layer leaves",
        "ReLU 두 층: 선형층 하나가 설명하지 못하는 분산",
    ),
}


if __name__ == "__main__":
    cli(main)
