"""Confirming results: renewed where every bit is the same, and only there."""

import json
import shutil

from common import devices, executing, files, recipes, results
from common.devices import NO_GPU
from publish import base, confirm
from publish.__main__ import main

import pytest

RECIPE = recipes.find("01")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """(runs, record): a finished default run of a small recipe."""
    runs = tmp_path_factory.mktemp("measured")
    return runs, executing.execute(results.reproducing(RECIPE, 0, runs))


@pytest.fixture
def stale(measured, tmp_path, monkeypatch):
    """A function that writes a result of another stamp, with changes, and reads it."""
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    _, record = measured
    here = devices.choose("auto")[1].removesuffix(NO_GPU)

    def write(**changes):
        result = {
            "recipe": RECIPE.stem,
            "recipe_hash": record["recipe_hash"],
            "seeds": [1, 0],
            "values": {n: [None, v] for n, v in record["values"].items()},
            "seconds": [2.0, 1.0],
            "history": [{}, {}],
            "constants": {},
            "machine": here,
            "cores": 64,
            "versions": {**record["versions"], "python": "3.10.0"},
            "date": "2020-01-01",
        }
        files.write_record(results.result_path(RECIPE), {**result, **changes})

    return write


def runs_of(measured, tmp_path):
    return shutil.copytree(measured[0], tmp_path / "runs")


def test_the_same_bits_renew_the_stamp_and_nothing_else(measured, stale, tmp_path):
    """An old record, without plumbing, measured on this machine."""
    stale()
    before = results.read_result(RECIPE)
    assert executing.differing(before, RECIPE)
    confirm.confirm([RECIPE], runs_of(measured, tmp_path))
    after = results.read_result(RECIPE)
    assert executing.differing(after, RECIPE) == []
    for kept in ("seeds", "values", "seconds", "history", "machine", "cores", "date"):
        assert after[kept] == before[kept]
    assert after["python"] == "3.10.0" and after["options"] == {}
    assert after["constants"] == measured[1]["constants"]


def test_what_is_current_is_left_alone(measured, stale, tmp_path, capsys):
    stale(**executing.provenance(RECIPE))
    path = results.result_path(RECIPE)
    before = path.read_bytes()
    confirm.confirm([RECIPE], tmp_path / "none")
    assert path.read_bytes() == before
    assert "1 of 1 results are of the recipes as they are" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


def test_one_other_bit_is_named_and_not_confirmed(measured, stale, tmp_path, capsys):
    values = {n: [None, v] for n, v in measured[1]["values"].items()}
    name, other = next(
        (n, v) for n, (_, v) in values.items() if isinstance(v, float) and v
    )
    values[name] = [None, other * (1 + 1e-11)]
    stale(values=values)
    before = results.read_result(RECIPE)
    with pytest.raises(files.Problem, match="1 of 1 results are not confirmed: 01"):
        confirm.confirm([RECIPE], runs_of(measured, tmp_path))
    said = capsys.readouterr().out
    assert f"{name} was " in said and "make reproduce-01" in said
    assert results.read_result(RECIPE) == before


def test_a_dropped_value_is_listed(measured, stale, tmp_path, capsys):
    values = {n: [None, v] for n, v in measured[1]["values"].items()}
    stale(values={**values, "gone": [1.0, 1.0]})
    with pytest.raises(files.Problem, match="not confirmed"):
        confirm.confirm([RECIPE], runs_of(measured, tmp_path))
    assert "no longer measures gone; make reproduce-01" in capsys.readouterr().out


def test_a_new_value_is_told_and_waits_to_be_measured(
    measured, stale, tmp_path, capsys
):
    (new, _), *values = measured[1]["values"].items()
    stale(values={n: [None, v] for n, v in values})
    confirm.confirm([RECIPE], runs_of(measured, tmp_path))
    assert f"also measures {new}: make reproduce-01" in capsys.readouterr().out
    after = results.read_result(RECIPE)
    assert executing.differing(after, RECIPE) == [] and new not in after["values"]


