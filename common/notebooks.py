"""Every recipe as a notebook: notebooks/NN_topic.ipynb, made from the recipe's file.

python -m common.notebooks            all recipes
python -m common.notebooks 24         one recipe

The recipe is the source: a notebook is made anew from it and never edited by hand.
"""

import argparse
import ast
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from common import command_line, files, recipes
from common.files import ROOT

NOTEBOOKS = ROOT / "notebooks"
RUNS = "notebook-runs"  # beside the notebook: experiments never look like results

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
# "--quick" takes seconds; other flags as on the command line: "--epochs", "3"
from common.notebooks import run_here

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


def fields_and_notes(recipe: Path) -> tuple[dict[str, str], list[str]]:
    """The fields of a recipe's docstring, and the paragraphs that follow them."""
    fields = recipes.docstring_fields(recipe)
    text = ast.get_docstring(ast.parse(recipe.read_text(encoding="utf-8")))
    notes = [" ".join(part.split()) for part in text.split("\n\n")[2:]]
    fields["Try"] = fields["Try"].removesuffix(" ".join(notes)).strip()
    return fields, notes


def cells(recipe: Path) -> list[tuple[str, str]]:
    """The recipe as (kind, text) cells: kind is "markdown" or "code".

    One cell each for the imports, the claims, the settings together, and every
    function with the comments before it; the main guard is left to `run_here`.
    """
    source = recipe.read_text(encoding="utf-8")
    lines = source.splitlines()
    fields, notes = fields_and_notes(recipe)
    told = [f"# {fields['Title']}", fields["제목"]]
    told += [f"**{name}:** {fields[name]}" for name in recipes.FIELDS[1:]] + notes
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
    return [("markdown", "\n\n".join(told)), *(("code", part) for part in parts)]


def _kind(node) -> str:
    if isinstance(node, ast.Expr):
        return "docstring"
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return "imports"
    if isinstance(node, ast.If):
        return "guard"
    if isinstance(node, ast.Assign):
        name = getattr(node.targets[0], "id", "")
        return "claims" if name == "CLAIMS" else "settings"
    return "function"


def notebook(recipe: Path, address: str) -> str:
    """The notebook of a recipe, as the text of its .ipynb file."""
    import jupytext

    (kind, told), *lesson = cells(recipe)
    every = [
        (kind, told),
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


def run_here(namespace: dict, stem: str, *arguments: str) -> None:
    """Run a notebook's `main` as the command line would, then show its figures.

    namespace: the notebook's globals(), with whatever was changed in its cells.
    arguments: flags of the command line, such as "--quick" or "--epochs", "3".
    """
    from common import reporting, running

    source = recipes.find(stem)
    args = command_line.parse(source, "", ["--out", RUNS, *arguments])
    args.fresh = True  # the cells may have changed since the last run
    # What `execute` takes for the recipe's module is the notebook itself.
    lesson = SimpleNamespace(**{**namespace, "__file__": str(source)})
    seeds = range(args.seeds) if args.seeds else [args.seed]
    records = [running.execute(lesson, args, seed) for seed in seeds]
    reporting.print_table(namespace["CLAIMS"], records)

    from IPython.display import Image, display

    folder = running.Run(lesson, args, seeds[0]).folder
    for name in sorted(records[0]["files"]):
        if name.endswith(".png"):
            display(Image(str(folder / name)))


def main() -> None:
    """The command line of this module; see its docstring."""
    from common.running import guarded

    parser = command_line.Parser(
        prog="notebooks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recipe", nargs="*", help="numbers; all without one")
    parser.add_argument("--to", type=Path, default=NOTEBOOKS, help="the folder")
    args = parser.parse_args()

    def act():
        chosen = [recipes.find(name) for name in args.recipe] or recipes.all_recipes()
        address = repository()
        for recipe in chosen:
            text = notebook(recipe, address)
            files.write_whole(args.to / f"{recipe.stem}.ipynb", text.encode())
        print(f"notebooks: {len(chosen)} in {args.to}")

    sys.exit(guarded(act, "notebooks"))


if __name__ == "__main__":
    main()
