"""Graphs of the slides, and random ones against TensorFlow and nudging."""

import numpy as np
import pytest
import tensorflow as tf

CHANGED_INPUTS = [
    (
        {"SMALL": {"x": 3.0, "y": 7.0}},
        {"addition_forward", "multiplication_forward", "multiplication"},
    ),
    ({"UPSTREAM": 2.0}, {"addition", "multiplication"}),
    ({"INPUTS": {"x": -1.0, "y": 5.0, "z": 2.0}}, {"forward", "backward"}),
]


def relative(found, expected):
    found, expected = np.asarray(found), np.asarray(expected)
    return np.abs(found - expected).max() / np.abs(expected).max()


def test_worked_graph_of_the_slide(lesson):
    inputs = {"x": -2, "y": 5, "z": 4}
    values = lesson.forward(lesson.COMBINED, inputs)
    assert (values["q"], values["f"]) == (3, 12)
    assert lesson.influences(lesson.COMBINED, inputs) == [4, 4, 3]
    arrived = lesson.backward(lesson.COMBINED, values)
    assert (arrived["f"], arrived["q"]) == ([1], [4])


def test_nodes_pass_upstream_on_as_on_the_slide(lesson):
    inputs = {"x": 2, "y": 6}
    for graph, output, passed in (
        (lesson.ADDITION, 8, [1.5, 1.5]),
        (lesson.MULTIPLICATION, 12, [9, 3]),
    ):
        assert lesson.forward(graph, inputs)["z"] == output
        assert lesson.influences(graph, inputs, upstream=1.5) == passed


def random_graph(random):
    """Nodes that use any earlier value, some several times, some twice at once."""
    names = ["a", "b", "c"]
    graph = []
    for i in range(12):
        left, right = random.choice(names, 2)
        graph.append((f"v{i}", str(random.choice(["+", "*"])), left, right))
        names.append(f"v{i}")
    graph.append(("end", "+", "v11", "a"))
    return graph, dict(zip("abc", random.uniform(-1, 1, 3), strict=True))


def test_backward_equals_tape_and_central_nudging_on_random_graphs(lesson):
    random = np.random.default_rng(2)
    for _ in range(15):
        graph, inputs = random_graph(random)
        found = lesson.influences(graph, inputs)
        variables = {n: tf.Variable(v, dtype=tf.float64) for n, v in inputs.items()}
        with tf.GradientTape() as tape:
            end = lesson.forward(graph, variables)["end"]
        slopes = tape.gradient(end, variables, unconnected_gradients="zero")
        nudged = {}
        for name, value in inputs.items():
            ends = [
                lesson.forward(graph, {**inputs, name: value + nudge})["end"]
                for nudge in (1e-5, -1e-5)
            ]
            nudged[name] = (ends[0] - ends[1]) / 2e-5
        assert relative(found, [slopes[n].numpy() for n in inputs]) < 1e-9
        assert relative(found, [nudged[n] for n in inputs]) < 1e-6


def test_influences_add_where_a_value_is_used_twice(lesson):
    square = [("f", "*", "x", "x")]
    assert lesson.backward(square, lesson.forward(square, {"x": 7.0}))["x"] == [7, 7]
    x, y, z = 1.5, -0.5, 3.0
    inputs = {"x": x, "y": y, "z": z}
    arrived = lesson.backward(
        lesson.USED_TWICE, lesson.forward(lesson.USED_TWICE, inputs)
    )
    assert sorted(arrived["x"]) == sorted([x + z, x + y])
    # d/dx (x + y)(x + z) = 2x + y + z: neither of the two parts, but their sum.
    assert sum(arrived["x"]) == 2 * x + y + z
    by_tape = lesson.influences_by_tape(lesson.USED_TWICE, inputs)
    assert lesson.influences(lesson.USED_TWICE, inputs) == by_tape


def test_long_graph_uses_every_input_twice_and_agrees_with_nudging(lesson):
    graph, inputs = lesson.long_graph(seed=3)
    arrived = lesson.backward(graph, lesson.forward(graph, inputs))
    assert {len(arrived[name]) for name in inputs} == {2}
    assert len(inputs) == 100
    found = lesson.influences(graph, inputs)
    assert relative(found, lesson.influences_by_tape(graph, inputs)) < 1e-9
    assert relative(found, lesson.influences_by_nudging(graph, inputs)) < 1e-4


@pytest.mark.parametrize("inputs", (5, 20))
def test_back_costs_as_much_as_forward_and_nudging_grows_with_the_inputs(
    lesson, monkeypatch, inputs
):
    monkeypatch.setattr(lesson, "LONG", inputs)
    graph, values = lesson.long_graph(seed=0)
    nodes = len(graph)
    lesson.forward(graph, values)
    assert graph.visits == nodes
    lesson.influences(graph, values)
    assert graph.visits == 3 * nodes
    lesson.influences_by_nudging(graph, values)
    assert graph.visits == (3 + inputs + 1) * nodes


def test_each_nudge_visits_every_node(lesson, quick):
    graph, inputs = lesson.long_graph(0)
    visits = quick["values"]["visits_nudging"]
    assert visits == (1 + len(inputs)) * len(graph)  # once as it is, once for each
