"""The recipes as files: names, titles, settings and a hash of what they compute."""

import ast
import hashlib
import importlib.util
import io
import json
import re
import tokenize
from pathlib import Path

from common.files import ROOT, Problem

FOLDER = ROOT / "recipes"
FIELDS = ("제목", "Question", "Lecture", "Changes from", "Run", "Try")


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
    """The title line (key "Title") and the fixed fields of a recipe's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    title, _, body = text.partition("\n")
    found = {"Title": title.rstrip(".")}
    names = "|".join(FIELDS)
    for match in re.finditer(
        rf"^({names}):(.*?)(?=^(?:{names}):|\Z)", body, re.MULTILINE | re.DOTALL
    ):
        found[match[1]] = " ".join(match[2].split())
    return found


def code_lines(path: Path) -> list[str]:
    """What a recipe computes: without comments, docstrings, blank lines and CLAIMS."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    tree = ast.parse(source)
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    skipped = [n for n in assigned if getattr(n.targets[0], "id", "") == "CLAIMS"]
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


def recipe_hash(path: Path) -> str:
    """A hash of what a recipe computes, the same on every version of Python.

    Claims, which judge figures but do not make them, do not count.
    """
    return hashlib.sha256("\n".join(code_lines(path)).encode()).hexdigest()[:16]


def settings_of(module) -> dict:
    """The UPPER_CASE settings of a recipe that JSON can hold."""
    settings = {}
    for name, value in vars(module).items():
        if name.isupper() and name not in ("CLAIMS", "OPTIONS"):
            try:
                settings[name] = json.loads(json.dumps(value))
            except (TypeError, ValueError):
                continue  # data and functions are in the recipe itself
    return settings
