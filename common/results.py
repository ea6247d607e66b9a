"""Results over seeds: read, collected, judged, and the table that closes a run."""

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from common import claims, command_line, executing, files, recipes
from common.claims import Claim, Measure, Verdict, mean_and_deviation
from common.devices import NO_GPU
from common.executing import Request, Run
from common.files import ROOT, Problem

RESULTS = ROOT / "results"
LONGEST_LIST = 6
SECONDS_OF_FIVE_SEEDS = 60  # a recipe that takes longer is measured over three
VERDICT_STYLE = {
    "reproduced": "green",
    "above": "cyan",
    "below": "yellow",
    "typical": "green",
    "rare": "yellow",
    "holds": "green",
    "does not hold": "yellow",
    "as published": "green",
    "erratum": "magenta",
    "mismatch": "bold red",
}


class Row(NamedTuple):
    """One measured figure, or one that a document reports, in a table.

    values: one per seed, [] where nothing is measured. claim: None for a figure that no
    document reports; measure: None for one that is cited or not measured yet.
    """

    measure: Measure | None
    claim: Claim | None
    values: list
    verdict: Verdict
    name: str = ""

    @property
    def label(self) -> str:
        return self.measure.english if self.measure else self.claim.says

    @property
    def label_korean(self) -> str:
        return self.measure.korean if self.measure else ""

    @property
    def unit(self) -> str:
        return self.measure.unit if self.measure else self.claim.unit

    @property
    def shown(self) -> str:
        """What was measured, in words; "" where nothing was."""
        return measured(self.values, self.measure) if self.values else ""

    @property
    def shown_reported(self) -> str:
        """What is reported, in words; "" where nothing is."""
        return number(self.claim.reported, self.claim.unit) if self.claim else ""


def result_path(recipe: Path) -> Path:
    """Where the measured figures of a recipe are kept."""
    return RESULTS / f"{recipe.stem}.json"


