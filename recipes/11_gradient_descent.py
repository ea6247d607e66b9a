"""Gradient descent: batch, mini-batch, stochastic, and the learning rate.

제목: 경사 하강법: 배치, 미니배치, 확률적, 그리고 학습률
Question: How many samples should one step look at, and how long should the step be?
Finding: Few far from the goal, many near it: at one rate, steps of 1, 10 and 1,000
    samples come to twice the least loss after {seen_stochastic}, {seen_mini_batch} and
    {seen_batch} samples, but end {excess_stochastic}, {excess_mini_batch} and
    {excess_batch} above the least. A batch step must stay below the rate
    {largest_rate}: at 3/4 of it the loss ends {excess_right} above, at 1/50
    {excess_too_small}, at 1.02 of it {excess_too_large}.
결과: 멀리서는 적게, 가까이에서는 많이 보아야 합니다. 학습률이 같을 때 표본을 1개, 10개,
    1,000개씩 보는 걸음은 표본 {seen_stochastic}개, {seen_mini_batch}개, {seen_batch}개
    만에 최소 손실의 두 배에 이르지만, 끝에는 최소보다 {excess_stochastic},
    {excess_mini_batch}, {excess_batch} 높습니다. 배치 걸음의 학습률은
    {largest_rate}보다 작아야 합니다. 그 3/4이면 {excess_right}, 1/50이면
    {excess_too_small}, 1.02배이면 {excess_too_large} 높게 끝납니다.
Lecture: 004, 6. Mini-Batch; 002, Minibatch
Changes from: 10, which always looked at all samples; here a straight line is fitted,
    so that the whole loss surface can be drawn
Run: python recipes/11_gradient_descent.py
Try: (1) divide LEARNING_RATE by ten, for the stochastic one only: what is won?
    (2) RATES at 0.99 and 1.01 (3) draw x from -2 to 2: why do all methods get faster?
"""

import time

from common import plots
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers

SAMPLES = 1000
START = np.array([-1.0, 2.0])  # w, b; the data follow 2 x - 1
SIZES = {"batch": SAMPLES, "mini_batch": 10, "stochastic": 1}  # samples per update
LEARNING_RATE = 0.1
EPOCHS = 60
RATES = {"too_small": 0.02, "right": 0.75, "too_large": 1.02}  # of the largest rate
GIVEN_LOSS = 2.0  # times the least possible: when is it reached?


def make_data(seed):
    """A noisy straight line: features [n, 2], x and a constant 1, and y [n]."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 3, SAMPLES)
    y = 2 * x - 1 + rng.normal(size=SAMPLES)
    return np.column_stack([x, np.ones(SAMPLES)]), y


def gradient(parameters, features, y):
    """Of the mean squared error, by w and b: the average over the samples given."""
    error = features @ parameters - y
    return 2 * features.T @ error / len(y)


def descend(features, y, size, rate, epochs, seed):
    """Gradient descent in steps of `size` samples; (w, b) after each, [steps + 1, 2].

    An iteration is one update, an epoch is once through the data: len(y) / size
    iterations. The order of the samples is new in each epoch.
    """
    path = [START]
    for epoch in range(epochs):
        order = np.random.default_rng([seed, epoch]).permutation(len(y))
        for batch in order.reshape(-1, size):
            slope = gradient(path[-1], features[batch], y[batch])
            path.append(path[-1] - rate * slope)
    return np.array(path)


def surface(features, y):
    """The loss surface: (least loss, where it is [2], its curvature [2, 2])."""
    lowest = np.linalg.lstsq(features, y, rcond=None)[0]
    least = ((features @ lowest - y) ** 2).mean()
    return least, lowest, 2 * features.T @ features / len(y)


def excess(points, least, lowest, curvature):
    """How far the loss at points [..., 2] is above the least one, as a share of it."""
    away = points - lowest
    return np.einsum("...i,ij,...j->...", away, curvature, away) / 2 / least


def keras_descend(features, y, size, seed):
    """w, b [2] after one epoch of Keras' SGD over the batches of `descend`."""
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.set_weights([START[:1, None], START[1:]])
    model.compile(keras.optimizers.SGD(LEARNING_RATE), "mse", jit_compile=False)
    order = np.random.default_rng([seed, 0]).permutation(len(y))
    x = features[order, :1]
    model.fit(x, y[order], batch_size=size, shuffle=False, verbose=0)
    return np.concatenate([array.ravel() for array in model.get_weights()])


