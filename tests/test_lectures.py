"""lectures/: what the documents said, each entry answered by a measure or waiting."""

import os
import re
from pathlib import Path

from common import claims, recipes

import pytest

DOCUMENTS = ("000", "001", "002", "003", "004")
STEMS = {path.stem for path in recipes.all_recipes()}
SAID = claims.said()


def test_every_document_is_there():
    assert {claim.document for claim in SAID} == {*DOCUMENTS, "published"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_entries_are_in_the_order_of_the_text(document):
    lines = [claim.line for claim in SAID if claim.document == document]
    assert lines == sorted(lines) and lines[0] > 0


@pytest.mark.parametrize("claim", SAID, ids=lambda c: f"{c.document}-{c.line}")
def test_an_entry_is_whole(claim):
    assert claim.kind in claims.KINDS
    assert re.fullmatch(r"\d\d_[a-z0-9_]+", claim.recipe)
    assert claim.says
    if claim.document == "published":
        assert claim.source and claim.configuration
    else:
        assert claim.topic and claim.printed and claim.line
    if claim.kind in ("system", "cited"):
        assert not claim.measure, "what cannot be measured here names a measure"
    if claim.kind == "conclusion":
        claims.comparison(claim.holds_if)
    else:
        assert (claim.reported is None) == (claim.kind == "system")
        assert not claim.holds_if
    assert claim.kind == "exact" or not (claim.erratum or claim.formula)
    assert claim.kind == "cited" or claim.published is None
    assert claim.source or claim.published is None
    if claim.document == "published":
        assert claim.kind in ("published", "chance", "exact")
    assert claim.document == "published" or claim.kind != "published"
    assert claim.kind == "published" or not claim.other_budget
    if claim.recipe in STEMS and claim.kind not in ("system", "cited"):
        measures = recipes.load(recipes.find(claim.recipe)).MEASURES
        assert claim.measure in measures, "the measure that answers it"
        unit = measures[claim.measure].unit
        assert claim.unit == ("%" if unit == "rate" else unit)


def test_nothing_is_said_twice():
    places = [(c.document, c.line, c.printed, c.measure, c.says) for c in SAID]
    assert len(set(places)) == len(places)


def test_what_is_printed_stands_in_the_document():
    """Checked where the documents are at hand: LECTURES names their folder."""
    folder = os.environ.get("LECTURES")
    if not folder:
        pytest.skip("the documents are not part of the project: LECTURES=DIR")
    for document in DOCUMENTS:
        (path,) = Path(folder).glob(f"{document}_*.txt")
        lines = path.read_text(encoding="utf-8").split("\n")
        for claim in SAID:
            if claim.document == document:
                assert claim.printed in lines[claim.line - 1], claim
