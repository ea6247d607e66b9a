"""The house: which room may know which."""

import ast
import re
from graphlib import TopologicalSorter

from common.files import ROOT

import pytest

ROOMS = ("common", "publish", "bench", "cluster", "recipes")


def modules(room):
    """{module name: path} of a room, packages under the name of their folder."""
    found = {}
    for path in sorted((ROOT / room).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imported(name, path):
    """The modules that a file imports, anywhere in it, by their full names."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base]).strip(".")
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return found


EVERY = {name: path for room in ROOMS for name, path in modules(room).items()}


@pytest.mark.parametrize("name", EVERY)
def test_arrows_go_one_way(name):
    """All import common; common imports none of them; nothing imports a recipe."""
    own = name.split(".")[0]
    rooms = {other.split(".")[0] for other in imported(name, EVERY[name])}
    assert rooms & set(ROOMS) <= {"common", own} - {"recipes"}


def test_no_circles():
    graph = {}
    for name, path in EVERY.items():
        graph[name] = (imported(name, path) & set(EVERY)) - {name}
    # A package's own front door does not count for the rooms behind it.
    for name, others in graph.items():
        graph[name] = {other for other in others if not name.startswith(f"{other}.")}
    list(TopologicalSorter(graph).static_order())  # raises CycleError


def test_no_recipe_is_known_by_name():
    """Whatever has to know a recipe finds it by convention: no lists kept by hand."""
    stems = "|".join(re.escape(name.split(".")[1]) for name in modules("recipes"))
    for room in ("common", "publish", "cluster"):
        for name, path in modules(room).items():
            known = re.findall(stems, path.read_text(encoding="utf-8"))
            assert not known, f"{name} names {known}"
