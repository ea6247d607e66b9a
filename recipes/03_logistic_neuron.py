"""The influence of a weight on the cross-entropy of a logistic neuron.

제목: 로지스틱 신경 세포와 교차 엔트로피
Question: How does w influence the cost of a sigmoid neuron, and why is that cost not
    the squared error?
Finding: By (hypo - y)x: the slope of the sigmoid cancels out, and {disagreements} of
    1,000 cases differ between graph, calculus, nudging, tape and Keras. At w = -8, sure
    and wrong, that is {cross_entropy_influence}, with the squared error only
    {squared_error_influence}: after 100 steps the outputs, which should be 1, are
    {cross_entropy_output} and {squared_error_output}.
결과: 시그모이드의 기울기가 약분되어 영향은 (hypo - y)x입니다. 그래프, 미분, 수치 미분,
    테이프, Keras의 답이 다른 경우는 1,000개 중 {disagreements}개입니다. 확신하며 틀린 w
    = -8에서 영향은 {cross_entropy_influence}, 제곱 오차로는
    {squared_error_influence}뿐이어서, 100걸음 뒤의 출력(정답 1)은 각각
    {cross_entropy_output}, {squared_error_output}입니다.
Lecture: 003, one neuron of logistic regression
Changes from: 01 (a sigmoid behind wx, cross-entropy instead of the squared error)
Run: python recipes/03_logistic_neuron.py
Try: (1) START = -20: does the squared error ever learn? (2) cost(40.0, 1.0, 0.0): what
    becomes of log(1 - hypo), and what does Keras' from_logits=True make of it?
    (3) add a bias b: which of the local influences does it share with w?
"""

from common import plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf

SAMPLES = 1000  # random (w, x, y) on which the ways are compared
NUDGE = 1e-5
TOLERANCE = 1e-6  # relative difference that counts as one
START = -8.0  # a neuron that is sure and wrong: it says almost 0 to x = 1, y = 1
LEARNING_RATE = 1.0
STEPS = 100


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def cost(w, x, y):
    """Cross-entropy of the output hypo = sigmoid(wx)."""
    hypo = sigmoid(w * x)
    return -y * np.log(hypo) - (1 - y) * np.log(1 - hypo)


def by_graph(w, x, y):
    """Forward through the graph, then the local influences from right to left.

    Returns the influences (of w on the cost, of z = wx on hypo).
    """
    z = w * x
    a = np.exp(-z)
    b = 1 + a
    hypo = 1 / b

    # The cost reaches hypo on two paths, log(hypo) and log(1 - hypo): they add up.
    hypo_on_cost = -y * (1 / hypo) + -(1 - y) * (1 / (1 - hypo)) * -1
    b_on_hypo = -1 / b**2
    a_on_b = 1
    z_on_a = -a
    w_on_z = x
    z_on_hypo = b_on_hypo * a_on_b * z_on_a
    return hypo_on_cost * z_on_hypo * w_on_z, z_on_hypo


def by_calculus(w, x, y):
    """All of the graph's factors cancel to the error of the output, times the input."""
    return (sigmoid(w * x) - y) * x


def by_nudging(w, x, y):
    return (cost(w + NUDGE, x, y) - cost(w - NUDGE, x, y)) / (2 * NUDGE)


def by_tape(w, x, y):
    w = tf.Variable(w)
    with tf.GradientTape() as tape:
        hypo = 1 / (1 + tf.exp(-w * x))
        costs = -y * tf.math.log(hypo) - (1 - y) * tf.math.log(1 - hypo)
    return tape.gradient(costs, w).numpy()


def by_keras(w, x, y):
    """Keras' loss takes z itself (the logit), which is safe where hypo rounds to 1."""
    w = tf.Variable(w)
    with tf.GradientTape() as tape:
        logits = (w * x)[:, None]
        costs = keras.losses.binary_crossentropy(y[:, None], logits, from_logits=True)
    return tape.gradient(costs, w).numpy()


def squared_error_influence(w, x, y):
    """Here the derivative of the sigmoid stays, and a sure neuron does not move."""
    hypo = sigmoid(w * x)
    return 2 * (hypo - y) * hypo * (1 - hypo) * x


