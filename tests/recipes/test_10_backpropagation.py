"""Backpropagation against TensorFlow and nudging, and XOR."""

import numpy as np
import pytest

ATOL = 1e-9


def relative_error(ours, theirs):
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)


@pytest.mark.parametrize("sizes", [(2, 1), (2, 4, 1), (3, 5, 4, 2)])
def test_backpropagation_equals_tape_and_nudging(lesson, sizes):
    rng = np.random.default_rng(1)
    weights = lesson.start(rng, sizes, networks=1)
    x = rng.normal(size=(1, 7, sizes[0]))
    d = rng.uniform(size=(1, 7, sizes[-1]))
    ours = lesson.backward(lesson.forward(x, weights), d, weights)
    ours = [gradient for layer in ours for gradient in layer]
    taped, nudged = lesson.taped(weights, x, d), lesson.nudged(weights, x, d)
    for mine, tape, nudge in zip(ours, taped, nudged, strict=True):
        assert mine.shape == tape.shape
        assert relative_error(mine, tape) < 1e-12
        assert relative_error(mine, nudge) < 1e-6


def test_networks_side_by_side_do_not_touch_each_other(lesson):
    weights = lesson.start(np.random.default_rng(0), (2, 3, 1), networks=5)
    alone = [tuple(array[[2]].copy() for array in layer) for layer in weights]
    together = lesson.train(weights, lesson.X, lesson.D, epochs=50)
    np.testing.assert_array_equal(
        together[:, [2]], lesson.train(alone, lesson.X, lesson.D, epochs=50)
    )
    np.testing.assert_allclose(weights[0][0][[2]], alone[0][0], atol=ATOL)


def test_a_hidden_layer_learns_xor_and_none_does_not(lesson):
    share = {}
    for sizes in ((2, 1), (2, 2, 1), (2, 4, 1)):
        weights = lesson.start(np.random.default_rng(5), sizes, networks=40)
        share[sizes] = lesson.train(weights, lesson.X, lesson.D, epochs=1500)
    assert share[2, 1].max() == 0.75
    solved = {sizes: (right[-1] == 1).mean() for sizes, right in share.items()}
    assert solved[2, 4, 1] > 0.9
    assert 0.4 < solved[2, 2, 1] < solved[2, 4, 1]
