"""41: the truncated gradient against tapes that are cut; the task."""

import numpy as np
import pytest
import tensorflow as tf


def relative_error(a, b):
    return np.linalg.norm(np.subtract(a, b)) / np.linalg.norm(b)


@pytest.fixture
def short(lesson, monkeypatch):
    """Recipe 41 with sequences short enough for the slow way."""
    monkeypatch.setattr(lesson, "STEPS", 7)
    monkeypatch.setattr(lesson, "ECHOES", [1, 3])
    return lesson


def truncated_problem(lesson):
    rng = np.random.default_rng(1)
    weights = [tf.Variable(array) for array in lesson.draw_weights(rng)]
    x, targets = lesson.echo_task(rng, 3)
    return weights, tf.constant(x), tf.constant(targets)


def cross_entropy(weights, x, targets, steps_back):
    """Every error from a network of its own, whose past is cut `steps_back` earlier."""
    U, W, b, V, c = weights
    fixed = [tf.zeros((W.shape[0], x.shape[2], W.shape[1]), W.dtype)]
    for x_t in x:
        fixed.append(tf.stop_gradient(tf.tanh(x_t @ U + fixed[-1] @ W + b)))
    total = 0.0
    for t in range(len(x)):
        first = max(0, t - steps_back)
        s = fixed[first]
        for u in range(first, t + 1):
            s = tf.tanh(x[u] @ U + s @ W + b)
        target = tf.cast(targets[t], W.dtype)
        each = tf.nn.sigmoid_cross_entropy_with_logits(target, s @ V + c)
        total += tf.reduce_sum(tf.where(targets[t] >= 0, each, 0.0), axis=[1, 2])
    asked = tf.math.count_nonzero(targets >= 0, axis=[0, 2, 3])
    return tf.reduce_sum(total / tf.cast(asked, W.dtype))


@pytest.mark.parametrize("steps_back", [0, 3, 6])
def test_truncated_gradient_equals_a_tape_that_is_cut(short, steps_back):
    weights, x, targets = truncated_problem(short)
    with tf.GradientTape() as tape:
        value = cross_entropy(weights, x, targets, steps_back)
    theirs = tape.gradient(value, weights)
    ours = short.gradients(weights, x, targets, steps_back)
    for a, b in zip(ours, theirs, strict=True):
        assert relative_error(a, b) < 1e-10


def test_more_steps_back_leave_out_less(lesson):
    weights, x, targets = truncated_problem(lesson)
    whole = lesson.gradients(weights, x, targets, lesson.STEPS - 1)[1]
    left = [
        relative_error(lesson.gradients(weights, x, targets, back)[1], whole)
        for back in (0, 4, 16)
    ]
    assert left[0] > 2 * left[1] > 4 * left[2]


def test_an_error_cannot_teach_what_lies_behind_its_walk(short, monkeypatch):
    """The bit of 3 steps ago: its input weights get a gradient only from 3 steps on."""
    monkeypatch.setattr(short, "ECHOES", [3])
    rng = np.random.default_rng(5)
    weights, _, _ = truncated_problem(short)
    weights[0].assign(np.zeros(weights[0].shape))  # s stays 0: no accidental memory
    x, targets = (tf.constant(array) for array in short.echo_task(rng, 2000))
    slopes = [
        np.linalg.norm(short.gradients(weights, x, targets, back)[0]) for back in (2, 3)
    ]
    assert slopes[0] < 0.1 * slopes[1]


def test_echo_task_says_the_bits_late(lesson):
    x, targets = lesson.echo_task(np.random.default_rng(0), 5)
    for index, echo in enumerate(lesson.ECHOES):
        assert np.all(targets[:echo, index] == -1)
        assert np.array_equal(2 * targets[echo:, index] - 1, x[:-echo, 0])
