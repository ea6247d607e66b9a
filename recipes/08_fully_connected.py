"""Fully connected: every neuron sees every neuron before it.

제목: 완전 연결 신경망: 연결의 수와 평가 지표
Question: How many connections has the lecture's 25-16-16-9-9 network, and which
    metric judges which kind of problem?
Lecture: 003, Fully connected; 001, Fully Connected Network and Evaluation Metric
Changes from: 07, one layer's output; here layers feed layers, and errors are three
Run: python recipes/08_fully_connected.py
Try: (1) a 784-256-256-10 network: how many connections, how many parameters?
    (2) which layer holds the most connections, and why does width cost so much?
    (3) 1,000 classes and a network that always says no: its binary accuracy
"""

from common import plots
from common.running import Claim, cli

import keras
import numpy as np
from keras import layers

CLAIMS = [
    Claim("connections", 881, "", "003, Fully connected", "exact", "25-16-16-9-9"),
    Claim("layers_18", 4, "", "003, lab 18.py", "exact", "layers of 2-2-2-1"),
    Claim("layers_21", 4, "", "003, lab 21.py", "exact", "layers of 784-256-256-10"),
    Claim("layers_23", 6, "", "003, labs 23 and 24", "exact", "of 784-512x4-10"),
    Claim("connections_by_layer", None, text="25 * 16, 16 * 16, 16 * 9, 9 * 9"),
    Claim(
        "parameters",
        881,
        source="003, Fully connected: connections (parameters)",
        kind="exact",
        erratum="a bias for each of the 50 neurons is a parameter too",
    ),
    Claim("output_difference", None, text="outputs by hand, difference from Keras'"),
    Claim("mean_squared_error", None, text="mean squared error, untrained"),
    Claim("categorical_cross_entropy", None, text="categorical, guessing is ln 9"),
    Claim("binary_cross_entropy", None, text="binary, guessing is ln 2"),
    Claim("metric_difference", None, text="the three by hand, difference from Keras'"),
    Claim("silent_accuracy", None, "%", text="says no to all 9 classes: class right"),
    Claim("silent_binary_accuracy", None, "%", text="the same: yes-or-no right"),
    Claim(
        "theano_year",
        2007,
        "year",
        "002, Deep learning software",
        "cited",
        "first Theano",
    ),
    Claim(
        "caffe_year",
        2013,
        "year",
        "002, Deep learning software",
        "cited",
        "first Caffe",
    ),
    Claim(
        "tensorflow_year",
        2015,
        "year",
        "002, Deep learning software",
        "cited",
        "first TensorFlow",
        published=2015,
    ),
    Claim(
        "keras_year",
        2015,
        "year",
        "002, Deep learning software",
        "cited",
        "first Keras",
        published=2015,
    ),
    Claim(
        "pytorch_year",
        2016,
        "year",
        "002, Deep learning software",
        "cited",
        "first PyTorch",
    ),
]

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


def build_model():
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
    for layer, column in enumerate(heights):
        axis.scatter(
            [layer] * len(column), column, 45, "white", edgecolors="black", zorder=3
        )
    names = ["input", *[f"hidden {i}" for i in range(1, len(SIZES) - 1)], "output"]
    axis.set_xticks(range(len(SIZES)), names)
    axis.set(yticks=[], title=f"{sum(products)} connections", ylim=(0, 1.08))
    axis.spines["left"].set_visible(False)
    axis.grid(False)
    return figure


def main(run):
    rng = np.random.default_rng(run.seed)
    model = build_model()
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
    by_keras = {
        "mean_squared_error": keras.losses.MeanSquaredError()(numbers, z),
        "categorical_cross_entropy": keras.losses.CategoricalCrossentropy(
            from_logits=True
        )(one_of_nine, z),
        "binary_cross_entropy": keras.losses.BinaryCrossentropy(from_logits=True)(
            any_of_nine, z
        ),
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


if __name__ == "__main__":
    cli(main)