def read_result(recipe: Path) -> dict | None:
    """The committed result of a recipe, None where there is none.

    A damaged one is set aside and named; raises nothing.
    """
    path = result_path(recipe)
    try:
        return files.read_record(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        kept = files.set_aside(path).name
        print(f"{error}; kept as {kept}; make reproduce measures it again")
        return None


def own_run(recipe: Path, runs: Path) -> dict | None:
    """The record of the default run (seed 0) of a recipe, None where there is none.

    A damaged one is named and kept as it is; one of another version, or with other
    options (weights that were found), is none.
    """
    path = runs / recipe.stem / "seed-0" / "metrics.json"
    try:
        record = files.read_record(path)
    except FileNotFoundError:
        return None
    except (ValueError, OSError) as error:
        print(f"{error}; left out; make all runs it again")
        return None
    same = record["recipe_hash"] == recipes.recipe_hash(recipe)
    if same and record["options"] == reproduced_options(recipe):
        return record
    return None


def reproducing(recipe: Path, seed: int, out: Path) -> Request:
    """The run of a recipe that counts as a measurement."""
    options = command_line.reproduced_options(recipe)
    return Request(stem=recipe.stem, seed=seed, options=options, out=out)


def reproduced_options(recipe: Path) -> dict:
    """All of a recipe's own options, by name, as they are in its measurement."""
    return Run(reproducing(recipe, 0, RESULTS)).options


def collect(recipe: Path, runs: Path) -> dict:
    """Gather the finished full-length seeds of a recipe into its result.

    Raises Problem where no finished run of the recipe as it is now is there.
    """
    first = Run(reproducing(recipe, 0, runs)).folder.name
    records = []
    for folder in sorted(runs.glob(f"{recipe.stem}/seed-*")):
        seed = re.match(r"seed-(\d+)", folder.name)[1]
        if folder.name != first.replace("seed-0", f"seed-{seed}", 1):
            continue
        record = executing.finished(reproducing(recipe, int(seed), runs))
        if record:
            records.append(record)
    if not records:
        raise Problem(
            f"no finished run of {recipe.stem} as it is now in {runs}; "
            f"run: make reproduce-{recipe.stem[:2]}"
        )
    records.sort(key=lambda record: record["seed"])
    last = records[-1]
    machine = machines(records)
    if "; " in machine:
        print(f"{recipe.stem}: its seeds were run on different machines: {machine}")
    result = {
        "recipe": recipe.stem,
        **{key: last[key] for key in ("recipe_hash", "plumbing", "versions")},
        "options": last["options"],
        "seeds": [record["seed"] for record in records],
        "values": {
            name: [record["values"][name] for record in records]
            for name in last["values"]
        },
        "seconds": [record["seconds"] for record in records],
        "history": [record["history"] for record in records],
        "constants": last["constants"],
        "machine": machine,
        "cores": last["cores"],
        "python": last["python"],
        "date": last["date"],
    }
    files.write_record(result_path(recipe), result)
    return result


def machines(records: list[dict]) -> str:
    """Where runs ran: the processors' names, each once, with "; " between them.

    Figures are the same to the bit on like machines only.
    """
    names = (record["machine"].removesuffix(NO_GPU) for record in records)
    return "; ".join(dict.fromkeys(names))


def seeds_of(recipe: Path, seconds: float) -> int:
    """How many seeds measure a recipe: as many as its committed result has.

    One where no measure depends on the seed. seconds: what one run takes; decides where
    there is no result yet.
    """
    measures = recipes.load(recipe).MEASURES.values()
    if all(measure.deterministic for measure in measures):
        return 1
    result = read_result(recipe)
    if result and len(result["seeds"]) > 1:
        return len(result["seeds"])
    return 5 if seconds <= SECONDS_OF_FIVE_SEEDS else 3


def number(value, unit: str = "", digits: int = 4) -> str:
    """A number as people write it: 98.13 %, 1,195,018, 2.1e-05.

    Short lists are written out, longer ones and matrices given by their shape.
    """
    if value is None:
        return ""
    if unit == "year":
        return str(value).strip("()[]")
    if unit == "rate":
        return f"{value[0]:,.0f} of {value[1]:,.0f}"
    if isinstance(value, (list, tuple)):
        if len(value) <= LONGEST_LIST and not isinstance(value[0], (list, tuple)):
            text = ", ".join(number(item, "", digits) for item in value)
            return f"{text} {unit}".strip()
        shape = []
        while isinstance(value, (list, tuple)):
            shape.append(str(len(value)))
            value = value[0] if value else 0
        return " x ".join(shape) + " values"
    if float(value).is_integer() and abs(value) < 1e15:
        text = f"{int(value):,}"
    elif unit in ("%", "pp"):
        text = f"{value:.2f}"
    else:
        text = f"{value:.{digits}g}"
    return f"{text} {unit}".strip()


def measured(values: list, measure: Measure) -> str:
    """What the seeds gave: 98.13 ± 0.08 % (n=5).

    A paired difference has the 95 % interval of its mean: +0.25 pp [+0.10, +0.40];
    a rate is that of all seeds together: 354 of 500 (70.8 %).
    """
    unit = measure.unit
    if unit == "rate":
        count, of = claims.rate(values)
        return f"{count:,} of {of:,} ({100 * count / of:.1f} %)"
    if isinstance(values[0], list) or len(values) == 1 or measure.deterministic:
        return number(values[0], unit)
    mean, deviation = mean_and_deviation(values)
    interval = claims.mean_interval(values) if measure.paired else None
    if interval:
        text = _with_interval(mean, unit, interval)
    elif deviation <= 1e-9 * max(1, abs(mean)):  # equal but for rounding
        text = number(mean, unit)
    elif unit in ("%", "pp"):
        text = f"{mean:.2f} ± {deviation:.2f} {unit}"
    else:
        places = max(0, 1 - math.floor(math.log10(deviation)))
        text = f"{mean:,.{places}f} ± {deviation:,.{places}f}"
        if places > 6:
            text = f"{mean:.3g} ± {deviation:.1g}"
        text = f"{text} {unit}".strip()
    return f"{text} (n={len(values)})"


def _with_interval(mean: float, unit: str, interval: tuple[float, float]) -> str:
    """A signed mean with the interval it lies in: +0.25 pp [+0.10, +0.40]."""
    low, high = interval
    if unit in ("%", "pp"):
        return f"{mean:+.2f} {unit} [{low:+.2f}, {high:+.2f}]"
    return f"{f'{mean:+.3g} {unit}'.strip()} [{low:+.3g}, {high:+.3g}]"


def told(text: str, measures: dict[str, Measure], values: dict[str, list]) -> str:
    """A `Finding:` with its {placeholders} filled from what was measured.

    {accuracy} is the mean over the seeds with its unit, a paired one has its sign and
    the 95 % interval of the mean, a rate the exact one of its share; {curve[2]} is one
    element of a list. Raises KeyError for a name that was not measured, IndexError for
    an element that is not there.
    """

    def fill(match) -> str:
        measure, found = measures[match[1]], values[match[1]]
        if measure.unit == "rate":
            count, of = claims.rate(found)
            low, high = claims.rate_interval(found)
            return f"{100 * count / of:.1f} % [{low:.1f}, {high:.1f}]"
        for index in re.findall(r"\d+", match[2]):
            found = [value[int(index)] for value in found]
        mean = sum(found) / len(found)
        interval = claims.mean_interval(found) if measure.paired else None
        if interval is None:
            return number(mean, measure.unit)
        return _with_interval(mean, measure.unit, interval)

    return re.sub(r"\{(\w+)((?:\[\d+\])*)\}", fill, text)


def rows(stem: str, measures: dict[str, Measure], values: dict[str, list]) -> list[Row]:
    """Every figure of a recipe: those measured in its own order, then those cited.

    measures: the recipe's. values: {name: one value per seed}. A figure that two
    documents report differently has two rows.
    """
    said = [claim for claim in claims.about(stem) if claim.kind != "system"]
    found = []
    for name, measure in measures.items():
        of_seeds = values.get(name, [])
        note = claims.paired_note(of_seeds) if measure.paired and of_seeds else ""
        reported = [claim for claim in said if claim.measure == name]
        for claim in reported:
            verdict = claims.judge(claim, of_seeds, measure.deterministic)
            if note:
                verdict = replace(verdict, note=note)
            found.append(Row(measure, claim, of_seeds, verdict, name))
        if not reported and of_seeds:
            control = Verdict("control", note=note)
            found.append(Row(measure, None, of_seeds, control, name))
    for claim in said:
        if claim.measure not in measures:
            found.append(Row(None, claim, [], claims.judge(claim, [])))
    return found


def print_table(measures: dict[str, Measure], records: list[dict]) -> None:
    """Print what was measured beside what was reported, with verdicts and finding.

    records: one metrics record per seed of one recipe. With fewer than three seeds
    the verdict is that of the committed result, if it is of the same experiment: the
    same recipe with the options that it is measured with.
    """
    from rich.console import Console
    from rich.table import Table

    recipe = recipes.find(records[0]["recipe"])
    standard = records[0]["options"] == reproduced_options(recipe)
    result = read_result(recipe) if standard else None
    if result and result["recipe_hash"] != records[0]["recipe_hash"]:
        result = None
    values = {
        name: [r["values"][name] for r in records] for name in records[0]["values"]
    }
    shown = result and len(records) < claims.FEWEST_SEEDS
    judged = result["values"] if shown else values
    seeds = [str(record["seed"]) for record in records]
    name = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]}-{seeds[-1]}"
    quick = ", quick" if records[0]["quick"] else ""
    table = Table()
    table.add_column("figure")
    table.add_column(f"measured, {name}{quick}", justify="right")
    if shown:
        table.add_column("committed result", justify="right")
    if standard:
        table.add_column("reported", justify="right")
        table.add_column("verdict")
    notes = []
    for row in rows(recipe.stem, measures, judged):
        if not standard and row.name not in values:
            continue
        word = "" if row.verdict.word == "control" else row.verdict.word
        cells = [row.label]
        found = values.get(row.name)
        cells.append(measured(found, row.measure) if found else "")
        if shown:
            cells.append(row.shown)
        if standard:
            cells += [row.shown_reported, word]
        table.add_row(*cells, style=VERDICT_STYLE.get(word, "") if standard else "")
        if row.verdict.note and standard:
            notes.append(f"{row.label}: {row.verdict.note}")
    console = Console(highlight=False)
    fields = recipes.docstring_fields(recipe)
    console.print(f"\n[bold]{fields['Title']}[/bold]")
    options = records[0]["options"].items()
    chosen = [f"--{name} {value}" for name, value in options if value]
    if chosen:
        console.print("with " + ", ".join(chosen), markup=False)
    console.print(table)
    for note in notes:
        console.print(f"* {note}", markup=False)
    if "; " in machines(records):
        console.print(f"* run on different machines: {machines(records)}", markup=False)
    whole = result["values"] if result else None
    if whole:
        console.print(
            f"Finding: {told(fields['Finding'], measures, whole)}", markup=False
        )
