"""The bench's arithmetic, its commands, and what it wrote; measuring: `make bench`."""

import sys

from bench import __main__ as command_line
from bench import judging, labs, measuring, readme
from bench.contestants import description
from bench.flops import multiply_adds, training_flops
from common import devices, files, recipes
from common.files import ROOT, Problem

import numpy as np
import pytest

BENCH = ROOT / "bench"


@pytest.fixture(scope="module")
def described():
    """{number: the recipe's own network in plain values} of the labs with networks."""
    found = {}
    for key, lab in labs.LABS.items():
        if lab.loop == "network":
            model = recipes.load(recipes.find(key)).build_model()
            found[key] = description.describe(model)
    return found


def test_the_recipes_build_the_networks_that_the_labs_are_called_after(described):
    parameters = {"20": 7_850, "22": 269_322, "24": 1_195_018, "32": 50_090}
    parameters |= {"33": 61_706, "43": 24_458}
    assert {key: one["parameters"] for key, one in described.items()} == parameters
    kinds = {
        key: {la["kind"] for la in one["layers"]} for key, one in described.items()
    }
    assert "dropout" in kinds["24"] and "pool" in kinds["33"] and "lstm" in kinds["43"]
    assert described["33"]["layers"][1]["activation"] == "relu"
    assert described["43"]["clip"] == 1 and described["43"]["learning_rate"] > 0


def test_flops_of_known_networks(described):
    layers = described["24"]["layers"]
    first, hidden, last = 784 * 512, 512 * 512, 512 * 10
    assert multiply_adds(layers) == [first, hidden, hidden, hidden, last]
    # Forward, and backward twice: for the weights, and for what is below.
    assert training_flops(layers) == 2 * (2 * first + 9 * hidden + 3 * last)

    # The connections of the published LeNet-5's layers, all maps of C3 connected.
    c1, c3, c5 = 28 * 28 * 6 * 25, 10 * 10 * 16 * 6 * 25, 400 * 120
    found = multiply_adds(described["33"]["layers"])
    assert found == [c1, c3, c5, 120 * 84, 84 * 10]

    lstm = [28 * 4 * 28 * 64, 28 * 4 * 64 * 64, 640]
    assert multiply_adds(described["43"]["layers"]) == lstm
    assert training_flops([{"kind": "rbm", "visible": 3, "hidden": 2}]) == 60


def test_ratio_is_of_the_fastest_and_its_spread_of_the_rounds():
    found = judging.ratio([2.0, 3.0, 4.0], [4.0, 8.0, 5.0])
    assert found == judging.Ratio(0.5, 3 / 8, 4 / 5)
    with pytest.raises(ValueError):
        judging.ratio([1.0], [1.0, 2.0])


def test_goals_are_judged_against_the_best_peer_and_the_floor():
    lab = {
        "flops": 1e9,
        "flops_per_second": 1e10,
        "contestants": {
            "ours": {"seconds": [0.2, 0.3]},
            "keras": {"seconds": [0.4, 0.6]},
            "jax-scan": {"seconds": [0.1, 0.2]},
        },
    }
    found = judging.verdicts("20", lab)
    assert found["peer"].against == labs.CONTESTANTS["jax-scan"].label
    assert found["peer"].ratio.value == 2 and not found["peer"].met
    assert found["keras"].ratio.value == 0.5 and not found["keras"].met
    assert found["floor"].ratio.value == pytest.approx(2) and found["floor"].met


@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("fixed", [0, 5, 1000])
def test_growth_is_found_beside_a_fixed_cost(fixed, slope):
    sizes = np.array([1, 2, 5, 10, 20, 60]) * 1000
    values = fixed + 100 * (sizes / 1000) ** slope
    found_fixed, found_slope = judging.fit_growth(sizes, values)
    assert found_slope == pytest.approx(slope, abs=0.02)
    assert found_fixed == pytest.approx(fixed, abs=6)


def test_what_is_published_is_what_was_measured():
    assert (BENCH / "README.md").read_text(encoding="utf-8") == readme.render()
    if not (BENCH / "results.json").exists():
        pytest.skip("not measured yet: make bench")
    record = files.read_record(BENCH / "results.json")
    assert set(record["labs"]) == set(labs.LABS)
    assert record["epochs"] >= 5
    for key, lab in record["labs"].items():
        assert set(lab["contestants"]) == set(labs.LABS[key].contestants)
        for one in lab["contestants"].values():
            assert len(one["seconds"]) == record["epochs"]
            on_gpu = "GPU" in one["device"].upper()
            assert on_gpu == (record["device"] == "gpu")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["labs", "19"], "'19' is none of 20, 22"),
        (["labs", "--only", "keras", "--out", "x"], "ours must be among them"),
        (["labs", "--images", "1000"], "give --out DIR"),
        (["labs", "--epochs", "0"], "'0' is not a whole number"),
        (["labs", "--only", "ours,me"], "'me' is none of ours"),
    ],
)
def test_a_command_that_cannot_be_meant_is_one_line(arguments, said, capsys):
    with pytest.raises(SystemExit) as stop:
        command_line.main(arguments)
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert said in error and error.count("\n") == 1


def test_peers_that_are_not_there_are_told(tmp_path, capsys):
    flags = ["--peers", str(tmp_path / "python"), "--out", str(tmp_path)]
    assert command_line.main(["labs", "20", *flags]) == 2
    error = capsys.readouterr().err
    assert "make bench sets it up" in error and error.count("\n") == 1


def test_a_gpu_that_is_not_there_is_refused(tmp_path, monkeypatch, capsys):
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")

    class InThisProcess:
        """What a contestant's process does before it answers."""

        def __init__(self, contestant, lab, shared, flags, device, peers):
            try:
                devices.choose(device)
            except Problem as problem:
                raise measuring.Refused(str(problem)) from problem

    monkeypatch.setattr(measuring, "Process", InThisProcess)
    flags = ["--device", "gpu", "--peers", sys.executable, "--out", str(tmp_path)]
    status = command_line.main(["labs", "20", *flags])
    said = capsys.readouterr().err
    assert status == 2
    assert said.startswith("bench: --device gpu: ") and said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
