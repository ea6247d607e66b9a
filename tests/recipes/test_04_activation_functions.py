"""Ten functions at their break points, their slopes, and depth."""

import math

import numpy as np
import pytest


@pytest.fixture(scope="module")
def functions(lesson):
    """{name: (function, derivative, the function in Keras)}"""
    return lesson.activations()


@pytest.mark.parametrize(
    "name, points",
    [
        ("step", {-1: 0, -1e-12: 0, 0: 1, 1: 1}),
        ("bipolar step", {-1: -1, 0: -1, 1e-12: 1, 1: 1}),
        ("threshold", {-2: -1, -1: -1, -0.5: -0.5, 0.5: 0.5, 1: 1, 2: 1}),
        ("bipolar sigmoid", {-40: -1, 0: 0, 40: 1, 1: (math.e - 1) / (math.e + 1)}),
        ("sigmoid", {-40: 0, 0: 0.5, 40: 1, 1: math.e / (math.e + 1)}),
        ("tanh", {-40: -1, 0: 0, 40: 1, 0.5: (math.e - 1) / (math.e + 1)}),
        ("ReLU", {-3: 0, 0: 0, 3: 3}),
        ("leaky ReLU", {-3: -0.3, 0: 0, 3: 3}),
        ("maxout", {-2: 1, 0: 0, 3: 3}),
        ("ELU", {-40: -1, -1: 1 / math.e - 1, 0: 0, 3: 3}),
    ],
)
def test_formulas_at_their_break_points(functions, name, points):
    x = np.array(list(points), float)
    expected = list(points.values())
    np.testing.assert_allclose(functions[name][0](x), expected, atol=1e-15)


def test_derivatives_by_nudging(functions):
    x = np.linspace(-3, 3, 200)  # misses the break points
    assert len(functions) == 10
    for name, (function, slope, _) in functions.items():
        nudged = (function(x + 1e-5) - function(x - 1e-5)) / 2e-5
        np.testing.assert_allclose(slope(x), nudged, rtol=1e-6, atol=1e-9, err_msg=name)


def test_keras_has_the_same_functions_and_slopes(lesson):
    assert lesson.keras_disagreements(np.linspace(-3, 3, 200)) == 0


def test_sigmoid_slope_is_never_above_a_quarter(functions):
    slope = functions["sigmoid"][1]
    x = np.random.default_rng(5).normal(scale=4, size=10_000)
    assert slope(np.array(0.0)) == 0.25
    assert slope(x).max() <= 0.25
    # Five layers at best: a thousandth.
    assert slope(np.array(0.0)) ** 5 < 1e-3


def test_bipolar_sigmoid_is_tanh_of_half_the_input(functions):
    x = np.linspace(-5, 5, 101)
    bipolar = functions["bipolar sigmoid"][0]
    np.testing.assert_allclose(bipolar(x), np.tanh(x / 2), atol=1e-14)


def test_linear_layers_collapse_and_others_do_not(lesson, functions):
    assert lesson.differ_from_one_layer(lambda x: x, seed=6) == 0
    for name in ("ReLU", "tanh", "leaky ReLU"):
        differing = lesson.differ_from_one_layer(functions[name][0], seed=6)
        assert differing > 900
