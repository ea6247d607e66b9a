"""The restricted Boltzmann machines (50, 51) against counting every state."""

from common import datasets, recipes

import numpy as np
import pytest
import tensorflow as tf

by_hand = recipes.load(recipes.find("50"))
mnist = recipes.load(recipes.find("51"))


def states(units):
    """Every state of so many units: [2 ** units, units]."""
    return (np.arange(2**units)[:, None] >> np.arange(units) & 1).astype(float)


def joint(w, b, c):
    """p(v, h) of every state, [2 ** visible, 2 ** hidden], from the energy alone."""
    v, h = states(len(b)), states(len(c))
    weights = np.exp((v @ b)[:, None] + h @ c + v @ w @ h.T)
    return weights / weights.sum()


# 50, by hand


@pytest.mark.parametrize(
    ("computed", "slide", "wrong"),
    [
        (by_hand.sigm(by_hand.V @ by_hand.W), by_hand.P_H, []),
        (by_hand.sigm(by_hand.TABLE @ by_hand.W), by_hand.P_H, [(3, 0), (3, 1)]),
        (by_hand.W.T, by_hand.W_T, [(0, 3)]),
        (
            by_hand.sigm(by_hand.H @ by_hand.W.T),
            by_hand.P_V,
            [(0, 3), (1, 3), (2, 3)],
        ),
        (by_hand.V.T @ by_hand.H, by_hand.VH, []),
        (by_hand.V1.T @ by_hand.H1, by_hand.VH1, []),
        (
            by_hand.change(by_hand.V, by_hand.H, by_hand.V1, by_hand.H1),
            by_hand.DELTA,
            [(4, 1)],
        ),
    ],
)
def test_slides_are_right_but_for_the_known_entries(computed, slide, wrong):
    found = np.argwhere(by_hand.differs(computed, slide))
    assert [tuple(place) for place in found.tolist()] == wrong


def test_slide_table_and_matrix_differ_in_one_taste():
    assert np.argwhere(by_hand.TABLE != by_hand.V).tolist() == [[3, 0]]


def test_log_p_is_that_of_all_256_states():
    p = joint(by_hand.W, np.zeros(6), np.zeros(2)).sum(axis=1)
    np.testing.assert_allclose(
        np.exp(by_hand.log_p(by_hand.EVERY_V, by_hand.W)), p, rtol=1e-12
    )


def test_exact_change_is_the_slope_of_the_likelihood():
    w = by_hand.W
    slope, nudge = np.zeros_like(w), 1e-5
    for place in np.ndindex(*w.shape):
        step = np.zeros_like(w)
        step[place] = nudge
        up, down = (by_hand.log_p(by_hand.V, x).sum() for x in (w + step, w - step))
        slope[place] = (up - down) / (2 * nudge)
    change = by_hand.exact_change(w)
    assert abs(change - by_hand.GAMMA * slope).max() < 1e-6 * abs(change).max()


def test_machines_find_the_groups_and_cd1_spoils_the_likelihood():
    machines = np.repeat(by_hand.W[None], 40, axis=0)
    history = list(by_hand.learn(machines, 3000, np.random.default_rng(0)))
    on = by_hand.sigm(by_hand.V @ history[-1]) > 0.5
    groups = on[:, :, :1]  # of one unit: Jihun, Taehui, Donggeon or the other two
    alike = (groups == groups[:, :1])[..., 0]
    together = np.array([True, False, True, True, False])
    # 95 % of 100 machines in the recipe; four standard deviations of 40 below that.
    assert (alike == together).all(axis=1).mean() > 0.8
    early, late = (by_hand.log_p(by_hand.V, history[i]).mean() for i in (199, 2999))
    start = by_hand.log_p(by_hand.V, by_hand.W).mean()
    assert early > start + 0.8
    assert late < early - 0.4


# 51, MNIST: a machine of 4 visible and 3 hidden units, every state of which is counted


