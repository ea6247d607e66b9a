"""Lessons 01 to 05: influences, graphs, activations, gates and Hebb's rule."""

import math

from common import recipes

import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import linprog

neuron_gradient, graphs, logistic, activation, hebb = (
    recipes.load(recipes.find(number)) for number in ("01", "02", "03", "04", "05")
)


def relative(found, expected):
    found, expected = np.asarray(found), np.asarray(expected)
    return np.abs(found - expected).max() / np.abs(expected).max()


# 01_neuron_gradient


def test_influences_on_the_slide():
    for w in (-4.0, 0.0, 1.0, 2.5):
        influence = neuron_gradient.influence_by_graph(w, [(1.0, 1.0)])
        assert influence == 2 * (w - 1)
    assert neuron_gradient.local_influences(3.0, 1.0, 1.0) == (1, 1, 4)


def test_graph_calculus_tape_and_central_nudging_agree_on_shared_weights():
    random = np.random.default_rng(1)
    for _ in range(20):
        w, samples = random.normal(), random.normal(size=(5, 2)).tolist()
        tape = neuron_gradient.influence_by_tape(w, samples)
        forth = neuron_gradient.influence_by_nudge(w, samples, 1e-6)
        back = neuron_gradient.influence_by_nudge(w, samples, -1e-6)
        assert neuron_gradient.influence_by_graph(w, samples) == pytest.approx(
            tape, rel=1e-9
        )
        assert neuron_gradient.influence_by_calculus(w, samples) == pytest.approx(
            tape, rel=1e-9
        )
        assert (forth + back) / 2 == pytest.approx(tape, rel=1e-6)


def test_a_nudge_is_off_by_its_own_size_through_a_square():
    for nudge in (1.0, 0.5, 0.25, -1.0):
        found = neuron_gradient.influence_by_nudge(3.0, [(1.0, 1.0)], nudge)
        assert found == 4 + nudge


def test_small_nudges_fail_in_float32_before_float64():
    nudges = [1e-5, 1e-8]
    single = neuron_gradient.nudge_errors(nudges, np.float32)
    double = neuron_gradient.nudge_errors(nudges, np.float64)
    assert single[0] > 100 * double[0]
    assert single[1] == 1  # the nudge is lost: no change, influence 0
    assert max(double) < 1e-5


def test_learning_goes_down_to_the_best_weight():
    path = neuron_gradient.learn(3.0, [(1.0, 1.0)], 50)
    errors = neuron_gradient.total_error(path, [(1.0, 1.0)])
    assert (np.diff(errors) < 0).all()
    assert path[-1] == pytest.approx(1, abs=1e-3)


# 02_computational_graph


def test_worked_graph_of_the_slide():
    values = graphs.forward(graphs.COMBINED, {"x": -2, "y": 5, "z": 4})
    assert (values["q"], values["f"]) == (3, 12)
    influence = graphs.backward(graphs.COMBINED, values)
    assert [influence[name] for name in "fqxyz"] == [1, 4, 4, 4, 3]


def test_nodes_pass_upstream_on_as_on_the_slide():
    inputs = {"x": 2, "y": 6}
    for graph, output, x, y in (
        (graphs.ADDITION, 8, 1.5, 1.5),
        (graphs.MULTIPLICATION, 12, 9, 3),
    ):
        values = graphs.forward(graph, inputs)
        influence = graphs.backward(graph, values, upstream=1.5)
        assert (values["z"], influence["x"], influence["y"]) == (output, x, y)


def random_graph(random):
    """Nodes that use any earlier value, some several times, some twice at once."""
    names = ["a", "b", "c"]
    graph = []
    for i in range(12):
        left, right = random.choice(names, 2)
        graph.append((f"v{i}", str(random.choice(["+", "x"])), left, right))
        names.append(f"v{i}")
    graph.append(("end", "+", "v11", "a"))
    return graph, dict(zip("abc", random.uniform(-1, 1, 3), strict=True))


