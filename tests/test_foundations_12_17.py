"""Recipes 12 to 17: what is written by hand against oracles, and the lessons."""

from common import recipes

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers


@pytest.fixture(scope="module")
def load():
    loaded = {}

    def by_number(number):
        if number not in loaded:
            loaded[number] = recipes.load(recipes.find(number))
        return loaded[number]

    return by_number


def test_overfitting_costs_equal_those_of_lone_networks(load):
    recipe = load("12")
    rng = np.random.default_rng(3)
    x, y = recipe.draw(rng, 7)
    weights, mask = recipe.initial_weights(rng)
    costs = recipe.costs(weights, mask, x, y).numpy()
    into, bias, out, last_bias = (w.numpy().astype("float64") for w in weights)
    for kind, (width, alpha) in enumerate(recipe.KINDS):
        for d in (0, recipe.DATA_SETS - 1):
            v, b, w = (a[:width, kind, d] for a in (into, bias, out))
            answers = np.array([np.tanh(v * t + b) @ w for t in x[:, d]])
            mse = np.mean((answers + last_bias[kind, d] - y[:, d]) ** 2)
            expected = mse + alpha * (np.sum(v**2) + np.sum(w**2))
            assert costs[kind, d] == pytest.approx(expected, rel=1e-5)


def test_overfitting_and_its_cure(load, monkeypatch):
    recipe = load("12")
    small, large, cured, stifled = (1, 0.0), (32, 0.0), (32, 1e-3), (32, 1.0)
    monkeypatch.setattr(recipe, "KINDS", [small, large, cured, stifled])
    rng = np.random.default_rng(0)
    data, test = recipe.draw(rng, recipe.SAMPLES), recipe.draw(rng, 500)
    weights, mask = recipe.initial_weights(rng)
    optimizer = keras.optimizers.Adam(recipe.LEARNING_RATE)
    optimizer.build(weights)
    recipe.train(optimizer, weights, mask, *data, 5000)
    train_error, test_error = (
        dict(zip(recipe.KINDS, np.median(errors, axis=1), strict=True))
        for errors in (recipe.errors(weights, mask, *part) for part in (data, test))
    )
    # Too large: it knows its training data, and is far worse on others ...
    assert train_error[large] < 0.3 * train_error[small]
    assert test_error[large] > 5 * train_error[large]
    # ... unless its weights cost something, but not too much.
    assert test_error[cured] < 0.7 * test_error[large]
    assert test_error[cured] < 0.7 * test_error[small]
    assert test_error[cured] < 0.7 * test_error[stifled]
    # Neurons that a network does not have stay out of it.
    assert np.all(weights[2].numpy()[1:, 0] == 0)


def test_batch_norm_is_keras_layer_in_training_and_in_use(load):
    recipe = load("13")
    rng = np.random.default_rng(1)
    x = rng.normal(3, 5, size=(40, 6)).astype("float32")
    gamma, beta = rng.normal(size=(2, 6)).astype("float32")
    ours, (mean, variance) = recipe.batch_norm(tf.constant(x), gamma, beta)
    expected = gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + recipe.EPSILON) + beta
    np.testing.assert_allclose(ours, expected, atol=1e-5)

    layer = layers.BatchNormalization(epsilon=recipe.EPSILON)
    layer.build((None, 6))
    layer.set_weights([gamma, beta, mean.numpy()[0], variance.numpy()[0]])
    np.testing.assert_allclose(ours, layer(x, training=True), atol=1e-5)
    other = rng.normal(size=(5, 6)).astype("float32")
    in_use, _ = recipe.batch_norm(tf.constant(other), gamma, beta, (mean, variance))
    np.testing.assert_allclose(in_use, layer(other, training=False), atol=1e-5)


def test_batch_norm_makes_the_scale_of_the_weights_irrelevant(load):
    recipe = load("13")
    x = tf.constant(np.random.default_rng(0).random((50, 64)), tf.float32)
    weights = recipe.initial_weights(0)
    larger = [
        tf.constant(w) * (7.0 if i in (0, 3, 6) else 1) for i, w in enumerate(weights)
    ]
    chosen = slice(5 * 5, None)  # starts from 1 on, where EPSILON is nothing
    for normalize in (True, False):
        before, _ = recipe.forward(weights, x, normalize)
        after, _ = recipe.forward(larger, x, normalize)
        same = np.allclose(before[chosen], after[chosen], rtol=1e-2, atol=1e-2)
        assert same == normalize