@pytest.fixture
def parameters():
    rng = np.random.default_rng(5)
    return rng.normal(0, 0.8, (4, 3)), rng.normal(0, 0.5, 4), rng.normal(0, 0.5, 3)


def variables(parameters):
    return [tf.Variable(array, dtype=tf.float64) for array in parameters]


DATA = np.array([[1, 1, 0, 0], [1, 1, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1]], float)


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


def test_free_energy_sums_over_the_hidden_states(parameters):
    w, b, c = parameters
    v, h = states(4), states(3)
    energies = -(v @ b)[:, None] - h @ c - v @ w @ h.T
    np.testing.assert_allclose(
        mnist.free_energy(v, variables(parameters)),
        -np.log(np.exp(-energies).sum(axis=1)),
        rtol=1e-12,
    )


def test_free_energy_has_the_exact_gradient(parameters):
    rbm = variables(parameters)
    with tf.GradientTape() as tape:
        log_z = tf.reduce_logsumexp(-mnist.free_energy(states(4), rbm))
        log_p = -tf.reduce_mean(mnist.free_energy(DATA, rbm)) - log_z
    for found, exact in zip(
        tape.gradient(log_p, rbm), exact_gradient(parameters), strict=True
    ):
        assert abs(found - exact).numpy().max() < 1e-6 * abs(exact).max()


def test_many_gibbs_steps_give_the_exact_gradient_and_one_does_not(parameters):
    rbm = variables(parameters)
    data = np.repeat(DATA, 20_000, axis=0)
    # A mean of 80,000 draws of zeros and ones is right to 0.002 (one deviation).
    errors = {}
    for k in (1, 40):
        changes = mnist.contrastive_divergence(
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
def test_contrastive_divergence_is_the_one_of_numpy(parameters, k):
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
    found = mnist.contrastive_divergence(tf.constant(v0), variables(parameters), k, key)
    for change, by_numpy in zip(found, expected, strict=True):
        np.testing.assert_allclose(change, by_numpy, atol=1e-12)


def visible_biases(steps, key):
    """b of an indifferent machine after so many steps on one grey image of 1,000."""
    zeros = np.zeros((1000, 2)), np.zeros(1000), np.zeros(2)
    rbm = [tf.Variable(array, dtype=tf.float32) for array in zeros]
    grey = tf.fill((1, 1000), 0.5)
    order = tf.zeros((steps, 1), tf.int32)
    mnist.train_epoch(rbm, grey, order, 1, mnist.new_key(*key))
    return rbm[1].numpy()


def test_steps_of_one_compiled_epoch_draw_different_samples():
    first = visible_biases(1, (0, 0))
    second = visible_biases(2, (0, 0)) - first
    # Half of the pixels go the same way by chance; all would under equal noise.
    assert 0.4 < np.mean(np.sign(first) == np.sign(second)) < 0.6


def test_samples_follow_from_seed_and_epoch():
    first = visible_biases(2, (0, 0))
    assert (first == visible_biases(2, (0, 0))).all()
    assert (first != visible_biases(2, (0, 1))).any()
    assert (first != visible_biases(2, (1, 0))).any()


def test_machine_learns_what_digits_look_like():
    (images, _), (held_out, _), _ = datasets.mnist(limit=1000)
    images, held_out = images.reshape(-1, 784), held_out.reshape(-1, 784)
    rbm = mnist.build_rbm(64, images.mean(0), seed=0)
    in_order = tf.reshape(tf.range(1000), (50, 20))
    for epoch in range(8):
        key = mnist.new_key(0, epoch)
        mnist.train_epoch(rbm, tf.constant(images), in_order, 1, key)
    mean_image_error = ((held_out - images.mean(0)) ** 2).mean()
    assert mnist.reconstruction_error(held_out, rbm) < 0.6 * mean_image_error
    upside_down = held_out[:, ::-1]
    gap = mnist.free_energy(upside_down, rbm) - mnist.free_energy(held_out, rbm)
    assert tf.reduce_mean(tf.cast(gap > 0, tf.float32)) > 0.8
