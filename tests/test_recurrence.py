"""Recurrent networks: recipes 40 to 43."""

from common import recipes

import keras
import numpy as np
import pytest
import tensorflow as tf


def load(number):
    return recipes.load(recipes.find(number))


def relative_error(a, b):
    return np.linalg.norm(np.subtract(a, b)) / np.linalg.norm(b)


@pytest.fixture(scope="module")
def bptt():
    return load("40")


@pytest.fixture
def sequence(bptt):
    """A small problem: weights, words, targets and a start that is not 0."""
    rng = np.random.default_rng(3)
    x, d = bptt.draw_words(rng, 12), bptt.draw_words(rng, 12)
    return bptt.draw_weights(rng), x, d, rng.uniform(-1, 1, bptt.HIDDEN)


def summed_error(weights, x, d, start):
    """The cross-entropy over all steps, in TensorFlow, from the lecture's formulas."""
    U, W, V = weights
    s, total = tf.constant(start), 0.0
    for x_t, d_t in zip(x, d, strict=True):
        s = tf.tanh(tf.linalg.matvec(U, x_t) + tf.linalg.matvec(W, s))
        total -= tf.reduce_sum(d_t * tf.nn.log_softmax(tf.linalg.matvec(V, s)))
    return total


def test_bptt_equals_gradient_tape(bptt, sequence):
    weights, x, d, start = sequence
    variables = [tf.Variable(w) for w in weights]
    with tf.GradientTape() as tape:
        value = summed_error(variables, x, d, start)
    for ours, theirs in zip(
        bptt.backward(weights, x, d, start),
        tape.gradient(value, variables),
        strict=True,
    ):
        assert relative_error(ours, theirs) < 1e-10


def test_bptt_equals_nudging(bptt, sequence):
    weights, x, d, start = sequence
    rng = np.random.default_rng(0)

    def error(moved):
        _, y = bptt.forward(moved, x, start)
        return -np.sum(d * np.log(y))

    for which, gradient in enumerate(bptt.backward(weights, x, d, start)):
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


def test_forward_step_of_the_slide(bptt, sequence):
    weights, x, _, start = sequence
    U, W, V = weights
    s, y = bptt.forward(weights, x, start)
    assert np.allclose(s[3], np.tanh(U @ x[2] + W @ s[2]))
    assert np.allclose(y[2], np.exp(V @ s[3]) / np.exp(V @ s[3]).sum())


def test_the_products_add_up_to_the_gradient(bptt, sequence):
    weights, x, d, start = sequence
    products, influence = bptt.paths(weights, x, d[-1], start)
    only_last = tf.Variable(weights[1])
    with tf.GradientTape() as tape:
        masked = d * (np.arange(12) == 11)[:, None]
        value = summed_error([weights[0], only_last, weights[2]], x, masked, start)
    whole = tape.gradient(value, only_last)
    assert relative_error(products.sum(axis=0), whole) < 1e-10
    assert relative_error(products[-1], whole) > 0.1  # the slide's product alone
    assert influence[0] == 1


def test_influence_vanishes_or_explodes_with_the_scale_of_w(bptt):
    rng = np.random.default_rng(0)
    ends = {}
    for scale in (0.5, 3.0):
        weights, x = bptt.draw_weights(rng, scale), bptt.draw_words(rng, 50)
        _, influence = bptt.paths(weights, x, x[0], np.zeros(bptt.HIDDEN))
        ends[scale] = influence[-1]
        steps = np.arange(50)
        if scale < 1:  # tanh' is at most 1, and W a rotation times the scale
            assert np.all(influence <= scale**steps * (1 + 1e-9))
    assert ends[0.5] < 1e-12 and ends[3.0] > 1e3


@pytest.fixture(scope="module")
def truncated():
    return load("41")


@pytest.fixture
def short(truncated, monkeypatch):
    """Recipe 41 with sequences short enough for the slow way."""
    monkeypatch.setattr(truncated, "STEPS", 7)
    monkeypatch.setattr(truncated, "ECHOES", [1, 3])
    return truncated


def truncated_problem(truncated):
    rng = np.random.default_rng(1)
    weights = [tf.Variable(array) for array in truncated.draw_weights(rng)]
    x, targets = truncated.echo_task(rng, 3)
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


