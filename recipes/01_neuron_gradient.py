"""The influence of a weight on the error of one neuron.

제목: 신경 세포 하나의 기울기 (가중치가 오차에 미치는 영향)
Question: When w changes a little, how much does E = (wx - y)^2 change?
Finding: By {by_graph[3]} at w = 3, the product of the local influences
    {local_influences[0]}, {local_influences[1]} and {local_influences[2]}, as calculus
    and GradientTape say too. A nudge of 1 says {by_nudge_of_one[3]}, too much by its
    own size, and one of 0.00001 says {by_small_nudge[3]}; but in float32, which rounds
    so small a change away in part, it is off by up to {worst_in_float32} for w from 2
    to 4.
결과: w = 3에서는 {by_graph[3]}입니다. 국소 영향 {local_influences[0]},
    {local_influences[1]}, {local_influences[2]}의 곱이고, 미분과 GradientTape의 답도
    같습니다. w를 1만큼 움직여 얻는 값은 {by_nudge_of_one[3]}, 곧 움직인 만큼 더 크고,
    0.00001만큼 움직이면 {by_small_nudge[3]}입니다. 다만 float32는 이렇게 작은 변화를
    반올림으로 일부 잃어버리므로, w가 2에서 4 사이일 때 최대 {worst_in_float32}
    어긋납니다.
Lecture: 003, a neuron and the influence of w on its error
Changes from: nothing, this is the first lesson
Run: python recipes/01_neuron_gradient.py
Try: (1) a nudge of -1 instead of 1: on which side of the truth is it now, and what is
    the mean of the two? (2) a learning rate of 1.0, then 1.1 (3) the error |wx - y|:
    which local influence changes?
"""

from common import plots
from common.running import Measure, cli

import numpy as np
import tensorflow as tf

SAMPLES = [(1.0, 1.0)]  # the slide's (x, y); the best weight is 1
TWO_SAMPLES = [(1.0, 1.0), (2.0, 1.0)]
WEIGHTS = (0.0, 1.0, 2.0, 3.0)
NUDGE_OF_ONE = 1.0  # the slide's two nudges: 1 ...
SMALL_NUDGE = 0.00001  # ... and "a very little"
NEAR = np.linspace(2, 4, 2001)  # weights; at a single one rounding may be lucky
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


def worst_error(nudge, number):
    """How far nudging is from the truth, relatively, at the worst of many weights.

    number: the kind of float, which is the only thing that rounds here.
    """
    weights = NEAR.astype(number)
    samples = [(number(x), number(y)) for x, y in SAMPLES]
    found = influence_by_nudge(weights, samples, number(nudge))
    truth = influence_by_calculus(weights.astype(np.float64), SAMPLES)
    return np.abs(found / truth - 1).max()


def influence_figure(path):
    figure, (left, right) = plots.new_figure(1, 2, width=4.8, height=3.8)
    w = np.linspace(-1.2, 4.6, 200)
    left.plot(w, total_error(w, SAMPLES), color="grey")
    left.plot(path, total_error(path, SAMPLES), "o", markersize=4, label="learning")
    for nudge, color in ((NUDGE_OF_ONE, "C3"), (SMALL_NUDGE, "C2")):
        slope = influence_by_nudge(START, SAMPLES, nudge)
        ends = np.array([START - 1, START + 1.5])
        line = total_error(START, SAMPLES) + slope * (ends - START)
        name = f"nudge of {np.format_float_positional(nudge, trim='-')}"
        left.plot(ends, line, color=color, label=f"{name}: slope {slope:.2f}")
    left.set(xlabel="weight w", ylabel="error E = (w - 1)²", ylim=(-0.8, 12))
    left.set_title("A nudge of 1 cuts the curve, a tiny one touches it", fontsize=10)
    left.legend(fontsize="small", loc="upper left")
    nudges = np.logspace(0, -15, 61)
    for number, color in ((np.float32, "C0"), (np.float64, "C1")):
        errors = [100 * worst_error(nudge, number) for nudge in nudges]
        right.loglog(nudges, errors, ".-", color=color, label=number.__name__)
    right.axvline(SMALL_NUDGE, color="C2", linestyle="--", label="the slide's nudge")
    right.invert_xaxis()
    right.set(xlabel="size of the nudge", ylabel="worst error of dE/dw in %")
    right.set_title("Too large: off by its size; too small: lost", fontsize=10)
    right.legend(fontsize="small", loc="lower left")
    return figure


def main(run):
    path = learn(START, SAMPLES, run.length(STEPS, quick=STEPS))
    run.save_figure(influence_figure(path), "influence")

    def by_nudge(nudge):
        return [influence_by_nudge(w, SAMPLES, nudge) for w in WEIGHTS]

    return {
        "by_graph": [influence_by_graph(w, SAMPLES) for w in WEIGHTS],
        "by_calculus": [influence_by_calculus(w, SAMPLES) for w in WEIGHTS],
        "by_small_nudge": by_nudge(SMALL_NUDGE),
        "by_nudge_of_one": by_nudge(NUDGE_OF_ONE),
        "by_tape": [influence_by_tape(w, SAMPLES) for w in WEIGHTS],
        "local_influences": local_influences(START, *SAMPLES[0]),
        "two_samples_by_graph": influence_by_graph(START, TWO_SAMPLES),
        "two_samples_by_tape": influence_by_tape(START, TWO_SAMPLES),
        "worst_in_float32": 100 * worst_error(SMALL_NUDGE, np.float32),
        "learned_weight": path[-1],
    }


MEASURES = {
    "by_graph": Measure(
        "",
        "dE/dw at w = 0, 1, 2, 3: local influences multiplied",
        "w = 0, 1, 2, 3의 dE/dw: 국소 영향의 곱",
        deterministic=True,
    ),
    "by_calculus": Measure(
        "", "the same by calculus", "같은 값을 미분으로", deterministic=True
    ),
    "by_small_nudge": Measure(
        "", "by a nudge of 0.00001", "w를 0.00001만큼 움직여", deterministic=True
    ),
    "by_nudge_of_one": Measure(
        "", "by a nudge of 1", "w를 1만큼 움직여", deterministic=True
    ),
    "by_tape": Measure(
        "", "by tf.GradientTape", "tf.GradientTape로", deterministic=True
    ),
    "local_influences": Measure(
        "",
        "of w on wx, of wx on e, of e on E, at w = 3",
        "w가 wx에, wx가 e에, e가 E에, w = 3",
        deterministic=True,
    ),
    "two_samples_by_graph": Measure(
        "", "two samples: added", "표본 두 개: 합", deterministic=True
    ),
    "two_samples_by_tape": Measure(
        "", "two, by the tape", "두 개, 테이프로", deterministic=True
    ),
    "worst_in_float32": Measure(
        "%",
        "nudge of 0.00001, worst error for w from 2 to 4, float32",
        "0.00001만큼 움직일 때 최대 오차, w는 2에서 4, float32",
        deterministic=True,
    ),
    "learned_weight": Measure(
        "", "w after 50 steps", "50걸음 뒤의 w", deterministic=True
    ),
}


if __name__ == "__main__":
    cli(main)
