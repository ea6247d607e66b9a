"""Gradient descent against nudging, least squares and Keras; sizes, rates, minima."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

ATOL = 1e-9
CHANGED_INPUTS = [
    (
        {"SIZES": {"batch": 500, "mini_batch": 20, "stochastic": 2}},
        {"iterations_mini_batch"},
    ),
]


def relative_error(ours, theirs):
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)


@pytest.mark.parametrize("capped", [False, True])
def test_gradient_is_the_average_of_the_samples_and_equals_nudging(lesson, capped):
    features, y = lesson.make_data(np.random.default_rng(0))
    point, batch = np.array([0.3, -0.4]), slice(20, 30)

    def loss(parameters):
        if capped:
            return lesson.capped_loss(parameters, features[batch], y[batch])
        return ((features[batch] @ parameters - y[batch]) ** 2).mean()

    step = 1e-5 * np.eye(2)
    nudged = [(loss(point + s) - loss(point - s)) / 2e-5 for s in step]
    gradient = lesson.gradient(point, features[batch], y[batch], capped)
    assert relative_error(gradient, np.array(nudged)) < 1e-6
    each = [
        lesson.gradient(point, features[[i]], y[[i]], capped) for i in range(20, 30)
    ]
    np.testing.assert_allclose(np.mean(each, axis=0), gradient, atol=ATOL)


def test_excess_is_the_loss_above_the_least(lesson):
    features, y = lesson.make_data(np.random.default_rng(0))
    line = LinearRegression().fit(features[:, :1], y)
    lowest = np.array([line.coef_[0], line.intercept_])
    points = np.array([[0.0, 0.0], [1.0, 3.0], lowest])
    losses = ((features @ points.T - y[:, None]) ** 2).mean(axis=0)
    expected = 100 * (losses / losses[-1] - 1)
    np.testing.assert_allclose(lesson.excess(points, features, y), expected, atol=ATOL)


def test_an_epoch_sees_every_sample_once(lesson):
    features, y = lesson.make_data(np.random.default_rng(0))
    start = np.tile(lesson.START, (3, 1))
    # Each sample pulls by itself where steps are too small to feel each other.
    rate, size = 1e-9, 10
    path = lesson.descend(start, features, y, size, rate, 100, np.random.default_rng(0))
    assert path.shape == (101, 3, 2)
    whole = -rate * 100 * lesson.gradient(lesson.START, features, y)
    for moved in path[-1] - lesson.START:
        assert relative_error(moved, whole) < 1e-5
    assert len(np.unique(path[1], axis=0)) == 3  # three orders, not one


def test_batch_descent_diverges_just_above_the_largest_rate(lesson):
    features, y = lesson.make_data(np.random.default_rng(3))
    largest_rate = 2 / np.linalg.eigvalsh(2 * features.T @ features / len(y)).max()

    def excess(share):
        rate, rng = share * largest_rate, np.random.default_rng(0)
        start = lesson.START[None]
        path = lesson.descend(start, features, y, len(y), rate, 300, rng)
        return lesson.excess(path[-1, 0], features, y)

    assert excess(0.98) < 1
    assert excess(1.02) > 10_000
    assert excess(0.75) < excess(0.02)


def test_few_samples_lead_as_far_and_many_lead_closer(lesson):
    """The finding: nearly as few updates with 1/1,000 of the samples, but no rest."""
    rng = np.random.default_rng(3)
    features, y = lesson.make_data(rng)
    updates, rest = {}, {}
    for name, size in lesson.SIZES.items():
        start = np.tile(lesson.START, (100, 1))
        path = lesson.descend(start, features, y, size, 0.1, 60, rng)
        above = lesson.excess(path, features, y).mean(axis=1)
        updates[name] = (above < 100).argmax()
        rest[name] = above[-20:].mean()
    assert updates["batch"] <= updates["mini_batch"] <= updates["batch"] + 2
    assert updates["batch"] < updates["stochastic"] < 3 * updates["batch"]
    assert rest["batch"] < 1 < rest["mini_batch"] < rest["stochastic"] / 5


def test_single_samples_leave_the_higher_minimum_by_long_steps_only(lesson):
    """The finding, started in the higher of the two minima."""
    rng = np.random.default_rng(5)
    features, y = lesson.two_lines(rng)
    starts, left = np.full((100, 1), -1.0), {}
    for size, rate in ((200, 1.0), (1, 0.1), (1, 1.0)):
        ends = lesson.descend(starts, features, y, size, rate, 500, rng, capped=True)
        left[size, rate] = (ends[-1] > 0.5).mean()
    assert left[200, 1.0] == 0
    assert left[1, 0.1] < 0.05
    assert left[1, 1.0] > 0.4


def test_keras_takes_the_same_path(lesson):
    features, y = lesson.make_data(np.random.default_rng(3))
    start = lesson.START[None]
    rng = np.random.default_rng(7)
    path = lesson.descend(start, features, y, 10, lesson.LEARNING_RATE, 100, rng)
    order = np.random.default_rng(7).permuted(np.arange(len(y))[None], axis=1)[0]
    model = lesson.keras_epoch(features[order], y[order], 10)
    theirs = np.concatenate([weights.ravel() for weights in model.get_weights()])
    np.testing.assert_allclose(path[-1, 0], theirs, atol=1e-5)
    assert int(model.optimizer.iterations) == 100
