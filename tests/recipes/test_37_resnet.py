"""ResNet-152 by arithmetic, ResNet-50 against Keras', the blocks, and degradation."""

from common import command_line, datasets, recipes
from common.executing import Request, Run

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

CHANGED_INPUTS = [
    (
        {"STAGES": (3, 4, 6, 3)},
        {"depth", "parameters", "multiplications", "receptive_field"},
    ),
]


def by_the_paper(stages):
    """Trainable parameters and multiplications from the table of the paper alone."""
    weights = products = 0

    def conv(maps_in, maps_out, kernel, side):
        nonlocal weights, products
        products += side**2 * kernel**2 * maps_in * maps_out
        weights += kernel**2 * maps_in * maps_out + 2 * maps_out  # and scale and shift
        return maps_out

    maps = conv(3, 64, 7, 112)
    for stage, blocks in enumerate(stages):
        width, side = 64 * 2**stage, 56 // 2**stage
        for index in range(blocks):
            if index == 0:  # the projection
                conv(maps, 4 * width, 1, side)
            maps = conv(
                conv(conv(maps, width, 1, side), width, 3, side), 4 * width, 1, side
            )
    return weights + 1000 * (maps + 1), products + 1000 * maps


def trainable(model):
    return sum(np.prod(weight.shape) for weight in model.trainable_weights)


@pytest.fixture(scope="module")
def resnet50(lesson):
    stages, lesson.STAGES = lesson.STAGES, (3, 4, 6, 3)
    model = lesson.full_size_model()
    lesson.STAGES = stages
    return model


def test_counts_by_arithmetic(lesson, resnet50, quick):
    assert by_the_paper(lesson.STAGES) == (60_192_808, 11_282_415_616)
    assert quick["values"]["multiplications"] == 11_282_415_616
    assert quick["values"]["parameters"] == 60_419_944  # Keras' documentation
    assert quick["values"]["depth"] == 1 + 3 * (3 + 8 + 36 + 3) + 1 == 152
    counted = lesson.count(resnet50)
    products = counted["multiplications"]
    assert by_the_paper((3, 4, 6, 3)) == (trainable(resnet50), products)
    assert (counted["depth"], counted["receptive_field"]) == (50, 483)


def test_resnet50_is_that_of_keras_applications(resnet50):
    theirs = keras.applications.ResNet50(weights=None)
    rng = np.random.default_rng(0)
    for kind in (layers.Conv2D, layers.BatchNormalization, layers.Dense):
        own, other = (
            [layer for layer in model.layers if isinstance(layer, kind)]
            for model in (resnet50, theirs)
        )
        for mine, its in zip(own, other, strict=True):
            assert mine.output.shape == its.output.shape
            if kind is layers.BatchNormalization:
                mine.set_weights([rng.uniform(0.5, 1, w.shape) for w in mine.weights])
            # Biases before a normalization, which the paper's network has not.
            extra = [np.zeros(w.shape) for w in its.weights[len(mine.weights) :]]
            its.set_weights([*mine.get_weights(), *extra])
    image = rng.normal(size=(1, 224, 224, 3)).astype("float32")
    # Before the softmax, whose thousand values are all close to 0.001.
    features = [
        keras.Model(m.input, m.layers[-2].output)(image) for m in (resnet50, theirs)
    ]
    scale = np.abs(features[0]).max()
    np.testing.assert_allclose(features[0] / scale, features[1] / scale, atol=1e-4)
    assert np.std(features[0] / scale) > 0.01
    np.testing.assert_allclose(resnet50(image), theirs(image), atol=1e-4)


