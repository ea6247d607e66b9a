"""What was measured as two figures."""

from bench import labs
from bench.judging import fit_growth, floor_seconds
from bench.tables import digits
from common import plots

import numpy as np
from matplotlib import ticker

COLOURS = {
    "tensorflow": "C0",
    "torch": "C1",
    "jax": "C2",
    "sklearn": "C3",
    "numpy": "C4",
}


def plain_ticks(axis) -> None:
    """1, 2, 5, 10, 20, ... on a logarithmic axis; powers of ten where it is long."""
    low, high = axis.get_view_interval()
    steps = (1, 2, 5) if high < 300 * low else (1,)
    axis.set_major_locator(ticker.LogLocator(subs=steps))
    axis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(ticker.NullFormatter())


def bench_figure(record: dict):
    """Seconds per epoch of every contestant: fastest, all rounds, floor."""
    measured = labs.in_order(record)
    rows = -(-len(measured) // 2)
    figure, axes = plots.new_figure(rows, 2, width=6.2, height=2.7)
    axes = np.atleast_1d(axes).flat
    for axis, (key, lab) in zip(axes, measured, strict=False):
        names = list(lab["contestants"])[::-1]
        for row, name in enumerate(names):
            seconds = lab["contestants"][name]["seconds"]
            colour = COLOURS[labs.CONTESTANTS[name].framework]
            alpha = 1 if name == "ours" else 0.45
            axis.barh(row, min(seconds), color=colour, alpha=alpha)
            axis.plot(seconds, [row] * len(seconds), "k|", markersize=7)
        axis.set_xscale("log")
        least = min(min(one["seconds"]) for one in lab["contestants"].values())
        left = least / 2
        if lab["flops"]:
            floor = floor_seconds(lab)
            axis.axvline(floor, color="k", linestyle=":", linewidth=1)
            left = min(left, floor / 1.5)
        axis.set_xlim(left=left)
        plain_ticks(axis.xaxis)
        plain = [labs.CONTESTANTS[name].label.replace("*", "") for name in names]
        axis.set_yticks(range(len(names)), [text.replace("`", "") for text in plain])
        unit = "seconds per epoch" if lab["images"] else "seconds"
        axis.set(title=labs.LABS[key].title, xlabel=unit)
        axis.grid(axis="y", visible=False)
    for axis in list(axes)[len(measured) :]:
        axis.axis("off")
    figure.suptitle(
        f"{record['machine']}, {record['cores']} cores, {record['device'].upper()}: "
        "bars fastest epoch, ticks all, dotted floor"
    )
    return figure


def growth_figure(growth: dict):
    """Seconds above memory, against each of the sizes."""
    columns = len(growth["series"])
    figure, axes = plots.new_figure(2, columns, width=3.6, height=2.8)
    for column, series in enumerate(growth["series"]):
        for axis, what, unit in (
            (axes[0, column], "seconds", "seconds per epoch"),
            (axes[1, column], "peak_mb", "peak memory, MB"),
        ):
            sizes, values = np.array(series["sizes"]), series[what]
            fixed, slope = fit_growth(sizes, values)
            last = (values[-1] - fixed) / float(sizes[-1]) ** slope
            line = np.geomspace(sizes[0], sizes[-1], 50)
            axis.loglog(sizes, values, "o")
            axis.loglog(line, fixed + last * line**slope, "-", color="C0", alpha=0.5)
            axis.set(xlabel=series["title"], ylabel=unit)
            axis.set_title(f"{digits(fixed)} + ... size^{slope:.2f}")
            if what == "seconds":
                plain_ticks(axis.yaxis)
            else:
                axis.set_yscale("linear")
    return figure
