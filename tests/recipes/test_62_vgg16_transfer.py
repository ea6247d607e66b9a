"""Averages and heads against oracles, and the block that edges have spoiled."""

from types import SimpleNamespace

from common import images, pretrained

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

CHANGED_INPUTS = [
    (
        {
            "ARCHITECTURE": keras.applications.VGG19,
            "TOP5_EXAMPLE": (0.5, 0.3, 0.1, 0.07, 0.02, 0.01),
        },
        {"layers", "example_sum"},
    ),
]


@pytest.fixture(scope="module")
def trained():
    run = SimpleNamespace(options={"weights": "edges"}, quick=True, say=print)
    return pretrained.load(run, "vgg16", 64)


def test_a_block_gives_the_mean_of_each_of_its_maps(lesson, trained):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 3))
    blocks = lesson.averaged_blocks(trained)(pixels.astype("float32"))
    assert [block.shape[1] for block in blocks] == [64, 128, 256, 512, 512]
    for number, name in ((0, "block1_conv2"), (4, "block5_conv3")):
        network = trained.network
        whole = keras.Model(network.input, network.get_layer(name).output)
        maps = whole(pixels.astype("float32")).numpy()
        mean = maps.mean(axis=(1, 2))
        np.testing.assert_allclose(blocks[number], mean, rtol=1e-3, atol=1e-3)


def test_a_head_is_scikit_learns_on_standardized_features(lesson):
    rng = np.random.default_rng(0)
    x, x_test = rng.random((2, 60, 5)).astype("float32") * [1, 10, 100, 1e-3, 0]
    y, y_test = (part[:, 1].astype(int) // 4 for part in (x, x_test))
    other = make_pipeline(StandardScaler(), LogisticRegression(C=lesson.HEAD_C))
    expected = 100 * other.fit(x, y).score(x_test, y_test)
    assert 50 < expected < 100
    assert lesson.head_on(x, x_test, y, y_test) == pytest.approx(expected)


def test_the_block_before_the_last_serves_objects_better_than_the_last(lesson, trained):
    """The finding in seconds: the last block has turned to edges."""
    run = SimpleNamespace(options={"images": None}, seed=0, say=print)
    (task,) = images.tasks(run, 64, ["fashion_mnist"], 10, 15).values()
    blocks = lesson.averaged_blocks(trained)
    train, test = pretrained.features(blocks, task.x_train, task.x_test)
    fourth, last = (
        lesson.head_on(train[block], test[block], task.y_train, task.y_test)
        for block in (3, 4)
    )
    assert fourth > last + 2
    assert fourth > 60
