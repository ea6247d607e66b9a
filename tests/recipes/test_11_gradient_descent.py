"""Gradient descent against nudging, least squares and Keras; sizes and rates."""

import numpy as np
from sklearn.linear_model import LinearRegression

ATOL = 1e-9


def relative_error(ours, theirs):
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)


def test_gradient_is_the_average_of_the_samples_and_equals_nudging(lesson):
    features, y = lesson.make_data(0)
    point, batch = np.array([0.3, -0.4]), slice(20, 30)

    def loss(parameters):
        return ((features[batch] @ parameters - y[batch]) ** 2).mean()

    step = 1e-5 * np.eye(2)
    nudged = [(loss(point + s) - loss(point - s)) / 2e-5 for s in step]
    gradient = lesson.gradient(point, features[batch], y[batch])
    assert relative_error(gradient, np.array(nudged)) < 1e-6
    each = [lesson.gradient(point, features[[i]], y[[i]]) for i in range(20, 30)]
    np.testing.assert_allclose(np.mean(each, axis=0), gradient, atol=ATOL)


def test_excess_is_the_loss_above_the_least(lesson):
    features, y = lesson.make_data(0)
    least, lowest, curvature = lesson.surface(features, y)
    line = LinearRegression().fit(features[:, :1], y)
    np.testing.assert_allclose(lowest, [line.coef_[0], line.intercept_], atol=ATOL)
    points = np.array([[0.0, 0.0], [1.0, 3.0]])
    losses = ((features @ points.T - y[:, None]) ** 2).mean(axis=0)
    np.testing.assert_allclose(
        lesson.excess(points, least, lowest, curvature), losses / least - 1, atol=ATOL
    )


def test_an_epoch_sees_every_sample_once(lesson):
    features, y = lesson.make_data(0)
    for size in lesson.SIZES.values():
        path = lesson.descend(features, y, size, 0.01, epochs=2, seed=0)
        assert len(path) == 1 + 2 * 1000 // size
    # Each sample pulls by itself where steps are too small to feel each other.
    rate = 1e-9
    moved = lesson.descend(features, y, 10, rate, 1, seed=0)[-1] - lesson.START
    whole = -rate * 100 * lesson.gradient(lesson.START, features, y)
    assert relative_error(moved, whole) < 1e-5


def test_batch_descent_diverges_just_above_the_largest_rate(lesson):
    features, y = lesson.make_data(3)
    shape = lesson.surface(features, y)
    largest_rate = 2 / np.linalg.eigvalsh(shape[2]).max()

    def excess(share):
        path = lesson.descend(features, y, len(y), share * largest_rate, 300, seed=0)
        return lesson.excess(path[-1], *shape)

    assert excess(0.98) < 0.01
    assert excess(1.02) > 100
    assert excess(0.75) < excess(0.02)


def test_small_batches_arrive_sooner_and_rest_less(lesson):
    features, y = lesson.make_data(3)
    shape = lesson.surface(features, y)
    seen, rest = {}, {}
    for name, size in lesson.SIZES.items():
        path = lesson.descend(features, y, size, lesson.LEARNING_RATE, 40, seed=3)
        above = lesson.excess(path, *shape)
        seen[name] = size * (above < lesson.GIVEN_LOSS - 1).argmax()
        rest[name] = above[-(1000 // size) :].mean()
    assert 10 * seen["stochastic"] < 5 * seen["mini_batch"] < seen["batch"]
    assert rest["batch"] < rest["mini_batch"] / 3 < rest["stochastic"] / 9


def test_keras_takes_the_same_path(lesson):
    features, y = lesson.make_data(3)
    path = lesson.descend(features, y, 10, lesson.LEARNING_RATE, 1, seed=3)
    theirs = lesson.keras_descend(features, y, 10, seed=3)
    np.testing.assert_allclose(path[-1], theirs, atol=1e-5)