def test_batch_norm_learns_where_a_plain_network_does_not(load, monkeypatch):
    from sklearn.datasets import load_digits

    recipe = load("13")
    monkeypatch.setattr(recipe, "STARTS", (0.03, 0.1))
    monkeypatch.setattr(recipe, "NETWORKS", 1)
    digits = load_digits()
    x = tf.constant(digits.data / 16, tf.float32)
    y = digits.target.astype("int32")
    accuracy = {}
    for normalize in (False, True):
        weights = recipe.initial_weights(0)
        for epoch in range(5):
            order = np.random.default_rng(epoch).permutation(1200).reshape(-1, 100)
            order = tf.constant(order.astype("int32"))
            # Not compiled: for so few steps compiling would take longer.
            train_epoch = recipe.train_epoch.python_function
            train_epoch(weights, x[:1200], y[:1200], order, normalize)
        answers = recipe.answers(weights, x[:1200], x[1200:], normalize)
        accuracy[normalize] = recipe.accuracy_by_start(answers, y[1200:])
    assert accuracy[False].max() < 40
    assert accuracy[True].min() > 80


@pytest.mark.parametrize("start", ["normal", "xavier", "he"])
def test_initial_weights_have_the_variance_of_keras(load, start):
    recipe = load("14")
    rng = np.random.default_rng(5)
    ours = recipe.by_hand(start, 300, 200, rng)
    keras_own = recipe.by_keras(start, 300, 200, rng)
    variance = {"normal": 1, "xavier": 2 / 500, "he": 2 / 300}[start]
    assert np.var(ours) == pytest.approx(variance, rel=0.03)
    assert np.var(keras_own) == pytest.approx(variance, rel=0.03)
    if start == "xavier":  # Keras' Glorot uniform: the same limits, too
        assert np.abs(ours).max() == pytest.approx(np.abs(keras_own).max(), rel=1e-3)


def test_gradient_through_the_layers_equals_nudging(load, monkeypatch):
    recipe = load("14")
    monkeypatch.setattr(recipe, "WIDTH", 4)
    rng = np.random.default_rng(2)
    x, first, second = (rng.normal(size=(3, 4)), *rng.normal(size=(2, 4, 4)))
    signals, gradients = recipe.through_the_layers(
        x, [first, second], "tanh", np.random.default_rng(9)
    )
    noise = np.random.default_rng(9).normal(size=(3, 4))
    hidden = np.tanh(x @ first)
    np.testing.assert_allclose(signals[0], hidden, rtol=1e-12)
    nudge = 1e-6
    for place in np.ndindex(3, 4):
        moved = np.zeros((3, 4))
        moved[place] = nudge
        up, down = (
            np.sum(np.tanh((hidden + m) @ second) * noise) for m in (moved, -moved)
        )
        assert gradients[0].numpy()[place] == pytest.approx(
            (up - down) / (2 * nudge), rel=1e-6, abs=1e-9
        )


def test_signal_grows_per_layer_as_theory_says(load):
    recipe = load("14")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, recipe.WIDTH))
    # Of n products summed, ReLU lets half the variance through: n Var(w) / 2.
    theory = {"normal": recipe.WIDTH / 2, "xavier": 0.5, "he": 1.0}
    for start, expected in theory.items():
        shape = (recipe.WIDTH, recipe.WIDTH)
        weights = [recipe.by_hand(start, *shape, rng) for _ in range(15)]
        signals, gradients = recipe.through_the_layers(x, weights, "relu", rng)
        forward = recipe.per_layer([np.mean(s**2) for s in signals])
        back = recipe.per_layer([np.var(g) for g in gradients][::-1])
        assert forward == pytest.approx(expected, rel=0.15)
        assert back == pytest.approx(expected, rel=0.15)


def test_influence_by_hand_by_nudge_and_by_tape(load):
    recipe = load("15")
    for activation in (recipe.sigmoid, recipe.relu):
        for depth in (1, 2, 3, 4):
            by_hand, _ = recipe.influence(depth, activation)
            by_nudge = recipe.influence_by_nudge(depth, activation)
            assert by_nudge == pytest.approx(by_hand, rel=1e-6)
        for depth in (1, 7, 100):
            by_hand, _ = recipe.influence(depth, activation)
            by_tape = recipe.influence_by_tape(depth, activation)
            assert by_tape == pytest.approx(by_hand, rel=1e-9)


