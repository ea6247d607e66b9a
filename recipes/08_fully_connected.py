"""Fully connected: every neuron sees every neuron before it.

제목: 완전 연결 신경망: 연결의 수와 평가 지표
Question: How many connections has the lecture's 25-16-16-9-9 network, and which
    metric judges which kind of problem?
Finding: It has {connections} connections and, with a bias for each neuron, {parameters}
    parameters. A metric that does not fit its problem misleads: a network that says no
    to all of nine classes names {silent_accuracy} of the samples' classes, but gets
    {silent_binary_accuracy} of the yes-or-no questions right.
결과: 연결은 {connections}개이고, 신경 세포마다 하나인 편향을 더하면 매개변수는
    {parameters}개입니다. 문제에 맞지 않는 지표는 속입니다. 아홉 클래스에 모두 아니라고
    답하는 망의 정답률은 클래스로 재면 {silent_accuracy}이지만 예-아니요 질문으로 재면
    {silent_binary_accuracy}입니다.
Lecture: 003, Fully connected; 001, Fully Connected Network and Evaluation Metric
Changes from: 07, one layer's output; here layers feed layers, and errors are three
Run: python recipes/08_fully_connected.py
Try: (1) a 784-256-256-10 network: how many connections, how many parameters?
    (2) which layer holds the most connections, and why does width cost so much?
    (3) 1,000 classes and a network that always says no: its binary accuracy
"""

from common import plots
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers

