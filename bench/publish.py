"""From what was measured to README.md and the figures; `python bench/publish.py`."""

from pathlib import Path
from statistics import median
from typing import NamedTuple

from common import files, plots

import labs
import numpy as np
from matplotlib import ticker

HERE = Path(__file__).resolve().parent
TEMPLATE = HERE / "README.template.md"
COLOURS = {
    "tensorflow": "C0",
    "torch": "C1",
    "jax": "C2",
    "sklearn": "C3",
    "numpy": "C4",
}
GOAL_COLUMNS = {
    "peer": "best peer",
    "keras": "Keras, default `fit`",
    "numpy": "NumPy",
    "floor": "floor",
}


class Ratio(NamedTuple):
    """Our seconds over another's: of the fastest epochs, and round by round."""

    value: float
    low: float
    high: float


class Verdict(NamedTuple):
    """One goal of the issue and what was measured."""

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


def digits(value: float, count: int = 2) -> str:
    """A number with so many digits that count, never as 1e-05."""
    if value == 0:
        return "0"
    places = max(0, count - 1 - int(np.floor(np.log10(abs(value)))))
    return f"{value:,.{places}f}"


def spread(value: Ratio) -> str:
    """0.853 (0.812 to 0.941)"""
    middle, low, high = (digits(x, 3) for x in (value.value, value.low, value.high))
    return f"{middle} ({low} to {high})"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *rows])


def goals_table(record: dict) -> str:
    """The issue's goals beside what was measured."""
    rows = []
    for key, lab in in_order(record):
        judged = verdicts(key, lab)
        cells = []
        for against in GOAL_COLUMNS:
            if against not in judged:
                cells.append("")
                continue
            verdict = judged[against]
            of = f", {verdict.against}" if against == "peer" else ""
            met = "met" if verdict.met else "**not met**"
            cells.append(
                f"{spread(verdict.ratio)}{of}; ≤ {digits(verdict.goal, 1)}: {met}"
                if verdict.goal < 0.01
                else f"{spread(verdict.ratio)}{of}; ≤ {verdict.goal:g}: {met}"
            )
        rows.append([labs.LABS[key].title, *cells])
    return table(["lab", *GOAL_COLUMNS.values()], rows)


def in_order(record: dict):
    """(key, lab) of the labs that were measured, in the order of labs.LABS."""
    return [(key, record["labs"][key]) for key in labs.LABS if key in record["labs"]]


def lab_table(key: str, lab: dict) -> str:
    """All contestants of one lab."""
    ours = lab["contestants"]["ours"]["seconds"]
    rows = []
    for name, one in lab["contestants"].items():
        seconds = one["seconds"]
        mark = " (extrapolated)" if "extrapolated" in one else ""
        rows.append(
            [
                labs.CONTESTANTS[name].label + mark,
                digits(one["import_seconds"]),
                # Of an extrapolated one the first epoch holds the compilation once.
                "" if mark else digits(one["first_seconds"]),
                digits(min(seconds), 3),
                digits(median(seconds), 3),
                digits(median(one["processor_seconds"])),
                f"{median(one['waits']):,.0f}",
                "" if name == "ours" else spread(ratio(ours, seconds)),
                "" if one["score"] is None else digits(one["score"], 4),
                f"{one['peak_mb']:,.0f}",
                f"{one['parameters']:,}",
            ]
        )
    header = ["", "import, s", "first epoch, s", "fastest epoch, s", "median, s"]
    header += ["processor, s", "waits", "ours / this", labs.LABS[key].score]
    header += ["peak, MB", "parameters"]
    return table(header, rows)


def lab_text(key: str, lab: dict, epochs: int) -> str:
    """One lab's section."""
    facts = [f"recipe {key}", f"{epochs + 1} epochs, the first apart"]
    if lab["images"]:
        facts.append(f"{lab['images']:,} images an epoch")
    if lab["flops"]:
        facts.append(
            f"floor {digits(floor_seconds(lab), 3)} s: "
            f"{digits(lab['flops'] / 1e9, 3)} GFLOP "
            f"at {lab['flops_per_second'] / 1e9:,.0f} GFLOP/s"
        )
    if "others_percent" in lab:
        facts.append(
            f"other programs had {lab['others_percent']:.0f} % of the processor"
        )
    facts.append(lab["date"])
    text = f"### {labs.LABS[key].title}\n\n{'; '.join(facts)}.\n\n"
    text += lab_table(key, lab)
    for name, reason in lab["missing"].items():
        text += f"\n\nWithout {labs.CONTESTANTS[name].label}: {reason}."
    return text


