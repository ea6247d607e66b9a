"""Runs as real processes: killed, started twice, out of room, out of order."""

import ctypes
import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from common import executing, files, results
from common.executing import Request, execute

import keras
import numpy as np
import pytest

RECIPE = files.ROOT / "recipes" / "20_softmax_mnist.py"
EPOCHS = 60


def start(out, *arguments, **settings):
    return subprocess.Popen(
        [sys.executable, str(RECIPE), "--out", str(out), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **settings,
    )


def wait_for(condition, process, seconds=120):
    ends = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < ends
        time.sleep(0.02)


def outcome(folder):
    """Figures, history and weights of a finished run, bit for bit."""
    record = files.read_record(folder / "metrics.json")
    model = keras.models.load_model(folder / "model.keras", safe_mode=True)
    weights = [w.tobytes() for w in model.get_weights()]
    return record["values"], (folder / "history.csv").read_bytes(), weights


def quick(out, stem=RECIPE.stem, **settings):
    return execute(Request(stem, quick=True, out=out, **settings))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed")
    quick(out, epochs=EPOCHS)
    return outcome(out / RECIPE.stem / f"seed-0-quick-epochs-{EPOCHS}")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """(record, folder for --out) of a run of the recipe."""
    out = tmp_path_factory.mktemp("finished")
    return quick(out), out


def test_interrupted_killed_and_resumed_bit_identically(undisturbed, tmp_path):
    """Ctrl-C, then SIGTERM, then kill -9, then to the end: the same bits.

    Nor does the lock of the killed process stand in the way of the next one.
    """
    folder = tmp_path / RECIPE.stem / f"seed-0-quick-epochs-{EPOCHS}"
    checkpoint = folder / "model.checkpoint"
    written = 0.0
    for sent, status in (
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        (signal.SIGKILL, -9),
    ):
        process = start(tmp_path, "--quick", "--epochs", EPOCHS)
        wait_for(
            lambda last=written: (
                checkpoint.exists() and checkpoint.stat().st_mtime > last
            ),
            process,
        )
        process.send_signal(sent)
        sent_at = time.monotonic()
        printed, said = process.communicate(timeout=60)
        assert process.returncode == status, said
        if sent != signal.SIGKILL:
            assert time.monotonic() - sent_at < 5
            assert "run the same command again" in said and "Traceback" not in said
            assert not list(folder.glob(f"{files.TEMPORARY_PREFIX}*"))
        assert not (folder / "metrics.json").exists()
        written = checkpoint.stat().st_mtime
    (folder / f"{files.TEMPORARY_PREFIX}abc").write_bytes(b"half")
    process = start(tmp_path, "--quick", "--epochs", EPOCHS)
    printed, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert "going on after epoch" in printed
    assert outcome(folder) == undisturbed
    assert not list(folder.glob(f"{files.TEMPORARY_PREFIX}*"))
    assert not list(folder.glob("*.checkpoint"))


def obey_rights():
    """In a child process: take from root the right to write where nobody may."""
    PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


def test_out_of_room_handles_and_rights_in_the_middle(undisturbed, tmp_path):
    """Each trouble ends the run with one line; mended, it goes on to the same bits.

    What an earlier run has left there stays whole meanwhile.
    """
    folder = tmp_path / RECIPE.stem / f"seed-0-quick-epochs-{EPOCHS}"
    checkpoint = folder / "model.checkpoint"
    files.write_record(folder / "metrics.json", {"values": {"of": "an earlier run"}})
    earlier = (folder / "metrics.json").read_bytes()

    def no_room(process):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, 4096))

    def no_handles(process):
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, 3))

    def no_right(process):
        folder.chmod(0o555)

    for trouble, number in (
        (no_room, errno.EFBIG),
        (no_handles, errno.EMFILE),
        (no_right, errno.EACCES),
    ):
        seen = checkpoint.stat().st_mtime if checkpoint.exists() else 0.0
        process = start(tmp_path, "--quick", "--epochs", EPOCHS, preexec_fn=obey_rights)
        wait_for(
            lambda last=seen: checkpoint.exists() and checkpoint.stat().st_mtime > last,
            process,
        )
        trouble(process)
        _, said = process.communicate(timeout=60)
        folder.chmod(0o755)
        assert process.returncode == 1, said
        assert (
            os.strerror(number) in said and "what was finished before is kept" in said
        )
        assert said.count("\n") == 1
        assert not list(folder.glob(f"{files.TEMPORARY_PREFIX}*"))
        files.read_sealed(checkpoint)
        assert (folder / "metrics.json").read_bytes() == earlier
    process = start(tmp_path, "--quick", "--epochs", EPOCHS)
    printed, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert "going on after epoch" in printed
    assert outcome(folder) == undisturbed


