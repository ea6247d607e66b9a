"""Every recipe as a notebook, made from the recipe's file, which is the source.

A notebook is made anew from its recipe and never edited by hand.
"""

import ast
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

from common import executing, files, recipes, results
from common.executing import Request, Run
from common.files import ROOT
from publish import entries

FOLDER = ROOT / "notebooks"
RUNS = Path("notebook-runs")  # beside the notebook: experiments are no results

SET_UP = """\
# On Colab: the project and what it needs (a minute). Elsewhere: nothing to do.
import importlib.util
import subprocess
import sys

REPOSITORY = "{repository}"  # the address of the project's git repository

if importlib.util.find_spec("common") is None:
    assert REPOSITORY, "write the address of the project's repository into REPOSITORY"
    subprocess.run(["git", "clone", "--depth", "1", REPOSITORY, "labs"], check=True)
    install = [sys.executable, "-m", "pip", "install", "--quiet"]
    subprocess.run([*install, "-r", "requirements.txt"], cwd="labs", check=True)
    sys.path.insert(0, "labs")  # this kernel began before the installation
"""

RUN_IT = """\
# quick=True takes seconds; also: epochs=3, seed=1, seeds=5, device="cpu"
from publish.notebooks import run_here

run_here(globals(), "{stem}")
"""


def repository() -> str:
    """The web address that a stranger can clone, "" where the project has none."""
    try:
        found = subprocess.run(
            ["git", "config", "--get", "remote.origin.url"],  # noqa: S607 (git's place)
            cwd=ROOT,
            capture_output=True,
            text=True,
        ).stdout.strip()
    except OSError:
        return ""
    return public_address(found)


def public_address(remote: str) -> str:
    """A remote as https without names and passwords, "" for anything but a host."""
    pattern = r"(?:https://|ssh://|)(?:[^@/\s]*@)?([\w-]+(?:\.[\w-]+)+)[:/]([\w./~-]+)"
    match = re.fullmatch(pattern, remote)
    return f"https://{match[1]}/{match[2]}" if match else ""


def cells(recipe: Path) -> list[tuple[str, str]]:
    """The recipe as (kind, text) cells: kind is "markdown" or "code".

    One cell each for the imports, the settings together, every function with the
    comments before it, and the measures; the main guard is left to `run_here`.
    """
    source = recipe.read_text(encoding="utf-8")
    lines = source.splitlines()
    parts, begin, last = [], 0, ""
    for node in ast.parse(source).body:
        end, kind = node.end_lineno, _kind(node)
        if kind not in ("docstring", "guard"):
            text = "\n".join(lines[begin:end]).strip("\n")
            if kind == last and kind in ("imports", "settings"):
                parts[-1] += "\n" * (2 if lines[begin] == "" else 1) + text
            else:
                parts.append(text)
        begin, last = end, kind
    return [("markdown", introduction(recipe)), *(("code", part) for part in parts)]


def introduction(recipe: Path) -> str:
    """The docstring as Markdown; its finding with the figures of the result."""
    lesson = entries.lesson(recipe)
    told = [f"# {lesson.fields['Title']}", lesson.fields["제목"]]
    for name in recipes.FIELDS[1:]:
        found = name in ("Finding", "결과")
        text = lesson.finding(name) if found else lesson.fields[name]
        if text:
            told.append(f"**{name}:** {text}")
    return "\n\n".join(told + lesson.fields["Notes"])


def _kind(node) -> str:
    if isinstance(node, ast.Expr):
        return "docstring"
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return "imports"
    if isinstance(node, ast.If):
        return "guard"
    if isinstance(node, ast.Assign):
        name = getattr(node.targets[0], "id", "")
        return "measures" if name in recipes.WORDS else "settings"
    return "function"


def notebook(recipe: Path, address: str) -> str:
    """The notebook of a recipe, as the text of its .ipynb file."""
    import jupytext

    told, *lesson = cells(recipe)
    every = [
        told,
        ("code", SET_UP.format(repository=address)),
        *lesson,
        ("code", RUN_IT.format(stem=recipe.stem)),
    ]
    percent = []
    for kind, text in every:
        if kind == "markdown":
            text = "\n".join(f"# {line}".rstrip() for line in text.splitlines())
        percent.append("# %%" + (" [markdown]" if kind == "markdown" else ""))
        percent.append(text)
    made = jupytext.reads("\n".join(percent), fmt="py:percent")
    for number, cell in enumerate(made.cells):
        cell.id = f"cell-{number}"  # the same recipe, the same notebook
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made.metadata = {"kernelspec": kernel}
    return jupytext.writes(made, fmt="ipynb")


def write(chosen: list[Path], folder: Path = FOLDER) -> None:
    """Write the notebooks of the chosen recipes."""
    address = repository()
    for recipe in chosen:
        text = notebook(recipe, address)
        files.write_whole(folder / f"{recipe.stem}.ipynb", text.encode())


def run_here(namespace: dict, stem: str, seeds: int | None = None, **settings) -> None:
    """Run a notebook's `main` as the command line would, then show its figures.

    namespace: the notebook's globals(), with whatever was changed in its cells.
    seeds: how many, from 0 on; without it, one. settings: of the run, as in
    `executing.Request`: quick=True, epochs=3, seed=1, device="cpu", options={...}.
    """
    # The cells may have changed since the last run: start over.
    settings = {"out": RUNS, "fresh": True, **settings}
    which = [settings.pop("seed", 0)] if seeds is None else range(seeds)
    requests = [Request(stem=stem, seed=seed, **settings) for seed in which]
    # What `execute` takes for the recipe's module is the notebook itself.
    lesson = SimpleNamespace(**namespace)
    records = [executing.execute(request, lesson) for request in requests]
    results.print_table(namespace["MEASURES"], records)

    from IPython.display import Image, display

    folder = Run(requests[0]).folder
    for name in sorted(records[0]["files"]):
        if name.endswith(".png"):
            display(Image(str(folder / name)))