def results_text(record: dict) -> str:
    """Everything that one device's results.json says."""
    measured = [lab["contestants"] for _, lab in in_order(record)]
    every = [one for lab in measured for one in lab.values()]
    versions = ", ".join(sorted({one["version"] for one in every}))
    used = ", ".join(sorted({one["device"] for one in every}))
    sections = [
        f"Machine: {record['machine']}, {record['cores']} cores; devices as the "
        f"frameworks name them: {used}. {versions}.",
        goals_table(record),
        *(lab_text(key, lab, record["epochs"]) for key, lab in in_order(record)),
    ]
    return "\n\n".join(sections)


def growth_text(growth: dict) -> str:
    """The slopes, one row per figure's line."""
    rows = []
    for series in growth["series"]:
        sizes = series["sizes"]
        for what, unit in (("seconds", "s"), ("peak_mb", "MB")):
            fixed, slope = fit_growth(sizes, series[what])
            name = "seconds per epoch" if what == "seconds" else "peak memory"
            rows.append(
                [
                    f"{series['title']}: {name}",
                    f"{sizes[0]:,} to {sizes[-1]:,}",
                    f"{digits(series[what][0], 3)} {unit}",
                    f"{digits(series[what][-1], 3)} {unit}",
                    f"{digits(fixed, 3)} {unit}",
                    digits(slope),
                ]
            )
    header = ["", "sizes", "smallest", "largest", "fixed part", "slope"]
    return f"Machine: {growth['machine']}; {growth['date']}.\n\n" + table(header, rows)


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


def plain_ticks(axis) -> None:
    """1, 2, 5, 10, 20, ... on a logarithmic axis; powers of ten where it is long."""
    low, high = axis.get_view_interval()
    steps = (1, 2, 5) if high < 300 * low else (1,)
    axis.set_major_locator(ticker.LogLocator(subs=steps))
    axis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(ticker.NullFormatter())


def bench_figure(record: dict):
    """Seconds per epoch of every contestant: fastest, all rounds, floor."""
    measured = in_order(record)
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


def results_path(device: str, folder: Path = HERE) -> Path:
    """Where the results of a device are; CPU and GPU never share a file."""
    return folder / ("results.json" if device == "cpu" else f"results-{device}.json")


def render(folder: Path = HERE) -> str:
    """README.md: the template with the blocks of figures put in."""
    text = TEMPLATE.read_text(encoding="utf-8")
    blocks = dict.fromkeys(("results", "gpu", "growth"), "Not measured yet.")
    for block, path, describe, picture in (
        ("results", results_path("cpu", folder), results_text, "bench.png"),
        ("gpu", results_path("gpu", folder), results_text, "bench-gpu.png"),
        ("growth", folder / "growth.json", growth_text, "growth.png"),
    ):
        if path.exists():
            figure = f"![the same as a figure]({picture})"
            blocks[block] = f"{describe(files.read_record(path))}\n\n{figure}"
    for name, content in blocks.items():
        text = text.replace("{{" + name + "}}", content)
    return text


def write_all(folder: Path = HERE) -> None:
    """README.md and the figures from the results in `folder`."""
    figures = {"growth.json": ("growth.png", growth_figure)}
    for device, picture in (("cpu", "bench.png"), ("gpu", "bench-gpu.png")):
        figures[results_path(device, folder).name] = (picture, bench_figure)
    for name, (picture, draw) in figures.items():
        if (folder / name).exists():
            figure = draw(files.read_record(folder / name))
            figure.savefig(folder / picture, dpi=110)
    files.write_whole(folder / "README.md", render(folder).encode())


if __name__ == "__main__":
    write_all()
