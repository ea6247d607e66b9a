"""Recipes x seeds through Ray: the same files as without it, whatever is killed."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from cluster import plan
from common import files
from common.executing import Request, Run

import keras
import numpy as np
import pytest

RAY = "Ray is not installed (requirements-cluster.txt)"
UNLIKE = "seconds", "date", "files"  # of a record: what no two runs share
ENVIRONMENT = {
    **os.environ,
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": "of-these-tests-only",
    "RAY_USAGE_STATS_ENABLED": "0",
}


def start(out, *arguments, script=("-m", "cluster")):
    command = [sys.executable, *script, "--out", out, "--quick", *arguments]
    return subprocess.Popen(
        list(map(str, command)),
        cwd=files.ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process, status=0, seconds=300):
    """What a process that ends with this status printed, and said as an error."""
    printed, said = process.communicate(timeout=seconds)
    assert process.returncode == status, printed + said
    return printed, said


def content(folder):
    """What a run folder holds but its times: {name: bytes}, and the record."""

    def timeless(path):
        if path.suffix != ".keras":
            return path.read_bytes()
        weights = keras.models.load_model(path, compile=False).get_weights()
        return [weight.tobytes() for weight in weights]  # its other files hold the date

    found = {
        str(path.relative_to(folder)): timeless(path)
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (".lock", "metrics.json")
    }
    # TensorBoard's events are named by the second, and hold it.
    charts = {name for name in found if name.startswith("tensorboard")}
    events = sorted({str(Path(name).parent) for name in charts})
    record = files.read_record(folder / "metrics.json")
    assert set(record["files"]) == set(found) - charts
    kept = {key: value for key, value in record.items() if key not in UNLIKE}
    return {name: found[name] for name in set(found) - charts}, events, kept


def alone(out, stem, seed, *arguments):
    """The content of the run folder that the recipe's own command line leaves."""
    command = [sys.executable, files.ROOT / "recipes" / f"{stem}.py", "--quick"]
    command += ["--seed", seed, "--out", out, *arguments]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    (folder,) = (out / stem).glob(f"seed-{seed}-*")
    return content(folder)


def test_without_ray_a_line_says_what_to_install(tmp_path):
    code = "import sys; sys.modules['ray'] = None; import runpy; "
    code += "runpy.run_module('cluster', run_name='__main__')"
    _, said = finish(start(tmp_path, "01", script=("-c", code)), status=1)
    assert "requirements-cluster.txt" in said and said.count("\n") == 1


@pytest.mark.parametrize(
    "arguments, named",
    [
        (["99"], "there is no recipe '99'"),
        (["01", "--gpus-per-run", "1.5"], "'1.5' is no share of a GPU"),
        (["01", "--seeds", "0"], "--seeds"),
        (["01", "--address", "lab"], "'lab' is not HOST:PORT"),
    ],
)
def test_a_wrong_request_is_one_line(tmp_path, arguments, named):
    _, said = finish(start(tmp_path, *arguments), status=2)
    assert named in said and "Traceback" not in said


def test_an_address_where_nothing_listens_is_one_line(tmp_path):
    pytest.importorskip("ray", reason=RAY)
    process = start(tmp_path, "01", "--address", "127.0.0.1:1")
    _, said = finish(process, status=1)
    assert "no cluster at 127.0.0.1:1" in said and "Traceback" not in said


def test_on_one_machine_folders_are_those_of_the_command_line(tmp_path):
    pytest.importorskip("ray", reason=RAY)
    printed, _ = finish(start(tmp_path / "ray", "01", "20", "--seeds", "2"))
    assert "[4 of 4 done, 0 running, 0 failed, 0 to come]" in printed
    for stem in ("01_neuron_gradient", "20_softmax_mnist"):
        through = content(tmp_path / "ray" / stem / "seed-1-quick")
        assert through == alone(tmp_path / "alone", stem, 1)
    printed, _ = finish(start(tmp_path / "ray", "01", "20", "--seeds", "2"))
    assert "4 of 4 runs: finished before" in printed


