"""Forward and backward through a computational graph.

제목: 계산 그래프의 순전파와 역전파
Question: How does one pass backward find the influence of every input at once?
Finding: Every node passes on what arrives from upstream times its own local influence:
    {backward[0]}, {backward[1]} and {backward[2]} for f = (x + y)z at -2, 5, 4. Where a
    value is used twice, what arrives adds up, {arrived_at_x[0]} + {arrived_at_x[1]} =
    {used_twice[0]} for x in (x + y)(x + z); with 100 inputs, forward and back visit
    {visits_backward} nodes and nudging each input {visits_nudging}, and
    {long_disagreements} influences differ from the tape's.
결과: 노드마다 뒤에서 도착한 값에 자신의 국소 영향을 곱해 넘깁니다. -2, 5, 4에서 f =
    (x + y)z의 영향은 {backward[0]}, {backward[1]}, {backward[2]}입니다. 두 번 쓰인
    값에서는 도착한 영향을 더하므로 (x + y)(x + z)의 x에서는 {arrived_at_x[0]} +
    {arrived_at_x[1]} = {used_twice[0]}입니다. 입력이 100개일 때 순방향과 역방향은
    노드를 {visits_backward}번, 입력을 하나씩 움직이면 {visits_nudging}번 지나며,
    테이프와 다른 영향은 {long_disagreements}개입니다.
Lecture: 002, backpropagation by computational graph
Changes from: 01 (any graph of + and * nodes instead of one neuron)
Run: python recipes/02_computational_graph.py
Try: (1) the graph of x * x: which two influences meet at x? (2) a node "-" (3) a node
    "max": to which of its inputs does it send what arrives?
"""

from collections import UserList

from common import plots
from common.running import Measure, cli

import numpy as np
import tensorflow as tf

# A graph is a list of nodes in the order of calculation: (output, operation, inputs).
ADDITION = [("z", "+", "x", "y")]
MULTIPLICATION = [("z", "*", "x", "y")]
COMBINED = [("q", "+", "x", "y"), ("f", "*", "q", "z")]  # (x + y)z
USED_TWICE = [("p", "+", "x", "y"), ("q", "+", "x", "z"), ("f", "*", "p", "q")]
SMALL = {"x": 2.0, "y": 6.0}  # the slides' inputs of a single node
INPUTS = {"x": -2.0, "y": 5.0, "z": 4.0}  # those of the combined graph
UPSTREAM = 1.5  # the slide's influence of z on what lies behind it
NUDGE = 1e-6
LONG = 100  # inputs of the long graph, each used twice


class Counted(UserList):
    """A graph that counts how often one of its nodes is visited."""

    visits = 0

    def __getitem__(self, place):
        node = super().__getitem__(place)
        self.visits += 1
        return node


def forward(graph, inputs):
    """Every value on the graph's edges by name, from left to right; last the result."""
    values = dict(inputs)
    for output, operation, left, right in graph:
        if operation == "+":
            values[output] = values[left] + values[right]
        else:
            values[output] = values[left] * values[right]
    return values


def backward(graph, values, upstream=1.0):
    """What arrives at every value from the right: {name: [an influence for each use]}.

    Each node looks only at its own inputs and at what has arrived at its output. The
    sum of what arrives is the influence on the result.
    """
    *others, result = values
    arrived = {**{name: [] for name in others}, result: [upstream]}
    for output, operation, left, right in reversed(graph):
        influence = sum(arrived[output])
        if operation == "+":
            to_left, to_right = 1.0, 1.0
        else:
            to_left, to_right = values[right], values[left]  # switched
        arrived[left].append(influence * to_left)
        arrived[right].append(influence * to_right)
    return arrived


def influences(graph, inputs, upstream=1.0):
    """The influence of every input, by one pass forward and one back."""
    arrived = backward(graph, forward(graph, inputs), upstream)
    return [sum(arrived[name]) for name in inputs]


def influences_by_tape(graph, inputs):
    """The same from TensorFlow, which records its own graph during `forward`."""
    variables = {name: tf.Variable(v, dtype=tf.float64) for name, v in inputs.items()}
    with tf.GradientTape() as tape:
        *_, result = forward(graph, variables).values()
    return [slope.numpy() for slope in tape.gradient(result, list(variables.values()))]


def influences_by_nudging(graph, inputs):
    """The same by one more forward calculation for each input."""
    nudged = [{**inputs, name: value + NUDGE} for name, value in inputs.items()]
    before, *after = [[*forward(graph, i).values()][-1] for i in (inputs, *nudged)]
    return [(result - before) / NUDGE for result in after]


def long_graph(seed):
    """A chain of random + and * nodes that takes every input in twice."""
    random = np.random.default_rng(seed)
    inputs = {f"x{i}": random.uniform(0.5, 1.5) for i in range(LONG)}
    graph, left = Counted(), "x0"
    for i in range(1, 2 * LONG):
        graph.append((f"v{i}", random.choice(["+", "*"]), left, f"x{i % LONG}"))
        left = f"v{i}"
    return graph, inputs


