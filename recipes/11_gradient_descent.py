"""Gradient descent: batch, mini-batch, stochastic, and the learning rate.

제목: 경사 하강법: 배치, 미니배치, 확률적, 그리고 학습률
Question: How many samples should one step look at, and how long should the step be?
Finding: Few far from the goal, many near it: {updates_stochastic} steps of one sample
    lead to twice the least loss, or {updates_batch} of all 1,000, but in the end they
    stay {excess_stochastic} and {excess_batch} above the least, and those of 1,000
    diverge at rates above {largest_rate}. Of two minima, {lower_batch} of the starts
    reach the lower by all samples, {lower_stochastic} by single ones and long steps (a
    tenth of the rate: a gain of {freed_short}).
결과: 멀리서는 적게, 가까이서는 많이 보는 것이 좋습니다. 최소 손실의 두 배까지 표본을
    1개씩 보면 {updates_stochastic}걸음, 1,000개씩 보면 {updates_batch}걸음이지만,
    끝에는 최소보다 각각 {excess_stochastic}, {excess_batch} 높고, 1,000개씩 볼 때
    학습률이 {largest_rate}보다 크면 발산합니다. 최소점이 둘일 때 낮은 쪽에
    이른 출발점은 전체를 보면 {lower_batch}, 하나씩 보며 긴 걸음으로 가면
    {lower_stochastic}입니다(학습률이 10분의 1이면 이득은 {freed_short}).
Lecture: 004, 6. Mini-Batch; 002, Minibatch
Changes from: 10, which always looked at all samples; a straight line is fitted here
Run: python recipes/11_gradient_descent.py
Try: (1) LEARNING_RATE 0.01: when does each arrive, and where does it stay?
    (2) RATES at 0.99 and 1.01 (3) LONG 3: what do ever longer steps lead to?
"""

from common import plots
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers

SAMPLES = 1000
START = np.array([-1.0, 2.0])  # w, b; the data follow 2 x - 1
SIZES = {"batch": SAMPLES, "mini_batch": 10, "stochastic": 1}  # samples per update
LEARNING_RATE = 0.1
UPDATES = 60
ORDERS = 200  # of the samples: curves are means over so many
RATES = {"too_small": 0.02, "right": 0.75, "too_large": 1.02}  # of the largest rate
GOAL = 100  # percent above the least loss
STARTS = 100  # on the loss with two minima
ROAMING = 1000  # updates there
SHORT, LONG = 0.1, 1.0  # learning rates there


def make_data(rng):
    """A noisy straight line: features [n, 2], x and a constant 1, and y [n]."""
    x = rng.uniform(-1, 3, SAMPLES)
    y = 2 * x - 1 + rng.normal(size=SAMPLES)
    return np.column_stack([x, np.ones(SAMPLES)]), y


def two_lines(rng, samples=200):
    """Features [n, 1], x, and y [n]: a third of them follow -x, the others 2 x."""
    x = rng.uniform(-1, 3, samples)
    y = np.where(rng.random(samples) < 1 / 3, -x, 2 * x)
    return x[:, None], y + 0.5 * rng.normal(size=samples)


def capped_loss(parameters, features, y):
    """Mean of e^2 / (1 + e^2), by which each of two lines is a minimum: [...]."""
    squares = (parameters @ features.T - y) ** 2
    return (squares / (1 + squares)).mean(axis=-1)


def gradient(parameters, features, y, capped=False):
    """Of the mean squared error, or of the capped one, averaged over the samples given.

    parameters: [..., p]; features: [..., samples, p]; y: [..., samples].
    """
    error = (features @ parameters[..., None])[..., 0] - y
    if capped:
        error = error / (1 + error**2) ** 2
    return 2 * (features * error[..., None]).mean(axis=-2)


