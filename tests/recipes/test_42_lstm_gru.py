"""42: cells against Keras' layers, the task, influence against nudging."""

import numpy as np
import pytest
import tensorflow as tf


def relative_error(a, b):
    return np.linalg.norm(np.subtract(a, b)) / np.linalg.norm(b)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_cells_equal_keras_layers(lesson, cell):
    rng = np.random.default_rng(2)
    weights = lesson.draw_weights(cell, 20, rng)
    x, _ = lesson.adding(rng, 4, 20)
    ours, theirs = lesson.answer(cell, weights, x), lesson.by_keras(cell, weights, x)
    assert relative_error(ours, theirs) < 1e-5
    # A Keras layer that reads its gates in another order would answer otherwise.
    shuffled = [weights[0], tf.reverse(weights[1], [1]), *weights[2:]]
    assert relative_error(lesson.answer(cell, shuffled, x), theirs) > 1e-3


def test_adding_marks_one_number_in_each_half(lesson):
    x, target = lesson.adding(np.random.default_rng(0), 200, 30)
    marks = x[:, :, 1]
    assert np.all(marks[:, :15].sum(axis=1) == 1)
    assert np.all(marks[:, 15:].sum(axis=1) == 1)
    assert np.allclose((x[:, :, 0] * marks).sum(axis=1), target)
    assert np.var(target) == pytest.approx(1 / 6, rel=0.25)  # two uniform numbers


def test_influence_by_nudges_is_the_change_of_the_answer(lesson, monkeypatch):
    monkeypatch.setattr(lesson, "UNITS", 4)
    rng = np.random.default_rng(4)
    weights = lesson.draw_weights("gru", 8, rng)
    x, _ = lesson.adding(rng, 1, 8)
    slopes = []
    for t in (0, 7):
        moved = np.zeros((4, 8, 1, 4), "float32")  # unit, step, sequence, state
        moved[range(4), t, 0, range(4)] = 1e-2
        up, down = (
            [lesson.answer("gru", weights, x, sign * nudge)[0] for nudge in moved]
            for sign in (1, -1)
        )
        slopes.append(np.linalg.norm(np.subtract(up, down)))
    measured = lesson.influence("gru", weights, x)
    assert measured[0] == pytest.approx(slopes[0] / slopes[1], rel=1e-2)


def test_gates_keep_what_the_plain_cell_forgets(lesson):
    """Before any training: the influence of the first of 80 states."""
    rng = np.random.default_rng(0)
    x, _ = lesson.adding(rng, 10, 80)
    first = {
        cell: lesson.influence(cell, lesson.draw_weights(cell, 80, rng), x)[0]
        for cell in lesson.STEPS
    }
    assert first["rnn"] < 0.3 * min(first["lstm"], first["gru"])
