"""The bench's arithmetic and what it wrote; measuring itself is `make bench`."""

import json
import subprocess
import sys

from common import devices, files, recipes
from common.files import ROOT

import numpy as np
import pytest

BENCH = ROOT / "bench"


@pytest.fixture
def modules(monkeypatch):
    """The bench's labs and publish modules, which are scripts beside each other."""
    monkeypatch.syspath_prepend(str(BENCH))
    import labs
    import publish

    return labs, publish


@pytest.fixture
def tensorflow(monkeypatch):
    """The contestants on TensorFlow as a module."""
    monkeypatch.syspath_prepend(str(BENCH))
    import contestants_tensorflow

    return contestants_tensorflow


def test_flops_of_known_networks(modules, tensorflow):
    labs, _ = modules
    lesson = recipes.load(recipes.find("24"))
    layers = tensorflow.describe(lesson.build_model(0.3))["layers"]
    first, hidden, last = 784 * 512, 512 * 512, 512 * 10
    assert labs.multiply_adds(layers) == [first, hidden, hidden, hidden, last]
    # Forward, and backward twice: for the weights, and for what is below.
    assert labs.training_flops(layers) == 2 * (2 * first + 9 * hidden + 3 * last)

    lesson = recipes.load(recipes.find("33"))
    import keras

    layers = tensorflow.describe(
        lesson.build_model("relu", keras.layers.MaxPooling2D, 100)
    )["layers"]
    # The connections of the published LeNet-5's layers, all maps of C3 connected.
    c1, c3, c5 = 28 * 28 * 6 * 25, 10 * 10 * 16 * 6 * 25, 400 * 120
    assert labs.multiply_adds(layers) == [c1, c3, c5, 120 * 84, 84 * 10]

    lstm = [{"kind": "lstm", "units": 64}, {"kind": "dense", "units": 10}]
    assert labs.multiply_adds(lstm) == [28 * 4 * 28 * 64, 28 * 4 * 64 * 64, 640]
    assert labs.training_flops([{"kind": "rbm", "visible": 3, "hidden": 2}]) == 60


def test_ratio_is_of_the_fastest_and_its_spread_of_the_rounds(modules):
    _, publish = modules
    found = publish.ratio([2.0, 3.0, 4.0], [4.0, 8.0, 5.0])
    assert found == publish.Ratio(0.5, 3 / 8, 4 / 5)
    with pytest.raises(ValueError):
        publish.ratio([1.0], [1.0, 2.0])


def test_goals_are_judged_against_the_best_peer_and_the_floor(modules):
    labs, publish = modules
    lab = {
        "flops": 1e9,
        "flops_per_second": 1e10,
        "contestants": {
            "ours": {"seconds": [0.2, 0.3]},
            "keras": {"seconds": [0.4, 0.6]},
            "jax-scan": {"seconds": [0.1, 0.2]},
        },
    }
    found = publish.verdicts("20", lab)
    assert found["peer"].against == labs.CONTESTANTS["jax-scan"].label
    assert found["peer"].ratio.value == 2 and not found["peer"].met
    assert found["keras"].ratio.value == 0.5 and not found["keras"].met
    assert found["floor"].ratio.value == pytest.approx(2) and found["floor"].met


@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("fixed", [0, 5, 1000])
def test_growth_is_found_beside_a_fixed_cost(modules, fixed, slope):
    _, publish = modules
    sizes = np.array([1, 2, 5, 10, 20, 60]) * 1000
    values = fixed + 100 * (sizes / 1000) ** slope
    found_fixed, found_slope = publish.fit_growth(sizes, values)
    assert found_slope == pytest.approx(slope, abs=0.02)
    assert found_fixed == pytest.approx(fixed, abs=6)


def test_what_is_published_is_what_was_measured(modules):
    labs, publish = modules
    assert (BENCH / "README.md").read_text(encoding="utf-8") == publish.render()
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


def test_a_gpu_that_is_not_there_is_refused(modules, tmp_path, monkeypatch, capsys):
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    import measure

    class InThisProcess:
        """What a contestant's process does before it answers."""

        def __init__(self, contestant, lab, shared, args, *flags):
            try:
                devices.choose(args.device)
            except files.Problem as problem:
                raise measure.Refused(str(problem)) from problem

    monkeypatch.setattr(measure, "Process", InThisProcess)
    flags = ["--peers", sys.executable, "--labs", "20", "--out", str(tmp_path)]
    status = measure.main(["--device", "gpu", *flags])
    said = capsys.readouterr().err
    assert status == 2
    assert said.startswith("measure.py: --device gpu: ") and said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_contestant_trains_when_told(tmp_path):
    words = "score\nepoch\nepoch\nscore\n"
    done = subprocess.run(
        [
            sys.executable,
            BENCH / "contestants_tensorflow.py",
            "20",
            "ours",
            f"--shared={tmp_path}",
            "--images=1000",
        ],
        input=words,
        capture_output=True,
        text=True,
    )
    about, before, first, second, after = map(json.loads, done.stdout.splitlines())
    assert about["parameters"] == 7_850 and about["device"].startswith("CPU")
    assert first["seconds"] > second["seconds"] > 0
    assert after["score"] > before["score"]
    assert (tmp_path / "network.json").exists() and (tmp_path / "start.npz").exists()
