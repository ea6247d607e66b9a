"""What is written of the results in Markdown: README's tables, the two indices.

README.md, README.ko.md   between their marks, in their language
results/README.md         every measured figure of every recipe
recipes/README.md         the index of the recipes
docs/STEM-FIGURE.png      the pictures that README shows of runs, brought up to date
"""

import re
from collections import Counter
from pathlib import Path

from common import files, results
from common.files import ROOT, Problem
from common.results import Row
from publish import entries, tables, words
from publish.entries import Lesson

READMES = {"README.md": False, "README.ko.md": True}  # file: whether it is Korean
MARKS = ("<!-- results: begin -->", "<!-- results: end -->")
HEADS = {
    False: ("recipe", "figure", "reported", "measured", "verdict", "seconds"),
    True: ("레시피", "수치", "강의", "측정값", "판정", "초"),
}


def cell(text: str) -> str:
    """A text that stays in its cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")


def headline_table(rows: list[Row], korean: bool) -> str:
    """How many entries of lectures/ got which verdict, kinds apart."""
    lines = ["| 강의가 말한 것 | | 그 밖에 |" if korean else "| said | | besides |"]
    lines.append("|---|---|---|")
    for headline in entries.headlines(rows):
        lines.append(f"| {' | '.join(tables.headline_text(headline, korean))} |")
    errata, waiting = entries.errata(rows), len(entries.waiting(rows))
    if korean:
        lines.append(f"| 오류 | 슬라이드가 틀린 수치 {errata}개 | |")
        lines.append(f"| 대기 | 레시피나 결과가 아직 없는 것 {waiting}개 | |")
    else:
        lines.append(f"| errata | {errata} that their slide has wrong | |")
        lines.append(f"| waiting | {waiting} without a recipe or result yet | |")
    return "\n".join(lines)


def figure_table(every: list[Lesson], shown, korean: bool = False) -> str:
    """The measured figures as a Markdown table, and where they were measured.

    shown(row): whether a row is in the table.
    """
    lines = [f"| {' | '.join(HEADS[korean])} |", "|---|---|--:|--:|---|--:|"]
    machines = []
    for lesson in every:
        rows = [row for row in lesson.rows if shown(row)]
        if lesson.result is None or not rows:
            continue
        machines.append(machine(lesson.result, korean))
        name, seconds = lesson.stem, results.number(round(lesson.seconds))
        for row in rows:
            label, found, reported = row.label, row.shown, entries.shown_reported(row)
            if korean:
                label = row.label_korean or row.label
                found, reported = words.in_korean(found), words.in_korean(reported)
            verdict = words.verdict_in(row.verdict.word, korean)
            cells = [name, label, reported, found, verdict, seconds]
            lines.append(f"| {' | '.join(map(cell, cells))} |")
            name = seconds = ""
    where = "; ".join(dict.fromkeys(machines))
    told = f"Median seconds per seed; measured on {where}."
    if korean:
        told = f"초는 시드당 중앙값, 측정한 곳: {where}."
    return "\n".join([*lines, "", told])


def machine(result: dict, korean: bool = False) -> str:
    """Where a result was measured, and with which versions."""
    versions = result["versions"]
    cores = f"코어 {result['cores']}개" if korean else f"{result['cores']} cores"
    return (
        f"{result['machine']}, {cores}, Python {result['python']}, "
        f"TensorFlow {versions['tensorflow']}, Keras {versions['keras']}"
    )


def filled(text: str, every: list[Lesson], korean: bool) -> str:
    """A README with what stands between its marks brought up to date.

    Headlines by kind, then what the lectures say of their own training, and the paired
    differences beside it. Raises Problem where the marks are missing.
    """
    before, begin, rest = text.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        raise Problem(f"a README has no {' ... '.join(MARKS)} to fill; put them back")
    of_runs = [each for each in every if any(map(entries.is_of_a_run, each.rows))]
    headline = headline_table(entries.every_entry(every), korean)
    table = figure_table(of_runs, _in_readme, korean)
    return f"{before}{begin}\n{headline}\n\n{table}\n{end}{after}"


def _in_readme(row: Row) -> bool:
    paired = row.claim is None and row.measure.paired
    return paired or entries.is_of_a_run(row)


def all_results(every: list[Lesson]) -> str:
    """The page results/README.md: every measured figure of every recipe."""
    return (
        "# Measured figures\n\nEvery figure that a recipe measures beside what was "
        "reported, over the seeds in `results/`.\nHow to read a verdict: "
        "[README](../README.md#how-to-read-a-verdict). Written by `make readme`.\n\n"
        f"{figure_table(every, lambda row: True)}\n"
    )


def index(every: list[Lesson]) -> str:
    """The page recipes/README.md: what each recipe asks, what it found, how long."""
    lines = [
        "# Recipes",
        "",
        "Written by `make readme` from the recipes and their results. One of them: "
        "`make 24`, or `.venv/bin/python recipes/NN_topic.py --help`.",
        "",
        "| | recipe | question, and what was found | verdicts | seconds |",
        "|--:|---|---|---|--:|",
    ]
    for lesson in every:
        fields = lesson.fields
        number = lesson.stem[:2]
        name = f"[{cell(fields['Title'])}]({lesson.recipe.name})<br>{fields['제목']}"
        found = lesson.finding() or f"not measured yet: `make reproduce-{number}`"
        told = f"**{cell(fields['Question'])}**<br>{cell(found)}"
        seconds = lesson.seconds
        cells = [number, name, told, verdicts(lesson.rows)]
        cells.append("" if seconds is None else results.number(round(seconds)))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def verdicts(rows: list[Row]) -> str:
    """The verdicts of a recipe: "training runs: 1 reproduced, 2 above; ..."."""
    told = []
    for headline in entries.headlines(rows):
        counts = Counter(headline.counts)
        each = ", ".join(f"{count} {word}" for word, count in counts.items())
        told.append(f"{words.KINDS[headline.kind].english}: {each}")
    return "; ".join(told)


def write(every: list[Lesson], runs: Path) -> None:
    """Bring every page up to date, and README's pictures of runs that are there."""
    pages = {results.RESULTS / "README.md": all_results(every)}
    pages[ROOT / "recipes" / "README.md"] = index(every)
    for name, korean in READMES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        pages[ROOT / name] = filled(text, every, korean)
        for stem, figure in re.findall(r"docs/(\d\d_\w+)-(\w+)\.png", text):
            drawn = runs / stem / "seed-0" / f"{figure}.png"
            if drawn.exists():
                picture = ROOT / "docs" / f"{stem}-{figure}.png"
                files.write_whole(picture, drawn.read_bytes())
    for path, text in pages.items():
        files.write_whole(path, text.encode())
