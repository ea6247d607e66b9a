"""Graphs of the slides, and random ones against TensorFlow and nudging."""

import numpy as np
import tensorflow as tf


def relative(found, expected):
    found, expected = np.asarray(found), np.asarray(expected)
    return np.abs(found - expected).max() / np.abs(expected).max()


def test_worked_graph_of_the_slide(lesson):
    values = lesson.forward(lesson.COMBINED, {"x": -2, "y": 5, "z": 4})
    assert (values["q"], values["f"]) == (3, 12)
    influence = lesson.backward(lesson.COMBINED, values)
    assert [influence[name] for name in "fqxyz"] == [1, 4, 4, 4, 3]


def test_nodes_pass_upstream_on_as_on_the_slide(lesson):
    inputs = {"x": 2, "y": 6}
    for graph, output, x, y in (
        (lesson.ADDITION, 8, 1.5, 1.5),
        (lesson.MULTIPLICATION, 12, 9, 3),
    ):
        values = lesson.forward(graph, inputs)
        influence = lesson.backward(graph, values, upstream=1.5)
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


def test_backward_equals_tape_and_central_nudging_on_random_graphs(lesson):
    random = np.random.default_rng(2)
    for _ in range(15):
        graph, inputs = random_graph(random)
        influence = lesson.backward(graph, lesson.forward(graph, inputs))
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
        found = [influence[name] for name in inputs]
        assert relative(found, [slopes[n].numpy() for n in inputs]) < 1e-9
        assert relative(found, [nudged[n] for n in inputs]) < 1e-6


def test_influences_add_where_a_value_is_used_twice(lesson):
    square = [("f", "x", "x", "x")]
    values = lesson.forward(square, {"x": 7.0})
    assert lesson.backward(square, values)["x"] == 14


def test_long_graph_agrees_with_nudging(lesson):
    graph, inputs = lesson.long_graph(seed=3)
    influence = lesson.backward(graph, lesson.forward(graph, inputs))
    nudged = lesson.backward_by_nudging(graph, inputs)
    found = [influence[name] for name in inputs]
    assert relative(found, list(nudged.values())) < 1e-5
    assert len(inputs) == 100


def test_nodes_visited_are_those_counted(lesson, quick):
    class Counted(list):
        visited = 0

        def __iter__(self):
            self.visited += len(self)
            return super().__iter__()

        def __reversed__(self):
            self.visited += len(self)
            return super().__reversed__()

    nodes, inputs = lesson.long_graph(seed=0)
    once, often = Counted(nodes), Counted(nodes)
    lesson.backward(once, lesson.forward(once, inputs))
    lesson.backward_by_nudging(often, inputs)
    assert once.visited == quick["values"]["nodes_visited_backward"]
    assert often.visited == quick["values"]["nodes_visited_nudging"]
    assert 20 * once.visited < often.visited
