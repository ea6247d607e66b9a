"""The recipes as files: names, titles, settings, and hashes of what they compute."""

import ast
import hashlib
import importlib.util
import io
import json
import re
import tokenize
from functools import lru_cache
from pathlib import Path

from common.files import ROOT, Problem

FOLDER = ROOT / "recipes"
FIELDS = (
    "제목",
    "Question",
    "Finding",
    "결과",
    "Lecture",
    "Changes from",
    "Run",
    "Try",
)
WORDS = ("MEASURES",)  # assignments that name figures and do not make them
# Plumbing that can change figures, and what shows that a recipe uses it: what it
# imports of common, or how it trains (a resumed run goes on from its checkpoint).
PLUMBING = {
    "datasets": {"datasets", "images"},
    "images": {"images"},
    "pretrained": {"pretrained"},
    "training": {"run.fit", "run.train", "run.order"},
    "checkpoints": {"run.fit", "run.train"},
}


def all_recipes() -> list[Path]:
    """Every recipe file, in the order of the numbers."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.py"))


def find(name: str) -> Path:
    """The recipe with this number ("24"), stem or path; raises Problem (status 2)."""
    stem = Path(name).stem
    for path in all_recipes():
        if stem in (path.stem, path.stem.split("_")[0]):
            return path
    known = ", ".join(path.stem for path in all_recipes())
    raise Problem(f"there is no recipe {name!r}; there are: {known}", status=2)


def load(path: Path):
    """Import a recipe as a module (which runs nothing)."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def docstring_fields(path: Path) -> dict[str, str]:
    """The title line (key "Title") and the fixed fields of a recipe's docstring.

    Key "Notes" holds the paragraphs that follow the fields, as one list.
    """
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    title, _, rest = text.partition("\n")
    body, *notes = rest.strip("\n").split("\n\n")
    found = {"Title": title.rstrip(".")}
    names = "|".join(FIELDS)
    for match in re.finditer(
        rf"^({names}):(.*?)(?=^(?:{names}):|\Z)", body, re.MULTILINE | re.DOTALL
    ):
        found[match[1]] = " ".join(match[2].split())
    found["Notes"] = [" ".join(part.split()) for part in notes]
    return found


def code_lines(path: Path) -> list[str]:
    """What a file computes: no comments, docstrings, blank lines, words of figures."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    tree = ast.parse(source)
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    skipped = [n for n in assigned if getattr(n.targets[0], "id", "") in WORDS]
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
            and isinstance(body[0].value.value, str)
        ):
            skipped.append(body[0])
    for node in skipped:
        for row in range(node.lineno, node.end_lineno + 1):
            lines[row - 1] = ""
    return [line.rstrip() for line in lines if line.strip()]


def _hash(paths) -> str:
    lines = [line for path in paths for line in code_lines(path)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def recipe_hash(path: Path) -> str:
    """A hash of what a recipe computes, the same on every version of Python.

    Words (docstring, comments, MEASURES), which do not make figures, do not count.
    """
    return _hash([path])


@lru_cache
def _module_hash(name: str) -> str:
    """The hash of one module or package of `common`."""
    place = ROOT / "common" / name
    paths = sorted(place.rglob("*.py")) if place.is_dir() else [Path(f"{place}.py")]
    return _hash(paths)


def plumbing_hashes(path: Path) -> dict[str, str]:
    """The hashes of the plumbing that can change this recipe's figures, by module."""
    used = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "common":
            used |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module.startswith("common."):
            used.add(node.module.split(".")[1])
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used.add(f"{node.value.id}.{node.attr}")
    return {name: _module_hash(name) for name, by in PLUMBING.items() if used & by}


def settings_of(module) -> dict:
    """The UPPER_CASE settings of a recipe that JSON can hold."""
    settings = {}
    for name, value in vars(module).items():
        if name.isupper() and name not in (*WORDS, "OPTIONS"):
            try:
                settings[name] = json.loads(json.dumps(value))
            except (TypeError, ValueError):
                continue  # data and functions are in the recipe itself
    return settings