def draw(methods, rates, seen, loss):
    """Paths of the methods, paths of the rates, and loss by samples seen."""
    figure, axes = plots.new_figure(1, 3, width=4)
    w, b = np.meshgrid(np.linspace(-2, 4.5, 100), np.linspace(-3.5, 4.5, 100))
    heights = loss(np.stack([w, b], axis=-1))
    for axis, paths in zip(axes, (methods, rates), strict=False):
        axis.contour(w, b, heights, np.geomspace(0.05, 30, 10), cmap="Greys_r")
        for name, path in paths.items():
            axis.plot(*path[:300].T, ".-", lw=1, ms=3, label=name.replace("_", " "))
        axis.set(xlabel="w", ylabel="b", xlim=(-2, 4.5), ylim=(-3.5, 4.5))
        axis.legend(fontsize="small")
    axes[0].set_title("the first 300 updates")
    axes[1].set_title("batch, three learning rates")
    for name, path in methods.items():
        # The mean of ever more updates, so that the noise does not hide the curves.
        first = np.unique(np.geomspace(1, len(path) - 1, 40).astype(int))
        counts = np.diff([*first, len(path)])
        means = np.add.reduceat(loss(path), first) / counts
        axes[2].loglog(seen[name][first], 100 * means, ".-", label=name)
    axes[2].axhline(100 * (GIVEN_LOSS - 1), color="grey", ls=":")
    axes[2].set(xlabel="samples seen", ylabel="loss above its least (%)")
    axes[2].set_title(f"one learning rate, {LEARNING_RATE}")
    return figure


def main(run):
    features, y = make_data(run.seed)
    shape = surface(features, y)
    epochs = run.length(EPOCHS, 15)
    values = {"samples": len(y)}

    methods, seen, seconds = {}, {}, {}
    for name, size in SIZES.items():
        started = time.perf_counter()
        path = descend(features, y, size, LEARNING_RATE, epochs, run.seed)
        seconds[name] = time.perf_counter() - started
        methods[name], seen[name] = path, size * np.arange(len(path))
        iterations = (len(path) - 1) // epochs
        above = excess(path, *shape)
        reached = np.append(1 + above < GIVEN_LOSS, True).argmax()  # the end, if never
        values[f"iterations_{name}"] = iterations
        values[f"seen_{name}"] = size * reached
        values[f"excess_{name}"] = 100 * above[-iterations:].mean()
        times = seconds[name] / seconds["batch"]
        run.say(
            f"{name}: {reached} updates to the given loss; "
            f"an epoch takes {times:.0f} times a batch epoch"
        )

    largest_rate = 2 / np.linalg.eigvalsh(shape[2]).max()
    rates = {
        name: descend(features, y, len(y), share * largest_rate, epochs, run.seed)
        for name, share in RATES.items()
    }
    for name, path in rates.items():
        values[f"excess_{name}"] = 100 * excess(path[-1], *shape)
    figure = draw(methods, rates, seen, lambda points: excess(points, *shape))
    run.save_figure(figure, "paths")

    size = SIZES["mini_batch"]
    each = [gradient(START, features[[i]], y[[i]]) for i in range(size)]
    average = gradient(START, features[:size], y[:size])
    values["gradients_averaged"] = np.linalg.norm(sum(each)) / np.linalg.norm(average)
    values["largest_rate"] = largest_rate
    ours = methods["mini_batch"][values["iterations_mini_batch"]]
    theirs = keras_descend(features, y, size, run.seed)
    values["keras_difference"] = np.abs(ours - theirs).max()
    return values


MEASURES = {
    "samples": Measure("", "training samples", "학습 표본"),
    "iterations_batch": Measure("", "iterations an epoch, batch", "에폭의 반복, 배치"),
    "seen_batch": Measure(
        "",
        "samples seen till twice the least loss, batch",
        "최소 손실의 두 배까지 본 표본, 배치",
    ),
    "excess_batch": Measure(
        "%", "loss above its least in the end, batch", "끝에서 최소를 넘는 손실, 배치"
    ),
    "iterations_mini_batch": Measure("", "iterations, batches of 10", "반복, 10개씩"),
    "seen_mini_batch": Measure("", "samples seen, batches of 10", "본 표본, 10개씩"),
    "excess_mini_batch": Measure("%", "loss above, batches of 10", "넘는 손실, 10개씩"),
    "iterations_stochastic": Measure("", "iterations, one at a time", "반복, 하나씩"),
    "seen_stochastic": Measure("", "samples seen, one at a time", "본 표본, 하나씩"),
    "excess_stochastic": Measure("%", "loss above, one at a time", "넘는 손실, 하나씩"),
    "excess_too_small": Measure(
        "%", "loss above, 1/50 of the largest rate", "넘는 손실, 최대 학습률의 1/50"
    ),
    "excess_right": Measure("%", "loss above, 3/4 of that rate", "넘는 손실, 그 3/4"),
    "excess_too_large": Measure("%", "loss above, 1.02 of it", "넘는 손실, 그 1.02배"),
    "gradients_averaged": Measure("", "gradients in one average", "평균에 든 기울기"),
    "largest_rate": Measure("", "largest rate, 2 / curvature", "최대 학습률, 2 / 곡률"),
    "keras_difference": Measure("", "w, b, unlike Keras' SGD", "w, b, Keras와의 차이"),
}


if __name__ == "__main__":
    cli(main)
