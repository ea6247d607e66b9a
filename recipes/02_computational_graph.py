"""Forward and backward through a computational graph.

제목: 계산 그래프의 순전파와 역전파
Question: How does one pass backward find the influence of every input at once?
Finding: Every node passes on what comes from upstream times its own local influence, so
    that one pass back gives {backward[0]}, {backward[1]} and {backward[2]} for f = (x +
    y)z at -2, 5, 4, as tf.GradientTape does. With 100 inputs, forward and back visit
    {nodes_visited_backward} nodes where nudging each input visits
    {nodes_visited_nudging}, and {long_disagreements} influences differ from the tape's.
결과: 노드마다 뒤에서 온 값에 자신의 국소 영향을 곱해 넘깁니다. 그래서 -2, 5, 4에서 f =
    (x + y)z의 영향 {backward[0]}, {backward[1]}, {backward[2]} 모두 역방향 한 번에
    나오며, tf.GradientTape의 답과 같습니다. 입력이 100개일 때 순방향과 역방향이 지나는
    노드는 {nodes_visited_backward}개, 입력을 하나씩 움직이면
    {nodes_visited_nudging}개이고, 테이프와 다른 영향은 {long_disagreements}개입니다.
Lecture: 002, backpropagation by computational graph
Changes from: 01 (any graph of + and x nodes instead of one neuron)
Run: python recipes/02_computational_graph.py
Try: (1) the graph of (x + y) * (x + z): which influences meet at x? (2) a node "-"
    (3) a node "max": to which of its inputs does it send the upstream value?
"""

from common import plots
from common.running import Measure, cli

import numpy as np
import tensorflow as tf

# A graph is a list of nodes in the order of calculation: (output, operation, inputs).
ADDITION = [("z", "+", "x", "y")]
MULTIPLICATION = [("z", "x", "x", "y")]
COMBINED = [("q", "+", "x", "y"), ("f", "x", "q", "z")]  # f = (x + y)z
UPSTREAM = 1.5  # the slide's influence of z on what lies behind it
NUDGE = 1e-6
LONG = 100  # inputs of the long graph


def forward(graph, inputs):
    """Every value on the graph's edges by name, from left to right."""
    values = dict(inputs)
    for output, operation, left, right in graph:
        if operation == "+":
            values[output] = values[left] + values[right]
        else:
            values[output] = values[left] * values[right]
    return values


def backward(graph, values, upstream=1.0):
    """The influence of every value on the graph's last output, from right to left.

    Each node looks only at its own inputs and at what comes from upstream.
    """
    influence = dict.fromkeys(values, 0.0)
    influence[graph[-1][0]] = upstream
    for output, operation, left, right in reversed(graph):
        if operation == "+":
            to_left, to_right = 1.0, 1.0
        else:
            to_left, to_right = values[right], values[left]  # switched
        # Added, because a value may be used by several nodes.
        influence[left] += influence[output] * to_left
        influence[right] += influence[output] * to_right
    return influence


def backward_by_tape(graph, inputs):
    """The same from TensorFlow, which records its own graph during `forward`."""
    variables = {name: tf.Variable(v, dtype=tf.float64) for name, v in inputs.items()}
    with tf.GradientTape() as tape:
        result = forward(graph, variables)[graph[-1][0]]
    return {n: g.numpy() for n, g in tape.gradient(result, variables).items()}


def backward_by_nudging(graph, inputs):
    """The same by one more forward calculation for each input."""
    last = graph[-1][0]
    before = forward(graph, inputs)[last]
    return {
        name: (forward(graph, {**inputs, name: value + NUDGE})[last] - before) / NUDGE
        for name, value in inputs.items()
    }


def long_graph(seed):
    """A chain of random + and x nodes, with a new input at each; (graph, inputs)."""
    random = np.random.default_rng(seed)
    inputs = {f"x{i}": random.uniform(0.5, 1.5) for i in range(LONG)}
    graph, left = [], "x0"
    for i in range(1, LONG):
        graph.append((f"v{i}", random.choice(["+", "x"]), left, f"x{i}"))
        left = f"v{i}"
    return graph, inputs


