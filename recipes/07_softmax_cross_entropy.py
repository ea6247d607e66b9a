"""Softmax makes a distribution of scores, cross-entropy says how wrong it is.

제목: 소프트맥스와 교차 엔트로피를 손으로 계산하기
Question: What do softmax and cross-entropy give on the lecture's examples, and what
    do they need to be true?
Lecture: 000, Softmax and Cross-Entropy; 004, Softmax function
Changes from: 03, whose one sigmoid neuron chose between two classes; here any number
Run: python recipes/07_softmax_cross_entropy.py
Try: (1) softmax of (2, 4, 6) and of (11, 12, 13): which one changes, and why?
    (2) the error of a sure and wrong answer, y = (0.001, 0.001, 0.998)
    (3) leave the shift by the maximum out and take the softmax of (1000, 2000, 3000)
"""

from common import plots
from common.running import Claim, cli

import keras
import numpy as np
import tensorflow as tf

CLAIMS = [
    Claim("softmax", (0.090, 0.245, 0.665), "", "000, Softmax", "exact"),
    Claim("softmax_sum", 1, "", "000, Softmax: they add up to 1", "exact"),
    Claim("plain_shares", None, text="o / sum(o): softmax favours the largest more"),
    Claim("cross_entropy", 1.204, "", "000, Cross-Entropy", "exact"),
    Claim(
        "sum_of_y",
        1,
        source="000, Cross-Entropy: y is a probability distribution",
        kind="exact",
        erratum="(0.3, 0.5, 0.8) is not a distribution; 1.204 is right as -ln 0.3",
    ),
    Claim("cross_entropy_keras", None, text="Keras' value: it divides y by its sum"),
    Claim("error_at_d_1_y_1", 0, "", "000, Cross-Entropy: 1 and 1 give 0", "exact"),
    Claim("error_at_d_0_y_0", 0, "", "000, Cross-Entropy: 0 and 0 give 0", "exact"),
    Claim(
        "error_at_d_equal_y",
        0,
        source="000, Cross-Entropy: nearer 0, more alike",
        kind="exact",
        text="error where d = y = softmax(1, 2, 3)",
        erratum="two equal distributions give their entropy: 0 only if one-hot",
    ),
    Claim("influence_of_scores", None, text="dE/do = y - d at o = (1, 2, 3)"),
    Claim("largest_difference", None, text="difference from Keras and GradientTape"),
]

SCORES = np.array([1.0, 2.0, 3.0])  # o on the slide
TARGET = np.array([1.0, 0.0, 0.0])  # d, one-hot: the first class is the right one
ANSWER = np.array([0.3, 0.5, 0.8])  # y on the slide


def softmax(o):
    """e^o / sum(e^o) over the last axis.

    A shift of all scores cancels out, so the largest is shifted to 0: e^1000 is too
    large for a computer, e^0 is not.
    """
    exponentials = np.exp(o - o.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def cross_entropy(d, y):
    """-sum(d ln y) over the last axis; where d is 0 nothing is added, even at y = 0."""
    return -np.sum(d * np.log(np.where(d > 0, y, 1)), axis=-1)


def influence(d, o):
    """How the error changes with each score: dE/do, E = cross_entropy(d, softmax(o)).

    dE/do_j = sum_i dE/dy_i dy_i/do_j = sum_i -d_i/y_i y_i ([i = j] - y_j) = y_j - d_j,
    as the d_i add up to 1. The exponential and the logarithm undo each other.
    """
    return softmax(o) - d


def difference_from_keras():
    """The largest difference between the functions above and TensorFlow's."""
    o = tf.constant(SCORES)
    with tf.GradientTape() as tape:
        tape.watch(o)
        error = keras.losses.categorical_crossentropy(
            TARGET[None], o[None], from_logits=True
        )[0]
    return max(
        np.abs(softmax(SCORES) - keras.ops.softmax(SCORES)).max(),
        abs(cross_entropy(TARGET, softmax(SCORES)) - error.numpy()),
        np.abs(influence(TARGET, SCORES) - tape.gradient(error, o)).max(),
    )


def draw(shares, y):
    """Left: scores become probabilities. Right: the error of the right class."""
    figure, (left, right) = plots.new_figure(1, 2)
    classes = np.arange(3)
    left.bar(classes - 0.2, shares, 0.4, color="lightgrey", label="o / sum(o)")
    bars = left.bar(classes + 0.2, y, 0.4, label="softmax(o)")
    left.bar_label(bars, fmt="%.3f")
    left.set(xlabel="score o", ylabel="probability", xticks=classes)
    left.set_xticklabels([f"{score:g}" for score in SCORES])
    left.legend()

    probability = np.linspace(0.01, 1, 200)
    right.plot(probability, -np.log(probability))
    error = cross_entropy(TARGET, ANSWER)
    right.plot(ANSWER[0], error, "o")
    right.annotate(f"-ln {ANSWER[0]} = {error:.3f}", (ANSWER[0] + 0.03, error + 0.1))
    right.set(xlabel="probability y of the right class", ylabel="error, -ln y")
    return figure


def main(run):
    y = softmax(SCORES)
    shares = SCORES / SCORES.sum()
    run.save_figure(draw(shares, y), "softmax_and_error")
    one, zero = np.array([1.0]), np.array([0.0])
    return {
        "softmax": y,
        "softmax_sum": y.sum(),
        "plain_shares": shares,
        "cross_entropy": cross_entropy(TARGET, ANSWER),
        "sum_of_y": ANSWER.sum(),
        "cross_entropy_keras": keras.losses.categorical_crossentropy(TARGET, ANSWER),
        "error_at_d_1_y_1": cross_entropy(one, one),
        "error_at_d_0_y_0": cross_entropy(zero, zero),
        "error_at_d_equal_y": cross_entropy(y, y),
        "influence_of_scores": influence(TARGET, SCORES),
        "largest_difference": difference_from_keras(),
    }


if __name__ == "__main__":
    cli(main)
