"""Notebooks: made from the recipes, and one of them run."""

import json

from common import files, recipes, results
from publish import notebooks
from publish.__main__ import main

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient


def test_every_recipe_becomes_a_valid_notebook():
    for recipe in recipes.all_recipes():
        text = notebooks.notebook(recipe, "")
        made = nbformat.reads(text, as_version=4)
        nbformat.validate(made)
        assert str(files.ROOT) not in text
        code = [c.source for c in made.cells if c.cell_type == "code"]
        told = made.cells[0].source
        assert told.startswith("# ")
        measured = results.read_result(recipe) is not None
        assert ("**Finding:**" in told) == measured
        assert "{" not in told.partition("**Lecture")[0]
        assert "REPOSITORY" in code[0]
        assert code[-1].rstrip().endswith(f'run_here(globals(), "{recipe.stem}")')
        # Nothing of the lesson is lost, nothing is added.
        lesson = "\n".join(code[1:-1])
        original = recipes.code_lines(recipe)
        guard = original.index('if __name__ == "__main__":')
        for line in original[:guard]:
            assert line in lesson
        assert "MEASURES = {" in lesson
        for part in code:
            compile(part, recipe.name, "exec")
    assert text == notebooks.notebook(recipe, "")


def test_a_notebook_runs_in_quick_mode(tmp_path):
    recipe = recipes.find("20")
    made = jupytext.reads(notebooks.notebook(recipe, ""), fmt="ipynb")
    last = made.cells[-1]
    last.source = last.source.replace(
        f'"{recipe.stem}")', f'"{recipe.stem}", quick=True, epochs=2)'
    )
    client = NotebookClient(
        made, timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    shown = json.dumps(last.outputs)
    assert "image/png" in shown
    assert "verdict" in shown
    folder = tmp_path / notebooks.RUNS / recipe.stem / "seed-0-quick-epochs-2"
    record = files.read_record(folder / "metrics.json")
    assert record["quick"] and record["values"]


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://host.org/team/labs.git", "https://host.org/team/labs.git"),
        ("https://name:secret@host.org/team/labs", "https://host.org/team/labs"),
        ("git@host.org:team/labs.git", "https://host.org/team/labs.git"),
        ("ssh://git@host.org/team/labs", "https://host.org/team/labs"),
        ("/home/somebody/labs", ""),
        ("", ""),
    ],
)
def test_address_is_one_that_a_stranger_can_use(remote, address):
    assert notebooks.public_address(remote) == address


def test_one_notebook_by_number(tmp_path, capsys):
    assert main(["notebooks", "24", "--to", str(tmp_path)]) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["24_dropout_mnist.ipynb"]
    assert "1 in" in capsys.readouterr().out
