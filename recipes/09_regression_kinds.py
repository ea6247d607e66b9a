"""Linear, logistic and softmax regression are one two-layer perceptron.

제목: 선형, 로지스틱, 소프트맥스 회귀는 하나의 2층 퍼셉트론이다
Question: What has to change in a network without hidden layer to get the three
    classical regressions?
Finding: Only the activation, with the error that belongs to it: identity, sigmoid and
    softmax give scikit-learn's weights to within {linear_difference},
    {logistic_difference} and {softmax_difference}, by one and the same line of gradient
    descent (only the first without a penalty). They explain {linear_r2} of the petal
    width's variance and name {logistic_accuracy} of the training flowers in two
    classes, {softmax_accuracy} in three.
결과: 활성화 함수와 그에 딸린 오차만 바꾸면 됩니다. 항등, 시그모이드, 소프트맥스 함수로
    얻은 가중치와 scikit-learn의 차이는 {linear_difference}, {logistic_difference},
    {softmax_difference} 이내이고, 학습하는 한 줄은 셋 모두 같습니다(벌점은 첫째에만
    없습니다). 설명하는 꽃잎 너비의 분산은 {linear_r2}, 학습한 꽃의 정답률은
    {logistic_accuracy}(두 클래스)와 {softmax_accuracy}(세 클래스)입니다.
Lecture: 002, Kinds of Deep Learning: 2-Layer Perceptron ~ Regression
Changes from: 08, whose hidden layers are gone; the errors are the same three
Run: python recipes/09_regression_kinds.py
Try: (1) PENALTY = 0: which of the three no longer finds an end, and why?
    (2) 0/1 labels with the identity as activation: what is wrong with the answers?
    (3) softmax of two classes: where is the logistic regression in it?
"""

from common import plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression

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


def in_keras(kind, W, b, penalty):
    """The same network in Keras, with these weights; penalty is |W|^2's factor."""
    dense = layers.Dense(
        W.shape[1],
        activation="sigmoid" if kind == "logistic" else kind,
        kernel_regularizer=keras.regularizers.L2(penalty),
        dtype="float64",
    )
    model = keras.Sequential([keras.Input(W.shape[:1]), dense])
    model.set_weights([W, b])
    return model


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


def draw(data, questions, steps):
    """The same network on one input, the petal's length: three activations."""
    length = data.data[:, [PETAL_LENGTH]]
    mean, deviation = length.mean(), length.std()
    across = np.linspace(length.min(), length.max(), 200)[:, None]
    figure, axes = plots.new_figure(1, 3, width=3.6)
    answers = ("petal width (cm)", "probability of virginica", "probability")
    for axis, kind, answer in zip(axes, questions, answers, strict=True):
        activation, _, d, penalty = questions[kind]
        W, b = train(activation, (length - mean) / deviation, d, penalty, steps)
        y = activation((across - mean) / deviation @ W + b)
        for output in range(d.shape[1]):
            color = f"C{output}"
            axis.plot(length, d[:, output], ".", color=color, alpha=0.3)
            axis.plot(across, y[:, output], color=color)
        axis.set(title=kind, xlabel="petal length (cm)", ylabel=answer)
    axis.set_ylim(top=1.3)
    style = {"loc": "upper center", "ncols": 3, "fontsize": 8}
    axis.legend(axis.lines[1::2], data.target_names, **style)
    return figure


def main(run):
    data = load_iris()
    questions, steps = tasks(data), run.length(STEPS, 500)
    values, slopes, answers = {}, [], {}
    for kind, (activation, x, d, penalty) in questions.items():
        W, b = train(activation, x, d, penalty, steps)
        model = in_keras(kind, W, b, penalty / (2 * len(x)))
        slopes.append(slope(model, kind, x, d))
        theirs = sklearn_weights(kind, x, d)
        differences = [np.abs(W - theirs[0]).max(), np.abs(b - theirs[1]).max()]
        values[f"{kind}_difference"] = max(differences)
        answers[kind] = activation(x @ W + b), d
    run.save_figure(draw(data, questions, steps), "three_activations")

    y, d = answers["linear"]
    values["slope_left_in_keras"] = max(slopes)
    values["linear_r2"] = 100 * (1 - ((d - y) ** 2).sum() / ((d - d.mean()) ** 2).sum())
    y, d = answers["logistic"]
    values["logistic_accuracy"] = 100 * ((y > 0.5) == d).mean()
    y, d = answers["softmax"]
    values["softmax_accuracy"] = 100 * (y.argmax(axis=1) == d.argmax(axis=1)).mean()
    return values


MEASURES = {
    "linear_difference": Measure(
        "", "weights, from LinearRegression's", "가중치 차이, 선형", deterministic=True
    ),
    "logistic_difference": Measure(
        "", "from LogisticRegression's, 2 classes", "로지스틱", deterministic=True
    ),
    "softmax_difference": Measure(
        "", "the same, 3 classes", "소프트맥스", deterministic=True
    ),
    "slope_left_in_keras": Measure(
        "", "slope of Keras' error", "Keras 오차의 기울기", deterministic=True
    ),
    "linear_r2": Measure(
        "%", "petal width, explained", "꽃잎 너비, 설명한 분산", deterministic=True
    ),
    "logistic_accuracy": Measure(
        "%", "virginica or not", "버지니카인지 아닌지", deterministic=True
    ),
    "softmax_accuracy": Measure("%", "three species", "세 종", deterministic=True),
}


if __name__ == "__main__":
    cli(main)