def draw(axis, title, graph, inputs, upstream, places):
    """Values above the edges (blue), influences below them (red).

    places: (x, y) of every node and of every input, by name.
    """
    values = forward(graph, inputs)
    influence = backward(graph, values, upstream)
    last_x, last_y = places[graph[-1][0]]
    ends = [(i, places[output]) for output, _, *ins in graph for i in ins]
    for name, (x2, y2) in [*ends, (graph[-1][0], (last_x + 1.1, last_y))]:
        x1, y1 = places[name]
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        axis.plot((x1, x2), (y1, y2), color="lightgrey", zorder=0)
        style = {"ha": "center", "va": "center"}
        axis.text(x, y + 0.17, f"{values[name]:g}", color="C0", **style)
        axis.text(x, y - 0.17, f"{influence[name]:g}", color="C3", **style)
        if name in inputs:
            axis.text(x1 - 0.15, y1, name, style="italic", **style)
    for output, operation, *_ in graph:
        circle = {"boxstyle": "circle,pad=0.35", "facecolor": "#ffe9b8"}
        sign = operation.replace("x", "×")
        axis.text(*places[output], sign, ha="center", va="center", bbox=circle)
    axis.set(xlim=(-0.4, 3.4), ylim=(-1.4, 1.4), title=title)
    axis.axis("off")


def graph_figure(small, combined):
    figure, axes = plots.new_figure(1, 3, width=3.6, height=2.8)
    places = {"x": (0, 0.9), "y": (0, -0.9), "z": (1.4, 0)}
    draw(axes[0], "z = x + y", ADDITION, small, UPSTREAM, places)
    draw(axes[1], "z = xy", MULTIPLICATION, small, UPSTREAM, places)
    places = {"x": (0, 1.2), "y": (0, 0), "z": (0, -1.2), "q": (1, 0.6), "f": (2.2, 0)}
    draw(axes[2], "f = (x + y)z", COMBINED, combined, 1.0, places)
    figure.suptitle("values forward in blue, influences backward in red", fontsize=10)
    return figure


def main(run):
    small = {"x": 2.0, "y": 6.0}
    inputs = {"x": -2.0, "y": 5.0, "z": 4.0}

    def passed(graph, inputs, upstream=1.0):
        influence = backward(graph, forward(graph, inputs), upstream)
        return [influence[name] for name in inputs]

    graph, many = long_graph(run.seed)
    by_tape = list(backward_by_tape(graph, many).values())
    run.save_figure(graph_figure(small, inputs), "graphs")
    return {
        "addition": [passed(ADDITION, small, u) for u in (1.0, UPSTREAM)],
        "multiplication": [passed(MULTIPLICATION, small, u) for u in (1.0, UPSTREAM)],
        "forward": forward(COMBINED, inputs)["f"],
        "backward": passed(COMBINED, inputs),
        "backward_by_tape": list(backward_by_tape(COMBINED, inputs).values()),
        "backward_by_nudging": list(backward_by_nudging(COMBINED, inputs).values()),
        # Backward needs one pass forward and one back; nudging one forward per input.
        "nodes_visited_backward": 2 * len(graph),
        "nodes_visited_nudging": (len(many) + 1) * len(graph),
        "long_disagreements": (~np.isclose(passed(graph, many), by_tape, 1e-9)).sum(),
    }


MEASURES = {
    "addition": Measure(
        "",
        "z = x + y: derivatives; upstream 1.5 passed to x, y",
        "z = x + y: 미분값, x와 y로 넘긴 1.5",
    ),
    "multiplication": Measure(
        "",
        "z = xy at 2, 6: derivatives; 1.5 passed to x, y",
        "2, 6에서 z = xy: 미분값, 넘긴 1.5",
    ),
    "forward": Measure("", "(x + y)z at -2, 5, 4", "-2, 5, 4에서 (x + y)z"),
    "backward": Measure("", "influences of x, y, z on it", "x, y, z가 주는 영향"),
    "backward_by_tape": Measure("", "by tf.GradientTape", "tf.GradientTape로"),
    "backward_by_nudging": Measure("", "by nudging", "입력을 움직여"),
    "nodes_visited_backward": Measure(
        "",
        "100 inputs: nodes visited, forward and backward",
        "입력 100개: 순방향과 역방향이 지나는 노드",
    ),
    "nodes_visited_nudging": Measure("", "nodes, by nudging", "움직이면 지나는 노드"),
    "long_disagreements": Measure("", "influences unlike tape's", "테이프와 다른 영향"),
}


if __name__ == "__main__":
    cli(main)