def draw(axis, title, graph, places):
    """Values above the edges (blue), what arrives along them below (red)."""
    center = {"ha": "center", "va": "center"}
    values = forward(graph, INPUTS)
    arrived = backward(graph, values)
    for name in INPUTS:
        x, y = places[name]
        axis.text(x - 0.15, y, name, style="italic", **center)
        if len(arrived[name]) > 1:  # here influences add
            total = "{:g} + {:g} = {:g}".format(*arrived[name], sum(arrived[name]))
            axis.text(x - 0.1, y + 0.25, total, color="C3", weight="bold", **center)
    edges = [(name, node[0]) for node in reversed(graph) for name in node[2:]]
    for start, end in [("f", "end"), *edges]:
        (x1, y1), (x2, y2) = places[start], places.get(end, (3.2, 0))
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        axis.plot((x1, x2), (y1, y2), color="lightgrey", zorder=0)
        axis.text(x, y + 0.14, f"{values[start]:g}", color="C0", **center)
        axis.text(x, y - 0.14, f"{arrived[start].pop(0):g}", color="C3", **center)
    for output, operation, *_ in graph:
        circle = {"boxstyle": "circle,pad=0.35", "facecolor": "#ffe9b8"}
        axis.text(*places[output], operation.replace("*", "×"), bbox=circle, **center)
    axis.set(xlim=(-0.5, 3.2), ylim=(-1.5, 1.5), title=title)
    axis.axis("off")


def graph_figure():
    figure, (left, right) = plots.new_figure(1, 2, width=4.8, height=3.4)
    # Where the inputs and the nodes are: (x, y).
    places = {"x": (0, 1.2), "y": (0, 0), "z": (0, -1.2), "q": (1, 0.6), "f": (2.2, 0)}
    draw(left, "+ passes on, × times the other value", COMBINED, places)
    places |= {"y": (0, 1.2), "x": (0, 0), "p": (1, 0.6), "q": (1, -0.6)}
    draw(right, "x is used twice: what arrives adds up", USED_TWICE, places)
    figure.suptitle("values forward in blue, influences backward in red", fontsize=10)
    return figure


def main(run):
    run.save_figure(graph_figure(), "graphs")
    graph, inputs = long_graph(run.seed)
    by_graph, visits_backward = influences(graph, inputs), graph.visits
    influences_by_nudging(graph, inputs)
    visits_nudging = graph.visits - visits_backward
    strengths = (1.0, UPSTREAM)
    differ = ~np.isclose(by_graph, influences_by_tape(graph, inputs), rtol=1e-9, atol=0)
    return {
        "addition_forward": forward(ADDITION, SMALL)["z"],
        "addition": [influences(ADDITION, SMALL, u) for u in strengths],
        "multiplication_forward": forward(MULTIPLICATION, SMALL)["z"],
        "multiplication": [influences(MULTIPLICATION, SMALL, u) for u in strengths],
        "forward": forward(COMBINED, INPUTS)["f"],
        "backward": influences(COMBINED, INPUTS),
        "arrived_at_x": backward(USED_TWICE, forward(USED_TWICE, INPUTS))["x"],
        "used_twice": influences(USED_TWICE, INPUTS),
        "visits_backward": visits_backward,
        "visits_nudging": visits_nudging,
        "long_disagreements": differ.sum(),
    }


MEASURES = {
    "addition_forward": Measure("", "2 + 6", "2 + 6의 값", deterministic=True),
    "addition": Measure(
        "", "its slopes; 1.5 passed on", "그 미분값, 넘긴 1.5", deterministic=True
    ),
    "multiplication_forward": Measure("", "2 * 6", "2 * 6의 값", deterministic=True),
    "multiplication": Measure(
        "", "its slopes; 1.5 passed on", "그 미분값, 넘긴 1.5", deterministic=True
    ),
    "forward": Measure("", "(-2 + 5) * 4", "(-2 + 5) * 4의 값", deterministic=True),
    "backward": Measure("", "x, y, z on it", "x, y, z의 영향", deterministic=True),
    "arrived_at_x": Measure(
        "", "at x of (x + y)(x + z)", "(x + y)(x + z)의 x에 도착", deterministic=True
    ),
    "used_twice": Measure("", "x, y, z on it", "x, y, z의 영향", deterministic=True),
    "visits_backward": Measure(
        "", "100 inputs: visits", "입력 100개: 지난 노드", deterministic=True
    ),
    "visits_nudging": Measure("", "by nudging", "하나씩 움직여", deterministic=True),
    "long_disagreements": Measure("", "unlike the tape's", "테이프와 다른 영향"),
}


if __name__ == "__main__":
    cli(main)
