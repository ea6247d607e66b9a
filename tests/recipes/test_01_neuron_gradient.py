"""Influences of one weight against calculus, TensorFlow and central nudging."""

import numpy as np
import pytest

CHANGED_INPUTS = [
    (
        {"SAMPLES": [(2.0, 1.0)]},
        {"local_influences", "by_graph", "by_calculus", "by_nudge_of_one"},
    ),
    ({"SMALL_NUDGE": 0.01}, {"by_small_nudge"}),
]


def test_influences_on_the_slide(lesson):
    for w in (-4.0, 0.0, 1.0, 2.5):
        influence = lesson.influence_by_graph(w, [(1.0, 1.0)])
        assert influence == 2 * (w - 1)
    assert lesson.local_influences(3.0, 1.0, 1.0) == (1, 1, 4)


def test_graph_calculus_tape_and_central_nudging_agree_on_shared_weights(lesson):
    random = np.random.default_rng(1)
    for _ in range(20):
        w, samples = random.normal(), random.normal(size=(5, 2)).tolist()
        tape = lesson.influence_by_tape(w, samples)
        forth = lesson.influence_by_nudge(w, samples, 1e-6)
        back = lesson.influence_by_nudge(w, samples, -1e-6)
        assert lesson.influence_by_graph(w, samples) == pytest.approx(tape, rel=1e-9)
        assert lesson.influence_by_calculus(w, samples) == pytest.approx(tape, rel=1e-9)
        assert (forth + back) / 2 == pytest.approx(tape, rel=1e-6)


def test_a_nudge_is_off_by_its_own_size_through_a_square(lesson):
    for nudge in (1.0, 0.5, 0.25, -1.0):
        found = lesson.influence_by_nudge(3.0, [(1.0, 1.0)], nudge)
        assert found == 4 + nudge


def test_a_small_nudge_is_off_in_float32_and_right_in_float64(lesson):
    assert 1e-2 < lesson.worst_error(1e-5, np.float32) < 3e-2
    assert lesson.worst_error(1e-5, np.float64) < 1e-5
    assert lesson.worst_error(1e-8, np.float32) == 1  # lost: no change, influence 0
    assert lesson.worst_error(1e-3, np.float32) < 1e-3  # a larger one is better
    # What one weight shows may be luck: at 3 the error is a tenth of the worst.
    at_3 = lesson.influence_by_nudge(np.float32(3), [(1, 1)], np.float32(1e-5)) / 4 - 1
    assert 5 * abs(at_3) < lesson.worst_error(1e-5, np.float32)


def test_learning_goes_down_to_the_best_weight(lesson):
    path = lesson.learn(3.0, [(1.0, 1.0)], 50)
    errors = lesson.total_error(path, [(1.0, 1.0)])
    assert (np.diff(errors) < 0).all()
    assert path[-1] == pytest.approx(1, abs=1e-3)
