"""Hopfield's network against counting every state, and Keras' attention."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.linalg import hadamard
from scipy.special import erf

CHANGED_INPUTS = [({"LOADS": (0.06, 0.11, 0.14, 0.16, 0.21, 0.31)}, {"bits_theory"})]


def random_patterns(rng, *shape):
    return rng.choice((-1.0, 1.0), shape)


def every_state(units):
    return 1.0 - 2 * (np.arange(2**units)[:, None] >> np.arange(units) & 1)


def test_recall_is_the_plain_loop(lesson):
    """Neuron by neuron, with every field summed anew."""
    rng = np.random.default_rng(3)
    w = lesson.hebb(random_patterns(rng, 2, 5, 20))
    start = random_patterns(rng, 2, 7, 20)
    found, _ = lesson.recall(w, start, np.random.default_rng(8))
    rng, s, before = np.random.default_rng(8), start.copy(), None
    while before is None or (s != before).any():
        before = s.copy()
        for unit in rng.permutation(20):
            for net, run in np.ndindex(2, 7):
                field = w[net, unit] @ s[net, run]
                if field:
                    s[net, run, unit] = np.sign(field)
    np.testing.assert_array_equal(found, s)


def test_a_flip_changes_the_energy_by_twice_the_field(lesson):
    rng = np.random.default_rng(0)
    w, s = lesson.hebb(random_patterns(rng, 1, 4, 15)), random_patterns(rng, 1, 15, 15)
    flipped = s * (1 - 2 * np.eye(15))  # run i has neuron i flipped
    change = lesson.energy(w, flipped) - lesson.energy(w, s)
    np.testing.assert_array_equal(change, 2 * np.einsum("nii,nii->ni", s, s @ w))


def test_recall_ends_in_the_local_minima_of_the_energy(lesson):
    """All 4,096 states of 12 neurons: minima are those at rest, and all are reached."""
    rng = np.random.default_rng(1)
    w, states = lesson.hebb(random_patterns(rng, 1, 3, 12)), every_state(12)[None]
    energies = lesson.energy(w, states)[0]
    neighbours = np.arange(4096)[:, None] ^ 1 << np.arange(12)
    minima = (energies[:, None] <= energies[neighbours]).all(axis=1)
    at_rest, history = lesson.recall(w, states, rng)
    assert (np.diff(history, axis=0) <= 0).all() and (history[0] > history[-1]).any()
    ends = {tuple(state) for state in at_rest[0]}
    assert ends == {tuple(state) for state in states[0][minima]}
    assert 6 <= len(ends) < 200


def test_one_pattern_rests_and_so_does_its_negative(lesson):
    x = random_patterns(np.random.default_rng(2), 1, 1, 30)
    start = np.concatenate([x, -x], axis=1)
    np.testing.assert_array_equal(lesson.all_at_once(lesson.hebb(x), start)[1], start)


def test_orthogonal_patterns_do_not_disturb_each_other(lesson):
    """And no neuron acts on itself: with N patterns the field is 0, not N x."""
    rows = hadamard(16).astype(float)
    for stored in (1, 8, 15, 16):
        x = rows[None, :stored]
        w = lesson.hebb(x)
        assert (np.einsum("nii->ni", w) == 0).all()
        np.testing.assert_array_equal(x @ w, x * (16 - stored))


def test_together_they_repeat_with_period_two_at_most(lesson):
    rng = np.random.default_rng(4)
    w = lesson.hebb(random_patterns(rng, 1, 10, 100))
    states = lesson.all_at_once(w, random_patterns(rng, 1, 500, 100))
    field = states[-2] @ w
    expected = np.where(field == 0, states[-2], np.where(field < 0, -1, 1))
    np.testing.assert_array_equal(states[-1], expected)
    np.testing.assert_array_equal(states[-1], states[-3])
    assert (states[-1] != states[-2]).any() and (states[0] != states[2]).any()


def test_wrong_bits_follow_the_error_function(lesson, quick):
    """First-step errors of 400 neurons, within three deviations and the size of N."""
    theory = dict(zip(lesson.LOADS, quick["values"]["bits_theory"], strict=True))
    for load in (0.1, 0.15, 0.2):
        patterns = round(400 * load)
        x = random_patterns(np.random.default_rng(5), 10, patterns, 400)
        wrong = x @ lesson.hebb(x) * x < 0
        expected = theory[load] / 100
        deviation = np.sqrt(expected / wrong.size)
        assert abs(wrong.mean() - expected) < 3 * deviation + 0.1 * expected


def test_mean_field_solves_its_three_equations(lesson):
    """m, the noise r and C by iteration, from m = 1 (Amit, Gutfreund, Sompolinsky)."""

    def iterated(load):
        m, c = 1.0, 0.0
        for _ in range(3000):
            width = np.sqrt(2 * load) / (1 - c)
            slope = 2 / np.sqrt(np.pi) / width * np.exp(-((m / width) ** 2))
            m, c = erf(m / width), slope
            if c >= 1:  # the noise has no bound: the pattern is lost
                return 0.0
        return m

    loads, overlaps = lesson.mean_field()
    for load in (0.05, 0.1, 0.13):
        ours = np.interp(load, loads[::-1], overlaps[::-1])
        assert ours == pytest.approx(iterated(load), abs=1e-5)
    assert loads[0] == pytest.approx(0.138, abs=5e-4)
    assert iterated(loads[0] - 0.001) > 0.95 and iterated(loads[0] + 0.001) < 0.1


def test_dense_recall_with_a_square_is_hopfields(lesson, monkeypatch):
    rng = np.random.default_rng(6)
    x, start = random_patterns(rng, 6, 30), random_patterns(rng, 20, 30)
    hopfield, _ = lesson.recall(
        lesson.hebb(x[None]), start[None], np.random.default_rng(7)
    )
    cubic = lesson.recall_dense(x, start, np.random.default_rng(7))
    monkeypatch.setattr(lesson, "cube", np.square)
    square = lesson.recall_dense(x, start, np.random.default_rng(7))
    np.testing.assert_array_equal(square, hopfield[0])
    assert (square != cubic).any()


def test_dense_recall_ends_in_a_local_minimum(lesson):
    rng = np.random.default_rng(9)
    x = random_patterns(rng, 20, 12)
    ends = lesson.recall_dense(x, random_patterns(rng, 50, 12), rng)

    def energy(s):
        return -np.sum(np.maximum(s @ x.T, 0) ** 3, axis=-1)

    neighbours = ends[:, None] * (1 - 2 * np.eye(12))
    assert (energy(ends)[:, None] <= energy(neighbours)).all()


def test_attend_is_keras_attention_and_a_step_down_its_energy(lesson):
    rng = np.random.default_rng(10)
    x = random_patterns(rng, 3, 40, 25)
    s = rng.normal(size=(3, 6, 25))
    ours = lesson.attend(x, s)
    layer = keras.layers.Attention(dtype="float64")
    np.testing.assert_allclose(layer([lesson.BETA * s, x]), ours, atol=1e-6)

    s = tf.constant(s)
    with tf.GradientTape() as tape:
        tape.watch(s)
        overlaps = lesson.BETA * tf.matmul(s, x, transpose_b=True)
        energy = tf.reduce_sum(s**2) / 2
        energy -= tf.reduce_sum(tf.reduce_logsumexp(overlaps, axis=-1)) / lesson.BETA
    np.testing.assert_allclose(s - tape.gradient(energy, s), ours, atol=1e-9)


def test_damage_flips_the_share_that_it_says(lesson):
    x = random_patterns(np.random.default_rng(11), 4, 5, 100)
    wrong = lesson.damaged(x, np.random.default_rng(12)) != x
    assert (wrong.sum(axis=-1) == 100 * lesson.FLIPPED).all()
    assert (wrong[0] != wrong[1]).any()


def test_hopfield_breaks_where_a_steeper_energy_does_not(lesson):
    """The finding, small: overlap falls with load; cube and softmax keep far more."""
    rng = np.random.default_rng(13)

    def overlap(patterns):
        x = random_patterns(rng, 5, patterns, 200)
        s, _ = lesson.recall(lesson.hebb(x), lesson.damaged(x, rng), rng)
        return np.mean(s * x)

    assert overlap(16) > 0.97 and overlap(50) < 0.8  # measured 0.999 and 0.55

    x = random_patterns(rng, 300, 100)
    wanted, start = x[:30], lesson.damaged(x[:30], rng)
    hopfield, _ = lesson.recall(lesson.hebb(x[None]), start[None], rng)
    assert (hopfield[0] != wanted).any(axis=-1).all()
    for ends in (lesson.recall_dense(x, start, rng), lesson.attend(x, start)):
        assert np.mean((np.sign(ends) == wanted).all(axis=-1)) > 0.9


def test_alike_patterns_are_lost_and_random_ones_as_many_are_not(lesson):
    """Ten patterns that share most of their neurons, as digits do: a load of 0.05."""
    rng = np.random.default_rng(14)
    common = random_patterns(rng, 1, 1, 200)
    alike = np.where(rng.random((1, 10, 200)) < 0.15, -common, common)
    for x, kept in ((alike, False), (random_patterns(rng, 1, 10, 200), True)):
        start = lesson.damaged(x, rng)
        s, _ = lesson.recall(lesson.hebb(x), start, rng)
        assert np.mean((s == x).all(axis=-1)) == kept
        assert (np.sign(lesson.attend(x, start)) == x).all()
