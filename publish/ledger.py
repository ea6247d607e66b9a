"""The ledger: every entry of lectures/ with its verdict, in the order of the slides."""

from itertools import groupby

from common import results
from common.files import Problem
from common.results import VERDICT_STYLE, Row
from publish import entries, tables


def print_ledger(rows: list[Row], document: str | None = None) -> None:
    """Print the entries of one document, or of all, and how many got which verdict.

    Raises Problem (status 2) for a document that is not in lectures/.
    """
    from rich.console import Console

    chosen = [row for row in rows if document in (None, row.claim.document)]
    if not chosen:
        known = ", ".join(sorted({row.claim.document for row in rows}))
        raise Problem(f"no entry of {document!r} in lectures/; there are {known}", 2)
    console = Console(highlight=False)
    for name, of_document in groupby(chosen, lambda row: row.claim.document):
        console.print(_table(name, list(of_document)))
    tables.print_headlines(chosen)


def _table(document: str, rows: list[Row]):
    from rich.table import Table

    of_papers = document == "published"
    title = "Papers' figures" if of_papers else f"Lecture {document}, in slide order"
    table = Table(title=title, title_justify="left")
    table.add_column("source" if of_papers else "topic", overflow="fold")
    table.add_column("what it is", overflow="fold")
    table.add_column("reported", justify="right", overflow="fold")
    table.add_column("measured", justify="right", overflow="fold")
    table.add_column("verdict")
    table.add_column("recipe")
    place = None
    for row in rows:
        here = row.claim.source if of_papers else row.claim.topic
        table.add_row(
            "" if here == place else here,
            row.claim.says + also(row),
            entries.shown_reported(row),
            row.shown or _published(row),
            row.verdict.word,
            row.claim.recipe.split("_")[0],
            style=VERDICT_STYLE.get(row.verdict.word, ""),
        )
        place = here
    return table


def also(row: Row) -> str:
    """Which other documents print the same: " (also 000, 004)"."""
    others = sorted({place["document"] for place in row.claim.also})
    others = [document for document in others if document != row.claim.document]
    return f" (also {', '.join(others)})" if others else ""


def _published(row: Row) -> str:
    if row.claim.published is None:
        return ""
    return f"published: {results.number(row.claim.published, row.claim.unit)}"
