"""Gates, Hebb's rule against outer products, and recall against theory."""

import math

import numpy as np
import pytest
from scipy.optimize import linprog

ROWS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


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
    assert lesson.gates_by_one_neuron(ROWS) == separable
    assert len(separable) == 14
    assert (0, 1, 1, 0) not in separable


def test_hebb_is_the_sum_of_outer_products_and_a_gradient(lesson):
    random = np.random.default_rng(7)
    x, y = random.normal(size=(6, 5)), random.normal(size=(6, 3))
    np.testing.assert_allclose(lesson.hebb(x, y), y.T @ x, rtol=1e-12)
    np.testing.assert_allclose(lesson.hebb_by_tape(x, y), y.T @ x, rtol=1e-12)


def test_hebb_recalls_orthogonal_pairs_perfectly(lesson):
    x = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1]], float)
    y = np.array([[1, -1], [-1, -1], [-1, 1]], float)
    assert (lesson.recall(lesson.hebb(x, y), x) == y).all()


def test_hebb_gates_need_the_bipolar_code(lesson):
    assert lesson.hebb_gates(ROWS, low=-1.0) == 100
    assert lesson.hebb_gates(ROWS, low=0.0) <= 50


def test_letters_are_recalled_and_noise_flips_what_it_says(lesson):
    x, y = lesson.pictures(lesson.LETTERS), lesson.pictures(lesson.LETTERS.values())
    assert x.shape == y.shape == (4, 35)
    assert (lesson.recall(lesson.hebb(x, y), x) == y).all()
    noisy = lesson.flipped(np.random.default_rng(8), x)
    assert ((noisy != x).sum(axis=1) == lesson.FLIPPED).all()


def test_recall_falls_with_the_pairs_as_crosstalk_theory_says(lesson):
    random = np.random.default_rng(9)
    for pairs in (20, 50, 100, 200):
        # A stored bit meets the sum of 100 (pairs - 1) random signs of crosstalk.
        theory = 100 * (1 - 0.5 * math.erfc(math.sqrt(100 / (2 * (pairs - 1)))))
        assert lesson.bits_right(random, pairs) == pytest.approx(theory, abs=1.5)