SIZES = (25, 16, 16, 9, 9)  # a 5 x 5 image, three hidden layers, nine outputs
LABS = {"18": (2, 2, 2, 1), "21": (784, 256, 256, 10), "23": (784, *[512] * 4, 10)}
SAMPLES = 180  # 20 of each of the nine classes


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    exponentials = np.exp(z - z.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def forward(x, weights):
    """The sums of the last layer: y = a(Wx + b), layer after layer.

    x: [n, 25]; weights: one (W [inputs, outputs], b [outputs]) per layer.
    """
    for W, b in weights[:-1]:
        x = sigmoid(x @ W + b)
    W, b = weights[-1]
    return x @ W + b


def mean_squared_error(d, y):
    """Regression: d and y are numbers."""
    return np.mean((d - y) ** 2)


def categorical_cross_entropy(d, y):
    """Classification: one of the classes is right, y adds up to 1 over them."""
    return np.mean(-np.sum(d * np.log(y), axis=1))


def binary_cross_entropy(d, y):
    """Multi-label classification: each output answers its own yes-or-no question."""
    return np.mean(-d * np.log(y) - (1 - d) * np.log(1 - y))


def in_keras():
    """The lecture's network in Keras, which also draws its random weights."""
    hidden = [layers.Dense(units, activation="sigmoid") for units in SIZES[1:-1]]
    return keras.Sequential([keras.Input(SIZES[:1]), *hidden, layers.Dense(SIZES[-1])])


def draw_network(products):
    """Every connection as a line, their number above each layer."""
    figure, axis = plots.new_figure(width=8, height=4.5)
    heights = [np.linspace(0, 1, units + 2)[1:-1] for units in SIZES]
    for layer, count in enumerate(products):
        ends = np.stack(np.meshgrid(heights[layer], heights[layer + 1])).reshape(2, -1)
        axis.plot([layer, layer + 1], ends, f"C{layer}", lw=0.5, alpha=0.5)
        sizes = f"{SIZES[layer]} x {SIZES[layer + 1]} = {count}"
        axis.text(layer + 0.5, 1.02, sizes, ha="center", color=f"C{layer}")
    circle = {"s": 45, "c": "white", "edgecolors": "black", "zorder": 3}
    for layer, column in enumerate(heights):
        axis.scatter([layer] * len(column), column, **circle)
    names = ["input", *[f"hidden {i}" for i in range(1, len(SIZES) - 1)], "output"]
    axis.set_xticks(range(len(SIZES)), names)
    axis.set(yticks=[], title=f"{sum(products)} connections", ylim=(0, 1.08))
    axis.spines["left"].set_visible(False)
    axis.grid(False)
    return figure


def main(run):
    rng = np.random.default_rng(run.seed)
    model = in_keras()
    kernels_and_biases = model.get_weights()
    weights = list(zip(kernels_and_biases[::2], kernels_and_biases[1::2], strict=True))
    products = [W.size for W, b in weights]

    x = rng.uniform(size=(SAMPLES, SIZES[0])).astype("float32")
    z = forward(x, weights)
    one_of_nine = np.eye(SIZES[-1])[np.arange(SAMPLES) % SIZES[-1]]
    any_of_nine = rng.integers(2, size=(SAMPLES, SIZES[-1]))
    numbers = rng.normal(size=(SAMPLES, SIZES[-1]))
    by_hand = {
        "mean_squared_error": mean_squared_error(numbers, z),
        "categorical_cross_entropy": categorical_cross_entropy(one_of_nine, softmax(z)),
        "binary_cross_entropy": binary_cross_entropy(any_of_nine, sigmoid(z)),
    }
    categorical = keras.losses.CategoricalCrossentropy(from_logits=True)
    binary = keras.losses.BinaryCrossentropy(from_logits=True)
    by_keras = {
        "mean_squared_error": keras.losses.MeanSquaredError()(numbers, z),
        "categorical_cross_entropy": categorical(one_of_nine, z),
        "binary_cross_entropy": binary(any_of_nine, z),
    }
    # A network that answers no to every class; argmax then names the first one.
    silent = np.zeros_like(one_of_nine)
    right_class = silent.argmax(axis=1) == one_of_nine.argmax(axis=1)
    run.save_figure(draw_network(products), "connections")
    return {
        "connections": sum(products),
        # As the slides count them: the input is a layer too.
        **{f"layers_{lab}": len(sizes) for lab, sizes in LABS.items()},
        "connections_by_layer": products,
        "parameters": model.count_params(),
        "output_difference": np.abs(z - model(x).numpy()).max(),
        **by_hand,
        "metric_difference": max(abs(by_hand[k] - float(by_keras[k])) for k in by_hand),
        "silent_accuracy": 100 * right_class.mean(),
        "silent_binary_accuracy": 100 * (silent == one_of_nine).mean(),
    }


MEASURES = {
    "connections": Measure("", "of 25-16-16-9-9", "25-16-16-9-9의 연결"),
    "layers_18": Measure("", "layers of 2-2-2-1", "2-2-2-1의 층"),
    "layers_21": Measure("", "layers of 784-256-256-10", "784-256-256-10의 층"),
    "layers_23": Measure("", "layers of 784-512x4-10", "784-512x4-10의 층"),
    "connections_by_layer": Measure("", "between two layers", "층 사이마다의 연결"),
    "parameters": Measure("", "connections and biases", "연결과 편향"),
    "output_difference": Measure(
        "",
        "outputs by hand, difference from Keras'",
        "손으로 계산한 출력, Keras와의 차이",
    ),
    "mean_squared_error": Measure(
        "", "mean squared error, untrained", "평균 제곱 오차, 학습 전"
    ),
    "categorical_cross_entropy": Measure(
        "",
        "categorical cross-entropy, guessing is ln 9",
        "범주형 교차 엔트로피, 추측은 ln 9",
    ),
    "binary_cross_entropy": Measure(
        "", "binary cross-entropy, guessing is ln 2", "이진 교차 엔트로피, 추측은 ln 2"
    ),
    "metric_difference": Measure(
        "", "the three by hand, difference from Keras'", "세 지표, Keras와의 차이"
    ),
    "silent_accuracy": Measure(
        "%",
        "says no to all 9 classes: class right",
        "아홉 클래스에 모두 아니요: 클래스 정답",
    ),
    "silent_binary_accuracy": Measure("%", "yes-or-no right", "예-아니요 정답"),
}


if __name__ == "__main__":
    cli(main)
