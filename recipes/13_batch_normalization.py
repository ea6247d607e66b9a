"""Batch normalization: four lines that make a network forgive its initial weights.

제목: 배치 정규화
Question: How much does the choice of initial weights matter, without and with it?
Finding: Without it almost everything: {plain_starts_early} of 8 starts (the mean of the
    seeds) lead to 90 % of new digits by step 300, {plain_starts} by step 1,200, with it
    {normalized_starts_early} and {normalized_starts}, as it cancels the weights' scale:
    ten times the weights change what is sent on by {scale_differences[1]} (from 0.003,
    where EPSILON counts, {scale_differences[0]}). What starts at 0.1 without it is
    late, not lost: {small_start_early} and {small_start}.
결과: 없으면 거의 모든 것을 좌우합니다. 처음 보는 숫자의 90 %를 맞히게 된 시작은 여덟 중
    300걸음까지 {plain_starts_early}가지, 1,200걸음까지 {plain_starts}가지이고(시드
    평균), 배치 정규화를 쓰면 {normalized_starts_early}가지와
    {normalized_starts}가지입니다. 가중치의 크기가 지워지기 때문입니다(열 배로 키워도
    다음으로 보내는 값은 {scale_differences[1]}, EPSILON이 한몫하는 0.003에서는
    {scale_differences[0]} 달라집니다). 없이 0.1에서 시작해도 늦을 뿐
    {small_start_early}와 {small_start}입니다.
Lecture: 002, batch normalization; 004, batch normalization
Changes from: 12_overfitting (digits in mini-batches; networks differ in their start)
Run: python recipes/13_batch_normalization.py
Try: (1) six hidden layers (2) ReLU: from which start on does it fail without the four
    lines? (3) BATCH_SIZE 2: what becomes of the mean and deviation of a batch?

The lecture's reason, internal covariate shift, is disputed (Santurkar et al., 2018).
"""

from itertools import pairwise

from common import plots
from common.running import Measure, cli

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

STARTS = (0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)  # deviations of the initial weights
SMALL = 3  # which of them is told: 0.1
NETWORKS = 3  # per start, all trained together
SIZES = (64, 50, 50, 50, 10)  # three hidden layers of sigmoids, as in the BN paper
TRAINING = 1200  # of 1,797 digits; the others are the test
BATCH_SIZE = 100  # 12 steps make an epoch
EARLY, EPOCHS = 25, 100  # 300 steps and 1,200
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


def accuracy(weights, x_train, x, y, normalize):
    """Percent of x right, as a mean over the networks of each start: [starts].

    Answers must not depend on which samples come together, so mean and variance are
    those of all training data. (Keras keeps a moving average of its batches instead.)
    """
    _, statistics = forward(weights, x_train, normalize)
    logits, _ = forward(weights, x, normalize, statistics)
    right = np.argmax(logits, axis=-1) == y  # [networks, samples]
    return 100 * right.reshape(len(STARTS), -1).mean(axis=1)


def start_figure(curves):
    """{kind: accuracy [epochs, starts]} over the start at two times; over the steps."""
    figure, axes = plots.new_figure(1, 3, width=3.8)
    titles = ("without batch normalization", "with batch normalization")
    for index, (title, curve) in enumerate(zip(titles, curves.values(), strict=True)):
        style = {"color": f"C{index}", "marker": "o"}
        axes[0].semilogx(STARTS, curve[:EARLY][-1], ls=":", **style)
        axes[0].semilogx(STARTS, curve[-1], label=title, **style)
        axes[1 + index].semilogx(12 * np.arange(1, 1 + len(curve)), curve, label=STARTS)
        axes[1 + index].set(title=title, xlabel="step", ylim=(0, 101))
    axes[0].set(xlabel="deviation of the initial weights", ylabel="test accuracy (%)")
    axes[0].set(title="by step 300 (dotted) and 1,200", ylim=(0, 101))
    axes[0].legend(fontsize="x-small", loc="lower center")
    axes[2].legend(title="initial deviation", fontsize="small", ncol=2)
    return figure


def main(run):
    digits = load_digits()
    order = np.random.default_rng(run.seed).permutation(len(digits.target))
    x = (digits.data[order] / 16).astype("float32")  # pixels 0 to 16
    x_train, x_test = tf.constant(x[:TRAINING]), tf.constant(x[TRAINING:])
    y_train, y_test = np.split(digits.target[order].astype("int32"), [TRAINING])

    curves, steps, values = {}, {}, {}
    for kind, normalize in (("plain", False), ("normalized", True)):
        weights, curve = initial_weights(run.seed), []
        for epoch in range(run.length(EPOCHS, quick=2)):
            batches = tf.constant(run.order(epoch, len(x_train), BATCH_SIZE))
            train_epoch(weights, x_train, y_train, batches, normalize)
            curve.append(accuracy(weights, x_train, x_test, y_test, normalize))
        curves[kind] = curve = np.array(curve)
        learned = np.append(curve.max(axis=1) >= GOOD, True)  # from the best start
        steps[kind] = len(batches) * (1 + learned.argmax())
        values[f"{kind}_starts_early"] = np.sum(curve[:EARLY][-1] >= GOOD)
        values[f"{kind}_starts"] = np.sum(curve[-1] >= GOOD)
    values["starts_gained"] = values["normalized_starts"] - values["plain_starts"]
    values["steps_saved"] = steps["plain"] - steps["normalized"]
    small = curves["plain"][:, SMALL]
    values["small_start_early"], values["small_start"] = small[:EARLY][-1], small[-1]
    run.save_figure(start_figure(curves), "starts")
    # What first hidden layers sum up, whatever the seed, and ten times as much.
    values["scale_differences"] = []
    for start in (STARTS.index(0.003), STARTS.index(1)):
        first = initial_weights(0)[0][NETWORKS * start].numpy()
        sums = digits.data[:BATCH_SIZE] / 16 @ first
        ours, _ = batch_norm(sums, gamma=1.0, beta=0.0)
        larger, _ = batch_norm(10 * sums, gamma=1.0, beta=0.0)
        values["scale_differences"].append(np.abs(ours - larger).max())
    values |= {"normalized_mean": np.mean(ours), "normalized_deviation": np.std(ours)}
    return values


MEASURES = {
    "plain_starts_early": Measure(
        "", "without: starts of 8 at 90 % by step 300", "없이: 300걸음까지 90 %인 시작"
    ),
    "plain_starts": Measure("", "without: by step 1,200", "없이: 1,200걸음까지"),
    "normalized_starts_early": Measure("", "with: by step 300", "사용: 300걸음까지"),
    "normalized_starts": Measure("", "with: by step 1,200", "사용: 1,200걸음까지"),
    "starts_gained": Measure("", "gained by step 1,200", "늘어난 시작", paired=True),
    "steps_saved": Measure("", "steps saved, best starts", "아낀 걸음", paired=True),
    "small_start_early": Measure("%", "without: 0.1, step 300", "없이: 0.1, 300걸음"),
    "small_start": Measure("%", "without: 0.1, step 1,200", "없이: 0.1, 1,200걸음"),
    "normalized_mean": Measure("", "a batch's mean", "배치의 평균", deterministic=True),
    "normalized_deviation": Measure("", "deviation", "표준편차", deterministic=True),
    "scale_differences": Measure(
        "", "tenfold weights: 0.003, 1", "가중치 열 배: 0.003, 1", deterministic=True
    ),
}


if __name__ == "__main__":
    cli(main)
