"""Overfitting: networks too small, right and too large, and a penalty on weights.

제목: 과적합: 부적합, 정적합, 과적합과 가중치 벌점
Question: How does a growing network do on data it has not seen, and what cures it?
Finding: As medians of ten data sets, the training error is {smallest_train_error} with
    1 neuron and {largest_train_error} with 32, but the test error {smallest_test_error}
    and {largest_test_error}; in between, where validation chooses ({best_width} neurons
    on average), it is {best_width_test_error}. A penalty of {best_alpha} on the squared
    weights brings 32 neurons to {best_alpha_test_error}; one of 1 underfits again
    ({alpha_1_test_error}).
결과: 열 자료의 중앙값으로, 신경 세포가 1개와 32개일 때 학습 오차는
    {smallest_train_error}, {largest_train_error}이지만 시험 오차는
    {smallest_test_error}, {largest_test_error}입니다. 그 사이 검증으로 고른 너비(평균
    {best_width}개)에서는 {best_width_test_error}입니다. 가중치 제곱에 {best_alpha}의
    벌점을 주면 32개로도 {best_alpha_test_error}이고, 벌점이 1이면 다시
    부적합({alpha_1_test_error})입니다.
Lecture: 002, overfitting and regularization; 003, overfitting
Changes from: 11_gradient_descent (many networks of different sizes train at once)
Run: python recipes/12_overfitting.py
Try: (1) 200 training samples in place of 20: is the largest network still too large?
    (2) noise 0 (3) stop early: --epochs 500; is that a penalty as well?
"""

from common import plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf
from keras import layers

SAMPLES = 20  # of training data; the test data are many, to know the error well
TEST_SAMPLES = 500
NOISE = 0.5  # standard deviation of the errors that the data contain
DATA_SETS = 10  # drawn independently, so that no lesson hangs on one draw
WIDTHS = (1, 2, 3, 4, 8, 16, 32)  # hidden neurons, all without a penalty
ALPHAS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # all with the largest width
STEPS = 5_000
LEARNING_RATE = 0.01
# The hidden layer size and the alpha of every kind of network.
KINDS = [(width, 0.0) for width in WIDTHS] + [(max(WIDTHS), a) for a in ALPHAS]


def curve(x):
    """What a network should learn."""
    return np.sin(2 * np.pi * x)


def draw(rng, samples):
    """Noisy samples of the curve, x and y: [samples, data sets]."""
    x = rng.uniform(-1, 1, (samples, DATA_SETS))
    y = curve(x) + NOISE * rng.normal(size=x.shape)
    return x.astype("float32"), y.astype("float32")


def initial_weights(rng):
    """Weights and biases of 1-width-1 networks, [width, kinds, data sets].

    All are as wide as the largest; a mask silences the neurons a kind does not have.
    """
    shape = (max(WIDTHS), len(KINDS), DATA_SETS)
    widths = np.array([width for width, _ in KINDS])[:, None]
    mask = np.arange(shape[0])[:, None, None] < widths
    into = 3 * rng.normal(size=shape)  # steep enough to bend within [-1, 1]
    bias = 2 * rng.normal(size=shape)
    out = rng.normal(size=shape) / np.sqrt(widths)
    weights = [into * mask, bias, out * mask, np.zeros(shape[1:])]
    return [tf.Variable(w, dtype="float32") for w in weights], mask.astype("float32")


def forward(weights, mask, x):
    """Every network's answers [samples, kinds, data sets] to x [samples, data sets]."""
    into, bias, out, last_bias = weights
    hidden = tf.tanh(x[:, None, None] * into + bias) * mask
    return tf.reduce_sum(hidden * out, axis=1) + last_bias


def errors(weights, mask, x, y):
    """Mean squared error of every network: [kinds, data sets]."""
    return tf.reduce_mean((forward(weights, mask, x) - y[:, None]) ** 2, axis=0)


def costs(weights, mask, x, y):
    """cost + alpha (model complexity), the complexity being all squared weights."""
    into, _, out, _ = weights
    complexity = tf.reduce_sum(into**2 + out**2, axis=0)
    alphas = tf.constant([[alpha] for _, alpha in KINDS])
    return errors(weights, mask, x, y) + alphas * complexity


@tf.function(jit_compile=True)
def train(optimizer, weights, mask, x, y, steps):
    """Full-batch training of all networks in one compiled loop."""
    for _ in tf.range(steps):
        with tf.GradientTape() as tape:
            # No network sees another, so the sum trains each one on its own cost.
            total = tf.reduce_sum(costs(weights, mask, x, y))
        optimizer.apply(tape.gradient(total, weights), weights)


def keras_cost(weights, kind, x, y):
    """The cost of one kind of network on the first data set, by Keras."""
    width, alpha = KINDS[kind]
    penalty = keras.regularizers.L2(alpha)
    hidden = layers.Dense(width, activation="tanh", kernel_regularizer=penalty)
    last = layers.Dense(1, kernel_regularizer=penalty)
    model = keras.Sequential([keras.Input((1,)), hidden, last])
    model.compile(loss="mean_squared_error")
    into, bias, out, last_bias = (w.numpy()[..., kind, 0] for w in weights)
    first = [into[None, :width], bias[:width]]
    model.set_weights([*first, out[:width, None], last_bias[None]])
    return model.evaluate(x[:, :1], y[:, :1], verbose=0)


