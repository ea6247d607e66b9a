"""Lessons 30 to 33: convolution by hand, its sizes, and the two nets on digits."""

from common import recipes

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import correlate2d

xo, detectors, cnn, lenet = (
    recipes.load(recipes.find(number)) for number in ("30", "31", "32", "33")
)


# 30_xo_convnet


def test_walk_through_convolution_and_pooling_equal_other_libraries():
    tricky = xo.read_drawings()[2]
    stages = xo.walk_through(tricky)
    for index, kernel in enumerate(xo.FILTERS):
        expected = correlate2d(tricky, kernel, mode="valid") / 9
        np.testing.assert_allclose(stages["convolution"][:, :, index], expected)
    for size in (
        4,
        7,
    ):  # an even and an odd size; below 0, where a frame of 0 would win
        maps = -1 - np.random.default_rng(size).random((size, size, 3))
        expected = tf.nn.max_pool2d(maps[None], 2, 2, "SAME")[0]
        np.testing.assert_allclose(xo.pool(maps), expected)


def test_clean_x_holds_its_filters_and_wins_its_votes():
    x_template, o_template, tricky = xo.read_drawings()
    assert (x_template == x_template.T).all()
    found = xo.walk_through(x_template)["convolution"].max(axis=(0, 1))
    np.testing.assert_allclose(found, 1)
    assert xo.walk_through(o_template)["convolution"][:, :, 1].max() < 0.6
    for image, letter in ((x_template, 0), (tricky, 0), (o_template, 1)):
        assert np.argmax(xo.votes(image)) == letter


def test_drawn_letters_are_what_their_labels_say():
    images, labels = xo.draw(np.random.default_rng(0), 400)
    assert set(np.unique(images)) == {-1, 1}
    assert 150 < labels.sum() < 250
    # An O is empty at its centre of mass, an X is not.
    rows, columns = np.mgrid[:9, :9]
    for image, label in zip(images[:, :, :, 0], labels, strict=True):
        white = image == 1
        row, column = round(rows[white].mean()), round(columns[white].mean())
        assert white[row, column] == (label == 0)


def test_trained_net_beats_templates_and_untrained_filters():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x_test, y_test = xo.draw(rng, 1000)
    model = xo.build_model()
    model.fit(*xo.draw(rng, 2000), batch_size=50, epochs=4, verbose=0)
    right = (model.predict(x_test, verbose=0).argmax(axis=1) == y_test).mean()
    templates = [t - t.mean() for t in xo.read_drawings()[:2]]
    matched = np.einsum("nhwc,thw->nt", x_test, templates).argmax(axis=1) == y_test
    assert right > 0.95
    assert 0.55 < matched.mean() < right - 0.1


# 31_feature_detectors


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_convolution_by_brute_force(stride, padding):
    rng = np.random.default_rng([stride, padding])
    images, kernels = rng.normal(size=(2, 7, 6, 2)), rng.normal(size=(3, 3, 2, 4))
    maps = detectors.convolve(images, kernels, stride, padding)
    padded = np.zeros((2, 7 + 2 * padding, 6 + 2 * padding, 2))
    padded[:, padding : padding + 7, padding : padding + 6] = images
    for place in np.ndindex(maps.shape):
        n, row, column, index = place
        y, x = row * stride, column * stride
        patch = padded[n, y : y + 3, x : x + 3]
        assert maps[place] == pytest.approx((patch * kernels[..., index]).sum())
    for side, size in zip(maps.shape[1:3], (7, 6), strict=True):
        assert side == detectors.map_size(size, 3, stride, padding)


def test_every_setting_of_the_grid_agrees_with_keras():
    tried, agreeing, difference = detectors.check_sizes(np.random.default_rng(1))
    assert tried == agreeing == 81
    assert 0 < difference < 1e-4


def test_detectors_answer_lines_of_their_own_direction():
    kernels = np.stack(list(detectors.DETECTORS.values()), axis=-1)[:, :, None]
    upright = np.zeros((1, 9, 9, 1))
    upright[0, 1:8, 4] = 1
    images = np.concatenate([upright, upright.swapaxes(1, 2)])
    assert detectors.vertical_more(images, kernels).tolist() == [True, False]


def test_receptive_field_follows_the_recurrence():
    def conv(kernel):
        ones = {"use_bias": False, "kernel_initializer": "ones"}
        return keras.layers.Conv2D(1, kernel, **ones)

    pool = keras.layers.MaxPooling2D(2)
    # field + (kernel - 1) x product of the strides so far
    assert detectors.receptive_field([conv(3)]) == 3
    assert detectors.receptive_field([conv(5), conv(3)]) == 5 + 2
    assert detectors.receptive_field([conv(3), pool, conv(3)]) == 3 + 1 + 2 * 2
    assert detectors.receptive_field([pool, pool, conv(3)]) == 2 + 2 + 2 * 4


# 32_cnn_mnist


def test_cnn_and_its_control_are_equally_large():
    model, dense = cnn.build_cnn(), cnn.build_dense()
    assert model.count_params() == 9 * 32 + 9 * 32 * 64 + 7 * 7 * 64 * 10 + 10 == 50_090
    assert abs(dense.count_params() - model.count_params()) <= 5
    for layer in (model.layers[1], model.layers[3]):
        assert layer.get_weights()[0].std() == pytest.approx(0.01, rel=0.15)


def test_cnn_is_the_labs():
    model = cnn.build_cnn()
    images = np.random.default_rng(0).random((5, 28, 28)).astype("float32")
    first, second, weights, biases = (w.numpy() for w in model.weights)
    values = images[..., None]
    for kernel in (first, second):
        values = tf.nn.relu(tf.nn.conv2d(values, kernel, 1, "SAME"))
        values = tf.nn.max_pool2d(values, 2, 2, "VALID")
    expected = values.numpy().reshape(5, -1) @ weights + biases
    np.testing.assert_allclose(model(images), expected, rtol=1e-4, atol=1e-5)


# 33_lenet5


def test_lenet_parameters_layer_by_layer():
    model = lenet.build_model("relu", keras.layers.MaxPooling2D, updates=1)
    counts = {layer.name: layer.count_params() for layer in model.layers}
    expected = {"C1": 156, "C3": 2416, "C5": 48_120, "F6": 10_164, "output": 850}
    assert {name: counts[name] for name in expected} == expected
    assert model.count_params() == 61_706
    assert model.get_layer("S4").output.shape == (None, 5, 5, 16)


def test_network_of_1998_counted_connection_by_connection():
    parameters, connections = lenet.count_1998()
    # LeCun et al. 1998 give both for every layer.
    assert parameters == 156 + 12 + 1_516 + 32 + 48_120 + 10_164
    assert connections == (
        122_304 + 5_880 + 151_600 + 2_000 + 48_120 + 10_164 + 84 * 10
    )


def test_learning_rate_falls_to_nothing_at_the_last_update():
    model = lenet.build_model("tanh", keras.layers.AveragePooling2D, updates=40)
    rate = model.optimizer._learning_rate
    assert float(rate(0)) == pytest.approx(lenet.LEARNING_RATE)
    assert float(rate(40)) == pytest.approx(0, abs=1e-9)
