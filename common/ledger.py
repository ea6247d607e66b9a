"""Every number of the lectures that a recipe accounts for, by document and topic.

python -m common.ledger          the ledger: reported, measured, verdict, recipe
python -m common.ledger 003      one document
"""

import argparse
import sys
from collections import Counter
from typing import NamedTuple

from common import recipes, reporting
from common.claims import Claim, Verdict
from common.devices import load_tensorflow
from common.files import Problem

ORDER = ("reproduced", "above", "below", "erratum", "cited", "unjudged", "missing")


class Entry(NamedTuple):
    """One reported figure: where a lecture has it, what we found, in which recipe."""

    document: str
    topic: str
    claim: Claim
    values: list
    verdict: Verdict
    recipe: str


def entries() -> list[Entry]:
    """Every claim with a reported figure, sorted by document, topic and recipe.

    The document and the topic come from the claim's source, "003, lab 24.py".
    """
    found = []
    for path in recipes.all_recipes():
        result = reporting.read_result(path)
        values = result["values"] if result else {}
        for claim, measured, verdict in reporting.judgements(
            recipes.load(path).CLAIMS, values
        ):
            if claim.reported is None:
                continue
            document, _, topic = claim.source.partition(", ")
            found.append(Entry(document, topic, claim, measured, verdict, path.stem))
    return sorted(found, key=lambda e: (e.document, e.recipe))


def print_ledger(chosen: list[Entry]) -> None:
    """Print the entries as a table, and how many got which verdict."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Every figure, by lecture document", title_justify="left")
    for column in ("lecture", "topic", "figure"):
        table.add_column(column, overflow="fold")
    table.add_column("reported", justify="right")
    table.add_column("measured", justify="right")
    table.add_column("verdict")
    table.add_column("recipe")
    document = None
    for entry in chosen:
        if document not in (None, entry.document):
            table.add_section()
        claim, document = entry.claim, entry.document
        if entry.values:
            measured = reporting.measured(entry.values, claim.unit)
        elif claim.published is not None:
            measured = f"published: {reporting.number(claim.published, claim.unit)}"
        else:
            measured = ""
        table.add_row(
            document,
            entry.topic,
            reporting.label(claim),
            reporting.number(claim.reported, claim.unit),
            measured,
            entry.verdict.word,
            entry.recipe.split("_")[0],
            style=reporting.VERDICT_STYLE.get(entry.verdict.word, ""),
        )
    console = Console(highlight=False)
    console.print(table)
    counts = Counter(entry.verdict.word for entry in chosen)
    words = [*ORDER, *sorted(set(counts) - set(ORDER))]
    summary = ", ".join(f"{counts[word]} {word}" for word in words if counts[word])
    console.print(f"{len(chosen)} figures: {summary}")


def main() -> None:
    """The command line of this module; see its docstring."""
    from common.command_line import Parser
    from common.running import guarded

    parser = Parser(
        prog="ledger",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("document", nargs="?", help="a document, such as 003")
    args = parser.parse_args()

    def act():
        load_tensorflow()  # quietly; the recipes import it
        every = entries()
        chosen = [e for e in every if args.document in (None, e.document)]
        if not chosen:
            known = ", ".join(sorted({e.document for e in every}))
            raise Problem(f"no figure of {args.document!r}; there are {known}", 2)
        print_ledger(chosen)

    sys.exit(guarded(act, "ledger"))


if __name__ == "__main__":
    main()
