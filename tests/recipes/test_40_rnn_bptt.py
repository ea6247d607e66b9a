"""40: by hand against tape and nudging; the sum of products; vanishing, exploding."""

import numpy as np
import pytest
import tensorflow as tf


def relative_error(a, b):
    return np.linalg.norm(np.subtract(a, b)) / np.linalg.norm(b)


@pytest.fixture
def sequence(lesson):
    """A small problem: weights, words, targets and a start that is not 0."""
    rng = np.random.default_rng(3)
    x, d = lesson.draw_words(rng, 12), lesson.draw_words(rng, 12)
    return lesson.draw_weights(rng), x, d, rng.uniform(-1, 1, lesson.HIDDEN)


def summed_error(weights, x, d, start):
    """The cross-entropy over all steps, in TensorFlow, from the lecture's formulas."""
    U, W, V = weights
    s, total = tf.constant(start), 0.0
    for x_t, d_t in zip(x, d, strict=True):
        s = tf.tanh(tf.linalg.matvec(U, x_t) + tf.linalg.matvec(W, s))
        total -= tf.reduce_sum(d_t * tf.nn.log_softmax(tf.linalg.matvec(V, s)))
    return total


def test_bptt_equals_gradient_tape(lesson, sequence):
    weights, x, d, start = sequence
    variables = [tf.Variable(w) for w in weights]
    with tf.GradientTape() as tape:
        value = summed_error(variables, x, d, start)
    for ours, theirs in zip(
        lesson.backward(weights, x, d, start),
        tape.gradient(value, variables),
        strict=True,
    ):
        assert relative_error(ours, theirs) < 1e-10


def test_bptt_equals_nudging(lesson, sequence):
    weights, x, d, start = sequence
    rng = np.random.default_rng(0)

    def error(moved):
        _, y = lesson.forward(moved, x, start)
        return -np.sum(d * np.log(y))

    for which, gradient in enumerate(lesson.backward(weights, x, d, start)):
        by_calculus, by_nudging = [], []
        for _ in range(20):
            index = tuple(rng.integers(gradient.shape))
            up = [w.copy() for w in weights]
            down = [w.copy() for w in weights]
            up[which][index] += 1e-5
            down[which][index] -= 1e-5
            by_calculus.append(gradient[index])
            by_nudging.append((error(up) - error(down)) / 2e-5)
        assert relative_error(by_calculus, by_nudging) < 1e-6


def test_forward_step_of_the_slide(lesson, sequence):
    weights, x, _, start = sequence
    U, W, V = weights
    s, y = lesson.forward(weights, x, start)
    assert np.allclose(s[3], np.tanh(U @ x[2] + W @ s[2]))
    assert np.allclose(y[2], np.exp(V @ s[3]) / np.exp(V @ s[3]).sum())


def test_the_products_add_up_to_the_gradient(lesson, sequence):
    weights, x, d, start = sequence
    products, influence = lesson.paths(weights, x, d[-1], start)
    only_last = tf.Variable(weights[1])
    with tf.GradientTape() as tape:
        masked = d * (np.arange(12) == 11)[:, None]
        value = summed_error([weights[0], only_last, weights[2]], x, masked, start)
    whole = tape.gradient(value, only_last)
    assert relative_error(products.sum(axis=0), whole) < 1e-10
    assert relative_error(products[-1], whole) > 0.1  # the slide's product alone
    assert influence[0] == 1


def test_influence_vanishes_or_explodes_with_the_scale_of_w(lesson):
    rng = np.random.default_rng(0)
    ends = {}
    for scale in (0.5, 3.0):
        weights, x = lesson.draw_weights(rng, scale), lesson.draw_words(rng, 50)
        _, influence = lesson.paths(weights, x, x[0], np.zeros(lesson.HIDDEN))
        ends[scale] = influence[-1]
        steps = np.arange(50)
        if scale < 1:  # tanh' is at most 1, and W a rotation times the scale
            assert np.all(influence <= scale**steps * (1 + 1e-9))
    assert ends[0.5] < 1e-12 and ends[3.0] > 1e3