def test_influence_vanishes_through_sigmoids_and_not_through_relu(load):
    recipe = load("15")
    for depth in (1, 10, 100):
        value, local = recipe.influence(depth, recipe.sigmoid)
        assert len(local) == depth and max(local) <= 0.25
        assert 0 < value <= 2 * 0.25**depth
        assert recipe.influence(depth, recipe.relu)[0] == 2
    rng = np.random.default_rng(4)
    wide = recipe.wide_gradients(recipe.sigmoid, rng)
    assert wide[0] / wide[-1] < 1e-50
    wide = recipe.wide_gradients(recipe.relu, rng)
    assert 1e-2 < wide[0] / wide[-1] < 1e2


def test_convolution_by_hand_as_dense_layer_and_by_keras(load):
    recipe = load("16")
    rng = np.random.default_rng(6)
    image = rng.normal(size=(9, 9, 2)).astype("float32")
    kernels = rng.normal(size=(3, 3, 2, 4)).astype("float32")
    biases = rng.normal(size=4).astype("float32")
    by_hand, convolutions = recipe.convolve(image, kernels, biases)
    assert convolutions == 2 * 4
    for row, column, index in np.ndindex(7, 7, 4):
        patch = image[row : row + 3, column : column + 3]
        expected = np.sum(patch * kernels[..., index]) + biases[index]
        assert by_hand[row, column, index] == pytest.approx(expected, abs=1e-5)
    layer = layers.Conv2D(4, 3)
    layer.build((None, 9, 9, 2))
    layer.set_weights([kernels, biases])
    np.testing.assert_allclose(by_hand, layer(image[None])[0], atol=1e-5)

    one_channel, _ = recipe.convolve(image[:, :, :1], kernels[:, :, :1], np.zeros(4))
    matrix = recipe.as_dense_matrix(kernels[:, :, :1], 9)
    as_dense = image[:, :, 0].reshape(-1) @ matrix
    np.testing.assert_allclose(as_dense.reshape(7, 7, 4), one_channel, atol=1e-5)
    used = matrix[matrix != 0]
    assert used.size == 7 * 7 * 4 * 9
    assert len(np.unique(used)) == 9 * 4


def numpy_xor_gradient(recipe, weights):
    """Back-propagation written out for one 2-2-1 network, float64."""
    w1, b1, w2, b2 = weights
    hidden = 1 / (1 + np.exp(-(recipe.X @ w1 + b1)))
    answer = 1 / (1 + np.exp(-(hidden @ w2 + b2)))
    at_output = (answer - recipe.Y) / len(recipe.Y)
    at_hidden = at_output @ w2.T * hidden * (1 - hidden)
    return [
        recipe.X.T @ at_hidden,
        at_hidden.sum(axis=0),
        hidden.T @ at_output,
        at_output.sum(axis=0),
    ]


def test_xor_networks_train_as_each_would_alone(load):
    recipe = load("17")
    start = recipe.initial_weights((2,), 5, seed=7)
    _, gradients = recipe.losses_and_gradients(start)
    trained, _ = recipe.train(start, 0.1, 300)
    for network in range(5):
        alone = [w.numpy()[..., network].astype("float64") for w in start]
        expected = numpy_xor_gradient(recipe, alone)
        for ours, oracle in zip(gradients, expected, strict=True):
            np.testing.assert_allclose(ours[..., network], oracle, rtol=1e-4, atol=1e-7)
        for _ in range(300):
            steps = numpy_xor_gradient(recipe, alone)
            alone = [w - 0.1 * g for w, g in zip(alone, steps, strict=True)]
        for ours, oracle in zip(trained, alone, strict=True):
            np.testing.assert_allclose(ours[..., network], oracle, atol=1e-4)


def test_xor_needs_a_hidden_layer(load):
    recipe = load("17")
    rate = {}
    for hidden in ((), (2,)):
        start = recipe.initial_weights(hidden, 60, seed=1)
        final, losses = recipe.train(start, recipe.LEARNING_RATE, recipe.STEPS)
        accuracy = recipe.accuracies(final)
        rate[hidden] = np.mean(accuracy == 100)
        if not hidden:
            assert accuracy.max() <= 75
            np.testing.assert_allclose(losses[-1], np.log(2), rtol=1e-5)
    assert rate[()] == 0
    assert 0.4 < rate[(2,)] < 0.95
