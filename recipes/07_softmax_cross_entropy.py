"""Softmax makes a distribution of scores, cross-entropy says how wrong it is.

제목: 소프트맥스와 교차 엔트로피를 손으로 계산하기
Question: What do softmax and cross-entropy give on the lecture's examples, and what
    do they need to be true?
Finding: Softmax makes {softmax[0]}, {softmax[1]} and {softmax[2]} of the scores 1, 2,
    3, and the error of the slide's answer is {cross_entropy}. But y must add up to 1,
    and the slide's adds up to {sum_of_y} (Keras divides by that and says
    {cross_entropy_keras}); and d must be one-hot if 0 is to mean alike, as d = y =
    softmax(1, 2, 3) has an error of {error_at_d_equal_y}.
결과: 점수 1, 2, 3의 소프트맥스는 {softmax[0]}, {softmax[1]}, {softmax[2]}이고,
    슬라이드에 있는 답의 오차는 {cross_entropy}입니다. 다만 y의 합은 1이어야 하는데
    슬라이드에서는 {sum_of_y}이며(Keras는 이 합으로 나누어 {cross_entropy_keras}), 오차
    0이 같음을 뜻하려면 d가 원-핫이어야 합니다. d와 y가 모두 softmax(1, 2, 3)일 때의
    오차는 {error_at_d_equal_y}입니다.
Lecture: 000, Softmax and Cross-Entropy; 004, Softmax function
Changes from: 03, whose one sigmoid neuron chose between two classes; here any number
Run: python recipes/07_softmax_cross_entropy.py
Try: (1) softmax of (2, 4, 6) and of (11, 12, 13): which one changes, and why?
    (2) the error of a sure and wrong answer, y = (0.001, 0.001, 0.998)
    (3) leave the shift by the maximum out and take the softmax of (1000, 2000, 3000)
"""

from common import plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf

SCORES = np.array([1.0, 2.0, 3.0])  # o on the slide
TARGET = np.array([1.0, 0.0, 0.0])  # d, one-hot: the first class is the right one
ANSWER = np.array([0.3, 0.5, 0.8])  # y on the slide
ALIKE = np.array([[1.0], [0.0]])  # d = y = 1 and d = y = 0, of which it says: error 0


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
    left.set(xlabel="score o", ylabel="probability", xticks=classes, ylim=(0, 0.75))
    left.set_xticklabels([f"{score:g}" for score in SCORES])
    left.set_title("softmax favours the largest score", fontsize=10)
    left.legend()

    probability = np.linspace(0.01, 1, 200)
    right.plot(probability, -np.log(probability))
    error = cross_entropy(TARGET, ANSWER)
    right.plot(ANSWER[0], error, "o")
    right.annotate(f"-ln {ANSWER[0]} = {error:.3f}", (ANSWER[0] + 0.03, error + 0.1))
    right.set(xlabel="probability y of the right class", ylabel="error, -ln y")
    right.set_title("only the right class counts", fontsize=10)
    return figure


def main(run):
    y = softmax(SCORES)
    shares = SCORES / SCORES.sum()
    run.save_figure(draw(shares, y), "softmax_and_error")
    one, zero = ALIKE
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


MEASURES = {
    "softmax": Measure(
        "", "softmax of (1, 2, 3)", "(1, 2, 3)의 소프트맥스", deterministic=True
    ),
    "softmax_sum": Measure("", "their sum", "그 합", deterministic=True),
    "plain_shares": Measure(
        "", "o / sum(o), no softmax", "소프트맥스 없이 o / sum(o)", deterministic=True
    ),
    "cross_entropy": Measure(
        "", "error of (0.3, 0.5, 0.8)", "(0.3, 0.5, 0.8)의 오차", deterministic=True
    ),
    "sum_of_y": Measure(
        "", "sum of the slide's y", "슬라이드의 y의 합", deterministic=True
    ),
    "cross_entropy_keras": Measure(
        "",
        "Keras', which divides y by its sum",
        "Keras의 오차: y를 그 합으로 나눔",
        deterministic=True,
    ),
    "error_at_d_1_y_1": Measure(
        "", "error where d = y = 1", "d = y = 1의 오차", deterministic=True
    ),
    "error_at_d_0_y_0": Measure(
        "", "error where d = y = 0", "d = y = 0의 오차", deterministic=True
    ),
    "error_at_d_equal_y": Measure(
        "",
        "error where d = y = softmax(1, 2, 3)",
        "d = y = softmax(1, 2, 3)의 오차",
        deterministic=True,
    ),
    "influence_of_scores": Measure(
        "", "dE/do at o = (1, 2, 3)", "(1, 2, 3)의 dE/do", deterministic=True
    ),
    "largest_difference": Measure(
        "",
        "largest difference from Keras and GradientTape",
        "Keras, GradientTape와의 최대 차이",
        deterministic=True,
    ),
}


if __name__ == "__main__":
    cli(main)
