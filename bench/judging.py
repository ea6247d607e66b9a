"""From seconds to what they say: ratios, goals met or not, how something grows."""

from typing import NamedTuple

from bench import labs

import numpy as np


class Ratio(NamedTuple):
    """Our seconds over another's: of the fastest epochs, and round by round."""

    value: float
    low: float
    high: float


class Verdict(NamedTuple):
    """One goal and what was measured."""

    against: str  # the other's label
    ratio: Ratio
    goal: float

    @property
    def met(self) -> bool:
        return self.ratio.value <= self.goal


def ratio(ours: list[float], other: list[float]) -> Ratio:
    """Fastest over fastest; the spread is that of the epochs of the same round."""
    pairs = [a / b for a, b in zip(ours, other, strict=True)]
    return Ratio(min(ours) / min(other), min(pairs), max(pairs))


def floor_seconds(lab: dict) -> float:
    """What the matrix products of one epoch take at the best rate of the same run."""
    return lab["flops"] / lab["flops_per_second"]


def verdicts(key: str, lab: dict) -> dict[str, Verdict]:
    """The goals of one lab, by what they compare with."""
    seconds = {n: c["seconds"] for n, c in lab["contestants"].items()}
    ours = seconds.pop("ours")
    judged = {}
    for against, goal in labs.LABS[key].goals.items():
        name = against
        if against == "floor":
            floor = [floor_seconds(lab)] * len(ours)
            judged[against] = Verdict("floor", ratio(ours, floor), goal)
            continue
        if against == "peer" and seconds:
            name = min(seconds, key=lambda n: min(seconds[n]))
        if name in seconds:
            label = labs.CONTESTANTS[name].label
            judged[against] = Verdict(label, ratio(ours, seconds[name]), goal)
    return judged


def fit_growth(sizes, values) -> tuple[float, float]:
    """Fit values = fixed + factor * size ** slope. Returns (fixed, slope).

    The slope of a log-log plot once what does not grow is taken off. The errors are
    relative; fixed and factor are not negative.
    """
    sizes, values = np.asarray(sizes, float), np.asarray(values, float)
    best = None
    for slope in np.arange(0.2, 3.001, 0.01):
        growing = (sizes / sizes[-1]) ** slope
        columns = np.stack([np.ones_like(sizes), growing], axis=1) / values[:, None]
        (fixed, factor), *_ = np.linalg.lstsq(columns, np.ones_like(sizes), rcond=None)
        if fixed < 0:
            share = growing / values
            fixed, factor = 0.0, share.sum() / (share**2).sum()
        if factor < 0:
            continue
        error = np.sum(((fixed + factor * growing) / values - 1) ** 2)
        if best is None or error < best[0]:
            best = error, fixed, slope
    if best is None:  # nothing grows
        return float(values.mean()), 0.0
    return float(best[1]), float(best[2])
