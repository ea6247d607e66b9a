"""Gates, Hebb's rule against outer products and as a gradient, and recall."""

import numpy as np
import tensorflow as tf
from scipy.optimize import linprog

ROWS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
CHANGED_INPUTS = [
    (
        {"ROWS": np.array([[0, 1], [1, 1], [0, 0], [1, 0]])},
        {"and_gate", "or_gate", "xor_gate"},
    ),
    (  # a neuron that is silent where it should fire
        {"neuron": lambda x, weights, threshold: 1 * (x @ weights < threshold)},
        {"and_gate", "or_gate", "not_gate", "xor_gate"},
    ),
]


def test_truth_tables(lesson):
    a, b = ROWS.T.astype(bool)
    assert (lesson.both(ROWS) == (a & b)).all()
    assert (lesson.either(ROWS) == (a | b)).all()
    assert (lesson.one_of(ROWS) == (a ^ b)).all()
    assert lesson.inverse(np.array([[0], [1]])).tolist() == [1, 0]


def test_one_neuron_has_exactly_the_linearly_separable_gates(lesson):
    separable = set()
    for number in range(16):
        table = tuple(number >> bit & 1 for bit in range(4))
        # Is there (w1, w2, threshold) with a margin of 1 on the right side of each row?
        sides = np.where(np.array(table) == 1, -1, 1)[:, None]
        solved = linprog(
            np.zeros(3),
            sides * np.column_stack([ROWS, -np.ones(4)]),
            -np.ones(4),
            bounds=[(None, None)] * 3,
        )
        if solved.status == 0:
            separable.add(table)
    assert lesson.gates_by_one_neuron() == separable
    assert len(separable) == 14
    assert (0, 1, 1, 0) not in separable


def test_hebb_is_the_sum_of_outer_products_and_a_gradient(lesson):
    random = np.random.default_rng(7)
    x, y = random.normal(size=(6, 5)), random.normal(size=(6, 3))
    np.testing.assert_allclose(lesson.hebb(x, y), y.T @ x, rtol=1e-12)
    # One step of gradient ascent on the agreement of y with Wx.
    weights = tf.Variable(tf.zeros((3, 5), tf.float64))
    with tf.GradientTape() as tape:
        agreement = tf.reduce_sum(y * (x @ tf.transpose(weights)))
    gradient = tape.gradient(agreement, weights)
    np.testing.assert_allclose(lesson.hebb(x, y), gradient, rtol=1e-12)


def test_hebb_recalls_orthogonal_pairs_perfectly(lesson):
    x = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1]], float)
    y = np.array([[1, -1], [-1, -1], [-1, 1]], float)
    assert (lesson.recall(lesson.hebb(x, y), x) == y).all()


def test_hebb_gates_with_the_threshold_at_0_need_the_bipolar_code(lesson):
    bipolar, fires = lesson.hebb_gates(low=-1.0)
    binary, same = lesson.hebb_gates(low=0.0)
    a, b = ROWS.T.astype(bool)
    assert (fires == np.column_stack([a & b, a | b])).all() and (fires == same).all()
    assert lesson.rows_right(bipolar, fires, 0) == 100
    # Coded 0 and 1, nothing ever shrinks: every row fires.
    assert (binary > 0).all()
    assert lesson.rows_right(binary, fires, 0) == 50


def test_binary_hebb_gates_are_right_with_another_threshold(lesson):
    sums, fires = lesson.hebb_gates(low=0.0)
    thresholds = lesson.thresholds_between(sums, fires)
    assert lesson.rows_right(sums, fires, thresholds) == 100
    np.testing.assert_array_equal(thresholds, [2.5, 4])
    assert lesson.rows_right(sums, fires, thresholds[::-1]) < 100


def test_letters_are_recalled_and_noise_flips_what_it_says(lesson):
    x, y = lesson.pictures(lesson.LETTERS), lesson.pictures(lesson.LETTERS.values())
    assert x.shape == y.shape == (4, 35)
    assert (lesson.recall(lesson.hebb(x, y), x) == y).all()
    noisy = lesson.flipped(np.random.default_rng(8), x)
    assert ((noisy != x).sum(axis=1) == lesson.FLIPPED).all()


def test_noisy_letters_are_recalled_until_too_many_pixels_are_wrong(
    lesson, monkeypatch
):
    x, y = lesson.pictures(lesson.LETTERS), lesson.pictures(lesson.LETTERS.values())
    weights, random = lesson.hebb(x, y), np.random.default_rng(9)
    right = {}
    for flipped in (5, 15):
        monkeypatch.setattr(lesson, "FLIPPED", flipped)
        noisy = lesson.flipped(random, np.repeat(x, 100, axis=0))
        answers = lesson.recall(weights, noisy)
        right[flipped] = (answers == np.repeat(y, 100, axis=0)).all(axis=1).mean()
    assert right[5] > 0.95
    assert right[15] < 0.6
