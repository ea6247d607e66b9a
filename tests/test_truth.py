"""Every verdict can fail: exact figures follow from what they are computed from.

A test file of a recipe says in CHANGED_INPUTS which settings of the recipe to change,
[({"SETTING": other value}, {"measure", ...}), ...]: the recipe is then run with these,
and each measure named must come out otherwise. A number that a recipe only hands on
does not follow from anything, and is found here.
"""

import importlib.util

from common import claims, recipes
from common.executing import Request, execute
from common.files import ROOT

import pytest

TESTS = ROOT / "tests" / "recipes"
EXACT = {
    path.stem: {c.measure for c in claims.about(path.stem) if c.kind == "exact"}
    for path in recipes.all_recipes()
}


def changed_inputs(stem):
    """CHANGED_INPUTS of a recipe's test file, [] where it has none."""
    spec = importlib.util.spec_from_file_location(stem, TESTS / f"test_{stem}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, "CHANGED_INPUTS", [])


@pytest.mark.parametrize("stem", [stem for stem, exact in EXACT.items() if exact])
def test_every_exact_figure_names_what_it_follows_from(stem):
    named = set().union(*(measures for _, measures in changed_inputs(stem)))
    assert EXACT[stem] - named == set(), "CHANGED_INPUTS in its test file"


@pytest.mark.parametrize("stem", EXACT)
def test_other_inputs_give_other_figures(stem, quick_run, tmp_path):
    for number, (settings, measures) in enumerate(changed_inputs(stem)):
        usual, _ = quick_run(stem)
        lesson = recipes.load(recipes.find(stem))
        for name, value in settings.items():
            assert hasattr(lesson, name), f"{stem} has no setting {name}"
            setattr(lesson, name, value)
        request = Request(stem=stem, quick=True, out=tmp_path / str(number))
        values = execute(request, lesson)["values"]
        same = {name for name in measures if values[name] == usual["values"][name]}
        assert same == set(), f"unchanged under {settings}"
