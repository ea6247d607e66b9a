"""Everything that the page says about one recipe."""

from pathlib import Path

from common import claims, executing, recipes, results
from common.results import Row
from publish import entries, words
from publish.entries import Lesson
from publish.page import fields as parts
from publish.page.charts import charts
from publish.page.runs import figures
from publish.page.strips import strip

# What may have changed since a result was measured, as `executing.differing` says it.
KOREAN = {"recipe": "레시피", "plumbing": "공통 코드", "versions": "버전"}


def section(lesson: Lesson, runs: Path) -> dict:
    """What the template shows of a recipe: words, figures with verdicts, pictures."""
    recipe, fields, result = lesson.recipe, lesson.fields, lesson.result
    record = results.own_run(recipe, runs)
    own = record["values"] if record else {}
    rows = [table_row(row, own) for row in lesson.rows]
    history = result["history"] if result else [record["history"]] if record else []
    base = parts.neighbour(fields)
    places = parts.topics(fields["Lecture"])
    documents = {document for document, _ in places}
    documents.update(*(row["documents"] for row in rows))
    differs = executing.differing(result, recipe) if result else []
    seconds = lesson.seconds
    if seconds is None and record:
        seconds = record["seconds"]
    return {
        "stem": recipe.stem,
        "number": recipe.stem[:2],
        "fields": fields,
        "finding": lesson.finding(),
        "finding_korean": words.in_korean(lesson.finding("결과")),
        "exercises": parts.exercises(fields["Try"]),
        "topics": places,
        "documents": sorted(documents),
        "headlines": entries.headlines(lesson.rows),
        "judged": sorted({row["judged_as"] for row in rows if row["word"]}),
        "rows": rows,
        "base": base.stem if base else None,
        "diff": parts.diff(base, recipe) if base else [],
        "settings": recipes.settings_of(lesson.module),
        "charts": charts(history),
        "figures": figures(recipe, runs, record) if record else [],
        "has_run": record is not None,
        "has_result": result is not None,
        "differs": differs,
        "differs_korean": [KOREAN[word] for word in differs],
        "seeds": len(result["seeds"]) if result else 1,
        "seconds": seconds,
        "source": result or record,
        "search": searched(lesson, rows),
    }


def searched(lesson: Lesson, rows: list[dict]) -> str:
    """What the page's search looks through."""
    names = ("Title", "제목", "Question", "Lecture", "Changes from", "Try")
    told = [lesson.stem, *(lesson.fields[name] for name in names)]
    told += [lesson.finding(), lesson.finding("결과")]
    for row in rows:
        told += [row["label"], row["label_korean"], row["says"], row["place"]]
    return " ".join(told).lower()


def table_row(row: Row, own: dict) -> dict:
    """A figure as the page shows it: ours beside what was reported, and the verdict.

    own: the values of the run on this machine, by name.
    """
    claim = row.claim
    mine = own.get(row.name) if row.measure else None
    note, note_korean = notes(row)
    shown = {
        "label": row.label,
        "label_korean": row.label_korean,
        "reported": entries.shown_reported(row),
        "measured": row.shown,
        "own": "" if mine is None else results.measured([mine], row.measure),
        "word": "" if row.verdict.word == "control" else row.verdict.word,
        "note": note,
        "note_korean": note_korean,
        "strip": strip(row) if entries.is_of_a_run(row) else None,
        **dict.fromkeys(("says", "place", "published", "kind", "judged_as"), ""),
        "documents": (),
    }
    if claim is None:
        return shown
    kind = entries.kind_of(claim)
    published = claim.published
    return shown | {
        "says": claim.says if row.measure else "",
        "place": place(row),
        "published": "" if published is None else results.number(published, claim.unit),
        "kind": kind,
        "judged_as": f"{kind}:{row.verdict.word}",
        "documents": {claim.document, *_others(row)} - {"published"},
    }


def notes(row: Row) -> tuple[str, str]:
    """What is said below a figure, in English and Korean ("" where only in English)."""
    if row.measure and row.measure.paired:
        interval = claims.mean_interval(row.values)
        if interval and (interval[0] > 0 or interval[1] < 0):
            return "significant: the interval is without 0", "유의함: 구간에 0이 없음"
        if interval:
            return (
                "not significant: 0 is in the interval",
                "유의하지 않음: 구간에 0이 있음",
            )
    if row.claim and row.claim.kind == "conclusion":
        return "", ""  # the bound stands in place of a reported figure
    return row.verdict.note, ""


def place(row: Row) -> str:
    """Where a figure is reported: "003, lab 24.py", or a paper and what it trained."""
    claim = row.claim
    if claim.document == "published":
        return f"{claim.source}: {claim.configuration}"
    return ", ".join(
        [claim.document, claim.topic, *map("also {}".format, _others(row))]
    )


def _others(row: Row) -> list[str]:
    """The other documents that print the same."""
    found = {place["document"] for place in row.claim.also} - {row.claim.document}
    return sorted(found)