def test_more_steps_back_leave_out_less(truncated):
    weights, x, targets = truncated_problem(truncated)
    whole = truncated.gradients(weights, x, targets, truncated.STEPS - 1)[1]
    left = [
        relative_error(truncated.gradients(weights, x, targets, back)[1], whole)
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


def test_echo_task_says_the_bits_late(truncated):
    x, targets = truncated.echo_task(np.random.default_rng(0), 5)
    for index, echo in enumerate(truncated.ECHOES):
        assert np.all(targets[:echo, index] == -1)
        assert np.array_equal(2 * targets[echo:, index] - 1, x[:-echo, 0])


@pytest.fixture(scope="module")
def memory():
    return load("42")


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_cells_equal_keras_layers(memory, cell):
    rng = np.random.default_rng(2)
    weights = memory.draw_weights(cell, 20, rng)
    x, _ = memory.adding(rng, 4, 20)
    ours, theirs = memory.answer(cell, weights, x), memory.by_keras(cell, weights, x)
    assert relative_error(ours, theirs) < 1e-5
    # A Keras layer that reads its gates in another order would answer otherwise.
    shuffled = [weights[0], tf.reverse(weights[1], [1]), *weights[2:]]
    assert relative_error(memory.answer(cell, shuffled, x), theirs) > 1e-3


def test_adding_marks_one_number_in_each_half(memory):
    x, target = memory.adding(np.random.default_rng(0), 200, 30)
    marks = x[:, :, 1]
    assert np.all(marks[:, :15].sum(axis=1) == 1)
    assert np.all(marks[:, 15:].sum(axis=1) == 1)
    assert np.allclose((x[:, :, 0] * marks).sum(axis=1), target)
    assert np.var(target) == pytest.approx(1 / 6, rel=0.25)  # two uniform numbers


def test_influence_by_nudges_is_the_change_of_the_answer(memory, monkeypatch):
    monkeypatch.setattr(memory, "UNITS", 4)
    rng = np.random.default_rng(4)
    weights = memory.draw_weights("gru", 8, rng)
    x, _ = memory.adding(rng, 1, 8)
    slopes = []
    for t in (0, 7):
        moved = np.zeros((4, 8, 1, 4), "float32")  # unit, step, sequence, state
        moved[range(4), t, 0, range(4)] = 1e-2
        up, down = (
            [memory.answer("gru", weights, x, sign * nudge)[0] for nudge in moved]
            for sign in (1, -1)
        )
        slopes.append(np.linalg.norm(np.subtract(up, down)))
    measured = memory.influence("gru", weights, x)
    assert measured[0] == pytest.approx(slopes[0] / slopes[1], rel=1e-2)


def test_gates_keep_what_the_plain_cell_forgets(memory):
    """Before any training: the influence of the first of 80 states."""
    rng = np.random.default_rng(0)
    x, _ = memory.adding(rng, 10, 80)
    first = {
        cell: memory.influence(cell, memory.draw_weights(cell, 80, rng), x)[0]
        for cell in memory.STEPS
    }
    assert first["rnn"] < 0.3 * min(first["lstm"], first["gru"])


def test_row_reader_sizes_and_blank_rows():
    reader = load("43")
    keras.utils.set_random_seed(0)
    counts = {
        name: reader.build_model(c).count_params() for name, c in reader.CELLS.items()
    }
    units, rows, classes = reader.UNITS, 28, 10
    block = (rows + units + 1) * units
    readout = (units + 1) * classes
    assert counts["rnn"] == block + readout
    assert counts["lstm"] == 4 * block + readout
    assert counts["gru"] == 3 * (block + units) + readout  # Keras' GRU: two biases

    model = reader.build_model(reader.CELLS["lstm"])
    images = np.random.default_rng(0).random((30, 28, 28), dtype="float32")
    labels = reader.answers(model, images)
    by_rows = reader.accuracy_by_rows(model, images, labels)
    assert len(by_rows) == 28 and by_rows[-1] == 100
    cut = images.copy()
    cut[:, 5:] = 0
    assert by_rows[4] == 100 * np.mean(reader.answers(model, cut) == labels) < 100
