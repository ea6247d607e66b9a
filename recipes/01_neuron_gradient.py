"""The influence of a weight on the error of one neuron.

제목: 신경 세포 하나의 기울기 (가중치가 오차에 미치는 영향)
Question: When w changes a little, how much does E = (wx - y)^2 change?
Lecture: 003, a neuron and the influence of w on its error
Changes from: nothing, this is the first lesson
Run: python recipes/01_neuron_gradient.py
Try: (1) a nudge of -1 instead of 1: on which side of the truth is it now, and what is
    the mean of the two? (2) a learning rate of 1.0, then 1.1 (3) the error |wx - y|:
    which local influence changes?
"""

from common import plots
from common.running import Claim, cli

import numpy as np
import tensorflow as tf

CLAIMS = [
    Claim(
        "by_graph",
        (-2, 0, 2, 4),
        source="003, influences in the graph: 1 * 1 * 2(w * 1 - 1)",
        kind="exact",
        text="dE/dw at w = 0, 1, 2, 3: local influences multiplied",
    ),
    Claim(
        "by_calculus",
        (-2, 0, 2, 4),
        source="003, partial derivative of E: 2(w - 1)",
        kind="exact",
        text="the same by calculus",
    ),
    Claim(
        "by_small_nudge",
        (-2, 0, 2, 4),
        source="003, nudging the input by 0.00001",
        kind="exact",
        text="the same by a nudge of 0.00001",
    ),
    Claim(
        "by_nudge_of_one",
        (-2, 0, 2, 4),
        source="003, nudging the input by 1",
        kind="exact",
        text="the same by a nudge of 1",
        erratum="a nudge of 1 is right only for + and x, which are straight lines; "
        "through the square it is too large by 1, the nudge itself",
    ),
    Claim("by_tape", None, text="the same by tf.GradientTape"),
    Claim(
        "local_influences",
        (1, 1, 4),
        source="003, influences in the graph: 1 * 1 * 2e",
        kind="exact",
        text="of w on wx, of wx on e, of e on E, at w = 3",
    ),
    Claim("two_samples_by_graph", None, text="two samples: influences added"),
    Claim("two_samples_by_tape", None, text="two samples by tf.GradientTape"),
    Claim("float32_nudge_error", None, "%", text="nudge of 0.00001 in float32, error"),
    Claim("learned_weight", None, text="w after 50 steps against the influence"),
]

SAMPLES = [(1.0, 1.0)]  # the slide's (x, y); the best weight is 1
TWO_SAMPLES = [(1.0, 1.0), (2.0, 1.0)]
WEIGHTS = (0.0, 1.0, 2.0, 3.0)
SMALL_NUDGE = 0.00001  # the slide's "a very little"
START = 3.0  # a weight to learn from
LEARNING_RATE = 0.1
STEPS = 50


def total_error(w, samples):
    """E = (wx - y)^2, added over the samples."""
    return sum((w * x - y) ** 2 for x, y in samples)


def local_influences(w, x, y):
    """What one step of the way passes on: w to wx, wx to e = wx - y, e to E = e^2."""
    e = w * x - y
    return x, 1.0, 2 * e


def influence_by_graph(w, samples):
    """Influences multiply along a path, and add up where paths meet again."""
    return sum(np.prod(local_influences(w, x, y)) for x, y in samples)


def influence_by_calculus(w, samples):
    return sum(2 * (w * x - y) * x for x, y in samples)


def influence_by_nudge(w, samples, nudge):
    """Change w by `nudge` and look how much E changes, per unit of the change."""
    return (total_error(w + nudge, samples) - total_error(w, samples)) / nudge


def influence_by_tape(w, samples):
    w = tf.Variable(w, dtype=tf.float64)
    with tf.GradientTape() as tape:
        error = total_error(w, samples)
    return tape.gradient(error, w).numpy()


def learn(w, samples, steps):
    """Step against the influence, again and again; every weight on the way."""
    path = [w]
    for _ in range(steps):
        w = w - LEARNING_RATE * influence_by_graph(w, samples)
        path.append(w)
    return np.array(path)


def nudge_errors(nudges, number):
    """How far nudging is from the truth, relatively; number: the kind of float."""
    truth = influence_by_calculus(START, SAMPLES)
    return [
        abs(influence_by_nudge(number(START), SAMPLES, number(nudge)) / truth - 1)
        for nudge in nudges
    ]


def influence_figure(path):
    figure, (left, right) = plots.new_figure(1, 2, width=4.8, height=3.6)
    w = np.linspace(-1.2, 4.4, 200)
    left.plot(w, total_error(w, SAMPLES), color="grey")
    left.plot(path, total_error(path, SAMPLES), "o", markersize=4, label="learning")
    for nudge, color in ((SMALL_NUDGE, "C2"), (1.0, "C3")):
        slope = influence_by_nudge(START, SAMPLES, nudge)
        ends = np.array([START - 1, START + 1.3])
        left.plot(
            ends,
            total_error(START, SAMPLES) + slope * (ends - START),
            color=color,
            label=f"nudge {nudge:g}: influence {slope:.2f}",
        )
    left.set(xlabel="weight w", ylabel="error E = (w - 1)²", ylim=(-0.8, 11))
    left.legend(fontsize="small", loc="upper left")
    nudges = np.logspace(0, -15, 61)
    for number in (np.float32, np.float64):
        errors = np.maximum(nudge_errors(nudges, number), 1e-12)
        right.loglog(nudges, errors, ".-", label=number.__name__)
    right.axvline(SMALL_NUDGE, color="C2", linestyle="--", label="the slide's nudge")
    right.invert_xaxis()
    right.set(xlabel="size of the nudge at w = 3", ylabel="relative error of dE/dw")
    right.legend(fontsize="small", loc="lower right")
    return figure


def main(run):
    path = learn(START, SAMPLES, run.length(STEPS, quick=STEPS))
    run.save_figure(influence_figure(path), "influence")
    return {
        "by_graph": [influence_by_graph(w, SAMPLES) for w in WEIGHTS],
        "by_calculus": [influence_by_calculus(w, SAMPLES) for w in WEIGHTS],
        "by_small_nudge": [
            influence_by_nudge(w, SAMPLES, SMALL_NUDGE) for w in WEIGHTS
        ],
        "by_nudge_of_one": [influence_by_nudge(w, SAMPLES, 1.0) for w in WEIGHTS],
        "by_tape": [influence_by_tape(w, SAMPLES) for w in WEIGHTS],
        "local_influences": local_influences(START, *SAMPLES[0]),
        "two_samples_by_graph": influence_by_graph(START, TWO_SAMPLES),
        "two_samples_by_tape": influence_by_tape(START, TWO_SAMPLES),
        "float32_nudge_error": 100 * nudge_errors([SMALL_NUDGE], np.float32)[0],
        "learned_weight": path[-1],
    }


if __name__ == "__main__":
    cli(main)
