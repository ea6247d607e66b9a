"""The tables of the terminal: headlines by kind, figures beside the reported ones."""

from pathlib import Path

from common import results
from common.results import VERDICT_STYLE, Row
from publish import entries, words
from publish.entries import Headline, Lesson


def headline_text(headline: Headline, korean: bool = False) -> tuple[str, str, str]:
    """A headline in words: ("training runs", "12 of 17 reproduced", "3 above, ...")."""
    kind = words.KINDS[headline.kind]
    text = f"{headline.good} of {headline.judged} {kind.good}"
    if korean:
        good = words.verdict_in(kind.judged[0], korean)
        text = f"{headline.judged}개 중 {headline.good}개 {good}"
    others = [
        f"{words.verdict_in(word, korean)} {count}"
        if korean
        else f"{count} {words.verdict_in(word, korean)}"
        for word, count in headline.others.items()
    ]
    return kind.korean if korean else kind.english, text, ", ".join(others)


def print_headlines(rows: list[Row]) -> None:
    """Print how many entries of lectures/ got which verdict, kinds apart."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for headline in entries.headlines(rows):
        table.add_row(*headline_text(headline))
    table.add_row(
        "errata", f"{entries.errata(rows)} figures that their slide has wrong"
    )
    table.add_row(
        "waiting", f"{len(entries.waiting(rows))} have no recipe or result yet"
    )
    Console(highlight=False).print(table)


def print_overview(every: list[Lesson], runs: Path) -> None:
    """Print your own runs and the committed results beside the reported figures.

    runs: where your run folders are. The verdict is that of the committed result,
    which is over several seeds. Of several recipes, only what is reported is shown.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Measured beside what was reported", title_justify="left")
    table.add_column("recipe")
    table.add_column("figure")
    for column in ("your run, seed 0", "committed result", "reported"):
        table.add_column(column, justify="right")
    table.add_column("verdict")
    for lesson in every:
        record = results.own_run(lesson.recipe, runs)
        own = record["values"] if record else {}
        if not lesson.result and not own:
            table.add_row(lesson.stem[:2], "not measured: make reproduce", *[""] * 4)
            continue
        name = lesson.stem[:2]
        for row in lesson.rows:
            if len(every) > 1 and row.claim is None:
                continue
            mine = own.get(row.name)
            table.add_row(
                name,
                row.label,
                "" if mine is None else results.measured([mine], row.measure),
                row.shown,
                entries.shown_reported(row),
                words.verdict_in(row.verdict.word, korean=False),
                style=VERDICT_STYLE.get(row.verdict.word, ""),
            )
            name = ""
        table.add_section()
    Console(highlight=False).print(table)
