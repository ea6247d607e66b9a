"""The command line as a user meets it."""

import os
import subprocess
import sys

from common import command_line, files, recipes
from common.executing import Request, Run

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

RECIPE = files.ROOT / "recipes" / "20_softmax_mnist.py"


def start(*arguments, **settings):
    command = [sys.executable, str(RECIPE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **settings)


def parse(capsys, *arguments):
    """(status, namespace, message) of parsing in this process."""
    try:
        args = command_line.parse(RECIPE, "a lesson", list(arguments))
    except SystemExit as stop:
        return stop.code, None, capsys.readouterr().err
    return 0, args, ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--epochs", "0"],
        ["--epochs", "x"],
        ["--epochs", "1.5"],
        ["--epochs", "1_0"],
        ["--epochs", "٣"],
        ["--epochs", ""],
        ["--epochs"],
        ["--seed", "-1"],
        ["--seed", "4294967296"],
        ["--seeds", "0"],
        ["--seeds", "3", "--seed", "1"],
        ["--device", "tpu"],
        ["--device", "gpu:x"],
        ["--no-such-flag"],
        ["--qui"],
        ["surplus"],
        ["--out", str(RECIPE)],
    ],
)
def test_bad_flags_are_one_line_and_status_2(capsys, arguments):
    status, _, message = parse(capsys, *arguments)
    assert status == 2
    assert message.count("\n") == 1 and message.startswith(RECIPE.name)


def test_good_flags(capsys, tmp_path):
    status, args, _ = parse(capsys, "--seed", "7", "--out", str(tmp_path / "a" / "b"))
    assert status == 0 and args.seed == 7 and args.out == tmp_path / "a" / "b"
    assert not (tmp_path / "a").exists(), "checking a folder must not make it"
    assert parse(capsys)[1].out == files.ROOT / "runs"


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["--seed", "--seeds", "--epochs", "--quick", "--device", "--out"]
            ),
            st.sampled_from(["--fresh", "--show", "--help", "0", "3", "gpu:1", "-1"]),
            st.text(max_size=8),
        ),
        max_size=6,
    )
)
def test_any_command_line_parses_or_exits_with_0_or_2(arguments):
    try:
        command_line.parse(RECIPE, "a lesson", arguments)
    except SystemExit as stop:
        assert stop.code in (0, 2)


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from(recipes.all_recipes()),
    st.lists(
        st.one_of(
            st.sampled_from(["--seed", "--epochs", "--out", "--ask", "--images"]),
            st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=8),
        ),
        max_size=5,
    ),
)
def test_any_real_process_ends_with_0_or_2_and_no_traceback(recipe, arguments):
    """--help at the end, so that what is right shows help and does not train."""
    command = [sys.executable, str(recipe), *arguments, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 2)
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == (done.returncode == 2)


def test_a_folder_that_cannot_be_written_to(capsys, tmp_path, monkeypatch):
    # Root may write anywhere, so the answer of the system stands in for the rights.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    status, _, message = parse(capsys, "--out", str(tmp_path))
    assert status == 2 and "cannot be written to" in message


def test_help_and_errors_come_before_tensorflow(tmp_path):
    helped = start("--help", cwd=tmp_path)
    assert helped.returncode == 0 and "--quick" in helped.stdout
    wrong = start("--epochs", "0", cwd=tmp_path)
    assert wrong.returncode == 2 and wrong.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    for flags in (["--help"], ["--seed", "x"]):
        command = [sys.executable, "-X", "importtime", str(RECIPE), *flags]
        imported = subprocess.run(command, capture_output=True, text=True).stderr
        assert "argparse" in imported
        for slow in ("tensorflow", "keras", "numpy", "rich"):
            assert f"| {slow}\n" not in imported and f" {slow}\n" not in imported


def test_quick_run_from_any_folder_and_a_hostile_folder_name(tmp_path):
    """The whole program: from elsewhere, into a folder with an awkward name."""
    out = tmp_path / "ein Ordner; $(touch x) '한글' \u202e"
    done = start("--quick", "--seeds", "2", "--out", out, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "90.23 %" in done.stdout and "reported" in done.stdout
    for seed in (0, 1):
        folder = out / RECIPE.stem / f"seed-{seed}-quick"
        names = {path.name for path in folder.iterdir()}
        assert names >= {"metrics.json", "history.csv", "model.keras", "tensorboard"}
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    again = start("--quick", "--seeds", "2", "--out", out, cwd=tmp_path)
    assert again.stdout.count("finished before, taken over") == 2


def test_no_gpu_is_a_wrong_request_when_there_is_none(tmp_path):
    import tensorflow as tf

    wanted = "gpu:99" if tf.config.list_physical_devices("GPU") else "gpu"
    done = start("--quick", "--device", wanted, "--out", tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "--device cpu" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_recipe_options_are_read_without_importing(tmp_path):
    recipe = tmp_path / "98_asking.py"
    recipe.write_text(
        'A, B = 1, 2\nOPTIONS = {"--ask": {"default": None, "help": "a word"}}\n'
        "raise RuntimeError('imported')\n"
    )
    args = command_line.parse(recipe, "", ["--ask", "he"])
    assert args.ask == "he"


def test_recipes_are_found_by_number_stem_and_path():
    for name in ("20", "20_softmax_mnist", str(RECIPE)):
        assert recipes.find(name) == RECIPE
    with pytest.raises(files.Problem, match="no recipe '99'") as raised:
        recipes.find("99")
    assert raised.value.status == 2


def test_options_and_epochs_have_folders_of_their_own(tmp_path):
    """A short run never stands in for the full one."""
    changes = ({}, {"quick": True}, {"epochs": 3}, {"seed": 1})
    folders = {Run(Request("20", out=tmp_path, **more)).folder for more in changes}
    assert len(folders) == 4
    asking = Request("44", out=tmp_path, options={"ask": "he"})
    assert Run(asking).folder != Run(Request("44", out=tmp_path)).folder
    with pytest.raises(files.Problem, match="no option 'asked'"):
        Run(Request("44", options={"asked": "he"}))