def overfitting_figure(weights, mask, data, train_error, test_error, shown):
    """Four fits, shown {title: kind}, and errors [kinds, data sets] by width, alpha."""
    # The data set on which the largest network is neither best nor worst.
    typical = np.argsort(test_error[shown["too large"]])[DATA_SETS // 2]
    figure, axes = plots.new_figure(2, 3, width=3.6, height=3)
    x = np.linspace(-1, 1, 400, dtype="float32")
    answers = forward(weights, mask, np.repeat(x[:, None], DATA_SETS, axis=1))
    panels = [*axes[0], axes[1, 2]]
    for axis, (title, kind) in zip(panels, shown.items(), strict=True):
        axis.plot(x, curve(x), color="grey", ls=":")
        axis.plot(data[0][:, typical], data[1][:, typical], "ko", markersize=4)
        axis.plot(x, answers[:, kind, typical], color="tab:red")
        width, alpha = KINDS[kind]
        axis.set(xlabel="x", ylabel="y", ylim=(-2.8, 2.8))
        axis.set_title(f"{title}: width {width}, alpha {alpha:g}")
    sizes = len(WIDTHS)
    for axis, part, where, name in (
        (axes[1, 0], slice(None, sizes), WIDTHS, "hidden neurons, alpha 0"),
        (axes[1, 1], slice(sizes, None), ALPHAS, f"alpha, {max(WIDTHS)} neurons"),
    ):
        training, test = (np.median(e[part], axis=1) for e in (train_error, test_error))
        axis.loglog(where, training, "o--", label="training")
        axis.loglog(where, test, "o-", label="test")
        axis.axhline(NOISE**2, color="grey", ls=":", label="noise of the data")
        axis.set(xlabel=name, ylabel="mean squared error", ylim=(1e-2, 3))
    axes[1, 0].legend(fontsize="small")
    return figure


def main(run):
    rng = np.random.default_rng(run.seed)
    data = draw(rng, SAMPLES)
    validation, test = draw(rng, TEST_SAMPLES), draw(rng, TEST_SAMPLES)
    weights, mask = initial_weights(rng)
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(weights)
    train(optimizer, weights, mask, *data, run.length(STEPS, quick=100))

    all_errors = [errors(weights, mask, *part) for part in (data, validation, test)]
    # The median: one wild network would rule a mean over the data sets.
    train_error, validation_error, test_error = np.median(all_errors, axis=-1)
    smallest, largest = 0, len(WIDTHS) - 1
    # Choosing is part of learning, so it is not done on the test data.
    best_width = int(np.argmin(validation_error[: len(WIDTHS)]))
    best_alpha = len(WIDTHS) + int(np.argmin(validation_error[len(WIDTHS) :]))
    shown = {"too small": smallest, "good": best_width}
    shown |= {"too large": largest, "penalty": best_alpha}
    figure = overfitting_figure(weights, mask, data, *all_errors[::2], shown)
    run.save_figure(figure, "overfitting")
    by_hand = costs(weights, mask, *data)[best_alpha, 0]
    return {
        "smallest_train_error": train_error[smallest],
        "smallest_test_error": test_error[smallest],
        "best_width": WIDTHS[best_width],
        "best_width_test_error": test_error[best_width],
        "largest_train_error": train_error[largest],
        "largest_test_error": test_error[largest],
        "best_alpha": KINDS[best_alpha][1],
        "best_alpha_train_error": train_error[best_alpha],
        "best_alpha_test_error": test_error[best_alpha],
        "alpha_1_test_error": test_error[-1],
        "noise": np.mean((test[1] - curve(test[0])) ** 2),
        "cost_difference": abs(keras_cost(weights, best_alpha, *data) / by_hand - 1),
    }


MEASURES = {
    "smallest_train_error": Measure("", "1 neuron: training error", "1개: 학습 오차"),
    "smallest_test_error": Measure("", "1 neuron: test error", "1개: 시험 오차"),
    "best_width": Measure(
        "", "hidden neurons, best by validation", "은닉 신경 세포 수, 검증이 고름"
    ),
    "best_width_test_error": Measure("", "good fit: test error", "정적합: 시험 오차"),
    "largest_train_error": Measure("", "32 neurons: training error", "32개: 학습 오차"),
    "largest_test_error": Measure("", "32 neurons: test error", "32개: 시험 오차"),
    "best_alpha": Measure("", "32 neurons: the best alpha", "32개: 가장 나은 알파"),
    "best_alpha_train_error": Measure("", "that alpha: training", "그 알파: 학습 오차"),
    "best_alpha_test_error": Measure("", "that alpha: test", "그 알파: 시험 오차"),
    "alpha_1_test_error": Measure("", "32, alpha 1: test", "32개, 알파 1: 시험 오차"),
    "noise": Measure("", "control: error of the curve", "대조: 참 곡선의 시험 오차"),
    "cost_difference": Measure("", "cost by hand, from Keras'", "비용, Keras와의 차이"),
}


if __name__ == "__main__":
    cli(main)
