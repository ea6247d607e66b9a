"""What was measured as Markdown tables and the lines around them."""

from statistics import median

from bench import labs
from bench.judging import Ratio, fit_growth, floor_seconds, ratio, verdicts

import numpy as np

GOAL_COLUMNS = {
    "peer": "best peer",
    "keras": "Keras, default `fit`",
    "numpy": "NumPy",
    "floor": "floor",
}


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
    """The goals beside what was measured."""
    rows = []
    for key, lab in labs.in_order(record):
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
    measured = [lab["contestants"] for _, lab in labs.in_order(record)]
    every = [one for lab in measured for one in lab.values()]
    versions = ", ".join(sorted({one["version"] for one in every}))
    used = ", ".join(sorted({one["device"] for one in every}))
    sections = [
        f"Machine: {record['machine']}, {record['cores']} cores; devices as the "
        f"frameworks name them: {used}. {versions}.",
        goals_table(record),
        *(lab_text(key, lab, record["epochs"]) for key, lab in labs.in_order(record)),
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
