"""AlexNet by arithmetic, its normalization and towers by hand, and what helps."""

from common import datasets
from common.executing import Request, Run

import keras
import numpy as np
import pytest

# A single tower, and one dense layer fewer (so one dropout fewer).
CHANGED_INPUTS = [
    (
        {
            "FULL": {
                "maps": (96, 256, 384, 384, 256),
                "dense": (4096, 1000),
                "groups": 1,
                "first": (11, 4, "valid"),
                "start": "zeros",
            }
        },
        {"kinds", "parameters"},
    )
]


def by_arithmetic(pixels=227, maps=(96, 256, 384, 384, 256), towers=2):
    """Parameters and multiplications, without Keras."""
    size = (pixels - 11) // 4 + 1
    parameters = products = 0
    channels = 3
    plan = [(11, 1, True), (5, towers, True), (3, 1, False), (3, towers, False)]
    plan.append((3, towers, True))
    for width, (kernel, groups, pooled) in zip(maps, plan, strict=True):
        weights = kernel**2 * (channels // groups) * width
        parameters += weights + width
        products += weights * size**2
        size = (size - 3) // 2 + 1 if pooled else size
        channels = width
    values = channels * size**2
    for units in (4096, 4096, 1000):
        parameters += values * units + units
        products += values * units
        values = units
    return parameters, products


LATER = {"maps": (64, 192, 384, 256, 256), "towers": 1}


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ({}, (60_965_224, 724_406_816)),
        ({"towers": 1}, (62_378_344, 1_135_256_096)),
        ({"pixels": 228, **LATER}, (61_100_840, 714_188_480)),
        ({"pixels": 224}, (49_430_888, None)),
    ],
)
def test_every_version_by_arithmetic(lesson, which, expected):
    parameters, products = by_arithmetic(**which)
    assert parameters == expected[0] and expected[1] in (None, products)
    change = {"groups": which["towers"]} if "towers" in which else {}
    change |= {"maps": which["maps"]} if "maps" in which else {}
    model = lesson.full_size_model(which.get("pixels", 227), **change)
    counted = lesson.count(model)
    assert counted["parameters"] == parameters
    assert counted["multiplications"] == products
    assert counted["kinds"] == [5, 3, 2]


def test_the_dense_layers_share(lesson):
    counted = lesson.count(lesson.full_size_model())
    dense = 9216 * 4096 + 4096 * 4096 + 4096 * 1000
    assert counted["dense_share"] == pytest.approx(100 * dense / 60_965_224)
    assert counted["dense_work"] == pytest.approx(100 * dense / 724_406_816)


def test_what_a_cell_sees_by_nudging_pixels(lesson):
    """One pixel of zeros is set, in a row of 227: how many reach the middle cell?"""
    slim = {"maps": (1,) * 5, "groups": 1, "start": "ones", "dense": (1, 1)}
    model = lesson.full_size_model(**slim, lrn=False)
    pooled = [x for x in model.layers if isinstance(x, keras.layers.MaxPooling2D)]
    maps = keras.Model(model.inputs, pooled[-1].output)
    assert maps.output.shape == (None, 6, 6, 1)
    images = np.zeros((227, 227, 227, 3), "float32")
    images[np.arange(227), np.arange(227), 113] = 1
    seen = np.count_nonzero(maps.predict(images, batch_size=50, verbose=0)[:, 3, 3])
    assert seen == lesson.count(model)["receptive_field"] == 195


def test_the_normalization_by_hand(lesson):
    x = 30 * np.random.default_rng(0).normal(size=(2, 3, 3, 8)).astype("float32")
    expected = np.empty_like(x)
    for place in range(8):
        around = x[..., max(0, place - 2) : place + 3]
        sums = (around**2).sum(axis=-1)
        expected[..., place] = x[..., place] / (2 + 1e-4 * sums) ** 0.75
    np.testing.assert_allclose(lesson.Normalization()(x), expected, rtol=1e-4)


def test_of_small_values_the_normalization_is_a_rescaling(lesson):
    """Pixels of 0 to 1 make activations of that size: all of them times 0.595."""
    x = datasets.pictures("fashion_mnist", 20)[2][0]
    first = next(x for x in lesson.build_model().layers if hasattr(x, "kernel"))
    maps = np.asarray(first(x))
    factors = np.asarray(lesson.Normalization()(maps))[maps > 0] / maps[maps > 0]
    np.testing.assert_allclose(factors, 2**-0.75, rtol=0.01)


def test_two_towers_see_each_other_in_the_third_convolution_only(lesson):
    model = lesson.build_model(groups=2)
    convolutions = [x for x in model.layers if isinstance(x, keras.layers.Conv2D)]
    rng = np.random.default_rng(0)
    for index, layer in enumerate(convolutions[1:], start=1):
        x = rng.random((1, 6, 6, layer.input.shape[-1])).astype("float32")
        other = x.copy()
        other[..., : x.shape[-1] // 2] = 0  # the first tower's maps are gone
        before, after = np.asarray(layer(x)), np.asarray(layer(other))
        half = before.shape[-1] // 2
        same = np.array_equal(before[..., half:], after[..., half:])
        assert same == (index != 2)


def test_images_are_shifted_in_training_only(lesson):
    image = np.zeros((1, 28, 28, 1), "float32")
    image[:, 12:16, 12:16] = 1
    shifts = lesson.shifts(seed=0)
    np.testing.assert_array_equal(shifts(image, training=False), image)
    center = []
    for _ in range(60):
        moved = np.asarray(shifts(image, training=True))[0, ..., 0]
        assert moved.sum() == pytest.approx(16, rel=0.01)
        center.append(np.array(np.nonzero(moved > 0.4)).mean(axis=1) - 13.5)
    assert 1 < np.abs(center).max() <= 2


def test_the_network_opens_again(lesson, tmp_path):
    model = lesson.build_model(shift=True)
    model.save(tmp_path / "model.keras", include_optimizer=False)
    opened = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    x = datasets.pictures("fashion_mnist", 9)[2][0]
    expected = model(x, training=False)
    np.testing.assert_array_equal(opened(x, training=False), expected)


def test_relu_is_not_sooner_here(lesson, tmp_path):
    """The paper's six times do not carry over to eight small layers from He's start."""
    (x, y), _, _ = datasets.pictures("fashion_mnist", 1000)
    run = Run(Request(stem="34", out=tmp_path))
    errors = {}
    for activation in ("relu", "tanh"):
        how = {"optimizer": keras.optimizers.SGD(0.03, momentum=0.9), "dropout": 0}
        how["activation"] = activation
        errors[activation], _ = lesson.train(run, (x, y), activation, 12, **how)
    assert errors["tanh"][-1] + 3 < errors["relu"][-1] < 60