def test_another_processor_needs_the_revision_that_measured_it(
    measured, stale, tmp_path, capsys
):
    stale(machine="CPU:0 (another)")
    with pytest.raises(files.Problem, match="not confirmed"):
        confirm.confirm([RECIPE], tmp_path / "none")
    said = capsys.readouterr().out
    assert "measured on CPU:0 (another)" in said and "--against" in said
    assert not (tmp_path / "none").exists(), "it was run all the same"


# Against an earlier revision: here a folder whose "recipe" writes a record by hand.

OLD_RECIPE = """
import json, sys
sys.path[:0] = [{root!r}]
from pathlib import Path
from common import files

record = json.loads(Path({record!r}).read_text())
folder = Path(sys.argv[sys.argv.index("--out") + 1], {stem!r}, "seed-0")
assert sys.argv[sys.argv.index("--seed") + 1] == "0"
files.write_record(folder / "metrics.json", record)
"""


@pytest.fixture
def earlier(measured, tmp_path):
    """A function (record) that gives a `Base` whose runs leave that record."""

    def give(**changes):
        old = {**measured[1], "recipe_hash": "as it was before it moved", **changes}
        folder = tmp_path / "old"
        record = folder / "record.json"
        files.write_whole(record, json.dumps(old).encode())
        text = OLD_RECIPE.format(
            root=str(files.ROOT), record=str(record), stem=RECIPE.stem
        )
        files.write_whole(folder / "recipes" / RECIPE.name, text.encode())
        return base.Base("old", folder, tmp_path / "old-runs")

    return give


def test_both_revisions_with_the_same_bits_renew_the_stamp(
    measured, stale, earlier, tmp_path
):
    stale(machine="CPU:0 (another)", recipe_hash="as it was before it moved")
    confirm.confirm([RECIPE], runs_of(measured, tmp_path), base=earlier())
    after = results.read_result(RECIPE)
    assert executing.differing(after, RECIPE) == []
    assert after["machine"] == "CPU:0 (another)"


@pytest.mark.parametrize(
    ("of_result", "of_record", "said"),
    [
        ({"recipe_hash": "yet another"}, {}, "in another version"),
        (
            {"versions": {"keras": "2.0", "python": "3.9"}},
            {},
            "measured with keras 2.0",
        ),
        ({}, {"values": {}}, "was  and is"),
        ({}, {"quick": True}, "left no finished run"),
    ],
)
def test_what_the_earlier_revision_does_not_prove(
    measured, stale, earlier, tmp_path, capsys, of_result, of_record, said
):
    stale(**{"recipe_hash": "as it was before it moved", **of_result})
    with pytest.raises(files.Problem, match="not confirmed"):
        confirm.confirm(
            [RECIPE], runs_of(measured, tmp_path), base=earlier(**of_record)
        )
    assert said in capsys.readouterr().out


def test_an_earlier_revision_that_fails_is_said(
    measured, stale, earlier, tmp_path, capsys
):
    stale()
    old = earlier()
    (old.folder / "recipes" / RECIPE.name).write_text("import sys; sys.exit('no luck')")
    with pytest.raises(files.Problem, match="not confirmed"):
        confirm.confirm([RECIPE], runs_of(measured, tmp_path), base=old)
    assert "old failed, exit status 1: no luck" in capsys.readouterr().out


def test_a_revision_is_unpacked_whole(tmp_path):
    if not (files.ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    with base.base("HEAD") as old:
        for name in ("common/files.py", "recipes", "data/mnist/README.md"):
            assert (old.folder / name).exists()
        assert old.runs.is_relative_to(old.folder.parent)
    assert not old.folder.exists()


def test_no_such_revision_is_a_wrong_request(capsys):
    for revision in ("no-such-revision", "--help"):
        assert main(["confirm", f"--against={revision}", "01"]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"publish: --against {revision}: ")
        assert said.count("\n") == 1
