"""Convolution against brute force and Keras; what detectors and cells of a map see."""

import keras
import numpy as np
import pytest

EDGES = {  # 0 where neither black nor white is asked for
    "vertical": [[-1, 1, 0], [-1, 1, 0], [-1, 1, 0]],
    "horizontal": [[-1, -1, -1], [1, 1, 1], [0, 0, 0]],
    "corner": [[-1, -1, -1], [-1, 1, 1], [-1, 1, 0]],
}
CHANGED_INPUTS = [
    ({"DETECTORS": EDGES}, {"own_pattern"}),
    ({"PIXELS": [[1, 2], [3, 4]]}, {"zero_padded"}),
    ({"KERNELS": (1, 3, 5)}, {"padding_that_keeps_size"}),
]


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_convolution_by_brute_force(lesson, stride, padding):
    rng = np.random.default_rng([stride, padding])
    images, kernels = rng.normal(size=(2, 7, 6, 2)), rng.normal(size=(3, 3, 2, 4))
    maps = lesson.convolve(images, kernels, stride, padding)
    padded = np.zeros((2, 7 + 2 * padding, 6 + 2 * padding, 2))
    padded[:, padding : padding + 7, padding : padding + 6] = images
    for place in np.ndindex(maps.shape):
        n, row, column, index = place
        y, x = row * stride, column * stride
        patch = padded[n, y : y + 3, x : x + 3]
        assert maps[place] == pytest.approx((patch * kernels[..., index]).sum())
    for side, size in zip(maps.shape[1:3], (7, 6), strict=True):
        assert side == lesson.map_size(size, 3, stride, padding)


def test_every_setting_of_the_grid_agrees_with_keras(lesson, monkeypatch):
    assert lesson.check_sizes() == len(lesson.SETTINGS) == 81
    # It can fail: by a formula that forgets the stride, and by kernels upside down.
    monkeypatch.setattr(lesson, "map_size", lambda s, k, _, p: s + 2 * p - k + 1)
    assert lesson.check_sizes() == 27
    monkeypatch.undo()
    convolve = lesson.convolve
    monkeypatch.setattr(
        lesson, "convolve", lambda x, kernels, *rest: convolve(x, kernels[::-1], *rest)
    )
    assert lesson.check_sizes() == 27  # those of 1x1


def test_detectors_answer_lines_of_their_own_direction(lesson):
    kernels = np.stack(list(lesson.DETECTORS.values()), axis=-1)[:, :, None]
    upright = np.zeros((1, 9, 9, 1))
    upright[0, 1:8, 4] = 1
    images = np.concatenate([upright, upright.swapaxes(1, 2)])
    assert lesson.vertical_more(images, kernels).tolist() == [True, False]


def test_a_detector_finds_its_pattern_at_its_own_size(quick):
    values = quick["values"]
    assert min(values["own_pattern"]) == 9 > 2 * values["other_pattern"]
    assert values["upright_others"] + 30 < values["upright_ones"]
    assert values["thick_ones"] + 20 < values["upright_ones"]


def test_receptive_field_follows_the_recurrence(lesson):
    def conv(kernel):
        ones = {"use_bias": False, "kernel_initializer": "ones"}
        return keras.layers.Conv2D(1, kernel, **ones)

    pool = keras.layers.MaxPooling2D(2)
    # field + (kernel - 1) x product of the strides so far
    assert lesson.receptive_field([conv(3)]) == 3
    assert lesson.receptive_field([conv(5), conv(3)]) == 5 + 2
    assert lesson.receptive_field([conv(3), pool, conv(3)]) == 3 + 1 + 2 * 2
    assert lesson.receptive_field([pool, pool, conv(3)]) == 2 + 2 + 2 * 4
