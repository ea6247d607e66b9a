"""Convolution by hand against brute force and Keras; what it shares, what it keeps."""

import numpy as np
import pytest
from keras import layers

CHANGED_INPUTS = [
    ({"CHANNELS": 4}, {"channel_convolutions", "channels_per_map"}),
    (
        {"MAPS": 4},
        {"dense_parameters", "conv_parameters", "local_parameters"},
    ),
    (
        {"KERNEL": 3},
        {"dense_multiplications", "conv_multiplications"},
    ),
]


def test_convolution_by_hand_as_dense_layer_and_by_keras(lesson):
    rng = np.random.default_rng(6)
    image = rng.normal(size=(9, 9, 2)).astype("float32")
    kernels = rng.normal(size=(3, 3, 2, 4)).astype("float32")
    biases = rng.normal(size=4).astype("float32")
    by_hand = lesson.convolve(image, kernels, biases)
    for row, column, index in np.ndindex(7, 7, 4):
        patch = image[row : row + 3, column : column + 3]
        expected = np.sum(patch * kernels[..., index]) + biases[index]
        assert by_hand[row, column, index] == pytest.approx(expected, abs=1e-5)
    layer = layers.Conv2D(4, 3)
    layer.build((None, 9, 9, 2))
    layer.set_weights([kernels, biases])
    np.testing.assert_allclose(by_hand, layer(image[None])[0], atol=1e-5)

    one_channel = lesson.convolve(image[:, :, :1], kernels[:, :, :1], np.zeros(4))
    matrix = lesson.as_dense_matrix(kernels[:, :, :1], 9)
    as_dense = image[:, :, 0].reshape(-1) @ matrix
    np.testing.assert_allclose(as_dense.reshape(7, 7, 4), one_channel, atol=1e-5)
    used = matrix[matrix != 0]
    assert used.size == 7 * 7 * 4 * 9
    assert len(np.unique(used)) == 9 * 4


def test_a_patch_saves_multiplications_and_sharing_saves_weights(quick):
    values = quick["values"]
    dense, local = values["dense_parameters"], values["local_parameters"]
    # Seen: 5x5 of 32x32 pixels; used again: at each of 28x28 places.
    assert dense / local == pytest.approx(32**2 / 5**2, rel=0.05)
    assert local == 28**2 * values["conv_parameters"]
    saved = values["dense_multiplications"] / values["conv_multiplications"]
    assert saved == pytest.approx(32**2 / 5**2)


def test_maps_move_with_the_image_where_weights_are_shared(lesson):
    rng = np.random.default_rng(3)
    image = np.pad(rng.random((6, 6, 1)), ((3, 3), (3, 3), (0, 0)))
    kernels = rng.normal(size=(3, 3, 1, 2))
    shared = lesson.as_dense_matrix(kernels, 12)
    own = np.where(shared != 0, rng.normal(size=shared.shape), 0)

    def moved_differently(matrix):
        def layer(x):
            return (x.reshape(-1) @ matrix).reshape(10, 10, 2)

        return lesson.shift_test(layer, image)

    by_hand = lesson.shift_test(
        lambda x: lesson.convolve(x, kernels, np.zeros(2)), image
    )
    assert by_hand < 1e-9 and moved_differently(shared) < 1e-5
    assert moved_differently(own) > 0.5  # as many connections, no two weights alike


def test_every_channel_reaches_every_map_unless_they_are_kept_apart(lesson):
    full = lesson.channels_to_maps(layers.Conv2D(5, 3), size=8)
    assert full.shape == (lesson.CHANNELS, 5) and full.all()
    apart = lesson.channels_to_maps(layers.DepthwiseConv2D(3, depth_multiplier=2), 8)
    assert apart.shape == (3, 6) and np.all(apart.sum(axis=0) == 1)
