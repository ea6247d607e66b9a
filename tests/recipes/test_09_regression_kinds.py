"""One perceptron against scikit-learn's three regressions, on other data."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression


@pytest.mark.parametrize("kind", ["linear", "logistic", "softmax"])
def test_one_perceptron_is_the_classical_regression(lesson, kind):
    """On other data than the recipe's: scikit-learn's weights to three digits."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))
    z = x @ rng.normal(size=(3, 3)) + rng.normal(size=(120, 3))
    if kind == "linear":
        d, penalty, activation = z[:, :1], 0, lesson.identity
        control = LinearRegression().fit(x, d)
    elif kind == "logistic":
        d, penalty, activation = (z[:, :1] > 0) * 1.0, 2.0, lesson.sigmoid
        control = LogisticRegression(C=1 / penalty, tol=1e-8).fit(x, d[:, 0])
    else:
        d, penalty, activation = np.eye(3)[z.argmax(axis=1)], 2.0, lesson.softmax
        control = LogisticRegression(C=1 / penalty, tol=1e-8).fit(x, d.argmax(axis=1))
    W, b = lesson.train(activation, x, d, penalty, steps=2000)
    np.testing.assert_allclose(W, control.coef_.T, atol=5e-4)
    np.testing.assert_allclose(b, control.intercept_, atol=5e-4)

    factor = penalty / (2 * len(x))
    assert lesson.slope(lesson.in_keras(kind, W, b, factor), kind, x, d) < 1e-4
    assert lesson.slope(lesson.in_keras(kind, W + 0.1, b, factor), kind, x, d) > 1e-3


def test_the_wrong_activation_is_another_regression(lesson):
    """The finding's other side: the weights follow from the activation alone."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(120, 3))
    d = (x[:, :1] + rng.normal(size=(120, 1)) > 0) * 1.0
    control = LogisticRegression(C=1 / 2.0, tol=1e-8).fit(x, d[:, 0]).coef_.T
    for activation, close in ((lesson.sigmoid, True), (lesson.identity, False)):
        W, _ = lesson.train(activation, x, d, 2.0, steps=2000)
        assert np.allclose(W, control, atol=5e-4) == close
