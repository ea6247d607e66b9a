"""The influence of the first weight by hand, by a nudge and by a tape; its loss."""

import numpy as np
import pytest


def test_influence_by_hand_by_nudge_and_by_tape(lesson):
    for activation in (lesson.sigmoid, lesson.relu):
        for depth in (1, 2, 3, 4):
            by_hand, _ = lesson.influence(depth, activation)
            by_nudge = lesson.influence_by_nudge(depth, activation)
            assert by_nudge == pytest.approx(by_hand, rel=1e-6)
        for depth in (1, 7, 100):
            by_hand, _ = lesson.influence(depth, activation)
            by_tape = lesson.influence_by_tape(depth, activation)
            assert by_tape == pytest.approx(by_hand, rel=1e-9)


def test_influence_vanishes_through_sigmoids_and_not_through_relu(lesson):
    for depth in (1, 10, 100):
        value, local = lesson.influence(depth, lesson.sigmoid)
        assert len(local) == depth and max(local) <= 0.25
        assert 0 < value <= 2 * 0.25**depth
        assert lesson.influence(depth, lesson.relu)[0] == 2
    rng = np.random.default_rng(4)
    wide = lesson.wide_gradients(lesson.sigmoid, rng)
    assert wide[0] / wide[-1] < 1e-50
    wide = lesson.wide_gradients(lesson.relu, rng)
    assert 1e-2 < wide[0] / wide[-1] < 1e2


def test_a_weight_freezes_where_its_step_is_below_the_resolution(lesson, quick):
    """The numbers next to 1 are 2^-24 below it: half of that is rounded away."""
    depths = range(1, 30)
    steps = [
        lesson.LEARNING_RATE * lesson.influence(depth, lesson.sigmoid)[0]
        for depth in depths
    ]
    lost = [depth for depth, step in zip(depths, steps, strict=True) if step < 2**-25]
    assert quick["values"]["frozen_depth"] == lost[0]
