"""Batch normalization: four lines that make a network forgive its initial weights.

제목: 배치 정규화
Question: How much does the choice of initial weights matter, without and with it?
Finding: Without it almost everything: within 25 epochs {plain_starts} of 8 starts, on
    average over the seeds, lead to 90 % of new digits, and networks from the best start
    get {plain_best}, from the worst {plain_worst}. With it {normalized_starts} do, and
    the best and the worst start give {normalized_best} and {normalized_worst}.
결과: 없으면 거의 모든 것을 좌우합니다. 여덟 가지 시작 중 25에폭 안에 처음 보는 숫자의
    90 %를 맞히게 된 것은 시드 평균 {plain_starts}가지이고, 정답률은 가장 좋은 시작에서
    {plain_best}, 가장 나쁜 시작에서 {plain_worst}입니다. 배치 정규화를 쓰면
    {normalized_starts}가지이고, 정답률은 각각 {normalized_best}와
    {normalized_worst}입니다.
Lecture: 002, batch normalization; 004, batch normalization
Changes from: 12_overfitting (digits in mini-batches; networks differ in their start)
Run: python recipes/13_batch_normalization.py
Try: (1) six hidden layers (2) ReLU: from which start on does it fail without the four
    lines? (3) BATCH_SIZE 2: what becomes of the mean and deviation of a batch?
"""

from itertools import pairwise

from common import plots
from common.running import Measure, cli

import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

STARTS = (0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)  # deviations of the initial weights
NETWORKS = 5  # per start, all trained together
SIZES = (64, 50, 50, 50, 10)  # three hidden layers of sigmoids, as in the BN paper
PARTS = (1200, 1400)  # of 1,797 digits: training, validation, the rest is the test
BATCH_SIZE = 100
EPOCHS = 25
GOOD = 90  # percent that count as having learned
LEARNING_RATE = 0.5
EPSILON = 1e-5  # keeps a batch without any variance from dividing by 0


def batch_norm(x, gamma, beta, statistics=None):
    """The lecture's four lines. x: [..., batch, features].

    statistics: (mean, variance) to use in place of the batch's, for the test.
    Returns what is sent on, and the (mean, variance) used.
    """
    if statistics is None:
        mean = tf.reduce_mean(x, axis=-2, keepdims=True)  # 1
        variance = tf.reduce_mean((x - mean) ** 2, axis=-2, keepdims=True)  # 2
    else:
        mean, variance = statistics
    normalized = (x - mean) / tf.sqrt(variance + EPSILON)  # 3
    return gamma * normalized + beta, (mean, variance)  # 4


def initial_weights(seed):
    """Per layer: weights [networks, inputs, outputs], gamma and beta [networks, 1, ..].

    Networks of one start lie together. gamma is used with batch normalization only;
    beta is the bias of a layer without.
    """
    rng = np.random.default_rng(seed)
    scales = np.repeat(STARTS, NETWORKS)[:, None, None]
    weights = []
    for inputs, outputs in pairwise(SIZES):
        weights.append(scales * rng.normal(size=(len(scales), inputs, outputs)))
        weights.append(np.ones((len(scales), 1, outputs)))
        weights.append(np.zeros((len(scales), 1, outputs)))
    return [tf.Variable(w, dtype="float32") for w in weights]


def forward(weights, x, normalize, statistics=None):
    """Logits [networks, samples, 10] and the (mean, variance) of each hidden layer."""
    signal, used = x, []
    for layer in range(0, len(weights), 3):
        w, gamma, beta = weights[layer : layer + 3]
        signal = tf.matmul(signal, w)
        if layer == len(weights) - 3:
            return signal + beta, used
        if normalize:
            given = statistics[len(used)] if statistics else None
            signal, own = batch_norm(signal, gamma, beta, given)
            used.append(own)
        else:
            signal = signal + beta
        signal = tf.sigmoid(signal)


@tf.function(jit_compile=True)
def train_epoch(weights, x, y, order, normalize):
    """Gradient descent for all networks over the batches of an epoch.

    order: int32 [steps, batch], the same for all networks.
    """
    for step in tf.range(tf.shape(order)[0]):
        batch, labels = tf.gather(x, order[step]), tf.gather(y, order[step])
        with tf.GradientTape() as tape:
            logits, _ = forward(weights, batch, normalize)
            targets = tf.broadcast_to(tf.one_hot(labels, 10), tf.shape(logits))
            cost = tf.nn.softmax_cross_entropy_with_logits(targets, logits)
            # No network sees another, so the sum trains each one on its own cost.
            total = tf.reduce_sum(tf.reduce_mean(cost, axis=1))
        gradients = tape.gradient(total, weights, unconnected_gradients="zero")
        for w, gradient in zip(weights, gradients, strict=True):
            w.assign_sub(LEARNING_RATE * gradient)


