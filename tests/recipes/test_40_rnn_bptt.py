"""40: by hand against tape and nudging; the sum of products; vanishing, exploding."""

import numpy as np
import pytest
import tensorflow as tf

CHANGED_INPUTS = [({"SLIDE_STEP": 5}, {"paths_to_w"})]


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
    s, y = lesson.forward(weights, x, start)
    error = weights[2].T @ (y[-1] - d[-1])
    products, influence = lesson.paths(weights[1], s, error)
    only_last = tf.Variable(weights[1])
    with tf.GradientTape() as tape:
        masked = d * (np.arange(12) == 11)[:, None]
        value = summed_error([weights[0], only_last, weights[2]], x, masked, start)
    whole = tape.gradient(value, only_last)
    assert relative_error(products.sum(axis=0), whole) < 1e-10
    assert relative_error(products[-1], whole) > 0.1  # the slide's product alone
    assert influence[0] == 1


@pytest.mark.parametrize("f", ["tanh", "ReLU"])
def test_influence_is_the_change_of_the_error(lesson, monkeypatch, f):
    """A state nudged in every direction, and the sum of a later state's values."""
    monkeypatch.setattr(lesson, "HIDDEN", 5)
    rng = np.random.default_rng(1)
    weights, x = lesson.draw_weights(rng, 1.3), lesson.draw_words(rng, 6)
    start = rng.uniform(0.1, 1, 5)
    s, _ = lesson.forward(weights, x, start, f)
    _, influence = lesson.paths(weights[1], s, np.ones(5), f)
    slopes = []
    for unit in 1e-6 * np.eye(5):
        up, down = (
            lesson.forward(weights, x[1:], s[1] + nudge, f)[0][-1].sum()
            for nudge in (unit, -unit)
        )
        slopes.append((up - down) / 2e-6)
    moved = np.linalg.norm(slopes) / np.linalg.norm(np.ones(5))
    assert influence[5] == pytest.approx(moved, rel=1e-5)


def test_the_size_of_w_decides_whether_influence_vanishes_or_explodes(lesson):
    rng = np.random.default_rng(0)
    for f in ("tanh", "ReLU"):
        ends = [lesson.average_influence(rng, c, f) for c in (0.5, 1.0, 2.0)]
        half, one, two = (np.array(logs) for logs in ends)
        # f' is at most 1, and W is a rotation times the scale.
        assert np.all(half <= np.log10(0.5) * np.arange(lesson.STEPS) + 1e-9)
        assert half[-1] < -25 and one[-1] < -4 and two[-1] > 3
        # A factor for every step: half of the way has half of the logarithm.
        assert half[50] == pytest.approx(half[99] * 50 / 99, rel=0.05)


def test_the_slides_one_product_is_not_the_gradient(quick):
    values = quick["values"]
    assert values["paths_to_w"] == 3 and values["longest_path_error"] > 20
    assert values["log10_tape"] < -10
    assert 1 < values["tanh_turn"] < values["relu_turn"] < 2
