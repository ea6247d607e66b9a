"""The influence of the first weight by hand, by a nudge and by a tape; its loss."""

import numpy as np
import pytest

NUDGE = 0.00001
CHANGED_INPUTS = [
    ({"LAYERS": 90}, {"influence_100", "relu_influence"}),
    ({"WEIGHT": 2.0}, {"influence_1", "influence_10", "influence_100"}),
]


def influence_by_nudge(lesson, weight, depth, activation):
    """As the lecture first found it: move the weight very little and look."""
    up, _ = lesson.error(weight + NUDGE, weight, depth, activation)
    down, _ = lesson.error(weight - NUDGE, weight, depth, activation)
    return (up - down) / (2 * NUDGE)


@pytest.mark.parametrize("weight", [0.9, 1.0, 1.1])
@pytest.mark.parametrize("function", ["sigmoid", "relu"])
def test_influence_by_hand_by_nudge_and_by_tape(lesson, weight, function):
    activation = getattr(lesson, function)
    for depth in (1, 2, 3, 4):
        by_hand = lesson.influence(weight, depth, activation)
        by_nudge = influence_by_nudge(lesson, weight, depth, activation)
        assert by_nudge == pytest.approx(by_hand, rel=1e-5)
    for depth in (1, 7):
        by_hand = lesson.influence(weight, depth, activation)
        by_tape, local = lesson.influence_by_tape(weight, depth, activation)
        assert by_tape == pytest.approx(by_hand, rel=1e-9)
        assert local == depth  # one SigmoidGrad or ReluGrad for each layer


def test_sigmoids_lose_the_influence_and_relu_leaves_it_to_the_weights(lesson):
    """The finding. E = (w^L)^2 behind L ReLU, so dE/dw of the first is 2 w^(2L - 1)."""
    for depth in (1, 10, 100):
        assert 0 < lesson.influence(1.0, depth, lesson.sigmoid) <= 2 * 0.25**depth
        for weight in (0.9, 1.0, 1.1):
            expected = 2 * weight ** (2 * depth - 1)
            by_hand = lesson.influence(weight, depth, lesson.relu)
            assert by_hand == pytest.approx(expected, rel=1e-9)
    rng = np.random.default_rng(4)
    wide = lesson.wide_gradients(lesson.sigmoid, rng)
    assert wide[0] / wide[-1] < 1e-30
    wide = lesson.wide_gradients(lesson.relu, rng)
    assert 1e-2 < wide[0] / wide[-1] < 1e2


def test_a_weight_freezes_where_its_step_is_below_the_resolution(lesson, quick):
    """The numbers next to 1 are 2^-24 below it: half of that is rounded away."""
    depths = range(1, 30)
    steps = [
        lesson.LEARNING_RATE * lesson.influence(lesson.WEIGHT, depth, lesson.sigmoid)
        for depth in depths
    ]
    lost = [depth for depth, step in zip(depths, steps, strict=True) if step < 2**-25]
    assert quick["values"]["frozen_depth"] == lost[0]
