"""Initial weights against Keras, gradients against nudging, growth against theory."""

import numpy as np
import pytest


@pytest.mark.parametrize("start", ["normal", "xavier", "he"])
def test_initial_weights_have_the_variance_of_keras(lesson, start):
    rng = np.random.default_rng(5)
    ours = lesson.by_hand(start, 300, 200, rng)
    keras_own = lesson.by_keras(start, 300, 200, rng)
    variance = {"normal": 1, "xavier": 2 / 500, "he": 2 / 300}[start]
    assert np.var(ours) == pytest.approx(variance, rel=0.03)
    assert np.var(keras_own) == pytest.approx(variance, rel=0.03)
    if start == "xavier":  # Keras' Glorot uniform: the same limits, too
        assert np.abs(ours).max() == pytest.approx(np.abs(keras_own).max(), rel=1e-3)


def test_gradient_through_the_layers_equals_nudging(lesson, monkeypatch):
    monkeypatch.setattr(lesson, "WIDTH", 4)
    rng = np.random.default_rng(2)
    x, first, second = (rng.normal(size=(3, 4)), *rng.normal(size=(2, 4, 4)))
    signals, gradients = lesson.through_the_layers(
        x, [first, second], "tanh", np.random.default_rng(9)
    )
    noise = np.random.default_rng(9).normal(size=(3, 4))
    hidden = np.tanh(x @ first)
    np.testing.assert_allclose(signals[0], hidden, rtol=1e-12)
    nudge = 1e-6
    for place in np.ndindex(3, 4):
        moved = np.zeros((3, 4))
        moved[place] = nudge
        up, down = (
            np.sum(np.tanh((hidden + m) @ second) * noise) for m in (moved, -moved)
        )
        assert gradients[0].numpy()[place] == pytest.approx(
            (up - down) / (2 * nudge), rel=1e-6, abs=1e-9
        )


def sent_through(lesson, activation, start, rng):
    """Signals and gradients of 15 layers as wide as the lesson's."""
    x = rng.normal(size=(50, lesson.WIDTH))
    shape = (lesson.WIDTH, lesson.WIDTH)
    weights = [lesson.by_hand(start, *shape, rng) for _ in range(15)]
    return lesson.through_the_layers(x, weights, activation, rng)


def test_relu_signals_grow_per_layer_as_theory_says(lesson):
    rng = np.random.default_rng(0)
    # Of n products summed, ReLU lets half the variance through: n Var(w) / 2.
    theory = {"normal": lesson.WIDTH / 2, "xavier": 0.5, "he": 1.0}
    for start, expected in theory.items():
        signals, gradients = sent_through(lesson, "relu", start, rng)
        forward = lesson.per_layer([np.mean(s**2) for s in signals])
        back = lesson.per_layer([np.var(g) for g in gradients][::-1])
        assert forward == pytest.approx(expected, rel=0.15)
        assert back == pytest.approx(expected, rel=0.15)


def test_xavier_keeps_tanh_alive_and_not_sigmoids(lesson):
    rng = np.random.default_rng(1)
    back, saturated = {}, {}
    for activation, start in (
        ("tanh", "xavier"),
        ("sigmoid", "xavier"),
        ("tanh", "normal"),
    ):
        signals, gradients = sent_through(lesson, activation, start, rng)
        key = activation, start
        back[key] = lesson.per_layer([np.var(g) for g in gradients][::-1])
        saturated[key] = np.mean(np.abs(signals[-1]) > 0.99)
    assert 0.75 < back["tanh", "xavier"] < 1
    # A sigmoid's slope is at most 1/4: gradients keep 1/16 of their variance at best.
    assert 0.04 < back["sigmoid", "xavier"] < 1 / 16
    assert saturated["tanh", "xavier"] == 0
    assert saturated["tanh", "normal"] > 0.7


def test_saturated_tanh_do_not_stop_gradients_of_large_weights(lesson):
    """The finding: with N(0, 1) they grow, by WIDTH times the mean squared slope."""
    rng = np.random.default_rng(2)
    signals, gradients = sent_through(lesson, "tanh", "normal", rng)
    back = lesson.per_layer([np.var(g) for g in gradients][::-1])
    slopes = np.mean([np.mean((1 - signal**2) ** 2) for signal in signals[1:]])
    assert slopes < 0.1
    assert back > 5
    assert back == pytest.approx(lesson.WIDTH * slopes, rel=0.1)
