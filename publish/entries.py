"""Every recipe with its judged figures, every entry of lectures/ with its verdict.

What the tables, the ledger and the page are made of.
"""

from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from common import claims, recipes, results
from common.claims import Claim, Verdict
from common.results import Row
from publish.words import KINDS


class Lesson(NamedTuple):
    """A recipe, what its docstring says, and its figures with their verdicts.

    result: the committed one, None where there is none.
    """

    recipe: Path
    module: ModuleType
    fields: dict
    result: dict | None
    rows: list[Row]

    @property
    def stem(self) -> str:
        return self.recipe.stem

    @property
    def seconds(self) -> float | None:
        """The median over the seeds, None without a result."""
        if self.result is None:
            return None
        return sorted(self.result["seconds"])[len(self.result["seconds"]) // 2]

    def finding(self, field: str = "Finding") -> str:
        """What was found, with its figures; "" where the result lacks one of them."""
        if self.result is None:
            return ""
        try:
            return results.told(
                self.fields[field], self.module.MEASURES, self.result["values"]
            )
        except (KeyError, IndexError):
            return ""  # measured before the finding was written


class Headline(NamedTuple):
    """How the claims of one kind were judged.

    counts: {verdict: how many}. good: as the lecture says, of `judged`.
    """

    kind: str
    counts: dict[str, int]
    good: int
    judged: int

    @property
    def others(self) -> dict[str, int]:
        """The verdicts besides the good one."""
        good = KINDS[self.kind].judged[0]
        return {word: n for word, n in self.counts.items() if word != good}


def lesson(recipe: Path) -> Lesson:
    """Load a recipe and judge what is measured of it."""
    module = recipes.load(recipe)
    result = results.read_result(recipe)
    values = result["values"] if result else {}
    rows = results.rows(recipe.stem, module.MEASURES, values)
    return Lesson(recipe, module, recipes.docstring_fields(recipe), result, rows)


def lessons(chosen: list[Path] | None = None) -> list[Lesson]:
    """The chosen recipes, or all of them, in the order of the numbers."""
    return [lesson(recipe) for recipe in chosen or recipes.all_recipes()]


def kind_of(claim: Claim) -> str:
    """The kind that a claim is counted under: formulas are apart from arithmetic."""
    return "formula" if claim.kind == "exact" and claim.formula else claim.kind


def is_of_a_run(row: Row) -> bool:
    """Whether a row is what a lecture says of its own training."""
    return (
        row.claim is not None
        and row.claim.kind in ("run", "chance", "conclusion")
        and row.claim.document != "published"
    )


def shown_reported(row: Row) -> str:
    """What is reported, in words; of a conclusion the bound that decides."""
    if row.claim is None or row.claim.kind != "conclusion":
        return row.shown_reported
    unit = "%" if row.unit == "rate" else row.unit
    return f"{row.claim.holds_if} {unit}".strip()


def every_entry(every: list[Lesson]) -> list[Row]:
    """Every entry of lectures/ as a row, by document and in the order of its text."""
    judged = {id(row.claim): row for each in every for row in each.rows if row.claim}
    measured = {each.stem for each in every if each.result}
    found = []
    for claim in claims.said():
        if claim.kind == "system":
            word = "runs" if claim.recipe in measured else "not yet"
            row = Row(None, claim, [], Verdict(word))
        else:
            row = judged.get(id(claim))
        found.append(row or Row(None, claim, [], claims.judge(claim, [])))
    return found


def headlines(rows: list[Row]) -> list[Headline]:
    """The counts of every kind that there is, kinds apart."""
    counts = {kind: Counter() for kind in KINDS}
    for row in rows:
        if row.claim:
            counts[kind_of(row.claim)][row.verdict.word] += 1
    found = []
    for kind, of_kind in KINDS.items():
        by_word, judged = counts[kind], of_kind.judged
        # Words of this kind in their order, then whatever else there is.
        ordered = {word: by_word[word] for word in (*judged, *by_word) if by_word[word]}
        if ordered:
            total = sum(by_word[word] for word in judged)
            found.append(Headline(kind, ordered, by_word[judged[0]], total))
    return found


def errata(rows: list[Row]) -> int:
    """How many figures their slide has wrong."""
    return sum(row.verdict.word == "erratum" for row in rows)


def waiting(rows: list[Row]) -> list[Row]:
    """The entries whose recipe or result is still to come."""
    return [row for row in rows if row.verdict.word == "not yet"]
