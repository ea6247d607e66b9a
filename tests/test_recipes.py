"""Every recipe there is: its form, its measures, its result, and a quick run of it."""

import re
import subprocess
import sys

from common import claims, executing, files, recipes, results
from common.claims import Measure

import pytest

RECIPES = recipes.all_recipes()
STEMS = [path.stem for path in RECIPES]
each_recipe = pytest.mark.parametrize("path", RECIPES, ids=STEMS)
MOST_LINES = 200


def test_the_labs_are_there():
    assert {stem[:2] for stem in STEMS} >= {str(number) for number in range(18, 25)}
    assert len({stem[:2] for stem in STEMS}) == len(STEMS)


@each_recipe
def test_docstring_fields(path):
    fields = recipes.docstring_fields(path)
    assert list(fields) == ["Title", *recipes.FIELDS, "Notes"]
    assert all(fields[name] for name in ("Title", *recipes.FIELDS))
    for name in ("제목", "결과"):
        assert re.search("[가-힣]", fields[name])
    assert f"recipes/{path.name}" in fields["Run"]
    assert re.search(r"\b00[0-4]\b", fields["Lecture"])
    assert fields["Try"].count("(") >= 2


@each_recipe
def test_short_and_without_path_tricks(path):
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= MOST_LINES
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
def test_quick_run_gives_every_measured_figure(path, quick_run):
    record, folder = quick_run(path.stem)
    measures = recipes.load(path).MEASURES
    assert list(measures), "a recipe without a figure"
    assert all(isinstance(measure, Measure) for measure in measures.values())
    assert set(record["values"]) <= set(measures), "a value that MEASURES leaves out"
    # Those of an option of the recipe's own are measured with it only.
    asked = {claim.measure for claim in claims.about(path.stem)} - {""}
    assert asked <= set(record["values"])
    for measure in measures.values():
        assert measure.english and re.search("[가-힣A-Z]", measure.korean)

    pictures = list(folder.glob("*.png"))
    assert pictures, "a lesson without a figure"
    assert all(picture.read_bytes()[:4] == b"\x89PNG" for picture in pictures)
    assert not list(folder.glob(f"{files.TEMPORARY_PREFIX}*"))
    assert not list(folder.glob("*.checkpoint"))


@each_recipe
def test_the_default_network_is_the_compiled_one(path):
    """What page, bench and tests build by convention."""
    module = recipes.load(path)
    if not hasattr(module, "build_model"):
        return
    model = module.build_model()
    assert model.compiled and model.count_params() > 0


def committed(path):
    """The committed result of a recipe; skips the test of one not measured yet."""
    result = results.read_result(path)
    if result is None:
        pytest.skip(f"{path.stem} is not measured yet: make reproduce-{path.stem[:2]}")
    return result


@each_recipe
def test_the_result_belongs_to_the_recipe_as_it_is(path):
    result = committed(path)
    remedy = f"make confirm, or make reproduce-{path.stem[:2]}"
    assert result["recipe_hash"] == recipes.recipe_hash(path), remedy
    assert result["plumbing"] == recipes.plumbing_hashes(path), remedy
    if sys.version_info >= (3, 11):  # older versions of Python have older packages
        assert executing.differing(result, path) == [], remedy


@each_recipe
def test_the_finding_is_told_by_the_result(path):
    result, measures = committed(path), recipes.load(path).MEASURES
    for name in ("Finding", "결과"):
        text = recipes.docstring_fields(path)[name]
        assert re.search(r"\{\w+", text), "a finding without a measured value"
        assert "{" not in results.told(text, measures, result["values"])


@each_recipe
def test_exact_figures_agree_or_are_explained(path):
    """No exact figure of a committed result differs from its slide in silence."""
    result = committed(path)
    for row in results.rows(path.stem, recipes.load(path).MEASURES, result["values"]):
        assert row.verdict.word not in ("mismatch", "not yet"), row


def test_results_have_recipes():
    assert {path.stem for path in results.RESULTS.glob("*.json")} <= set(STEMS)


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
    words = source.index("MEASURES = {")
    assert hash_of(source[:words] + source[words:].replace('"%"', '"pp"', 1)) == before
    assert hash_of(source.replace("cli(main)", "cli(main)  # start")) == before
    assert hash_of(source.replace("return {", "return {'more': 1,")) != before


def test_plumbing_counts_where_it_is_used(tmp_path):
    def used(name):
        return set(recipes.plumbing_hashes(recipes.find(name)))

    assert used("20") == {"datasets", "training", "checkpoints"}
    assert used("61") == {*used("20"), "images", "pretrained"}
    assert used("01") == set()
