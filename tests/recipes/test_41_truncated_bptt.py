"""41: gradients that stop at borders, against the hand; the task; chunk and echo."""

from common.executing import Request, Run

import numpy as np
import pytest
import tensorflow as tf


def relative_error(a, b):
    return np.linalg.norm(np.subtract(a, b)) / np.linalg.norm(b)


@pytest.fixture
def short(lesson, monkeypatch):
    """The recipe with short sequences and few networks."""
    chunks, echoes = (1, 3, 7), (1, 3)
    monkeypatch.setattr(lesson, "STEPS", 7)
    monkeypatch.setattr(lesson, "CHUNKS", chunks)
    monkeypatch.setattr(lesson, "ECHOES", echoes)
    monkeypatch.setattr(lesson, "NETWORKS", [(c, e) for c in chunks for e in echoes])
    return lesson


def by_hand(weights, x, targets, networks):
    """dE/dU and dE/dW: each chunk by itself, with its first state as a given number.

    A sum of products (recipe 40), by einsum: all errors take their k-th step at once.
    """
    U, W, b, V, c = (array.astype("float64") for array in weights)
    s = [np.zeros((len(W), x.shape[2], W.shape[1]))]
    for x_t in x:
        s.append(np.tanh(x_t @ U + s[-1] @ W + b))
    s, asked = np.array(s), targets >= 0
    y = 1 / (1 + np.exp(-(s[1:] @ V + c)))
    do = (y - targets) * asked / asked.sum(axis=(0, 2, 3), keepdims=True)
    dU, dW = np.zeros_like(U), np.zeros_like(W)
    for index, (chunk, _) in enumerate(networks):
        for first in range(0, len(x), chunk):
            last = min(first + chunk, len(x))
            dz, inputs = 0, x[first:last, 0]
            for k in range(last - first):
                ds = do[first + k : last, index] @ V[index].T if k == 0 else dz
                dz = ds * (1 - s[first + 1 : last + 1 - k, index] ** 2)
                dU[index] += np.einsum("tbi,tbn->in", inputs[: len(dz)], dz)
                before = s[first : first + len(dz), index]
                dW[index] += np.einsum("tbm,tbn->mn", before, dz)
                dz = (dz @ W[index].T)[1:]  # of the states one step earlier
    return dU, dW


def test_errors_stop_at_the_borders_of_chunks(short):
    rng = np.random.default_rng(1)
    weights = [tf.Variable(array) for array in short.draw_weights(rng)]
    x, targets = short.echo_task(rng, 3)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(short.errors(weights, x, targets))
    theirs = tape.gradient(value, weights[:2])
    arrays = [weight.numpy() for weight in weights]
    for ours, taped in zip(
        by_hand(arrays, x, targets, short.NETWORKS), theirs, strict=True
    ):
        for network in range(len(short.NETWORKS)):
            assert relative_error(taped[network], ours[network]) < 1e-4


def test_borders_change_no_answer(short):
    weights = short.draw_weights(np.random.default_rng(1))
    x, _ = short.echo_task(np.random.default_rng(2), 3)
    answers = short.forward(weights, x)
    assert answers.shape == (7, 6, 3, 1)
    for network in range(1, 6):  # all start alike
        np.testing.assert_allclose(answers[:, network], answers[:, 0], rtol=1e-6)


def test_an_error_is_the_cross_entropy_of_the_bits_asked_for(short):
    weights = short.draw_weights(np.random.default_rng(1))
    x, targets = short.echo_task(np.random.default_rng(2), 50)
    y = 1 / (1 + np.exp(-short.forward(weights, x).numpy().astype("float64")))
    for network, (_, echo) in enumerate(short.NETWORKS):
        bits = targets[echo:, network]
        said = np.where(bits == 1, y[echo:, network], 1 - y[echo:, network])
        errors = short.errors(weights, x, targets).numpy()
        assert errors[network] == pytest.approx(-np.log(said).mean(), rel=1e-5)
        right = short.accuracies(weights, x, targets)[network]
        assert right == pytest.approx(100 * np.mean(said > 0.5))


def test_echo_task_says_the_bits_late(lesson):
    x, targets = lesson.echo_task(np.random.default_rng(0), 5)
    for index, (_, echo) in enumerate(lesson.NETWORKS):
        assert np.all(targets[:echo, index] == -1)
        assert np.array_equal(2 * targets[echo:, index] - 1, x[:-echo, 0])


def test_an_echo_is_learned_where_the_chunk_is_longer(lesson, monkeypatch, tmp_path):
    """Three of the networks, sequences of 20 steps, half of the training."""
    chunks = (5, 12, 20)
    monkeypatch.setattr(lesson, "STEPS", 20)
    monkeypatch.setattr(lesson, "NETWORKS", [(chunk, 8) for chunk in chunks])
    monkeypatch.setattr(lesson, "EPOCHS", 4)
    run = Run(Request(stem="41", out=tmp_path))
    run.folder.mkdir(parents=True)
    weights = lesson.train(run)
    x, targets = lesson.echo_task(np.random.default_rng(9), 300)
    right = dict(zip(chunks, lesson.accuracies(weights, x, targets), strict=True))
    assert right[5] < 80 and right[12] > 90 and right[20] > 95
