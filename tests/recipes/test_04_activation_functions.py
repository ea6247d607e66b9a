"""Ten functions at their break points, their slopes, and depth."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

CHANGED_INPUTS = [
    ({"POINTS": np.array([-2.0, -0.5, 0.0, 0.5, 2.0])}, {"kinds", "functions"}),
    ({"POINTS": np.array([1.0, 0.0, -1.0])}, {"step"}),
    ({"LAYERS": 10}, {"influence_after_100"}),
    ({"linear": np.tanh}, {"linear_layers_differ"}),
]


@pytest.fixture(scope="module")
def functions(lesson):
    """{name: (function, derivative)}"""
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
    for name, (function, slope) in functions.items():
        nudged = (function(x + 1e-5) - function(x - 1e-5)) / 2e-5
        np.testing.assert_allclose(slope(x), nudged, rtol=1e-6, atol=1e-9, err_msg=name)


def test_keras_has_the_same_functions_and_slopes(functions):
    in_keras = {
        "threshold": keras.activations.hard_tanh,
        "bipolar sigmoid": lambda x: keras.activations.tanh(x / 2),
        "sigmoid": keras.activations.sigmoid,
        "tanh": keras.activations.tanh,
        "ReLU": keras.activations.relu,
        "leaky ReLU": lambda x: keras.activations.leaky_relu(x, negative_slope=0.1),
        "maxout": lambda x: keras.ops.maximum(-0.5 * x, x),
        "ELU": keras.activations.elu,
    }
    # These points miss the break points, where slopes are a choice; the steps have no
    # slope for GradientTape to find.
    x = np.linspace(-3, 3, 200)
    for name, theirs in in_keras.items():
        variable = tf.Variable(x)
        with tf.GradientTape() as tape:
            y = theirs(variable)
        function, slope = functions[name]
        np.testing.assert_allclose(function(x), y, rtol=1e-6, err_msg=name)
        np.testing.assert_allclose(slope(x), tape.gradient(y, variable), rtol=1e-6)


def test_threshold_is_a_formula_too(functions):
    x = np.linspace(-3, 3, 61)
    formula = (np.abs(x + 1) - np.abs(x - 1)) / 2  # the slide: it has none
    np.testing.assert_allclose(functions["threshold"][0](x), formula, atol=1e-15)


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


@pytest.fixture(scope="module")
def network():
    """500 inputs of 4 and 100 layers of 4, orthogonal."""
    random = np.random.default_rng(6)
    x = random.normal(size=(500, 4))
    return x, np.linalg.qr(random.normal(size=(100, 4, 4)))[0]


def test_linear_layers_are_one_and_a_bend_is_what_makes_two_layers_more(
    lesson, functions, network
):
    x, layers = network
    assert lesson.differ_from_one_layer(x, layers, lesson.linear) == 0
    assert lesson.unexplained(x, layers, lesson.linear) < 1e-20
    for name in ("ReLU", "leaky ReLU", "tanh", "sigmoid"):
        left = lesson.unexplained(x, layers[:2], functions[name][0])
        assert left > (20 if name == "ReLU" else 0.1), name


def test_to_differ_from_the_product_of_weights_is_not_to_be_nonlinear(lesson, network):
    """100 layers of 4 ReLUs put out 0 everywhere, which is a linear map, too."""
    x, layers = network
    assert lesson.differ_from_one_layer(x, layers, lesson.relu) == len(x)
    assert not lesson.through_layers(x, layers, lesson.relu).any()


def test_the_best_linear_layer_is_scikit_learns(lesson, network):
    from sklearn.linear_model import LinearRegression

    x, layers = network
    y = lesson.through_layers(x, layers[:2], lesson.relu)
    theirs = LinearRegression().fit(x, y).predict(x)
    np.testing.assert_allclose(lesson.best_linear_layer(x, y), theirs, atol=1e-12)