def learn(influence, w, steps):
    """Steps against the influence for the sample x = 1, y = 1; all weights passed."""
    path = [w]
    for _ in range(steps):
        w = w - LEARNING_RATE * influence(w, 1.0, 1.0)
        path.append(w)
    return np.array(path)


def cost_figure(paths):
    """Cost, its slope, and learning, of cross-entropy beside squared error."""
    figure, (costs, influences, learning) = plots.new_figure(1, 3, width=3.8)
    w = np.linspace(-10, 6, 300)
    entropy, squared = paths
    costs.plot(w, cost(w, 1, 1), label=entropy)
    costs.plot(w, (sigmoid(w) - 1) ** 2, label=squared)
    influences.plot(w, by_calculus(w, 1, 1))
    influences.plot(w, squared_error_influence(w, 1, 1))
    for axis, name in ((costs, "cost E"), (influences, "influence dE/dw")):
        axis.axvline(START, color="grey", linestyle=":", label="sure and wrong")
        axis.set(xlabel="weight w (x = 1, y = 1)", ylabel=name)
    for path in paths.values():
        learning.plot(sigmoid(path))
    learning.set(xlabel="step", ylabel="output (should be 1)", ylim=(-0.03, 1.03))
    costs.set_title("squared error has a plateau", fontsize=10)
    influences.set_title("on which nothing pulls at w", fontsize=10)
    learning.set_title("and nothing is learned from there", fontsize=10)
    costs.legend()
    return figure


def main(run):
    random = np.random.default_rng(run.seed)
    w = random.uniform(-2, 2, SAMPLES)
    x = random.uniform(0.5, 2, SAMPLES)
    y = random.integers(0, 2, SAMPLES).astype("float64")
    graph, z_on_hypo = by_graph(w, x, y)
    others = [way(w, x, y) for way in (by_calculus, by_nudging, by_tape, by_keras)]
    agree = np.isclose(others, graph, rtol=TOLERANCE, atol=0).all(axis=0)
    s = sigmoid(w * x)
    sigmoid_agrees = np.isclose(z_on_hypo, (1 - s) * s, rtol=TOLERANCE, atol=0)

    steps = run.length(STEPS, quick=STEPS)
    paths = {
        "cross-entropy": learn(by_calculus, START, steps),
        "squared error": learn(squared_error_influence, START, steps),
    }
    run.save_figure(cost_figure(paths), "costs")
    return {
        "disagreements": (~agree).sum(),
        "sigmoid_disagreements": (~sigmoid_agrees).sum(),
        "cross_entropy_influence": by_calculus(START, 1, 1),
        "squared_error_influence": squared_error_influence(START, 1, 1),
        "cross_entropy_output": sigmoid(paths["cross-entropy"][-1]),
        "squared_error_output": sigmoid(paths["squared error"][-1]),
    }


MEASURES = {
    "disagreements": Measure(
        "",
        "of 1,000 (w, x, y): graph, calculus, nudging, tape, Keras differ",
        "(w, x, y) 1,000개 중 다섯 방법의 답이 다른 수",
    ),
    "sigmoid_disagreements": Measure(
        "",
        "of the same: sigmoid' through the graph is not (1 - s)s",
        "그중 그래프의 시그모이드 미분이 (1 - s)s와 다른 수",
    ),
    "cross_entropy_influence": Measure(
        "",
        "dE/dw at w = -8, cross-entropy",
        "w = -8의 dE/dw, 교차 엔트로피",
        deterministic=True,
    ),
    "squared_error_influence": Measure(
        "", "with squared error", "제곱 오차의 dE/dw", deterministic=True
    ),
    "cross_entropy_output": Measure(
        "",
        "output after learning from w = -8",
        "w = -8에서 학습한 뒤의 출력",
        deterministic=True,
    ),
    "squared_error_output": Measure(
        "", "with squared error", "제곱 오차의 출력", deterministic=True
    ),
}


if __name__ == "__main__":
    cli(main)
