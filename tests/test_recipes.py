"""Every recipe there is: its form, its claims, and a quick run of it."""

import json
import re
import subprocess
import sys

from common import command_line, files, recipes, reporting, running

import pytest

RECIPES = recipes.all_recipes()
STEMS = [path.stem for path in RECIPES]
each_recipe = pytest.mark.parametrize("path", RECIPES, ids=STEMS)


def test_the_labs_are_there():
    assert {stem[:2] for stem in STEMS} >= {str(number) for number in range(18, 25)}


@each_recipe
def test_docstring_fields(path):
    fields = recipes.docstring_fields(path)
    assert set(fields) == {"Title", *recipes.FIELDS}
    assert all(fields.values())
    assert re.search("[가-힣]", fields["제목"])
    assert f"recipes/{path.name}" in fields["Run"]
    assert re.search(r"\b00[0-4]\b", fields["Lecture"])
    assert fields["Try"].count("(") >= 2


@each_recipe
def test_short_and_without_path_tricks(path):
    source = path.read_text(encoding="utf-8")
    assert len(recipes.code_lines(path)) <= 170
    assert "sys.path" not in source
    assert source.endswith('\n\nif __name__ == "__main__":\n    cli(main)\n')


def test_importing_a_recipe_does_nothing(tmp_path):
    code = (
        "import sys; from common import recipes\n"
        "for path in recipes.all_recipes(): recipes.load(path)\n"
        "import tensorflow as tf\n"
        "from tensorflow.python.eager import context\n"
        "assert context.context()._context_handle is None, 'a recipe used a device'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


@each_recipe
def test_quick_run_gives_every_claimed_figure(path, tmp_path, monkeypatch):
    module = recipes.load(path)
    args = command_line.parse(path, "", ["--quick", "--out", str(tmp_path)])
    record = running.execute(module, args, seed=0)

    assert module.CLAIMS, "a recipe without a claim"
    names = [claim.name for claim in module.CLAIMS]
    assert len(set(names)) == len(names)
    for claim in module.CLAIMS:
        assert claim.kind in ("run", "exact", "cited")
        assert claim.kind == "cited" or claim.name in record["values"]
        if claim.reported is not None:
            assert re.match(r"00[0-4], .", claim.source) or claim.source, claim

    folder = tmp_path / path.stem / "seed-0-quick"
    assert files.read_record(folder / "metrics.json") == json.loads(json.dumps(record))
    pictures = list(folder.glob("*.png"))
    assert pictures, "a lesson without a figure"
    assert all(picture.read_bytes()[:4] == b"\x89PNG" for picture in pictures)
    assert not list(folder.glob(f"{files.TEMPORARY_PREFIX}*"))
    assert not list(folder.glob("*.checkpoint"))


@each_recipe
def test_exact_figures_agree_or_are_explained(path):
    """No exact figure of a committed result differs from its slide in silence."""
    result = reporting.read_result(path)
    if result is None:
        pytest.fail(
            f"{path.stem} has no committed result: make reproduce-{path.stem[:2]}"
        )
    for claim, _, verdict in reporting.judgements(
        recipes.load(path).CLAIMS, result["values"]
    ):
        assert verdict.word not in ("mismatch", "missing"), claim


@each_recipe
def test_results_belong_to_the_recipes_as_they_are(path):
    result = reporting.read_result(path)
    assert result["recipe_hash"] == recipes.recipe_hash(path), (
        f"{path.stem} changed since it was measured: make reproduce-{path.stem[:2]}"
    )


def test_results_have_recipes():
    assert {path.stem for path in reporting.RESULTS.glob("*.json")} <= set(STEMS)


@pytest.mark.parametrize("name", reporting.READMES)
def test_readme_shows_the_results(name):
    text = (files.ROOT / name).read_text(encoding="utf-8")
    assert text == reporting.filled(text), "make readme"


def test_the_page_of_all_results_is_up_to_date():
    text = (reporting.RESULTS / "README.md").read_text(encoding="utf-8")
    assert text == reporting.all_results(), "make readme"


def test_the_hash_sees_what_is_computed_and_nothing_else(tmp_path):
    source = RECIPES[-1].read_text(encoding="utf-8")
    path = tmp_path / "99_edited.py"

    def hash_of(text):
        path.write_text(text, encoding="utf-8")
        return recipes.recipe_hash(path)

    before = hash_of(source)
    title = source.splitlines()[0]
    assert hash_of(source.replace(title, '"""Another title.')) == before
    assert hash_of(source.replace("\ndef main", "\n# why\n\n\ndef main")) == before
    claims = source.index("CLAIMS = [")
    assert (
        hash_of(source[:claims] + source[claims:].replace('"%"', '"pp"', 1)) == before
    )
    assert hash_of(source.replace("cli(main)", "cli(main)  # start")) == before
    assert hash_of(source.replace("return {", "return {'more': 1,")) != before
