"""The restricted Boltzmann machine against counting every state, and what it learns.

A machine of 4 visible and 3 hidden units has 128 states: all of them are counted.
"""

from common import datasets

import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import LogisticRegression

DATA = np.array([[1, 1, 0, 0], [1, 1, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1]], float)


def states(units):
    """Every state of so many units: [2 ** units, units]."""
    return (np.arange(2**units)[:, None] >> np.arange(units) & 1).astype(float)


def joint(w, b, c):
    """p(v, h) of every state, [2 ** visible, 2 ** hidden], from the energy alone."""
    v, h = states(len(b)), states(len(c))
    weights = np.exp((v @ b)[:, None] + h @ c + v @ w @ h.T)
    return weights / weights.sum()


@pytest.fixture
def parameters():
    rng = np.random.default_rng(5)
    return rng.normal(0, 0.8, (4, 3)), rng.normal(0, 0.5, 4), rng.normal(0, 0.5, 3)


def variables(parameters):
    return [tf.Variable(array, dtype=tf.float64) for array in parameters]


def exact_gradient(parameters):
    """That of the mean log-likelihood of DATA, by sums over the 128 states."""
    p = joint(*parameters)
    v, h = states(4), states(3)
    given = p[[int(row @ [1, 2, 4, 8]) for row in DATA]]
    given = given / given.sum(axis=1, keepdims=True)  # p(h given v) by counting
    return (
        DATA.T @ given @ h / len(DATA) - v.T @ p @ h,
        DATA.mean(0) - p.sum(1) @ v,
        (given @ h).mean(0) - p.sum(0) @ h,
    )


def test_free_energy_sums_over_the_hidden_states(lesson, parameters):
    w, b, c = parameters
    v, h = states(4), states(3)
    energies = -(v @ b)[:, None] - h @ c - v @ w @ h.T
    np.testing.assert_allclose(
        lesson.free_energy(v, variables(parameters)),
        -np.log(np.exp(-energies).sum(axis=1)),
        rtol=1e-12,
    )


def test_free_energy_has_the_exact_gradient(lesson, parameters):
    rbm = variables(parameters)
    with tf.GradientTape() as tape:
        log_z = tf.reduce_logsumexp(-lesson.free_energy(states(4), rbm))
        log_p = -tf.reduce_mean(lesson.free_energy(DATA, rbm)) - log_z
    for found, exact in zip(
        tape.gradient(log_p, rbm), exact_gradient(parameters), strict=True
    ):
        assert abs(found - exact).numpy().max() < 1e-6 * abs(exact).max()


def test_many_gibbs_steps_give_the_exact_gradient_and_one_does_not(lesson, parameters):
    rbm = variables(parameters)
    data = np.repeat(DATA, 20_000, axis=0)
    # A mean of 80,000 draws of zeros and ones is right to 0.002 (one deviation).
    errors = {}
    for k in (1, 40):
        changes = lesson.contrastive_divergence(
            data, rbm, tf.constant(k), tf.constant([1, k])
        )
        errors[k] = max(
            abs(change - exact).numpy().max()
            for change, exact in zip(changes, exact_gradient(parameters), strict=True)
        )
    assert errors[40] < 0.01
    assert errors[1] > 0.02


@tf.function(jit_compile=True)
def uniform(shape, key):
    return tf.random.stateless_uniform(shape, key, dtype=tf.float64, alg="threefry")


@pytest.mark.parametrize("k", [1, 3])
def test_contrastive_divergence_is_the_one_of_numpy(lesson, parameters, k):
    w, b, c = parameters
    key = tf.constant([7, 11])
    v0 = np.random.default_rng(0).random((6, 4))

    def draw(p, index):
        folded = tf.random.experimental.stateless_fold_in(key, index)
        return (uniform(p.shape, folded).numpy() < p).astype(float)

    def sigm(x):
        return 1 / (1 + np.exp(-x))

    vk = v0
    for step in range(k):
        h = draw(sigm(vk @ w + c), 2 * step)
        vk = draw(sigm(h @ w.T + b), 2 * step + 1)
    h0, hk = sigm(v0 @ w + c), sigm(vk @ w + c)
    expected = (
        np.mean([np.outer(x, y) for x, y in zip(v0, h0, strict=True)], axis=0)
        - np.mean([np.outer(x, y) for x, y in zip(vk, hk, strict=True)], axis=0),
        v0.mean(0) - vk.mean(0),
        h0.mean(0) - hk.mean(0),
    )
    found = lesson.contrastive_divergence(
        tf.constant(v0), variables(parameters), k, key
    )
    for change, by_numpy in zip(found, expected, strict=True):
        np.testing.assert_allclose(change, by_numpy, atol=1e-12)


