"""Many runs in processes of their own: done, killed, taken over, interrupted."""

import contextlib
import os
import signal
import subprocess
import sys
import time

from common import batch, executing, files, recipes, results

import pytest


def start(out, *arguments):
    command = [sys.executable, "-m", "common.batch", "--out", str(out), *arguments]
    return subprocess.Popen(
        command,
        cwd=files.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def holder(path):
    """The process that has a file open, None where there is none."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            handles = os.listdir(f"/proc/{pid}/fd")
            if any(os.readlink(f"/proc/{pid}/fd/{h}") == str(path) for h in handles):
                return int(pid)
    return None


def wait_until(condition, process=None):
    ends = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < ends
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.05)


def test_runs_are_those_of_the_command_line(tmp_path, quick_run):
    process = start(tmp_path, "--quick", "--jobs", "2", "01", "20")
    printed, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert "[2 of 2]" in printed and "Finding:" in printed
    for stem in ("01_neuron_gradient", "20_softmax_mnist"):
        record = files.read_record(tmp_path / stem / "seed-0-quick" / "metrics.json")
        alone, _ = quick_run(stem)
        assert record["values"] == alone["values"]
        assert record["history"] == alone["history"]
    again = start(tmp_path, "--quick", "01", "20")
    printed, said = again.communicate(timeout=300)
    assert again.returncode == 0, said
    assert "2 of 2 recipes: finished before, taken over" in printed


def test_one_killed_takes_no_other_along(tmp_path):
    """A run ended by kill -9 is named; the other one is done."""
    held = tmp_path / "20_softmax_mnist" / "seed-0-quick-epochs-2000"
    process = start(tmp_path, "--quick", "--epochs", "2000", "01", "20")
    wait_until((held / "model.checkpoint").exists, process)
    os.kill(holder(held / ".lock"), signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "1 of 2 runs failed: 20_softmax_mnist seed 0 (ended by signal 9)" in said
    assert said.count("\n") == 1
    name = "01_neuron_gradient/seed-0-quick-epochs-2000/metrics.json"
    assert (tmp_path / name).exists() and not (held / "metrics.json").exists()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_when_it_ends_its_runs_end(tmp_path, sent):
    held = tmp_path / "20_softmax_mnist" / "seed-0-quick-epochs-100000"
    process = start(tmp_path, "--quick", "--epochs", "100000", "20")
    wait_until((held / "model.checkpoint").exists, process)
    process.send_signal(sent)
    process.communicate(timeout=60)
    assert process.returncode == (130 if sent == signal.SIGINT else -9)
    wait_until(lambda: holder(held / ".lock") is None)
    files.read_sealed(held / "model.checkpoint")


def test_measuring_takes_as_many_seeds_as_the_result_has(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    recipe = recipes.find("20")
    assert results.seeds_of(recipe, seconds=10) == 5
    assert results.seeds_of(recipe, seconds=100) == 3
    assert results.seeds_of(recipes.find("07"), seconds=1) == 1, "no seed changes it"
    measured = {"seeds": [0, 1], "seconds": [9, 8]}
    files.write_record(results.result_path(recipe), measured)
    assert results.seeds_of(recipe, seconds=10) == 2
    requests, done = batch.measuring([recipe], tmp_path / "runs", "cpu")
    assert [(r.seed, r.device, r.quick) for r in requests] == [
        (0, "cpu", False),
        (1, "cpu", False),
    ]
    ran, collected = {}, []
    monkeypatch.setattr(executing, "finished", lambda request: ran.get(request.seed))
    monkeypatch.setattr(results, "collect", lambda which, out: collected.append(which))
    for request in requests:
        assert collected == []
        ran[request.seed] = {"seconds": 9.0}
        assert not done(request)
    assert collected == [recipe]


@pytest.mark.parametrize(("seconds", "seeds"), [(10.0, 5), (100.0, 3)])
def test_the_first_seed_of_a_new_recipe_says_how_many_follow(
    tmp_path, monkeypatch, seconds, seeds
):
    ran, collected = {}, []
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    monkeypatch.setattr(executing, "finished", lambda request: ran.get(request.seed))
    monkeypatch.setattr(results, "collect", lambda which, out: collected.append(which))
    requests, done = batch.measuring([recipes.find("20")], tmp_path / "runs", "cpu")
    assert [request.seed for request in requests] == [0]
    ran[0] = {"seconds": seconds}
    further = done(requests[0])
    assert [request.seed for request in further] == list(range(1, seeds))
    for request in further:
        assert collected == []
        ran[request.seed] = {"seconds": seconds}
        assert not done(request)
    assert collected == [recipes.find("20")]


def test_a_wrong_number_is_a_wrong_request(capsys):
    assert batch.main(["99"]) == 2
    assert capsys.readouterr().err.startswith("batch: there is no recipe '99'")
