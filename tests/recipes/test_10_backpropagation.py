"""Backpropagation against TensorFlow and nudging; what it is worth to hidden layers."""

import numpy as np
import pytest

CHANGED_INPUTS = [({"CHECKED": (3, 4, 2)}, {"nudging_passes"})]


def relative_error(ours, theirs):
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)


@pytest.mark.parametrize("sizes", [(2, 1), (2, 4, 1), (3, 5, 4, 2)])
def test_backpropagation_equals_tape_and_nudging(lesson, sizes):
    rng = np.random.default_rng(1)
    weights = lesson.start(rng, sizes)
    x, d = rng.normal(size=(7, sizes[0])), rng.uniform(size=(7, sizes[-1]))
    ours = lesson.backward(lesson.forward(x, weights), d, weights)
    ours = [gradient for layer in ours for gradient in layer]
    nudged, passes = lesson.nudged(weights, x, d)
    assert passes == 2 * sum(array.size for array in ours)
    for mine, tape, nudge in zip(
        ours, lesson.taped(weights, x, d), nudged, strict=True
    ):
        assert mine.shape == tape.shape
        assert relative_error(mine, tape) < 1e-12
        assert relative_error(mine, nudge) < 1e-6


def test_a_layer_that_is_not_taught_stays_as_it_is(lesson):
    weights = lesson.start(np.random.default_rng(0), (2, 3, 1))
    before = [[array.copy() for array in layer] for layer in weights]
    lesson.train(weights, lesson.X, lesson.D, epochs=5, first=-1)
    np.testing.assert_array_equal(weights[0][0], before[0][0])
    np.testing.assert_array_equal(weights[0][1], before[0][1])
    assert not np.array_equal(weights[1][0], before[1][0])


def test_xor_is_learned_where_deltas_reach_the_hidden_layer(lesson):
    """The finding. Answering 1/2 to everything leaves an error of 0.5."""
    left = {0: [], -1: []}
    for seed in range(6):
        for first, errors in left.items():
            weights = lesson.start(np.random.default_rng(seed), lesson.SIZES)
            errors.append(lesson.train(weights, lesson.X, lesson.D, 1500, first)[-1])
    assert max(left[0]) < 0.02
    assert min(left[-1]) > 0.1 and np.median(left[-1]) > 0.4
