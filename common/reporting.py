"""From measured figures to tables: in the terminal and in README.

python -m common.reporting              all results beside the lecture's figures
python -m common.reporting 24           one recipe
python -m common.reporting collect 24   results/24_*.json from the finished seeds
python -m common.reporting readme       fill README.md, README.ko.md, results/README.md
"""

import argparse
import math
import sys
from pathlib import Path

from common import files, recipes
from common.claims import Claim, Verdict, judge, mean_and_deviation
from common.devices import NO_GPU, load_tensorflow
from common.files import ROOT, Problem

RESULTS = ROOT / "results"
LONGEST_LIST = 6
README_FIGURE = Path("18_xor_vanishing_gradient", "seed-0", "learning_curves.png")
LABS = range(18, 25)  # the lecture's own, which the front page shows
READMES = ("README.md", "README.ko.md")
TABLE_MARKS = ("<!-- results: begin -->", "<!-- results: end -->")
VERDICT_STYLE = {
    "reproduced": "green",
    "above": "cyan",
    "below": "yellow",
    "erratum": "magenta",
    "mismatch": "bold red",
}


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


def collect(recipe: Path, runs: Path) -> dict:
    """Gather the finished full-length seeds of a recipe into its result.

    Raises Problem where no finished run of the recipe as it is now is there.
    """
    records = []
    for path in sorted(runs.glob(f"{recipe.stem}/seed-*/metrics.json")):
        try:
            record = files.read_record(path)
        except ValueError as error:
            print(f"{error}; kept as {files.set_aside(path).name}, not counted")
            continue
        full_length = not record["quick"] and not record["epochs"]
        current = record["recipe_hash"] == recipes.recipe_hash(recipe)
        if full_length and current and path.parent.name == f"seed-{record['seed']}":
            records.append(record)
    if not records:
        raise Problem(
            f"no finished run of {recipe.stem} as it is now in {runs}; "
            f"run: make reproduce-{recipe.stem[:2]}"
        )
    records.sort(key=lambda record: record["seed"])
    last = records[-1]
    result = {
        "recipe": recipe.stem,
        "recipe_hash": last["recipe_hash"],
        "seeds": [record["seed"] for record in records],
        "values": {
            name: [record["values"][name] for record in records]
            for name in last["values"]
        },
        "seconds": [record["seconds"] for record in records],
        "history": [record["history"] for record in records],
        "constants": last["constants"],
        "machine": last["machine"].removesuffix(NO_GPU),
        "cores": last["cores"],
        "versions": last["versions"],
        "date": last["date"],
    }
    files.write_record(result_path(recipe), result)
    return result


def number(value, unit: str = "", digits: int = 4) -> str:
    """A number as people write it: 98.13 %, 1,195,018, 2.1e-05.

    Short lists are written out, longer ones and matrices given by their shape.
    """
    if value is None:
        return ""
    if unit == "year":
        return str(value).strip("()[]")
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


def measured(values: list, unit: str = "") -> str:
    """Mean, deviation and how many: 98.13 ± 0.08 % (n=5)."""
    if isinstance(values[0], list) or len(values) == 1:
        return number(values[0], unit)
    mean, deviation = mean_and_deviation(values)
    if deviation <= 1e-9 * max(1, abs(mean)):  # equal but for rounding
        return f"{number(mean, unit)} (n={len(values)})"
    if unit in ("%", "pp"):
        text = f"{mean:.2f} ± {deviation:.2f}"
    else:
        places = max(0, 1 - math.floor(math.log10(deviation)))
        if places > 6:
            text = f"{mean:.3g} ± {deviation:.1g}"
        else:
            text = f"{mean:,.{places}f} ± {deviation:,.{places}f}"
    return f"{text} {unit}".strip() + f" (n={len(values)})"


def label(claim: Claim) -> str:
    """A figure in words: the claim's text, else its name."""
    return claim.text or claim.name.replace("_", " ")


