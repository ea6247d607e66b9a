"""Connections counted one by one, metrics against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import log_loss


def test_881_connections_counted_one_by_one(lesson):
    """A connection is there if its end changes when its beginning does."""
    connections = 0
    rng = np.random.default_rng(0)
    weights = lesson.in_keras().get_weights()
    for W, b in zip(weights[::2], weights[1::2], strict=True):
        x = rng.normal(size=len(W))
        for neuron in range(len(W)):
            moved = x.copy()
            moved[neuron] += 1
            layer = [(W, b)]
            change = lesson.forward(moved, layer) - lesson.forward(x, layer)
            connections += np.count_nonzero(change)
    assert connections == 881
    assert lesson.in_keras().count_params() == 881 + 16 + 16 + 9 + 9


def test_metrics_equal_scikit_learn(lesson):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(50, 4))
    labels, any_of_four = rng.integers(4, size=50), rng.integers(2, size=(50, 4))
    y = lesson.softmax(z)
    one_of_four = lesson.categorical_cross_entropy(np.eye(4)[labels], y)
    assert one_of_four == pytest.approx(log_loss(labels, y), rel=1e-9)
    y = lesson.sigmoid(z)
    by_column = [log_loss(any_of_four[:, i], y[:, i]) for i in range(4)]
    binary = lesson.binary_cross_entropy(any_of_four, y)
    assert binary == pytest.approx(np.mean(by_column), rel=1e-9)
    assert lesson.mean_squared_error(np.array([0.0, 2]), np.array([1.0, 5])) == 5


def test_a_metric_that_does_not_fit_flatters_a_network_that_says_no(quick):
    values = quick["values"]
    assert values["silent_accuracy"] < 15 < 85 < values["silent_binary_accuracy"]