def test_a_read_only_folder_is_a_wrong_request(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    process = start(closed, "--quick", preexec_fn=obey_rights)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "cannot be written to" in said and said.count("\n") == 1


def test_started_twice_one_works_and_the_other_says_so(tmp_path):
    first = start(tmp_path, "--quick", "--epochs", 3000)
    folder = tmp_path / RECIPE.stem / "seed-0-quick-epochs-3000"
    wait_for((folder / "model.checkpoint").exists, first)
    second = start(tmp_path, "--quick", "--epochs", 3000)
    _, said = second.communicate(timeout=120)
    assert second.returncode == 1
    assert "running in another process" in said and said.count("\n") == 1
    first.kill()
    first.communicate()


def test_a_folder_that_cannot_be_made_is_a_wrong_request(tmp_path):
    for out in ("/proc/here", "/sys/here"):
        with pytest.raises(files.Problem, match="--out /") as raised:
            quick(Path(out))
        assert raised.value.status == 2


def test_a_figure_does_not_depend_on_what_ran_before(finished, tmp_path):
    first, _ = finished
    other = quick(tmp_path, seed=1)
    quick(tmp_path, "13")
    again = quick(tmp_path)
    assert first["values"] == again["values"]
    assert first["history"] == again["history"]
    assert first["history"] != other["history"]


@pytest.mark.soak
def test_seeds_side_by_side_as_each_alone(tmp_path):
    """Two processes at once, as under `make -j2`: the same bits, each its own."""
    together = [start(tmp_path / "two", "--quick", "--seed", seed) for seed in (1, 2)]
    for process, seed in zip(together, (1, 2), strict=True):
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said
        folder = Path(RECIPE.stem, f"seed-{seed}-quick")
        quick(tmp_path / "one", seed=seed)
        assert outcome(tmp_path / "two" / folder) == outcome(tmp_path / "one" / folder)


@pytest.mark.soak
def test_ten_runs_in_one_process_do_not_grow(tmp_path):
    """Resident memory after the tenth run is at most 10 % over that after the third.

    All into the same folder: a run that is over must not hold its lock.
    """
    page = os.sysconf("SC_PAGE_SIZE")
    sizes = []
    for _ in range(10):
        quick(tmp_path)
        with open("/proc/self/statm") as statm:
            sizes.append(int(statm.read().split()[1]) * page)
    assert sizes[-1] < 1.1 * sizes[2]


@pytest.mark.parametrize("name", ["metrics.json", "history.csv", "model.keras"])
def test_a_damaged_run_is_named_and_not_taken_over(finished, tmp_path, capsys, name):
    shutil.copytree(finished[1], tmp_path, dirs_exist_ok=True)
    request = Request(RECIPE.stem, quick=True, out=tmp_path)
    assert executing.finished(request)
    path = tmp_path / RECIPE.stem / "seed-0-quick" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    assert executing.finished(request) is None
    said = capsys.readouterr().out
    assert f"{name} is damaged" in said and f"{name}.damaged" in said
    assert not path.exists()


def test_any_damage_to_a_record_is_noticed(tmp_path):
    path = tmp_path / "record.json"
    files.write_record(
        path, {"values": {"test_accuracy": [98.13, 98.2]}, "제목": "하나"}
    )
    sound = path.read_bytes()
    record = files.read_record(path)
    rng = np.random.default_rng(1)
    harmless = 0
    for _ in range(300):
        damaged = bytearray(sound)
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            # A blank between two fields may become another blank, no more.
            assert files.read_record(path) == record
            harmless += 1
        except ValueError as error:
            assert "record.json" in str(error)
    assert harmless < 15
    for content in (b"", sound[:-5], b"[]", b"null", b"[" * 100_000):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"record\.json"):
            files.read_record(path)


def test_a_damaged_result_is_set_aside_and_work_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    files.write_record(tmp_path / f"{RECIPE.stem}.json", {"values": {}})
    path = tmp_path / f"{RECIPE.stem}.json"
    path.write_bytes(path.read_bytes()[:-20])
    assert results.read_result(RECIPE) is None
    assert f"{RECIPE.stem}.json is damaged" in capsys.readouterr().out
    assert [p.name for p in tmp_path.iterdir()] == [f"{RECIPE.stem}.json.damaged"]


def test_set_aside_never_overwrites(tmp_path):
    for content in (b"first", b"second", b"third"):
        (tmp_path / "a").write_bytes(content)
        files.set_aside(tmp_path / "a")
    kept = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    assert kept == {
        "a.damaged": b"first", "a.damaged-2": b"second", "a.damaged-3": b"third",
    }  # fmt: skip


def test_collect_counts_only_full_runs_of_the_recipe_as_it_is(
    finished, tmp_path, monkeypatch
):
    runs = tmp_path / "runs"
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    base, _ = finished

    def put(folder, seed, accuracy, **changes):
        record = json.loads(json.dumps(base))
        record |= {"quick": False, "epochs": None, "seed": seed, "files": {}, **changes}
        record["values"] = {"test_accuracy": accuracy}
        files.write_record(runs / RECIPE.stem / folder / "metrics.json", record)

    put("seed-0", 0, 90.0)
    put("seed-10", 10, 90.2)
    put("seed-2", 2, 90.1)
    put("seed-3-quick", 3, 10.0, quick=True)
    put("seed-4-epochs-1", 4, 10.0, epochs=1)
    put("seed-5", 5, 10.0, recipe_hash="of another version")
    put("seed-6", 6, 10.0, plumbing={"training": "of another version"})
    put("seed-7", 7, 10.0, versions={"tensorflow": "1.0"})
    put("seed-0-1a2b3c4d", 0, 10.0)
    result = results.collect(RECIPE, runs)
    assert result["seeds"] == [0, 2, 10]
    assert result["values"]["test_accuracy"] == [90.0, 90.1, 90.2]
    assert executing.differing(result, RECIPE) == []
    with pytest.raises(files.Problem, match="no finished run"):
        results.collect(RECIPE, tmp_path / "nowhere")
