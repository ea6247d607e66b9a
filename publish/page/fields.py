"""What stands in a recipe's docstring, taken apart for the page."""

import difflib
import re
from pathlib import Path

from common import recipes
from common.files import Problem


def exercises(text: str) -> list[str]:
    """The exercises of a `Try:` field, "(1) ... (2) ...", one by one."""
    parts = re.split(r"\(\d\)\s*", text)
    return [part.strip(" ;") for part in parts if part.strip(" ;")]


def topics(lecture: str) -> list[tuple[str, str]]:
    """(document, slide topic) of a `Lecture:` field: "002, history; 003, lab 18.py".

    A part without a document goes on with the one before; "000 and 004" are two.
    """
    found, documents = [], []
    for part in lecture.split(";"):
        match = re.match(r"\s*((?:\d{3})(?:\s*(?:,|and)\s*\d{3})*)\s*,?\s*(.*)", part)
        if match:
            documents, topic = re.findall(r"\d{3}", match[1]), match[2]
        else:
            topic = part
        found += [(document, topic.strip()) for document in documents]
    return found


def neighbour(fields: dict[str, str]) -> Path | None:
    """The recipe that `Changes from:` begins with, None for the first of a series."""
    match = re.match(r"\d\d", fields["Changes from"])
    if not match:
        return None
    try:
        return recipes.find(match[0])
    except Problem:
        return None


def diff(before: Path, after: Path) -> list[tuple[str, str]]:
    """The unified diff of two recipes as (kind, line); kind: add, del, hunk or same."""
    lines = difflib.unified_diff(
        before.read_text(encoding="utf-8").splitlines(),
        after.read_text(encoding="utf-8").splitlines(),
        f"recipes/{before.name}",
        f"recipes/{after.name}",
        lineterm="",
    )
    kinds = {"+": "add", "-": "del", "@": "hunk"}
    return [(kinds.get(line[:1], "same"), line) for line in lines]
