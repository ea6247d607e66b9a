"""Kill -9 again and again, and memory: `make soak`, half an hour on two cores.

Five kinds of training (softmax, dropout, convolution, recurrence, Boltzmann machine),
each killed at ten random times; the figures, the history and the weights must be those
of an undisturbed run, bit for bit.
"""

import contextlib
import os
import random
import subprocess
import sys
import time

from common import files, recipes

import keras
import pytest

KILLS = 10
LONGEST_WAIT = 3.0  # seconds between an epoch that was saved and the kill
TRAININGS = {"20": 2000, "24": 40, "32": 40, "43": 14, "51": 20}  # epochs of --quick


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


@pytest.mark.soak
@pytest.mark.parametrize("number", TRAININGS)
def test_ten_kills(number, tmp_path):
    recipe, epochs = recipes.find(number), TRAININGS[number]
    name = f"seed-0-quick-epochs-{epochs}"
    whole = start(recipe, tmp_path / "whole", epochs)
    printed, _ = whole.communicate()
    assert whole.returncode == 0, printed
    expected = outcome(tmp_path / "whole" / recipe.stem / name)

    folder = tmp_path / "killed" / recipe.stem / name
    when = random.Random(int(number))
    kills = 0
    for _ in range(KILLS):
        before = saved(folder)
        process = start(recipe, tmp_path / "killed", epochs)
        while process.poll() is None:
            if saved(folder) != before:
                time.sleep(when.uniform(0, LONGEST_WAIT))
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
    assert kills >= 3
    assert not list(folder.glob(f"{files.TEMPORARY_PREFIX}*"))
    print(f"{recipe.stem}: {kills} kills survived")


@pytest.mark.soak
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
