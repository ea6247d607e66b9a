"""The logistic neuron: five ways to one influence, and what its cost is for."""

import math

import numpy as np
import pytest

CHANGED_INPUTS = [
    # A nudge that is not small; a sigmoid that is twice as steep as the graph's.
    ({"NUDGE": 1.0}, {"disagreements"}),
    ({"sigmoid": lambda z: 1 / (1 + np.exp(-2 * z))}, {"sigmoid_disagreements"}),
]


def samples():
    random = np.random.default_rng(4)
    w, x = random.normal(size=(2, 200))
    return w, x, random.integers(0, 2, 200).astype(float)


def test_every_way_finds_the_same_influence(lesson):
    w, x, y = samples()
    graph, _ = lesson.by_graph(w, x, y)
    for way in (
        lesson.by_calculus,
        lesson.by_nudging,
        lesson.by_tape,
        lesson.by_keras,
    ):
        np.testing.assert_allclose(way(w, x, y), graph, rtol=1e-6, atol=1e-9)


def test_sigmoid_slope_through_the_graph(lesson):
    w, x, y = samples()
    s = lesson.sigmoid(w * x)
    _, slope = lesson.by_graph(w, x, y)
    np.testing.assert_allclose(slope, (1 - s) * s, rtol=1e-12)


def test_cost_is_the_cross_entropy_of_the_answer(lesson):
    # At w = 0 the output is one half: one bit, ln 2, whatever the label.
    assert lesson.cost(0.0, 1.0, 1.0) == pytest.approx(math.log(2))
    assert lesson.cost(0.0, 1.0, 0.0) == pytest.approx(math.log(2))
    assert lesson.cost(-8.0, 1.0, 1.0) == pytest.approx(8, abs=1e-3)


def test_squared_error_influence_by_nudging(lesson):
    w = np.linspace(-4, 4, 9)
    forth, back = ((lesson.sigmoid(w + n) - 1) ** 2 for n in (1e-5, -1e-5))
    found = lesson.squared_error_influence(w, 1.0, 1.0)
    np.testing.assert_allclose(found, (forth - back) / 2e-5, rtol=1e-6)


def test_cross_entropy_unlearns_a_sure_mistake_and_squared_error_does_not(lesson):
    entropy = lesson.learn(lesson.by_calculus, -8.0, 100)
    squared = lesson.learn(lesson.squared_error_influence, -8.0, 100)
    assert lesson.sigmoid(entropy[-1]) > 0.95
    assert lesson.sigmoid(squared[-1]) < 0.01
