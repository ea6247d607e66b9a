"""Kohonen's map: units that pull their neighbours along, and so put data in order.

제목: 코호넨의 자기 조직화 지도(SOM): 이웃을 함께 끌고 가며 자료를 펼치는 학습
Question: What does a neighbourhood add to finding centres, and what does it cost?
Finding: Order. The two units nearest to a new digit are neighbours on the map but for
    {mnist_broken}; where units move alone, as in k-means, for {mnist_alone_broken}. It
    costs precision: the mean distance to the nearest unit is {mnist_error} against
    {mnist_alone_error}. A ring of units finds the shortest tour of ten cities from
    {ring} of its starts, of ten random places from {ring_random}.
결과: 순서를 얻습니다. 처음 보는 숫자에 가장 가까운 두 유닛이 지도의 이웃이 아닌 비율은
    {mnist_broken}이고, k-평균처럼 유닛이 혼자 움직이면 {mnist_alone_broken}입니다. 그
    대신 정밀도를 잃어, 가장 가까운 유닛까지의 평균 거리가 {mnist_alone_error}에서
    {mnist_error}로 늘어납니다. 고리로 이은 유닛은 열 도시를 도는 가장 짧은 길을 시작의
    {ring}에서, 무작위로 놓은 열 곳에서는 {ring_random}에서 찾습니다.
Lecture: 002, comparison between neural networks: Kohonen, self-organizing map
Changes from: 52_hopfield (weights that learn, sample by sample)
Run: python recipes/54_kohonen_som.py
Try: (1) last radii of 0.3: which of the two errors falls, and which one grows?
    (2) RING_UNITS = 10, a unit for every city: why are the tours longer?
"""

from itertools import permutations

from common import datasets, plots
from common.running import Measure, cli

import numpy as np
from scipy.sparse import coo_array
from sklearn.datasets import load_digits, load_iris

SIDES = {"iris": 8, "digits": 15, "mnist": 20}  # of square maps
EPOCHS = {"iris": 67, "digits": 28, "mnist": 15}  # MNIST: all samples at once
RADII = {"iris": (4, 1), "digits": (7.5, 1), "mnist": (10, 1)}  # first and last, units
ALONE = (1e-3, 1e-3)  # radii that reach no neighbour
RATES = (0.5, 0.01)
CITIES = (  # those of recipe 53
    *((0.4, 0.4439), (0.2439, 0.1463), (0.1707, 0.2293), (0.2293, 0.761)),
    *((0.5171, 0.9414), (0.8732, 0.6536), (0.6878, 0.5219), (0.8488, 0.3609)),
    *((0.6683, 0.2536), (0.6195, 0.2634)),
)
RANDOM_SETS, STARTS = 9, 50  # of ten other cities; rings for each set
RING_UNITS, RING_EPOCHS, RING_RADII, RING_RATES = 30, 50, (7.5, 0.3), (0.8, 0.05)


def on_grid(side):
    """Squared distances on the map between the units of a square: [units, units]."""
    places = np.stack(np.divmod(np.arange(side**2), side), axis=1)
    return np.sum((places[:, None] - places) ** 2, axis=-1)


def on_ring(units):
    apart = abs(np.arange(units)[:, None] - np.arange(units))
    return np.minimum(apart, units - apart) ** 2


def decay(limits, done):
    """Exponentially from the first limit to the last; done: from 0 to 1."""
    return limits[0] * (limits[1] / limits[0]) ** done


def update(m, x, grid, radius, rate):
    """Kohonen's rule: the unit nearest to x moves there and takes its neighbours along.

    m [..., units, features], x [..., features]: one sample for every map.
    """
    towards = x[..., None, :] - m
    winner = np.argmin(np.sum(towards**2, axis=-1), axis=-1)
    pull = np.exp(-grid[winner] / (2 * radius**2))
    return m + rate * pull[..., None] * towards


def train_online(x, m, grid, radii, rates, epochs, seed):
    """Sample by sample (1982): x [..., n, features], m [..., units, features]."""
    rng, n = np.random.default_rng(seed), x.shape[-2]
    for step in range(epochs * n):
        if step % n == 0:
            order = rng.permuted(np.indices(x.shape[:-1])[-1], axis=-1)
        sample = np.take_along_axis(x, order[..., step % n, None, None], axis=-2)
        radius, rate = (decay(limits, step / (epochs * n)) for limits in (radii, rates))
        m = update(m, sample[..., 0, :], grid, radius, rate)
    return m


def from_units(x, m):
    """Squared distances [n, units], but for what all units of a sample share."""
    return np.sum(m**2, axis=1) - 2 * x @ m.T


def train_batch(x, m, grid, radii, epochs):
    """Every unit becomes the mean of all x, weighted by the pull of their winners."""
    for epoch in range(epochs):
        winner = from_units(x, m).argmin(axis=1)
        won = np.ones_like(x[:, 0]), (winner, np.arange(len(x)))
        won = coo_array(won, shape=(len(m), len(x)))
        radius = decay(radii, epoch / max(epochs - 1, 1))
        pull = np.exp(-grid / (2 * radius**2)).astype(x.dtype)
        weight = (pull @ won.sum(axis=1))[:, None]
        m = np.divide(pull @ (won @ x), weight, out=m.copy(), where=weight > 0)
    return m


def errors(x, m, grid):
    """Quantization error: mean distance to the nearest unit. Topographic error: in how
    many percent the second nearest is no neighbour of it, not even a diagonal one."""
    first, second = from_units(x, m).argsort(axis=1)[:, :2].T
    precision = np.linalg.norm(x - m[first], axis=1).mean()
    return precision, 100 * np.mean(grid[first, second] > 2)


