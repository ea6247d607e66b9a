"""What is frozen stays, and the two tasks share no digit."""

import numpy as np
import pytest


def weights_by_layer(model):
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def moved(before, after):
    """Names of the layers of which any weight is another than before."""
    return {
        name
        for name, weights in before.items()
        if any((w != v).any() for w, v in zip(weights, after[name], strict=True))
    }


@pytest.mark.parametrize(
    ("way", "trained"),
    [
        ("frozen", {"head"}),
        ("last", {"block3", "head"}),
        ("all", {"block1", "block2", "block3", "head"}),
    ],
)
def test_frozen_weights_do_not_move(lesson, way, trained):
    model = lesson.build_model(lesson.TRAINED_FROM[way])
    before = weights_by_layer(model)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x = rng.random((10, 28, 28, 1), "float32")
        model.train_on_batch(x, rng.integers(0, 5, 10))
    assert moved(before, weights_by_layer(model)) == trained


def test_the_two_tasks_share_no_digit(lesson):
    images, labels = np.zeros((10, 28, 28)), np.arange(10)
    x, y = lesson.digits((images, labels), 5, 9)
    assert x.shape == (5, 28, 28, 1) and list(y) == [0, 1, 2, 3, 4]
