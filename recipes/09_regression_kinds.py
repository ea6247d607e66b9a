"""Linear, logistic and softmax regression are one two-layer perceptron.

제목: 선형, 로지스틱, 소프트맥스 회귀는 하나의 2층 퍼셉트론이다
Question: What has to change in a network without hidden layer to get the three
    classical regressions?
Lecture: 002, Kinds of Deep Learning: 2-Layer Perceptron ~ Regression
Changes from: 08, whose hidden layers are gone; the errors are the same three
Run: python recipes/09_regression_kinds.py
Try: (1) PENALTY = 0: which of the three no longer finds an end, and why?
    (2) 0/1 labels with the identity as activation: what is wrong with the answers?
    (3) softmax of two classes: where is the logistic regression in it?
"""

from common import plots
from common.running import Claim, cli

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression

CLAIMS = [
    Claim("layers", 2, "", "002, Kinds of Deep Learning", "exact", "input and output"),
    Claim("linear_difference", None, text="weights - LinearRegression's, largest"),
    Claim(
        "logistic_difference", None, text="weights - LogisticRegression's, 2 classes"
    ),
    Claim("softmax_difference", None, text="weights - LogisticRegression's, 3 classes"),
    Claim("slope_left_in_keras", None, text="slope of Keras' error at our weights"),
    Claim("linear_r2", None, "%", text="petal width, variance explained"),
    Claim("logistic_accuracy", None, "%", text="virginica or not, training data"),
    Claim("softmax_accuracy", None, "%", text="three species, training data"),
]

STEPS = 10_000
LEARNING_RATE = 0.5
PENALTY = 1.0  # scikit-learn's default, on the weights; linear regression has none
PETAL_LENGTH = 2  # columns of iris
PETAL_WIDTH = 3
VIRGINICA = 2  # class of iris


def identity(z):
    return z


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    exponentials = np.exp(z - z.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def train(activation, x, d, penalty, steps):
    """Gradient descent on the mean error plus penalty |W|^2 / 2n, from zero weights.

    x: [n, inputs]; d: targets [n, outputs]. With the error that belongs to each
    activation (half the squared error, binary and categorical cross-entropy) the
    influence of the weighted sums is y - d in all three: one line trains them all.
    Returns W [inputs, outputs], b [outputs].
    """
    n = len(x)
    W, b = np.zeros((x.shape[1], d.shape[1])), np.zeros(d.shape[1])
    for _ in range(steps):
        error = activation(x @ W + b) - d
        W -= LEARNING_RATE * (x.T @ error + penalty * W) / n
        b -= LEARNING_RATE * error.mean(axis=0)
    return W, b


def build_model(kind, inputs, outputs, penalty):
    """The same network in Keras; penalty is |W|^2's factor."""
    activation = "sigmoid" if kind == "logistic" else kind
    return keras.Sequential(
        [
            keras.Input((inputs,)),
            layers.Dense(
                outputs,
                activation=activation,
                kernel_regularizer=keras.regularizers.L2(penalty),
                dtype="float64",
            ),
        ]
    )


def slope(model, kind, x, d):
    """The largest gradient of Keras' error: nought where it would stop learning."""
    error = {
        "linear": lambda d, y: tf.square(d - y) / 2,
        "logistic": keras.losses.binary_crossentropy,
        "softmax": keras.losses.categorical_crossentropy,
    }[kind]
    with tf.GradientTape() as tape:
        value = tf.reduce_mean(error(d, model(x))) + tf.reduce_sum(model.losses)
    gradients = tape.gradient(value, model.trainable_weights)
    return max(np.abs(gradient).max() for gradient in gradients)


def tasks(data):
    """Three questions to the flowers: {kind: (activation, inputs, targets, penalty)}.

    The petal's width as a number, virginica or not, which of the three species.
    """
    measures = (data.data - data.data.mean(axis=0)) / data.data.std(axis=0)
    width = data.data[:, [PETAL_WIDTH]]  # cm
    others = np.delete(measures, PETAL_WIDTH, axis=1)
    virginica = (data.target == VIRGINICA)[:, None].astype(float)
    species = np.eye(3)[data.target]
    return {
        "linear": (identity, others, width, 0.0),
        "logistic": (sigmoid, measures, virginica, PENALTY),
        "softmax": (softmax, measures, species, PENALTY),
    }


def sklearn_weights(kind, x, d):
    """The classical method's weights, as W [inputs, outputs], b [outputs]."""
    if kind == "linear":
        model = LinearRegression().fit(x, d)
    else:
        labels = d[:, 0] if kind == "logistic" else d.argmax(axis=1)
        model = LogisticRegression(C=1 / PENALTY, tol=1e-10, max_iter=10_000)
        model.fit(x, labels)
    return model.coef_.T, model.intercept_


def draw(data, steps):
    """The same network on one input, the petal's length: three activations."""
    length = data.data[:, [PETAL_LENGTH]]
    mean, deviation = length.mean(), length.std()
    across = np.linspace(length.min(), length.max(), 200)[:, None]
    figure, axes = plots.new_figure(1, 3, width=3.6)
    for axis, (kind, (activation, _, d, penalty)) in zip(
        axes, tasks(data).items(), strict=True
    ):
        W, b = train(activation, (length - mean) / deviation, d, penalty, steps)
        y = activation((across - mean) / deviation @ W + b)
        for output in range(d.shape[1]):
            color = f"C{output}"
            axis.plot(length, d[:, output], ".", color=color, alpha=0.3)
            axis.plot(across, y[:, output], color=color)
        axis.set(title=kind, xlabel="petal length (cm)")
    axes[0].set_ylabel("petal width (cm)")
    axes[1].set_ylabel("probability of virginica")
    axes[2].set_ylabel("probability")
    axes[2].set_ylim(top=1.3)
    axes[2].legend(
        axes[2].lines[1::2], data.target_names, loc="upper center", ncols=3, fontsize=8
    )
    return figure


def main(run):
    data = load_iris()
    steps = run.length(STEPS, 500)
    values, slopes, answers = {}, [], {}
    for kind, (activation, x, d, penalty) in tasks(data).items():
        W, b = train(activation, x, d, penalty, steps)
        model = build_model(kind, *W.shape, penalty / (2 * len(x)))
        model.set_weights([W, b])
        slopes.append(slope(model, kind, x, d))
        theirs = sklearn_weights(kind, x, d)
        values[f"{kind}_difference"] = max(
            np.abs(W - theirs[0]).max(), np.abs(b - theirs[1]).max()
        )
        answers[kind] = activation(x @ W + b), d
    run.save_figure(draw(data, steps), "three_activations")

    y, d = answers["linear"]
    values["layers"] = 1 + len(model.layers)  # with the input, as the lecture counts
    values["slope_left_in_keras"] = max(slopes)
    values["linear_r2"] = 100 * (1 - ((d - y) ** 2).sum() / ((d - d.mean()) ** 2).sum())
    y, d = answers["logistic"]
    values["logistic_accuracy"] = 100 * ((y > 0.5) == d).mean()
    y, d = answers["softmax"]
    values["softmax_accuracy"] = 100 * (y.argmax(axis=1) == d.argmax(axis=1)).mean()
    return values


if __name__ == "__main__":
    cli(main)