@pytest.fixture(scope="module")
def two_nodes():
    """Two nodes of one CPU on this machine; gives the cluster of Ray's own tests."""
    names = {name: value for name, value in ENVIRONMENT.items() if name[:4] == "RAY_"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in names.items():  # Ray reads them when it is imported
            patch.setenv(name, value)
        pytest.importorskip("ray", reason=RAY)
        from ray.cluster_utils import Cluster

        node = {"num_cpus": 1, "object_store_memory": 100_000_000, "memory": 4e9}
        cluster = Cluster(initialize_head=True, head_node_args=node)
        cluster.spare = lambda: cluster.add_node(**node)
        yield cluster
        cluster.shutdown()


def processes(title):
    """The numbers of the processes whose command line holds `title`."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and title in (entry / "cmdline").read_text():
                found.append(int(entry.name))
    return found


def wait_until(condition, process, seconds=120):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)


LONG = "--epochs", "300"  # of recipe 20 in quick mode: some seconds each


def long_runs(out, address, *more):
    return start(out, "20", "--seeds", "4", *LONG, "--address", address, *more)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The contents of the four long runs, each run alone."""
    out = tmp_path_factory.mktemp("alone")
    return [alone(out, "20_softmax_mnist", seed, *LONG) for seed in range(4)]


def found(out):
    folders = [
        Run(Request("20", seed, True, int(LONG[1]), out=out)).folder
        for seed in range(4)
    ]
    return [content(folder) for folder in folders]


@pytest.mark.soak
def test_a_killed_worker_and_a_killed_node_lose_nothing(tmp_path, two_nodes, expected):
    node = two_nodes.spare()
    process = long_runs(tmp_path, two_nodes.address)
    wait_until(lambda: len(processes("ray::run")) == 2, process)
    os.kill(processes("ray::run")[0], signal.SIGKILL)
    time.sleep(10)
    two_nodes.remove_node(node, allow_graceful=False)  # kill -9 of all its processes
    printed, _ = finish(process)
    assert "lost (" in printed and "left the cluster" in printed
    assert "[4 of 4 done, 0 running, 0 failed, 0 to come]" in printed
    assert found(tmp_path) == expected


@pytest.mark.soak
def test_a_killed_driver_goes_on_where_it_was(tmp_path, two_nodes, expected):
    process = long_runs(tmp_path, two_nodes.address)
    wait_until(lambda: list(tmp_path.rglob("metrics.json")), process)
    process.kill()
    process.wait()
    ends = time.monotonic() + 30
    while processes("ray::run"):  # the runs of a driver end with it
        assert time.monotonic() < ends
        time.sleep(0.2)
    printed, _ = finish(long_runs(tmp_path, two_nodes.address))
    assert "of 4 runs: finished before" in printed
    assert found(tmp_path) == expected


@pytest.mark.soak
def test_ctrl_c_ends_the_runs_and_says_how_to_go_on(tmp_path, two_nodes):
    process = long_runs(tmp_path, two_nodes.address)
    wait_until(lambda: processes("ray::run"), process)
    process.send_signal(signal.SIGINT)
    _, said = finish(process, status=130)
    assert "run the same command again to go on" in said
    ends = time.monotonic() + 30
    while processes("ray::run"):
        assert time.monotonic() < ends
        time.sleep(0.2)


@pytest.mark.soak
def test_two_drivers_at_once_leave_whole_folders(tmp_path, two_nodes, expected):
    both = [long_runs(tmp_path, two_nodes.address) for _ in range(2)]
    for process in both:
        finish(process, seconds=600)
    assert found(tmp_path) == expected


@pytest.mark.soak
def test_no_room_at_the_driver_keeps_what_was_finished(tmp_path, two_nodes, expected):
    process = long_runs(tmp_path, two_nodes.address)
    wait_until(lambda: list(tmp_path.rglob("metrics.json")), process)
    before = {path: path.read_bytes() for path in tmp_path.rglob("metrics.json")}
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, 4096))
    _, said = finish(process, status=1)
    assert "what was finished before is kept" in said and "Traceback" not in said
    assert all(path.read_bytes() == text for path, text in before.items())
    finish(long_runs(tmp_path, two_nodes.address))
    assert found(tmp_path) == expected


def test_the_plan_by_hand():
    """Four runs on two machines; a loss is noticed late and its run starts over."""
    assert plan.makespan([5, 4, 3, 3], machines=2) == 8  # 5 + 3, 4 + 3
    assert plan.lower_bound([5, 4, 3, 3], machines=2) == 7.5
    assert plan.lower_bound([9, 1, 1], machines=2) == 9
    # The second machine fails at 6, in its second run; the first does it at 21.
    lost = np.array([np.inf, 6.0])
    assert plan.makespan([5, 4, 3, 3], 2, lost) == 6 + plan.NOTICED + 3
    with pytest.raises(ValueError, match="every machine failed"):
        plan.makespan([5], 1, np.array([2.0]))


SCRIPT = """
import ray, sys
from dataclasses import replace
from pathlib import Path
from cluster.driver import Driver
from common import running
from common.executing import Request
from cluster.__main__ import connect

connect(sys.argv[1])
out = Path(sys.argv[sys.argv.index("--out") + 1])
requests = [Request("01", quick=True, out=out), Request("20", quick=True, out=out)]
driver = Driver(requests, 0.0, lambda request: None)
{}
sys.exit(running.guarded(driver.run, "cluster"))
"""


@pytest.mark.soak
def test_a_wrong_run_is_named_and_not_tried_again(tmp_path, two_nodes):
    change = "driver.queue[1] = replace(driver.queue[1], device='gpu:7')"
    process = start(tmp_path, script=("-c", SCRIPT.format(change), two_nodes.address))
    printed, said = finish(process, status=1)
    assert "1 of 2 runs failed: 20 seed 0" in said and "attempt" not in printed
    assert "gpu:7" in said
    assert (tmp_path / "01_neuron_gradient" / "seed-0-quick" / "metrics.json").exists()


@pytest.mark.soak
def test_a_node_with_another_package_is_refused_by_name(tmp_path, two_nodes):
    change = "driver.wanted['keras'] = '0.1'"
    process = start(tmp_path, script=("-c", SCRIPT.format(change), two_nodes.address))
    printed, said = finish(process, status=1)
    assert " is refused: keras is " in printed and "here 0.1" in printed
    assert "no node may run them" in said
