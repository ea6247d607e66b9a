"""Kill -9 again and again, and memory: `make soak`, half an hour on two cores.

Every recipe that can be interrupted is killed at random times; the figures, the history
and the weights must be those of an undisturbed run, bit for bit.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time

from common import files, recipes

import keras
import pytest

KILLS = 5
LONG_ENOUGH = 8.0  # seconds of training, so that a kill falls into it
RESUMABLE = [
    path
    for path in recipes.all_recipes()
    if "training" in recipes.plumbing_hashes(path)
]
pytestmark = pytest.mark.soak


def start(recipe, out, epochs):
    command = [sys.executable, recipe, "--quick", "--epochs", epochs, "--out", out]
    return subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def saved(folder):
    """When each checkpoint was written; a run that ends takes them away."""
    times = {}
    for path in folder.glob("*.checkpoint"):
        with contextlib.suppress(FileNotFoundError):
            times[path] = path.stat().st_mtime_ns
    return times


def outcome(folder):
    record = files.read_record(folder / "metrics.json")
    weights = {}
    for path in sorted(folder.glob("*.keras")):
        model = keras.models.load_model(path, safe_mode=True)
        weights[path.name] = [w.tobytes() for w in model.get_weights()]
    return record["values"], record["history"], weights


def undisturbed(recipe, out):
    """(epochs, seconds, outcome) of a quick run with as many epochs as take a while."""
    epochs = 4
    while True:
        process = start(recipe, out, epochs)
        printed, _ = process.communicate()
        assert process.returncode == 0, printed
        folder = out / recipe.stem / f"seed-0-quick-epochs-{epochs}"
        seconds = files.read_record(folder / "metrics.json")["seconds"]
        if seconds >= LONG_ENOUGH:
            return epochs, seconds, outcome(folder)
        epochs *= max(2, round(1.3 * LONG_ENOUGH / max(seconds, 0.1)))


@pytest.mark.parametrize("recipe", RESUMABLE, ids=lambda path: path.stem)
def test_kills_leave_no_trace(recipe, tmp_path):
    epochs, seconds, expected = undisturbed(recipe, tmp_path / "whole")
    folder = tmp_path / "killed" / recipe.stem / f"seed-0-quick-epochs-{epochs}"
    when = random.Random(recipe.stem)
    kills = 0
    for _ in range(KILLS):
        before = saved(folder)
        process = start(recipe, tmp_path / "killed", epochs)
        while process.poll() is None:
            if saved(folder) != before:
                time.sleep(when.uniform(0, seconds / KILLS))
                break
            time.sleep(0.02)
        process.kill()
        kills += process.wait() == -9
        process.stdout.close()
        if (folder / "metrics.json").exists():
            break  # it had come to its end
    last = start(recipe, tmp_path / "killed", epochs)
    printed, _ = last.communicate()
    assert last.returncode == 0, printed
    assert outcome(folder) == expected
    assert kills >= 2
    assert not list(folder.glob(f"{files.TEMPORARY_PREFIX}*"))
    print(f"{recipe.stem}: {kills} kills survived")


def test_make_all_interrupted_goes_on(tmp_path):
    """Ctrl-C in the middle of `make all`: nothing half-written, nothing repeated."""
    numbers = ("02", "07", "20")
    for name in ("common", "publish", "lectures", "data", "results"):
        shutil.copytree(files.ROOT / name, tmp_path / name)
    for name in ("Makefile", "README.md", "README.ko.md", "requirements.lock"):
        shutil.copy(files.ROOT / name, tmp_path)
    (tmp_path / "recipes").mkdir()
    for number in numbers:
        shutil.copy(recipes.find(number), tmp_path / "recipes")
    for name in ("pyproject.toml", "ready"):
        (tmp_path / name).touch()
    (tmp_path / ".venv").symlink_to(sys.prefix)
    command = ["make", "READY=ready", "all"]
    settings = {
        "cwd": tmp_path,
        "env": {**os.environ, "PYTHONPATH": str(tmp_path), "MAKEFLAGS": ""},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "text": True,
        "start_new_session": True,
    }
    runs = tmp_path / "runs"
    done = [runs / recipes.find(n).stem / "seed-0/metrics.json" for n in numbers]
    process = subprocess.Popen(command, **settings)
    ends = time.monotonic() + 120
    while not list(runs.rglob("*.checkpoint")):  # the third of them trains
        assert process.poll() is None and time.monotonic() < ends
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert not done[2].exists()
    written = [p for p in runs.rglob("*") if p.is_file()]
    assert not [p for p in written if p.name.startswith(files.TEMPORARY_PREFIX)]
    assert not [p for p in written if not p.stat().st_size and p.name != ".lock"]
    before = {path: path.stat().st_mtime_ns for path in done if path.exists()}

    process = subprocess.Popen([*command, "-j2"], **settings)
    printed, _ = process.communicate(timeout=300)
    assert process.returncode == 0, printed
    assert all(path.exists() for path in done)
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())
    assert "Measured beside the lecture's figures" in printed


@pytest.mark.parametrize("path", recipes.all_recipes(), ids=lambda path: path.stem)
def test_no_recipe_takes_more_than_3_gb(path, tmp_path):
    """All data, one epoch: what a full run holds at most."""
    command = [sys.executable, path, "--epochs", "1", "--out", tmp_path]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    peak = usage.ru_maxrss * 1024
    print(f"{path.stem}: {peak / 1e9:.2f} GB at most")
    assert peak < 3e9
