"""Influences of one weight against calculus, TensorFlow and central nudging."""

import numpy as np
import pytest


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


def test_small_nudges_fail_in_float32_before_float64(lesson):
    nudges = [1e-5, 1e-8]
    single = lesson.nudge_errors(nudges, np.float32)
    double = lesson.nudge_errors(nudges, np.float64)
    assert single[0] > 100 * double[0]
    assert single[1] == 1  # the nudge is lost: no change, influence 0
    assert max(double) < 1e-5


def test_learning_goes_down_to_the_best_weight(lesson):
    path = lesson.learn(3.0, [(1.0, 1.0)], 50)
    errors = lesson.total_error(path, [(1.0, 1.0)])
    assert (np.diff(errors) < 0).all()
    assert path[-1] == pytest.approx(1, abs=1e-3)