def test_backward_equals_tape_and_central_nudging_on_random_graphs():
    random = np.random.default_rng(2)
    for _ in range(15):
        graph, inputs = random_graph(random)
        influence = graphs.backward(graph, graphs.forward(graph, inputs))
        variables = {n: tf.Variable(v, dtype=tf.float64) for n, v in inputs.items()}
        with tf.GradientTape() as tape:
            end = graphs.forward(graph, variables)["end"]
        slopes = tape.gradient(end, variables, unconnected_gradients="zero")
        nudged = {}
        for name, value in inputs.items():
            ends = [
                graphs.forward(graph, {**inputs, name: value + nudge})["end"]
                for nudge in (1e-5, -1e-5)
            ]
            nudged[name] = (ends[0] - ends[1]) / 2e-5
        found = [influence[name] for name in inputs]
        assert relative(found, [slopes[n].numpy() for n in inputs]) < 1e-9
        assert relative(found, [nudged[n] for n in inputs]) < 1e-6


def test_influences_add_where_a_value_is_used_twice():
    square = [("f", "x", "x", "x")]
    values = graphs.forward(square, {"x": 7.0})
    assert graphs.backward(square, values)["x"] == 14


def test_long_graph_agrees_with_nudging():
    graph, inputs = graphs.long_graph(seed=3)
    influence = graphs.backward(graph, graphs.forward(graph, inputs))
    nudged = graphs.backward_by_nudging(graph, inputs)
    found = [influence[name] for name in inputs]
    assert relative(found, list(nudged.values())) < 1e-5
    assert len(inputs) == 100


# 03_logistic_neuron


def samples():
    random = np.random.default_rng(4)
    w, x = random.normal(size=(2, 200))
    return w, x, random.integers(0, 2, 200).astype(float)


def test_every_way_finds_the_same_influence():
    w, x, y = samples()
    graph, _ = logistic.by_graph(w, x, y)
    for way in (
        logistic.by_calculus,
        logistic.by_nudging,
        logistic.by_tape,
        logistic.by_keras,
    ):
        np.testing.assert_allclose(way(w, x, y), graph, rtol=1e-6, atol=1e-9)


def test_sigmoid_slope_through_the_graph():
    w, x, y = samples()
    s = logistic.sigmoid(w * x)
    _, slope = logistic.by_graph(w, x, y)
    np.testing.assert_allclose(slope, (1 - s) * s, rtol=1e-12)


def test_cost_is_the_cross_entropy_of_the_answer():
    # At w = 0 the output is one half: one bit, ln 2, whatever the label.
    assert logistic.cost(0.0, 1.0, 1.0) == pytest.approx(math.log(2))
    assert logistic.cost(0.0, 1.0, 0.0) == pytest.approx(math.log(2))
    assert logistic.cost(-8.0, 1.0, 1.0) == pytest.approx(8, abs=1e-3)


def test_squared_error_influence_by_nudging():
    w = np.linspace(-4, 4, 9)
    forth, back = ((logistic.sigmoid(w + n) - 1) ** 2 for n in (1e-5, -1e-5))
    found = logistic.squared_error_influence(w, 1.0, 1.0)
    np.testing.assert_allclose(found, (forth - back) / 2e-5, rtol=1e-6)


def test_cross_entropy_unlearns_a_sure_mistake_and_squared_error_does_not():
    entropy = logistic.learn(logistic.by_calculus, -8.0, 100)
    squared = logistic.learn(logistic.squared_error_influence, -8.0, 100)
    assert logistic.sigmoid(entropy[-1]) > 0.95
    assert logistic.sigmoid(squared[-1]) < 0.01


# 04_activation_functions

FUNCTIONS = activation.activations()


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
def test_formulas_at_their_break_points(name, points):
    x = np.array(list(points), float)
    expected = list(points.values())
    np.testing.assert_allclose(FUNCTIONS[name][0](x), expected, atol=1e-15)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_by_nudging(name):
    x = np.linspace(-3, 3, 200)  # misses the break points
    function, slope, _ = FUNCTIONS[name]
    nudged = (function(x + 1e-5) - function(x - 1e-5)) / 2e-5
    np.testing.assert_allclose(slope(x), nudged, rtol=1e-6, atol=1e-9)