def answers(weights, x_train, x, normalize):
    """Every network's digits for x, int32 [networks, samples].

    They must not depend on which samples come together, so the mean and variance are
    those of all training data. (Keras keeps a moving average of its batches instead.)
    """
    _, statistics = forward(weights, x_train, normalize)
    logits, _ = forward(weights, x, normalize, statistics)
    return tf.argmax(logits, axis=-1, output_type=tf.int32)


def accuracy_by_start(given, labels):
    """Percent right, mean over the networks of each start: [starts]."""
    right = (given.numpy() == labels).reshape(len(STARTS), -1)
    return 100 * right.mean(axis=1)


def start_figure(accuracy, curves):
    """Accuracy over the start, and over the epochs from every start."""
    figure, axes = plots.new_figure(1, 3, width=3.8)
    names = {"plain": "without batch normalization", "normalized": "with it"}
    for kind, label in names.items():
        axes[0].semilogx(STARTS, accuracy[kind], "o-", label=label)
    axes[0].set(
        xlabel="standard deviation of the initial weights", ylabel="test accuracy (%)"
    )
    axes[0].legend(fontsize="x-small", loc=(0.02, 0.5))
    for axis, (kind, label) in zip(axes[1:], names.items(), strict=True):
        epochs = range(1, len(curves[kind]) + 1)
        axis.plot(epochs, curves[kind], label=[f"{start:g}" for start in STARTS])
        axis.set(title=label, xlabel="epoch", ylabel="validation accuracy (%)")
    axes[2].legend(title="initial deviation", fontsize="small", ncol=2)
    for axis in axes:
        axis.set_ylim(0, 101)
    return figure


def main(run):
    digits = load_digits()
    order = np.random.default_rng(run.seed).permutation(len(digits.target))
    x = (digits.data[order] / 16).astype("float32")  # pixels 0 to 16
    y = digits.target[order].astype("int32")
    x_train, x_validation, x_test = (tf.constant(part) for part in np.split(x, PARTS))
    y_train, y_validation, y_test = np.split(y, PARTS)

    accuracy, curves, values = {}, {}, {}
    for kind, normalize in (("plain", False), ("normalized", True)):
        weights = initial_weights(run.seed)
        curves[kind] = []
        for epoch in range(run.length(EPOCHS, quick=2)):
            batches = tf.constant(run.order(epoch, len(x_train), BATCH_SIZE))
            train_epoch(weights, x_train, y_train, batches, normalize)
            given = answers(weights, x_train, x_validation, normalize)
            curves[kind].append(accuracy_by_start(given, y_validation))
        given = answers(weights, x_train, x_test, normalize)
        accuracy[kind] = accuracy_by_start(given, y_test)
        values[f"{kind}_starts"] = np.sum(accuracy[kind] >= GOOD)
        values[f"{kind}_worst"] = accuracy[kind].min()
        values[f"{kind}_best"] = accuracy[kind].max()
    run.save_figure(start_figure(accuracy, curves), "starts")

    # What a first hidden layer sums up: by hand, and by the layer that one would use,
    # [Dense(50, use_bias=False), BatchNormalization(), Activation("sigmoid")].
    batch = tf.matmul(x_train[:BATCH_SIZE], initial_weights(run.seed)[0][-1])
    ours, _ = batch_norm(batch, gamma=1.0, beta=0.0)
    keras_layer = layers.BatchNormalization(epsilon=EPSILON)
    values["keras_difference"] = np.abs(ours - keras_layer(batch, training=True)).max()
    values["normalized_mean"] = np.mean(ours)
    values["normalized_deviation"] = np.std(ours)
    return values


MEASURES = {
    "plain_starts": Measure(
        "", "without: starts of 8 that reach 90 %", "없이: 90 %에 이른 시작의 수"
    ),
    "plain_worst": Measure(
        "%", "without: test accuracy, worst start", "없이: 시험 정확도, 가장 나쁜 시작"
    ),
    "plain_best": Measure("%", "without: best start", "없이: 가장 좋은 시작"),
    "normalized_starts": Measure("", "with: starts of 8 that do", "사용: 이른 시작"),
    "normalized_worst": Measure("%", "with: worst start", "사용: 가장 나쁜 시작"),
    "normalized_best": Measure("%", "with: best start", "사용: 가장 좋은 시작"),
    "keras_difference": Measure("", "by hand and by Keras' layer", "Keras와의 차이"),
    "normalized_mean": Measure("", "mean of a normalized batch", "배치의 평균"),
    "normalized_deviation": Measure("", "deviation of such a batch", "배치의 표준편차"),
}


if __name__ == "__main__":
    cli(main)
