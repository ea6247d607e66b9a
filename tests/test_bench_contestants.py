"""The bench's contestants: how they are told, what they shuffle, what they describe."""

import json
from typing import ClassVar

from bench import labs
from bench.contestants import description, protocol, task
from bench.contestants import tensorflow as contestant
from bench.growth import SERIES
from bench.processes import Failed, Process
from common import recipes
from common.files import Problem

import keras
import numpy as np
import pytest
import tensorflow as tf


def test_a_layer_without_a_word_is_refused():
    with pytest.raises(Problem, match="Softmax"):
        description.describe_layer(keras.layers.Softmax())


def test_growth_changes_settings_that_the_recipes_have():
    for series in SERIES:
        recipe = recipes.load(recipes.find(series.lab))
        for flag in series.flags(series.sizes[0]):
            if flag.startswith("--settings="):
                values = json.loads(flag.removeprefix("--settings="))
                assert all(hasattr(recipe, name) for name in values)


class ThreeEpochs:
    """A gate that closes before the fourth epoch.

    scores: before the first and after each epoch, as far as there were any.
    """

    def __init__(self):
        self.about, self.waited, self.scores = {}, 0, []
        self.score = lambda: None

    def wait(self):
        self.scores.append(self.score())
        self.waited += 1
        if self.waited > 3:
            raise EOFError


class Flatten(keras.layers.Flatten):
    """Keras' layer, which notes the first pixel of every image that passes."""

    supports_jit = False
    seen: ClassVar = []

    def call(self, x):
        return tf.ensure_shape(
            tf.numpy_function(self.note, [x], "float32"), [None, 784]
        )

    def note(self, x):
        self.seen.append(x[:, 0, 0])
        return x.reshape(-1, 784)


class Recipe:
    """What the bench asks of a recipe with a network."""

    BATCH_SIZE = 8

    def build_model(self):
        model = keras.Sequential(
            [keras.Input((28, 28)), Flatten(), keras.layers.Dense(3)]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer=keras.optimizers.Adam(), loss=loss)
        return model


@pytest.mark.parametrize(("seed", "orders"), [(None, 3), (0, 1)])
def test_keras_shuffles_anew_in_every_epoch_unless_seeded(
    seed, orders, tmp_path, monkeypatch
):
    """The contestant gives no seed: under one, Keras' fit would keep its order."""
    x, y = np.zeros((40, 28, 28), "float32"), np.zeros(40, "int32")
    x[:, 0, 0] = np.arange(40)
    monkeypatch.setattr(task, "mnist", lambda images: ((x, y), (x, y)))
    recipe = Recipe()
    protocol.write_network(tmp_path, {}, recipe.build_model().get_weights())
    job = protocol.Job(lab="20", variant="keras", shared=tmp_path)
    tf.random.set_seed(seed)  # None, as in a process where nobody gave one
    monkeypatch.setattr(Flatten, "seen", [])
    with pytest.raises(EOFError):
        contestant.network(job, ThreeEpochs(), recipe, run=None)
    # The others are parts of the test images, whose score the gate asks for.
    batches = [batch for batch in Flatten.seen if len(batch) == Recipe.BATCH_SIZE]
    epochs = np.reshape(batches, (3, 40))
    assert np.array_equal(np.sort(epochs), np.tile(np.arange(40), (3, 1)))
    assert len(np.unique(epochs, axis=0)) == orders


@pytest.mark.parametrize(
    ("key", "settings"),
    [("20", {}), ("51", {"HIDDEN_UNITS": 8}), ("18", {"NETWORKS": 5, "LAB_STEPS": 10})],
)
def test_recipes_train_as_they_do_themselves(key, settings, tmp_path):
    """Of every kind of loop one: told by the gate, its network left for the others."""
    gate = ThreeEpochs()
    job = protocol.Job(key, "ours", tmp_path, images=500, settings=settings)
    with pytest.raises(EOFError):
        contestant.enter(job, gate)
    known, start = protocol.read_network(tmp_path)
    assert known["parameters"] == sum(array.size for array in start)
    assert gate.about["parameters"] == known["parameters"]
    first, last = gate.scores[0], gate.scores[-1]
    if key == "18":
        assert known["layers"][0]["networks"] == 5 and 0 <= last <= 100
    else:
        assert last > first if key == "20" else last < first


def test_a_setting_that_the_recipe_has_not_is_refused(tmp_path):
    job = protocol.Job("20", "ours", tmp_path, settings={"UNITS": 3})
    with pytest.raises(Problem, match="no setting UNITS"):
        contestant.enter(job, ThreeEpochs())


def test_a_process_trains_when_told(tmp_path):
    """NumPy's, as it starts fastest; from a folder where nothing is installed."""
    rng = np.random.default_rng(0)
    start = rng.normal(0, 0.01, (784, 16)), np.full(784, -2.0), np.zeros(16)
    start = [array.astype("float32") for array in start]
    known = {"learning_rate": 0.1, "batch_size": 100}
    protocol.write_network(tmp_path, known, start)
    process = Process(labs.CONTESTANTS["numpy"], "51", tmp_path, ["--images=1000"])
    try:
        assert process.about["parameters"] == sum(array.size for array in start)
        before, first, second, after = map(
            process.tell, ("score", *2 * ["epoch"], "score")
        )
        process.process.kill()
        with pytest.raises(Failed, match="status -9"):
            process.tell("epoch")
    finally:
        process.end()
    assert first["seconds"] > 0 and second["processor_seconds"] > 0
    assert after["score"] < before["score"]
    assert after["peak_mb"] > 10
