"""Learning curves: from a result's history to lines in a box."""

import math
import re

LONGEST_CURVE = 120  # epochs drawn; longer ones are thinned out
MOST_SERIES = 6  # in one chart; the recipe's own figure shows what has more
WIDTH, HEIGHT = 320, 150  # of the box that a chart's lines lie in


def charts(history: list[dict]) -> list[dict]:
    """Learning curves over seeds, one chart per metric, from a result's history.

    history: per seed {network: [{"epoch": 1, metric: value}, one per epoch]}.
    A chart: metric, unit, epochs, and series of name, part (training, validation or
    "") and seeds: one list of values per seed.
    """
    by_metric: dict[str, dict] = {}
    for seed, networks in enumerate(history):
        for name, logs in networks.items():
            metrics = [key for key in (logs[0] if logs else {}) if key != "epoch"]
            # A network trained in two parts, deep_3 and deep_15, has one curve.
            whole = re.sub(r"_\d+$", "", name)
            for metric in metrics:
                plain = metric.removeprefix("val_")
                part = "validation" if plain != metric else "training"
                if f"val_{plain}" not in metrics:
                    part = ""
                key = (whole if len(networks) > 1 else name, part)
                seeds = by_metric.setdefault(plain, {}).setdefault(key, {})
                points = seeds.setdefault(seed, {})
                points.update({log["epoch"]: log.get(metric) for log in logs})
    return [
        chart
        for metric, series in by_metric.items()
        if (chart := _chart(metric, series)) is not None
    ]


def _chart(metric: str, series: dict) -> dict | None:
    """One chart of `charts`, None where there is no curve to draw."""
    epochs = sorted({e for seeds in series.values() for p in seeds.values() for e in p})
    if len(epochs) < 3 or len(series) > MOST_SERIES:
        return None
    step = math.ceil(len(epochs) / LONGEST_CURVE)
    epochs = sorted({*epochs[::step], epochs[-1]})
    scale = 100 if "accuracy" in metric else 1

    def value(number):
        if number is None or not math.isfinite(number):
            return None
        return float(f"{scale * number:.5g}")

    return {
        "metric": metric.replace("_", " "),
        "unit": "%" if scale == 100 else "",
        "epochs": epochs,
        "series": [
            {
                "name": name.replace("_", " "),
                "part": part,
                "seeds": [[value(p.get(e)) for e in epochs] for p in seeds.values()],
            }
            for (name, part), seeds in series.items()
        ],
    }


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """About `count` round numbers from low to high."""
    step = 10.0 ** math.floor(math.log10((high - low) / count or 1))
    step = next(step * m for m in (1, 2, 5, 10) if (high - low) / (step * m) <= count)
    first = math.ceil(low / step)
    return [i * step for i in range(first, math.floor(high / step) + 1)]


class Box:
    """Where epochs and values lie in the box of a chart, logarithmic where it helps."""

    def __init__(self, chart: dict):
        numbers = [
            value
            for series in chart["series"]
            for seed in series["seeds"]
            for value in seed
            if value is not None
        ]
        low, high = (min(numbers), max(numbers)) if numbers else (0, 1)
        self.logarithmic = low > 0 and high / low > 50
        if high <= low:
            low, high = low - 0.5, high + 0.5
        self.low, self.high = low, high
        self.bottom, self.top = self._shape(low), self._shape(high)
        self.first, self.last = chart["epochs"][0], chart["epochs"][-1]

    def _shape(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else float(value)

    def x(self, epoch: float) -> float:
        return round(WIDTH * (epoch - self.first) / (self.last - self.first), 1)

    def y(self, value: float) -> float:
        part = (self._shape(value) - self.bottom) / (self.top - self.bottom)
        return round(HEIGHT - HEIGHT * part, 1)

    def path(self, epochs: list, values: list) -> str:
        points = [
            f"{self.x(epoch)},{self.y(value)}"
            for epoch, value in zip(epochs, values, strict=True)
            if value is not None
        ]
        return "M" + " L".join(points) if points else ""

    def marks(self) -> list[float]:
        """The values that get a line and a label."""
        if not self.logarithmic:
            return ticks(self.low, self.high)
        exponents = range(math.ceil(self.bottom), math.floor(self.top) + 1)
        return [10.0**n for n in exponents]


def drawn(chart: dict) -> dict:
    """A chart with its lines in their box: seeds, their mean, grid, labels."""
    box, epochs = Box(chart), chart["epochs"]
    lines, colours = [], {}
    for series in chart["series"]:
        colour = colours.setdefault(series["name"], len(colours))
        columns = [
            [v for v in c if v is not None] for c in zip(*series["seeds"], strict=True)
        ]
        mean = [sum(column) / len(column) if column else None for column in columns]
        lines.append(
            {
                "name": series["name"],
                "part": series["part"],
                "colour": colour,
                "seeds": [box.path(epochs, seed) for seed in series["seeds"]],
                "mean": box.path(epochs, mean),
            }
        )
    middle = epochs[len(epochs) // 2]
    return {
        **chart,
        "lines": lines,
        "logarithmic": box.logarithmic,
        "grid": [(box.y(mark), f"{mark:.6g}") for mark in box.marks()],
        "epoch_marks": sorted({epochs[0], middle, epochs[-1]}),
        "x": box.x,
    }