def judgements(claims: list[Claim], values: dict[str, list]) -> list[tuple]:
    """(claim, values over seeds, verdict) for every claim; cited ones have no values.

    Measured figures that no claim names come last, as controls.
    """
    rows = []
    named = {claim.name for claim in claims}
    others = [Claim(name, None) for name in values if name not in named]
    for claim in [*claims, *others]:
        found = values.get(claim.name, [])
        verdict = judge(claim, found) if found or claim.kind == "cited" else None
        rows.append((claim, found, verdict or Verdict("missing")))
    return rows


def print_table(claims: list[Claim], records: list[dict]) -> None:
    """Print what was measured beside what the lecture reported, with the verdicts.

    records: one metrics record per seed of one recipe. With fewer than three seeds
    the verdict is that of the committed result, if it is of the same recipe.
    """
    from rich.console import Console
    from rich.table import Table

    recipe = recipes.FOLDER / f"{records[0]['recipe']}.py"
    result = read_result(recipe) if len(records) < 3 else None
    if result and result["recipe_hash"] != records[0]["recipe_hash"]:
        result = None
    seeds = [str(record["seed"]) for record in records]
    name = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]}-{seeds[-1]}"
    table = Table()
    table.add_column("figure")
    quick = ", quick" if records[0]["quick"] else ""
    table.add_column(f"measured, {name}{quick}", justify="right")
    if result:
        table.add_column("committed result", justify="right")
    table.add_column("lecture", justify="right")
    table.add_column("verdict")
    values = {key: [r["values"][key] for r in records] for key in records[0]["values"]}
    notes = []
    for claim, found, verdict in judgements(claims, values):
        row = [label(claim), measured(found, claim.unit) if found else ""]
        if result:
            committed = result["values"].get(claim.name, [])
            row.append(measured(committed, claim.unit) if committed else "")
            if committed:
                verdict = judge(claim, committed)
        style = VERDICT_STYLE.get(verdict.word, "")
        word = "" if verdict.word == "control" else verdict.word
        table.add_row(*row, number(claim.reported, claim.unit), word, style=style)
        if verdict.note:
            notes.append(f"{label(claim)}: {verdict.note}")
    console = Console(highlight=False)
    console.print(f"[bold]{recipes.docstring_fields(recipe)['Title']}[/bold]")
    console.print(table)
    for note in notes:
        console.print(f"* {note}")


def own_run(recipe: Path, runs: Path) -> dict:
    """The figures of the default run (seed 0) of a recipe, {} where there is none."""
    path = runs / recipe.stem / "seed-0" / "metrics.json"
    try:
        return files.read_record(path)["values"]
    except FileNotFoundError:
        return {}
    except ValueError as error:
        print(f"{error}; kept as {files.set_aside(path).name}; make all runs it again")
        return {}


