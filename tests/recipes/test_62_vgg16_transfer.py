"""VGG16's shares and blocks, and its weights from a file."""

from types import SimpleNamespace

from common import pretrained, recipes
from common.files import Problem

import keras
import numpy as np
import pytest

CHANGED_INPUTS = [
    (
        {
            "ARCHITECTURE": keras.applications.VGG19,
            "TOP5_EXAMPLE": (0.5, 0.3, 0.1, 0.07, 0.02, 0.01),
        },
        {"layers", "parameters", "example_sum"},
    ),
]


def test_shares_of_vgg16(lesson):
    depth, parameters, shares = lesson.weight_shares()
    assert depth == 16
    assert parameters == 138_357_544
    assert sum(shares.values()) == pytest.approx(100)
    dense = 25_088 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    found = sum(shares[name] for name in ("fc1", "fc2", "fc3"))
    assert found == pytest.approx(100 * dense / parameters)
    assert "block5" in shares and len(shares) == 8


def test_vgg16_gives_one_mean_per_block_and_channel(lesson):
    backbone = lesson.build_backbone(None)
    pixels = np.random.default_rng(0).integers(0, 255, (2, 16, 16, 3), "uint8")
    blocks = backbone(lesson.preprocess(pixels))
    assert [block.shape[1] for block in blocks] == [64, 128, 256]
    network = keras.Model(backbone.input, backbone.get_layer("block2_conv2").output)
    maps = network(lesson.preprocess(pixels)).numpy()
    np.testing.assert_allclose(blocks[1], maps.mean(axis=(1, 2)), rtol=1e-4, atol=1e-4)


def test_vgg16_takes_weights_from_a_file(lesson, tmp_path):
    network = keras.applications.VGG16(include_top=False, weights=None)
    network.save(tmp_path / "vgg.h5")
    path = str(tmp_path / "vgg.h5")
    run = SimpleNamespace(options={"weights": path}, quick=False)
    backbone, origin = pretrained.load(run, lesson.build_backbone, "x.h5")
    assert origin == "file" and len(backbone.outputs) == 5
    for name in ("block1_conv1", "block5_conv3"):
        kernel = backbone.get_layer(name).kernel
        assert (kernel.numpy() == network.get_layer(name).kernel.numpy()).all()
    mobilenet = recipes.load(recipes.find("61"))
    with pytest.raises(Problem, match="not the weights of this network"):
        pretrained.load(run, mobilenet.build_backbone, "x.h5")
