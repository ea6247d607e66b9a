"""Softmax and cross-entropy on the slide, against scikit-learn and nudging."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

ATOL = 1e-9
CHANGED_INPUTS = [
    ({"SCORES": np.array([1.0, 2.0, 4.0])}, {"softmax", "error_at_d_equal_y"}),
    ({"ANSWER": np.array([0.4, 0.5, 0.8])}, {"sum_of_y", "cross_entropy"}),
    (
        {"ALIKE": np.array([[0.9], [0.1]])},
        {"error_at_d_1_y_1", "error_at_d_0_y_0"},
    ),
    ({"softmax": np.exp}, {"softmax_sum"}),
]


def relative_error(ours, theirs):
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)


def test_softmax_and_cross_entropy_of_the_slide(lesson, quick):
    y = lesson.softmax(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(y, [0.090, 0.245, 0.665], atol=5e-4)
    d, y = np.array([1, 0, 0]), np.array([0.3, 0.5, 0.8])
    assert lesson.cross_entropy(d, y) == pytest.approx(1.204, abs=5e-4)
    of_shares = lesson.cross_entropy(d, y / y.sum())  # as Keras understands such a y
    assert quick["values"]["cross_entropy_keras"] == pytest.approx(of_shares, rel=1e-6)


def test_softmax_is_shift_invariant_and_does_not_overflow(lesson):
    o = np.array([[1.0, 2.0, 3.0], [-5.0, 0.0, 5.0]])
    np.testing.assert_allclose(lesson.softmax(o), lesson.softmax(o + 100), atol=ATOL)
    np.testing.assert_allclose(lesson.softmax(o * 1000)[0], [0, 0, 1], atol=ATOL)


def test_cross_entropy_is_least_at_the_target_and_zero_only_if_one_hot(lesson):
    rng = np.random.default_rng(0)
    d = lesson.softmax(rng.normal(size=4))
    others = lesson.softmax(rng.normal(size=(100, 4)))
    assert (lesson.cross_entropy(d, others) > lesson.cross_entropy(d, d)).all()
    assert lesson.cross_entropy(d, d) > 0.1
    assert lesson.cross_entropy(np.eye(4), np.eye(4)).tolist() == [0, 0, 0, 0]
    labels = rng.integers(4, size=100)
    ours = lesson.cross_entropy(np.eye(4)[labels], others).mean()
    assert ours == pytest.approx(log_loss(labels, others), rel=1e-9)


def test_influence_of_the_scores_by_nudging(lesson):
    rng = np.random.default_rng(0)
    o, d = rng.normal(size=5), lesson.softmax(rng.normal(size=5))
    step = 1e-5 * np.eye(5)
    error = lesson.cross_entropy(d, lesson.softmax(o + step))
    nudged = (error - lesson.cross_entropy(d, lesson.softmax(o - step))) / 2e-5
    assert relative_error(lesson.influence(d, o), nudged) < 1e-6
    assert lesson.difference_from_keras() < ATOL