def print_overview(chosen: list[Path], runs: Path) -> None:
    """Print your own runs and the committed results beside the lecture's figures.

    The verdict is that of the committed result, which is over several seeds.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Measured beside the lecture's figures", title_justify="left")
    table.add_column("recipe")
    table.add_column("figure")
    for column in ("your run, seed 0", "committed result", "lecture"):
        table.add_column(column, justify="right")
    table.add_column("verdict")
    for recipe in chosen:
        result = read_result(recipe) or {"values": {}}
        mine = own_run(recipe, runs)
        if not result["values"] and not mine:
            table.add_row(recipe.stem, "not measured yet: make reproduce", *[""] * 4)
            continue
        name = recipe.stem
        rows = judgements(recipes.load(recipe).CLAIMS, result["values"])
        for claim, found, verdict in rows:
            if len(chosen) > 1 and claim.reported is None:
                continue
            own = mine.get(claim.name)
            table.add_row(
                name,
                label(claim),
                "" if own is None else measured([own], claim.unit),
                measured(found, claim.unit) if found else "",
                number(claim.reported, claim.unit),
                "" if verdict.word in ("control", "missing") else verdict.word,
                style=VERDICT_STYLE.get(verdict.word, ""),
            )
            name = ""
        table.add_section()
    Console(highlight=False).print(table)


def markdown_table(chosen: list[Path]) -> str:
    """The results of the chosen recipes as a Markdown table."""
    lines = [
        "| recipe | figure | lecture | measured | verdict | seconds |",
        "|---|---|--:|--:|---|--:|",
    ]
    machines = []
    for recipe in chosen:
        result = read_result(recipe)
        if result is None:
            continue
        versions = result["versions"]
        machine = (
            f"{result['machine']}, {result['cores']} cores, "
            f"Python {versions['python']}, TensorFlow {versions['tensorflow']}, "
            f"Keras {versions['keras']}"
        )
        if machine not in machines:
            machines.append(machine)
        name = recipe.stem
        seconds = sorted(result["seconds"])[len(result["seconds"]) // 2]
        claims = recipes.load(recipe).CLAIMS
        for claim, found, verdict in judgements(claims, result["values"]):
            if claim.reported is None and not claim.text:
                continue
            lines.append(
                f"| {name} | {label(claim)} "
                f"| {number(claim.reported, claim.unit)} "
                f"| {measured(found, claim.unit) if found else ''} "
                f"| {'' if verdict.word == 'control' else verdict.word} "
                f"| {number(round(seconds)) if name else ''} |"
            )
            name = ""
    measured_on = "; ".join(machines)
    return "\n".join(lines) + f"\n\nMedian seconds per seed; measured on {measured_on}."


def filled(text: str) -> str:
    """A README with the table of the labs between its marks brought up to date."""
    labs = [r for r in recipes.all_recipes() if int(r.stem[:2]) in LABS]
    table = markdown_table(labs)
    before, begin, rest = text.partition(TABLE_MARKS[0])
    _, end, after = rest.partition(TABLE_MARKS[1])
    if not begin or not end:
        raise Problem(f"README has no {' ... '.join(TABLE_MARKS)} to fill")
    return f"{before}{begin}\n{table}\n{end}{after}"


def all_results() -> str:
    """The page results/README.md: every measured figure of every recipe."""
    return (
        "# Measured figures\n\nEvery figure that a recipe measures beside the "
        "lecture's, over the seeds in `results/`.\nHow to read a verdict: "
        "[README](../README.md#how-to-read-a-verdict). Written by `make readme`.\n\n"
        f"{markdown_table(recipes.all_recipes())}\n"
    )


def write_readmes(runs: Path) -> None:
    """Fill the result tables of the READMEs, and bring their figure up to date."""
    figure = runs / README_FIGURE
    if figure.exists():
        files.write_whole(ROOT / "docs" / "xor.png", figure.read_bytes())
    for name in READMES:
        path = ROOT / name
        text = filled(path.read_text(encoding="utf-8"))
        files.write_whole(path, text.encode())
    files.write_whole(RESULTS / "README.md", all_results().encode())


def main() -> None:
    """The command line of this module; see its docstring."""
    from common.command_line import Parser
    from common.running import guarded

    parser = Parser(
        prog="reporting",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", nargs="?", help="collect, readme, or a recipe")
    parser.add_argument("recipe", nargs="?", help="with collect: the recipe")
    parser.add_argument("--out", type=Path, default=ROOT / "runs", help="run folders")
    args = parser.parse_args()

    def act():
        load_tensorflow()  # quietly; the recipes import it
        if args.action == "readme":
            write_readmes(args.out)
        elif args.action == "collect":
            if not args.recipe:
                parser.error("collect needs a recipe, such as: collect 24")
            collect(recipes.find(args.recipe), args.out)
        elif args.action:
            print_overview([recipes.find(args.action)], args.out)
        else:
            print_overview(recipes.all_recipes(), args.out)

    sys.exit(guarded(act, "reporting"))


if __name__ == "__main__":
    main()