def test_keras_has_the_same_functions_and_slopes():
    assert activation.keras_disagreements(np.linspace(-3, 3, 200)) == 0


def test_sigmoid_slope_is_never_above_a_quarter():
    slope = FUNCTIONS["sigmoid"][1]
    x = np.random.default_rng(5).normal(scale=4, size=10_000)
    assert slope(np.array(0.0)) == 0.25
    assert slope(x).max() <= 0.25
    # Five layers at best: a thousandth.
    assert slope(np.array(0.0)) ** 5 < 1e-3


def test_bipolar_sigmoid_is_tanh_of_half_the_input():
    x = np.linspace(-5, 5, 101)
    bipolar = FUNCTIONS["bipolar sigmoid"][0]
    np.testing.assert_allclose(bipolar(x), np.tanh(x / 2), atol=1e-14)


def test_linear_layers_collapse_and_others_do_not():
    assert activation.differ_from_one_layer(lambda x: x, seed=6) == 0
    for name in ("ReLU", "tanh", "leaky ReLU"):
        differing = activation.differ_from_one_layer(FUNCTIONS[name][0], seed=6)
        assert differing > 900


# 05_hebb_rule

ROWS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def test_truth_tables():
    a, b = ROWS.T.astype(bool)
    assert (hebb.both(ROWS) == (a & b)).all()
    assert (hebb.either(ROWS) == (a | b)).all()
    assert (hebb.one_of(ROWS) == (a ^ b)).all()
    assert hebb.inverse(np.array([[0], [1]])).tolist() == [1, 0]


def test_one_neuron_has_exactly_the_linearly_separable_gates():
    separable = set()
    for number in range(16):
        table = tuple(number >> bit & 1 for bit in range(4))
        # Is there (w1, w2, threshold) with a margin of 1 on the right side of each row?
        sides = np.where(np.array(table) == 1, -1, 1)[:, None]
        solved = linprog(
            np.zeros(3),
            sides * np.column_stack([ROWS, -np.ones(4)]),
            -np.ones(4),
            bounds=[(None, None)] * 3,
        )
        if solved.status == 0:
            separable.add(table)
    assert hebb.gates_by_one_neuron(ROWS) == separable
    assert len(separable) == 14
    assert (0, 1, 1, 0) not in separable


def test_hebb_is_the_sum_of_outer_products_and_a_gradient():
    random = np.random.default_rng(7)
    x, y = random.normal(size=(6, 5)), random.normal(size=(6, 3))
    np.testing.assert_allclose(hebb.hebb(x, y), y.T @ x, rtol=1e-12)
    np.testing.assert_allclose(hebb.hebb_by_tape(x, y), y.T @ x, rtol=1e-12)


def test_hebb_recalls_orthogonal_pairs_perfectly():
    x = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1]], float)
    y = np.array([[1, -1], [-1, -1], [-1, 1]], float)
    assert (hebb.recall(hebb.hebb(x, y), x) == y).all()


def test_hebb_gates_need_the_bipolar_code():
    assert hebb.hebb_gates(ROWS, low=-1.0) == 100
    assert hebb.hebb_gates(ROWS, low=0.0) <= 50


def test_letters_are_recalled_and_noise_flips_what_it_says():
    x, y = hebb.pictures(hebb.LETTERS), hebb.pictures(hebb.LETTERS.values())
    assert x.shape == y.shape == (4, 35)
    assert (hebb.recall(hebb.hebb(x, y), x) == y).all()
    noisy = hebb.flipped(np.random.default_rng(8), x)
    assert ((noisy != x).sum(axis=1) == hebb.FLIPPED).all()


def test_recall_falls_with_the_pairs_as_crosstalk_theory_says():
    random = np.random.default_rng(9)
    for pairs in (20, 50, 100, 200):
        # A stored bit meets the sum of 100 (pairs - 1) random signs of crosstalk.
        theory = 100 * (1 - 0.5 * math.erfc(math.sqrt(100 / (2 * (pairs - 1)))))
        assert hebb.bits_right(random, pairs) == pytest.approx(theory, abs=1.5)