def visible_biases(lesson, steps, key):
    """b of an indifferent machine after so many steps on one grey image of 1,000."""
    zeros = np.zeros((1000, 2)), np.zeros(1000), np.zeros(2)
    rbm = [tf.Variable(array, dtype=tf.float32) for array in zeros]
    grey = tf.fill((1, 1000), 0.5)
    order = tf.zeros((steps, 1), tf.int32)
    lesson.train_epoch(rbm, grey, order, 1, tf.constant(key, tf.int64))
    return rbm[1].numpy()


def test_steps_of_one_compiled_epoch_draw_different_samples(lesson):
    first = visible_biases(lesson, 1, (0, 0))
    second = visible_biases(lesson, 2, (0, 0)) - first
    # Half of the pixels go the same way by chance; all would under equal noise.
    assert 0.4 < np.mean(np.sign(first) == np.sign(second)) < 0.6


def test_samples_follow_from_seed_and_epoch(lesson):
    first = visible_biases(lesson, 2, (0, 0))
    assert (first == visible_biases(lesson, 2, (0, 0))).all()
    assert (first != visible_biases(lesson, 2, (0, 1))).any()
    assert (first != visible_biases(lesson, 2, (1, 0))).any()


@pytest.fixture(scope="module")
def trained(lesson):
    """A machine of 256 units after 20 epochs on 3,000 digits, and unseen ones."""
    (images, labels), _, (x_test, y_test) = datasets.mnist(limit=3000)
    images, x_test = images.reshape(-1, 784), x_test.reshape(-1, 784)
    rbm = lesson.build_rbm(256, images.mean(0), seed=0)
    for epoch in range(20):
        order = np.random.default_rng([0, epoch]).permutation(3000).reshape(-1, 20)
        key = tf.constant((0, epoch), tf.int64)
        lesson.train_epoch(rbm, tf.constant(images), tf.constant(order), 1, key)
    return rbm, (images, labels), (x_test, y_test)


def test_machine_learns_what_digits_look_like(lesson, trained):
    rbm, (images, _), (unseen, _) = trained
    rebuilt = lesson.p_visible(lesson.p_hidden(unseen, rbm), rbm)
    error = np.mean((unseen - rebuilt) ** 2)
    assert error < 0.5 * np.mean((unseen - images.mean(0)) ** 2)
    upside_down = unseen[:, ::-1]
    gap = lesson.free_energy(upside_down, rbm) - lesson.free_energy(unseen, rbm)
    assert np.mean(gap > 0) > 0.85


def test_its_features_are_worth_more_than_pixels_and_random_ones(lesson, trained):
    rbm, (images, labels), (unseen, answers) = trained
    w, b, c = (variable.numpy() for variable in rbm)

    def score(x, x_new):
        classifier = LogisticRegression(max_iter=1000).fit(x[:300], labels[:300])
        return classifier.score(x_new, answers)

    def score_of(machine):
        return score(*(lesson.p_hidden(v, machine).numpy() for v in (images, unseen)))

    # 83 % against 78 and 75.
    assert score_of(rbm) > score(images, unseen) + 0.02
    permuted = np.random.default_rng(0).permuted(w, axis=0)
    assert score_of(rbm) > score_of((permuted, b, c)) + 0.05


def test_its_chains_leave_the_digits(lesson, trained):
    """One step gives digits back, a thousand lead from half of them to nothing."""
    rbm, _, (unseen, _) = trained
    empty = {}
    for steps in (1, 1000):
        key = tf.constant((0, 99), tf.int64)
        v = lesson.gibbs(unseen[:100], rbm, tf.constant(steps), key).numpy()
        empty[steps] = np.sum(v.sum(axis=1) < lesson.EMPTY)
    assert empty[1] == 0 and empty[1000] > 20
