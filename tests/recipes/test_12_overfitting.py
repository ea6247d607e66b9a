"""Networks trained together against lone ones; too small, too large, cured."""

import keras
import numpy as np
import pytest


def test_overfitting_costs_equal_those_of_lone_networks(lesson):
    rng = np.random.default_rng(3)
    x, y = lesson.draw(rng, 7)
    weights, mask = lesson.initial_weights(rng)
    costs = lesson.costs(weights, mask, x, y).numpy()
    into, bias, out, last_bias = (w.numpy().astype("float64") for w in weights)
    for kind, (width, alpha) in enumerate(lesson.KINDS):
        for d in (0, lesson.DATA_SETS - 1):
            v, b, w = (a[:width, kind, d] for a in (into, bias, out))
            answers = np.array([np.tanh(v * t + b) @ w for t in x[:, d]])
            mse = np.mean((answers + last_bias[kind, d] - y[:, d]) ** 2)
            expected = mse + alpha * (np.sum(v**2) + np.sum(w**2))
            assert costs[kind, d] == pytest.approx(expected, rel=1e-5)


def test_overfitting_and_its_cure(lesson, monkeypatch):
    small, good, large, cured, stifled = kinds = [
        (1, 0.0),
        (3, 0.0),
        (32, 0.0),
        (32, 1e-3),
        (32, 1.0),
    ]
    monkeypatch.setattr(lesson, "KINDS", kinds)
    rng = np.random.default_rng(0)
    data, test = lesson.draw(rng, lesson.SAMPLES), lesson.draw(rng, 500)
    weights, mask = lesson.initial_weights(rng)
    optimizer = keras.optimizers.Adam(lesson.LEARNING_RATE)
    optimizer.build(weights)
    lesson.train(optimizer, weights, mask, *data, 5000)
    train_error, test_error = (
        dict(zip(lesson.KINDS, np.median(errors, axis=1), strict=True))
        for errors in (lesson.errors(weights, mask, *part) for part in (data, test))
    )
    # Too large: it knows its training data, and is far worse on others ...
    assert train_error[large] < 0.3 * train_error[small]
    assert test_error[large] > 5 * train_error[large]
    assert test_error[good] < 0.85 * min(test_error[small], test_error[large])
    # ... unless its weights cost something, but not too much.
    assert test_error[cured] < 0.7 * test_error[large]
    assert test_error[cured] < 0.7 * test_error[small]
    assert test_error[cured] < 0.7 * test_error[stifled]
    # Neurons that a network does not have stay out of it.
    assert np.all(weights[2].numpy()[1:, 0] == 0)