def tour_lengths(cities, tours):
    """cities [n, 2], tours [k, n] in the order of the visits: round trips [k]."""
    stops = cities[tours]
    return np.linalg.norm(stops - np.roll(stops, 1, axis=1), axis=2).sum(axis=1)


def ring_tours(sets, starts, seed):
    """Cities [sets, n, 2] in the order of their units on a ring: [sets, starts, n]."""
    x = np.broadcast_to(sets[:, None], (len(sets), starts, *sets.shape[1:]))
    noise = np.random.default_rng(seed).normal(0, 0.01, (*x.shape[:2], RING_UNITS, 2))
    m, grid = x.mean(axis=2, keepdims=True) + noise, on_ring(RING_UNITS)
    m = train_online(x, m, grid, RING_RADII, RING_RATES, RING_EPOCHS, seed)
    apart = np.sum((x[..., None, :] - m[:, :, None]) ** 2, axis=-1)
    return apart.argmin(axis=-1).argsort(axis=-1, kind="stable"), m


def sheet_figure(m):
    figure, axis = plots.new_figure(width=6, height=6)
    units = m.reshape(SIDES["mnist"], SIDES["mnist"], 28, 28)
    axis.imshow(np.block([list(row) for row in units]), cmap="gray_r", zorder=1)
    axis.axis("off")
    return figure


def planes_figure(x, species, m, ring):
    figure, (left, right) = plots.new_figure(1, 2, width=4.4, height=3.8)
    side, apart = SIDES["iris"], np.linalg.norm(m[:, None] - m, axis=2)
    walls = np.mean(apart, axis=1, where=on_grid(side) <= 2)
    left.imshow(walls.reshape(side, side), cmap="Greys", zorder=1)
    for kind, name in enumerate(load_iris().target_names):
        winners = from_units(x[species == kind], m).argmin(axis=1)
        left.plot(*divmod(winners, side)[::-1], "os^"[kind], label=name)
    left.legend(ncol=3, loc="upper center", bbox_to_anchor=(0.5, 0))
    left.set(title="iris, with walls between units", xticks=[], yticks=[])
    right.plot(*np.transpose(CITIES), "ks")
    right.plot(*ring[np.arange(-1, len(ring))].T, "C0.-")
    right.set(title="a ring of units visits ten cities", xticks=[], yticks=[])
    return figure


def main(run):
    rng, values, maps = np.random.default_rng(run.seed), {}, {}
    iris, (train, _, test) = load_iris(), datasets.mnist(run.pick(None, 800))
    flowers = (iris.data - iris.data.mean(axis=0)) / iris.data.std(axis=0)
    samples = flowers, load_digits().data / 16, train[0].reshape(-1, 784)
    for name, x in zip(SIDES, samples, strict=True):
        side, epochs = SIDES[name], run.length(EPOCHS[name])
        grid, start = on_grid(side), x[rng.choice(len(x), side**2, replace=False)]
        asked = test[0].reshape(-1, 784) if name == "mnist" else x
        for arm, radii in ((name, RADII[name]), (f"{name}_alone", ALONE)):
            if name == "mnist":
                m = train_batch(x, start, grid, radii, epochs)
                run.save_figure(sheet_figure(m), arm)
            else:
                m = train_online(x, start, grid, radii, RATES, epochs, run.seed)
            values[f"{arm}_error"], values[f"{arm}_broken"] = errors(asked, m, grid)
            maps[arm] = m
    values["learned"] = errors(asked, start, grid)[1] - values["mnist_broken"]
    values["gained"] = values["mnist_alone_broken"] - values["mnist_broken"]
    sets = np.array([CITIES, *rng.random((run.pick(RANDOM_SETS, 1), len(CITIES), 2))])
    tours, rings = ring_tours(sets, run.pick(STARTS, 2), run.seed)
    every = [(0, *p) for p in permutations(range(1, len(CITIES))) if p[0] < p[-1]]
    shortest = [[tour_lengths(cities, np.array(every)).min()] for cities in sets]
    found = [tour_lengths(cities, t) for cities, t in zip(sets, tours, strict=True)]
    right = np.array(found) < np.array(shortest) + 1e-9
    shown = flowers, iris.target, maps["iris"], rings[0, 0]
    run.save_figure(planes_figure(*shown), "planes")
    values["ring"] = [right[0].sum(), right[0].size]
    return values | {"ring_random": [right[1:].sum(), right[1:].size]}


MEASURES = {
    **{
        f"{name}_{kind}": Measure(unit, f"{name}: {english}", f"{name}: {korean}")
        for name in SIDES
        for kind, unit, english, korean in (
            ("error", "", "quantization error", "양자화 오차"),
            ("broken", "%", "topographic error", "위상 오차"),
            ("alone_error", "", "quantization, alone", "양자화 오차, 혼자"),
            ("alone_broken", "%", "topographic, alone", "위상 오차, 혼자"),
        )
    },
    "learned": Measure("pp", "MNIST: untrained - trained", "학습 전 - 후", paired=True),
    "gained": Measure("pp", "MNIST: alone - map", "혼자 - 이웃과", paired=True),
    "ring": Measure("rate", "shortest tour found", "찾아낸 가장 짧은 길"),
    "ring_random": Measure("rate", "of random cities", "무작위 도시"),
}


if __name__ == "__main__":
    cli(main)
