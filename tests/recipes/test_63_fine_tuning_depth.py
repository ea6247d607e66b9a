"""Only what is thawed moves, and what it costs."""

import keras
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


def test_only_thawed_blocks_move_batch_statistics_included(lesson):
    backbone = lesson.build_backbone(None)
    rng = np.random.default_rng(0)
    x = rng.random((8, 32, 32, 3), "float32")
    y = rng.integers(0, 3, 8)
    before = weights_by_layer(backbone)
    lesson.thaw(backbone, 2)
    model = lesson.build_model(backbone, 3)
    model.run_eagerly = True
    model.train_on_batch(x, y)
    names = moved(before, weights_by_layer(backbone))
    assert {lesson.block_of(backbone.get_layer(name)) for name in names} == {12, 13}
    kinds = {type(backbone.get_layer(name)).__name__ for name in names}
    assert kinds == {"BatchNormalization", "Conv2D", "DepthwiseConv2D"}


def test_blocks_and_costs(lesson):
    backbone = lesson.build_backbone(None)
    numbers = {lesson.block_of(layer) for layer in backbone.layers}
    assert numbers == set(range(1, 14))
    costs = [lesson.relative_cost(backbone, depth) for depth in range(14)]
    assert costs[0] == 1 and costs[13] == pytest.approx(3)
    assert costs == sorted(costs)
    weights = []
    for depth in range(14):
        lesson.thaw(backbone, depth)
        weights.append(sum(w.numpy().size for w in backbone.trainable_weights))
    assert weights[0] == 0 and weights == sorted(set(weights))
    # The whole of MobileNet at 224 pixels: the paper's 569 million multiplications.
    whole = keras.applications.MobileNet(weights=None)
    places = [
        np.prod(layer.output.shape[1:3]) * np.prod(layer.kernel.shape)
        for layer in whole.layers
        if hasattr(layer, "kernel")
    ]
    assert round(sum(places) / 1e6) == 569
