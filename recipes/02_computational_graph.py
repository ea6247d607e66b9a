"""Forward and backward through a computational graph.

제목: 계산 그래프의 순전파와 역전파
Question: How does one pass backward find the influence of every input at once?
Lecture: 002, backpropagation by computational graph
Changes from: 01 (any graph of + and x nodes instead of one neuron)
Run: python recipes/02_computational_graph.py
Try: (1) the graph of (x + y) * (x + z): which influences meet at x? (2) a node "-"
    (3) a node "max": to which of its inputs does it send the upstream value?
"""

from common import plots
from common.running import Claim, cli

import numpy as np
import tensorflow as tf

CLAIMS = [
    Claim(
        "addition",
        ((1, 1), (1.5, 1.5)),
        source="002, backpropagation of addition: dz/dx = dz/dy = 1; upstream 1.5",
        kind="exact",
        text="z = x + y: derivatives; upstream 1.5 passed to x, y",
    ),
    Claim(
        "multiplication",
        ((6, 2), (9, 3)),
        source="002, backpropagation of multiplication: dz/dx = y, dz/dy = x; "
        "upstream 1.5",
        kind="exact",
        text="z = xy at 2, 6: derivatives; upstream 1.5 passed to x, y",
    ),
    Claim(
        "forward",
        12,
        source="002, forward calculation at x = -2, y = 5, z = 4",
        kind="exact",
        text="(x + y)z at -2, 5, 4",
    ),
    Claim(
        "backward",
        (4, 4, 3),
        source="002, backpropagation of addition and multiplication combined",
        kind="exact",
        text="influences of x, y, z on (x + y)z",
    ),
    Claim("backward_by_tape", None, text="the same by tf.GradientTape"),
    Claim("backward_by_nudging", None, text="the same by nudging"),
    Claim("nodes_visited_backward", None, text="100 inputs: nodes visited, backward"),
    Claim("nodes_visited_nudging", None, text="100 inputs: nodes visited, nudging"),
    Claim("long_disagreements", None, text="100 inputs: influences unlike the tape's"),
]

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


if __name__ == "__main__":
    cli(main)