def descend(start, features, y, size, rate, updates, rng, capped=False):
    """Descent in steps of `size` samples from several starts, [starts, p], at once.

    An iteration is one update, an epoch is once through the data, in a new order.
    Returns the parameters before and after each update, [updates + 1, starts, p].
    """
    path, samples = [start], np.tile(np.arange(len(y)), (len(start), 1))
    while len(path) <= updates:
        for batch in np.split(rng.permuted(samples, axis=1), len(y) // size, axis=1):
            slope = gradient(path[-1], features[batch], y[batch], capped)
            path.append(path[-1] - rate * slope)
    return np.array(path[: updates + 1])


def excess(points, features, y):
    """How far the loss at points (w, b), [..., 2], is above the least, in percent."""
    lowest, (least,), *_ = np.linalg.lstsq(features, y, rcond=None)
    away = points - lowest
    return 100 * (away @ (features.T @ features) * away).sum(axis=-1) / least


def keras_epoch(features, y, size):
    """A line in Keras after one epoch of SGD, samples in their order."""
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.set_weights([START[:1, None], START[1:]])
    model.compile(keras.optimizers.SGD(LEARNING_RATE), "mse", jit_compile=False)
    model.fit(features[:, :1], y, batch_size=size, shuffle=False, verbose=0)
    return model


def draw(paths, rates, data, lines, lower):
    """Loss by updates and by samples; three learning rates; a loss with two minima.

    lower: percent of the starts that end in the lower one, by all samples and by one.
    """
    figure, ((by_updates, by_samples), (left, right)) = plots.new_figure(2, 2, 4.6)
    for name, path in paths.items():
        above = excess(path[1:], *data).mean(axis=1)
        updates, label = np.arange(1, len(path)), f"{SIZES[name]:,} per update"
        by_updates.loglog(updates, above, ".-", ms=4, label=label)
        by_samples.loglog(SIZES[name] * updates, above, ".-", ms=4)
    for axis, counted in ((by_updates, "updates"), (by_samples, "samples seen")):
        axis.axhline(GOAL, color="grey", ls=":")
        axis.set(xlabel=counted, ylabel="loss above its least (%)", ylim=(1, 2000))
        axis.set_title(f"three batch sizes, by {counted}")
    w, b = np.meshgrid(np.linspace(-2, 4.5, 100), np.linspace(-3.5, 4.5, 100))
    heights = excess(np.stack([w, b], axis=-1), *data)
    left.contour(w, b, heights, np.geomspace(5, 3000, 10), cmap="Greys_r")
    for name, path in rates.items():
        left.plot(*path[:, 0].T, ".-", lw=1, ms=3, label=name.replace("_", " "))
    left.set(xlabel="w", ylabel="b", xlim=(-2, 4.5), ylim=(-3.5, 4.5))
    left.set_title("batch, three learning rates")
    right.plot(w[0], capped_loss(w[0, :, None], *lines), color="black")
    for place, shares in ((-1, 100 - lower), (2, lower)):
        text = "{:.0f} % by all samples\n{:.0f} % by one at a time".format(*shares)
        right.text(place, 0.24, text, ha="center", fontsize="small")
    right.set(xlabel="w", ylabel="loss", ylim=(0.2, 0.9), title="where starts end")
    by_updates.legend(fontsize="small"), left.legend(fontsize="small")
    return figure


def main(run):
    rng = np.random.default_rng(run.seed)
    data = features, y = make_data(rng)
    updates, paths, rates, values = run.length(UPDATES, 30), {}, {}, {}
    for name, size in SIZES.items():
        starts = np.tile(START, (1 if size == len(y) else run.pick(ORDERS, 20), 1))
        paths[name] = descend(starts, *data, size, LEARNING_RATE, updates, rng)
        above = excess(paths[name], *data).mean(axis=1)
        iterations = keras_epoch(*data, size).optimizer.iterations
        values[f"iterations_{name}"] = int(iterations)
        values[f"updates_{name}"] = np.append(above < GOAL, True).argmax()
        values[f"excess_{name}"] = above[-20:].mean()
    values["updates_saved"] = values["updates_stochastic"] - values["updates_batch"]
    values["largest_rate"] = len(y) / np.linalg.eigvalsh(features.T @ features).max()
    for name, share in RATES.items():
        rate = share * values["largest_rate"]
        rates[name] = descend(START[None], *data, len(y), rate, updates, rng)
        values[f"excess_{name}"] = excess(rates[name][-1, 0], *data)

    lines, starts = two_lines(rng), rng.uniform(-3, 4, (STARTS, 1))
    between = np.linspace(-1, 2, 301)[:, None]
    ridge = between[capped_loss(between, *lines).argmax()]  # the lower lies beyond
    for name, rate in (("short", SHORT), ("long", LONG)):
        steps = rate, run.pick(ROAMING, 50), rng, True
        sizes = len(lines[1]), 1
        ends = [descend(starts, *lines, size, *steps)[-1] for size in sizes]
        lower = np.array([100 * np.mean(end > ridge) for end in ends])  # of a seed's
        values[f"freed_{name}"] = lower[1] - lower[0]
    values["lower_batch"], values["lower_stochastic"] = lower  # by long steps
    shown = draw(paths, rates, data, lines, lower)
    run.save_figure(shown, "descents")
    return values


MEASURES = {
    "iterations_batch": Measure(
        "", "updates an epoch, batch", "에폭의 갱신 횟수, 배치", deterministic=True
    ),
    "iterations_mini_batch": Measure(
        "", "updates an epoch, batches of 10", "에폭의 갱신, 10개씩", deterministic=True
    ),
    "iterations_stochastic": Measure(
        "", "updates an epoch, one at a time", "에폭의 갱신, 하나씩", deterministic=True
    ),
    "updates_batch": Measure("", "to twice the least loss, batch", "최소의 2배까지"),
    "updates_mini_batch": Measure("", "the same, batches of 10", "갱신 횟수, 10개씩"),
    "updates_stochastic": Measure("", "the same, one at a time", "갱신 횟수, 하나씩"),
    "updates_saved": Measure("", "updates saved by batch", "배치의 이득", paired=True),
    "excess_batch": Measure("%", "loss above the least, batch", "넘는 손실, 배치"),
    "excess_mini_batch": Measure("%", "loss above, batches of 10", "넘는 손실, 10개씩"),
    "excess_stochastic": Measure("%", "loss above, one at a time", "넘는 손실, 하나씩"),
    "largest_rate": Measure("", "largest rate, 2 / curvature", "최대 학습률, 2 / 곡률"),
    "excess_too_small": Measure("%", "loss above, 1/50 of it", "넘는 손실, 그 1/50"),
    "excess_right": Measure("%", "loss above, 3/4 of it", "넘는 손실, 그 3/4"),
    "excess_too_large": Measure("%", "loss above, 1.02 of it", "넘는 손실, 그 1.02배"),
    "lower_batch": Measure("%", "end in the lower minimum, batch", "낮은 쪽, 배치"),
    "lower_stochastic": Measure("%", "the same, one at a time", "낮은 쪽, 하나씩"),
    "freed_short": Measure("pp", "gain, short steps", "이득, 짧은 걸음", paired=True),
    "freed_long": Measure("pp", "gain, long steps", "이득, 긴 걸음", paired=True),
}


if __name__ == "__main__":
    cli(main)