@pytest.mark.parametrize("kind", ["plain", "residual", "pre-activation"])
def test_a_block_with_zero_weights_passes_on_what_came_in(lesson, kind):
    x = np.random.default_rng(0).random((2, 6, 6, 8)).astype("float32")
    image = keras.Input((6, 6, 8))
    for stride, maps in ((1, 8), (2, 16)):
        model = keras.Model(image, lesson.block(image, maps, stride, kind))
        for weight in model.trainable_weights:
            weight.assign(0 * weight)
        kept = np.zeros((2, 6 // stride, 6 // stride, maps))
        if kind != "plain":
            kept[..., :8] = x[:, ::stride, ::stride]
        np.testing.assert_allclose(model(x), kept, atol=1e-6)


def test_the_receptive_field_by_nudging(lesson):
    """Which pixels change a cell of the last maps, all weights being positive."""
    model = lesson.build_model("plain", 8, (64, 64, 1))
    for weight in model.trainable_weights:
        weight.assign(abs(weight) + 0.1)
    maps = keras.Model(model.input, model.layers[-3].output)
    image = tf.ones((1, 64, 64, 1))
    with tf.GradientTape() as tape:
        tape.watch(image)
        cell = tf.reduce_sum(maps(image)[:, 4, 4])
    seen = np.flatnonzero(tape.gradient(cell, image)[0, :, 32, 0])
    assert len(seen) == lesson.count(model)["receptive_field"]
    assert lesson.count(model)["depth"] == 8


def test_twins_of_one_depth_have_the_same_weights(lesson):
    shapes = {}
    first = 14**2 * 9 * (8 + 6 * 8 * 8)
    others = 7**2 * 9 * 16 * (8 + 5 * 16) + 4**2 * 9 * 32 * (16 + 5 * 32)
    for kind in ("plain", "residual"):
        model = lesson.build_model(kind, 20)
        shapes[kind] = [weight.shape for weight in model.trainable_weights]
        assert trainable(model) == 67_906
        assert lesson.count(model)["multiplications"] == first + others + 320
        assert lesson.count(model)["depth"] == 20
    assert shapes["plain"] == shapes["residual"]
    assert trainable(lesson.build_model()) == 214_402
    assert lesson.build_model(shape=(32, 32, 3)).output.shape == (None, 10)


def test_the_gradient_is_the_slope_of_the_loss(lesson, monkeypatch):
    monkeypatch.setattr(lesson, "MAPS", (2, 4, 8))
    (x, y), _, _ = datasets.pictures("fashion_mnist", 20)
    model = lesson.build_model("residual", 8)
    found = lesson.gradients(model, x, y)
    kernel = model.layers[2].kernel
    assert len(found) == 7 and kernel.shape == (3, 3, 1, 2)
    slopes, start = [], kernel.numpy()
    for place in np.ndindex(start.shape):
        losses = []
        for step in (-1e-2, 1e-2):
            nudged = start.copy()
            nudged[place] += step
            kernel.assign(nudged)
            losses.append(
                float(model.compute_loss(y=y, y_pred=model(x, training=True)))
            )
        slopes.append((losses[1] - losses[0]) / 2e-2)
    assert found[0] == pytest.approx(np.sqrt(np.mean(np.square(slopes))), rel=0.1)


def test_the_gradient_of_a_plain_network_grows_with_depth(lesson):
    (x, y), _, _ = datasets.pictures("fashion_mnist", 100)
    growth = {}
    for kind in lesson.COLORS:
        keras.utils.set_random_seed(0)
        nets = [lesson.build_model(kind, depth) for depth in (8, 26)]
        shallow, deep = (lesson.gradients(net, x, y)[0] for net in nets)
        growth[kind] = deep / shallow
    # Three seeds: 13 to 28, 4 to 5, 1 to 2.
    assert growth["plain"] > 2 * growth["residual"] > 2 * growth["pre-activation"] > 1
    assert growth["plain"] > 10


def test_a_deep_plain_network_learns_worse_and_a_residual_one_opens_again(
    lesson, tmp_path
):
    (x, y), _, _ = datasets.pictures("fashion_mnist", 1000)
    right = {}
    for kind in ("plain", "residual"):
        keras.utils.set_random_seed(0)
        model = lesson.build_model(kind, 26, updates=40)
        run = Run(Request(stem="37", out=tmp_path))
        run.fit(model, x, y, batch_size=50, epochs=2, name=kind)
        right[kind] = model.evaluate(x, y, batch_size=1000, verbose=0)[1]
    # Two seeds: 63 and 64 percent, against 13 and 23.
    assert right["residual"] > right["plain"] + 0.15
    opened = keras.models.load_model(run.folder / "residual.keras", safe_mode=True)
    np.testing.assert_allclose(opened(x[:9]), model(x[:9]), atol=1e-5)


def test_an_unknown_data_set_is_refused(capsys):
    with pytest.raises(SystemExit) as refused:
        command_line.parse(recipes.find("37"), "", ["--dataset", "cifar100"])
    assert refused.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
