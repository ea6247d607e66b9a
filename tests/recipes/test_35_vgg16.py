"""VGG by arithmetic and beside keras.applications, and what depth does."""

import gc

from common import datasets
from common.executing import Request, Run

import keras
import numpy as np
import pytest
from keras import layers

# In place of VGG19 a network of 17 layers, and all maps of the last blocks halved.
CHANGED_INPUTS = [
    (
        {"CONFIGURATIONS": {"B": "22222", "D": "22333", "E": "22344"}},
        {"weight_layers_e"},
    ),
]


def by_arithmetic(configuration, kernel=3):
    """Parameters and multiplications, without Keras."""
    parameters = multiplications = 0
    size, channels = 224, 3
    maps = (64, 128, 256, 512, 512)
    for width, depth in zip(maps, configuration, strict=True):
        for _ in range(int(depth)):
            weights = kernel * kernel * channels * width
            parameters += weights + width
            multiplications += size * size * weights
            channels = width
        size //= 2
    values = size * size * channels
    for units in (4096, 4096, 1000):
        parameters += values * units + units
        multiplications += values * units
        values = units
    return parameters, multiplications


# The paper's table 2 gives 133, 133, 138 and 144 million.
@pytest.mark.parametrize(
    ("name", "parameters", "multiplications"),
    [
        ("A", 132_863_336, 7_609_090_048),
        ("B", 133_047_848, 11_308_466_176),
        ("D", 138_357_544, 15_470_264_320),
        ("E", 143_667_240, 19_632_062_464),
    ],
)
def test_the_papers_networks(lesson, name, parameters, multiplications):
    configuration = lesson.CONFIGURATIONS[name]
    assert by_arithmetic(configuration) == (parameters, multiplications)
    counted = lesson.count(configuration)
    assert counted["parameters"] == parameters
    assert counted["multiplications"] == multiplications


def test_one_5x5_for_each_pair(lesson):
    counted = lesson.count("11111", kernel=5)
    expected = 134_503_528, 9_356_017_664
    assert (counted["parameters"], counted["multiplications"]) == expected
    assert by_arithmetic("11111", 5) == expected


def test_vgg16_is_that_of_keras(lesson, monkeypatch):
    """The same shapes layer by layer, and with its weights the same answers."""
    rng = np.random.default_rng(0)

    def draw(self, shape, dtype=None):  # TensorFlow takes ten seconds for these weights
        limit = np.float32(np.sqrt(6 / np.prod(shape[:-1])))
        return limit * (2 * rng.random(shape, "float32") - 1)

    monkeypatch.setattr(keras.initializers.GlorotUniform, "__call__", draw)
    theirs = keras.applications.VGG16(weights=None)
    x = rng.normal(size=(1, 224, 224, 3)).astype("float32")
    expected = np.asarray(theirs(x, training=False))
    shapes = [weight.shape for weight in theirs.weights]
    weights = theirs.get_weights()
    del theirs
    gc.collect()
    ours = lesson.full_size_model()
    assert [weight.shape for weight in ours.weights] == shapes
    for variable in ours.weights:
        variable.assign(weights.pop(0))
    answers = np.asarray(ours(x, training=False))
    np.testing.assert_allclose(answers, expected, rtol=1e-4)
    assert np.ptp(answers) > 1e-5  # and not all of them alike


def test_what_a_cell_sees_by_nudging_pixels(lesson, monkeypatch):
    """One pixel of zeros is set, in a column of 224: how many reach the middle cell?"""
    monkeypatch.setattr(lesson, "MAPS", (1,) * 5)
    model = lesson.full_size_model(start="ones")
    maps = keras.Model(model.inputs, model.layers[-7].output)  # of the last pooling
    assert maps.output.shape == (None, 7, 7, 1)
    seen = 0
    for start in range(0, 224, 56):
        images = np.zeros((56, 224, 224, 3), "float32")
        images[np.arange(56), start + np.arange(56), 112] = 1
        seen += np.count_nonzero(maps.predict(images, verbose=0)[:, 3, 3])
    assert seen == lesson.receptive_field(model) == 212


def test_pairs_and_fives_see_as_far(lesson):
    fields = {
        name: lesson.receptive_field(lesson.build_model(kernels))
        for name, kernels in lesson.BLOCKS.items()
    }
    assert fields["two"] == fields["five"]
    assert fields["three"] == fields["mixed"]
    assert fields["one"] < fields["two"] < fields["three"]


def test_the_small_networks_by_arithmetic(lesson):
    convolutions = {}
    for name in ("three", "mixed"):
        model = lesson.build_model(lesson.BLOCKS[name])
        kinds = [x for x in model.layers if isinstance(x, layers.Conv2D)]
        convolutions[name] = sum(layer.count_params() for layer in kinds)
        (last,) = [x for x in model.layers if isinstance(x, layers.Flatten)]
        assert last.output.shape == (None, 3 * 3 * 32)
    assert convolutions == {"three": 30_192, "mixed": 39_544}
    model = lesson.build_model(shape=(32, 32, 3))
    assert model.outputs[0].shape == (None, 10)


def test_three_layers_learn_more_in_as_many_updates(lesson, tmp_path):
    """What depth does for sure: more is learned; and without it as well as with 5x5."""
    train, _, test = datasets.pictures("fashion_mnist", 3000)
    loss, right = {}, {}
    for name in ("one", "three", "mixed"):
        keras.utils.set_random_seed(0)
        model = lesson.build_model(lesson.BLOCKS[name], updates=90)
        run = Run(Request(stem="35", out=tmp_path))
        history = run.fit(model, *train, batch_size=100, epochs=3, name=name)
        loss[name] = history["loss"][-1]
        right[name] = model.evaluate(*test, batch_size=1000, verbose=0)[1]
    print(loss, right)
    assert min(right.values()) > 0.6
    assert abs(right["three"] - right["mixed"]) < 0.04
    assert loss["three"] < loss["one"] - 0.02
