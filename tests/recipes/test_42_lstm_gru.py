"""42: cells and training against Keras', influence against nudging, and the lesson."""

from common.executing import Request, Run

import keras
import numpy as np
import pytest

CHANGED_INPUTS = [({"FORGOTTEN": 0.9}, {"rnn_before", "lstm_before", "gru_before"})]


def of_keras(lesson, cell, weights):
    """The recipe's own model, with the first network's weights."""
    model = lesson.build_model(cell)
    shapes = [weight.shape for weight in model.weights]
    firsts = [np.reshape(w[0], s) for w, s in zip(weights, shapes, strict=True)]
    model.set_weights(firsts)
    return model


def disturbed(lesson, cell, networks=1):
    """Weights of several networks, biases and all other than at the start."""
    rng = np.random.default_rng(1)
    first = [np.repeat(array, networks, axis=0) for array in lesson.start(cell, 0)]
    noise = [0.3 * rng.normal(size=array.shape) for array in first]
    return [(a + b).astype("float32") for a, b in zip(first, noise, strict=True)]


@pytest.fixture
def a_run(tmp_path):
    return Run(Request(stem="42", out=tmp_path))


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_cells_side_by_side_equal_keras_layers(lesson, cell):
    weights = disturbed(lesson, cell, networks=2)
    x, _ = lesson.adding(np.random.default_rng(2), 4, 20)
    ours = lesson.answer(cell, weights, x)
    for network in range(2):
        model = of_keras(lesson, cell, [array[[network]] for array in weights])
        np.testing.assert_allclose(ours[network], model(x)[:, 0], atol=1e-5)
    assert np.abs(ours[0] - ours[1]).max() > 1e-2


def test_cells_start_as_keras_does(lesson):
    for cell, biases in (("rnn", 0), ("lstm", lesson.UNITS), ("gru", 0)):
        _, W, b, _, c = lesson.start(cell, 3)
        assert b.sum() == biases and c == 0  # the LSTM's forget gate starts at 1
        block = W[0][:, : lesson.UNITS]
        if cell == "rnn":
            np.testing.assert_allclose(block.T @ block, np.eye(len(block)), atol=1e-5)
    again = lesson.start("gru", 3)
    assert all(map(np.array_equal, again, lesson.start("gru", 3)))
    assert not np.array_equal(again[0], lesson.start("gru", 4)[0])


def test_adding_marks_one_number_in_each_half(lesson):
    x, target = lesson.adding(np.random.default_rng(0), 200, 30)
    marks = x[:, :, 1]
    assert np.all(marks[:, :15].sum(axis=1) == 1)
    assert np.all(marks[:, 15:].sum(axis=1) == 1)
    assert np.allclose((x[:, :, 0] * marks).sum(axis=1), target)
    assert np.var(target) == pytest.approx(1 / 6, rel=0.25)  # two uniform numbers


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_influence_is_the_change_of_keras_answer_when_a_state_is_nudged(lesson, cell):
    weights = disturbed(lesson, cell)
    x, _ = lesson.adding(np.random.default_rng(4), 1, 8)
    states = []
    lesson.answer(cell, weights, x, states)
    layer, dense = of_keras(lesson, cell, weights).layers
    slopes = []
    for t, state in enumerate(states[:-1]):
        nudged = np.repeat(state[0, 0][None], state.shape[-1], axis=0)
        nudge = 1e-2 * np.eye(len(nudged), dtype="float32")
        later = np.repeat(x[:, t + 1 :], len(nudged), axis=0)
        ends = []
        for sign in (1, -1):
            parts = np.split(nudged + sign * nudge, len(nudged) // lesson.UNITS, axis=1)
            first = parts if cell == "lstm" else parts[0]
            ends.append(dense(layer(later, initial_state=first)))
        slopes.append(np.linalg.norm(ends[0] - ends[1]) / 2e-2)
    # The last state answers through V alone; of the LSTM's memory nothing does.
    slopes.append(np.linalg.norm(weights[3]))
    expected = np.array(slopes) / slopes[-1]
    measured = lesson.influence(cell, weights, x)
    np.testing.assert_allclose(measured, expected, rtol=2e-2)


def test_each_rate_trains_as_keras_would_and_the_best_one_is_shown(
    lesson, a_run, monkeypatch
):
    monkeypatch.setattr(lesson, "RATES", (1e-6, 1e-2))
    monkeypatch.setattr(lesson, "UPDATES", 12)
    monkeypatch.setattr(lesson, "EPOCHS", 1)
    shown = lesson.train(a_run, "gru", 6)
    model = of_keras(lesson, "gru", lesson.start("gru", 0))
    adam = keras.optimizers.Adam(1e-2, clipvalue=lesson.LARGEST_SLOPE)
    model.compile(adam, "mse")
    x, target = lesson.adding(np.random.default_rng([0, 0, 6]), 12 * 50, 6)
    for start in range(0, len(x), 50):
        model.train_on_batch(x[start : start + 50], target[start : start + 50, None])
    for ours, theirs in zip(shown, model.get_weights(), strict=True):
        np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, atol=1e-4)


def test_gates_learn_to_remember_where_the_plain_cell_does_not(
    lesson, a_run, monkeypatch
):
    """300 updates on 20 steps; which of two rates is the best does not matter."""
    monkeypatch.setattr(lesson, "RATES", (1e-2, 3e-2))
    monkeypatch.setattr(lesson, "EPOCHS", 3)
    x, target = lesson.adding(np.random.default_rng(5), 500, 20)
    part, memory = {}, {}  # of the error of a blind answer that is left
    for cell in lesson.CELLS:
        weights = lesson.train(a_run, cell, 20)
        misses = lesson.answer(cell, weights, x)[0] - target
        part[cell] = np.mean(misses**2) / np.var(target)
        both = lesson.start(cell, 0), weights
        memory[cell] = [lesson.influence(cell, of_one, x)[0] for of_one in both]
    assert max(part["lstm"], part["gru"]) < 0.07 < 0.14 < part["rnn"]
    # Before training, the first state reaches the plain cell's answer, not the gates'.
    assert memory["rnn"][0] > 3 * max(memory["lstm"][0], memory["gru"][0])
    for cell in ("lstm", "gru"):
        assert memory[cell][1] > 3 * memory[cell][0]
