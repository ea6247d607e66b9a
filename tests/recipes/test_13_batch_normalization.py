"""Batch normalization against NumPy and Keras, and which starts it forgives."""

import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits


def nothing_done(x, gamma, beta, statistics=None):
    """In place of the four lines: what comes in goes out."""
    return x, (tf.reduce_mean(x), tf.math.reduce_variance(x))


CHANGED_INPUTS = [
    ({"batch_norm": nothing_done}, {"normalized_mean", "normalized_deviation"})
]


def test_batch_norm_is_keras_layer_in_training_and_in_use(lesson):
    rng = np.random.default_rng(1)
    x = rng.normal(3, 5, size=(40, 6)).astype("float32")
    gamma, beta = rng.normal(size=(2, 6)).astype("float32")
    ours, (mean, variance) = lesson.batch_norm(tf.constant(x), gamma, beta)
    expected = gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + lesson.EPSILON) + beta
    np.testing.assert_allclose(ours, expected, atol=1e-5)

    layer = layers.BatchNormalization(epsilon=lesson.EPSILON)
    layer.build((None, 6))
    layer.set_weights([gamma, beta, mean.numpy()[0], variance.numpy()[0]])
    np.testing.assert_allclose(ours, layer(x, training=True), atol=1e-5)
    other = rng.normal(size=(5, 6)).astype("float32")
    in_use, _ = lesson.batch_norm(tf.constant(other), gamma, beta, (mean, variance))
    np.testing.assert_allclose(in_use, layer(other, training=False), atol=1e-5)


def test_batch_norm_makes_the_scale_of_the_weights_irrelevant(lesson):
    x = tf.constant(np.random.default_rng(0).random((50, 64)), tf.float32)
    weights = lesson.initial_weights(0)
    larger = [
        tf.constant(w) * (7.0 if i in (0, 3, 6) else 1) for i, w in enumerate(weights)
    ]
    chosen = slice(
        5 * lesson.NETWORKS, None
    )  # starts from 1 on, where EPSILON is nothing
    for normalize in (True, False):
        before, _ = lesson.forward(weights, x, normalize)
        after, _ = lesson.forward(larger, x, normalize)
        same = np.allclose(before[chosen], after[chosen], rtol=1e-2, atol=1e-2)
        assert same == normalize


def test_the_scale_of_the_weights_cancels_to_epsilon(lesson):
    """The finding: BN(aWx) = BN(Wx), up to what EPSILON adds to the variance."""
    sums = np.random.default_rng(2).normal(3, 5, size=(200, 6))
    ours, _ = lesson.batch_norm(tf.constant(sums), 1.0, 0.0)
    for scale, apart in ((0.1, 1e-4), (10, 1e-6), (1000, 1e-6)):
        scaled, _ = lesson.batch_norm(tf.constant(scale * sums), 1.0, 0.0)
        np.testing.assert_allclose(scaled, ours, rtol=0, atol=apart)


def train(lesson, x, y, normalize, epochs):
    """Accuracy on what follows the first 1,200 digits, [epochs, starts]."""
    # Not compiled by XLA: for so few steps that would take longer.
    step = tf.function(lesson.train_epoch.python_function)
    weights, curve = lesson.initial_weights(0), []
    for epoch in range(epochs):
        order = np.random.default_rng(epoch).permutation(1200).reshape(-1, 100)
        order = tf.constant(order.astype("int32"))
        step(weights, x[:1200], y[:1200], order, normalize)
        curve.append(lesson.accuracy(weights, x[:1200], x[1200:], y[1200:], normalize))
    return np.array(curve)


def test_batch_norm_learns_where_a_plain_network_is_late(lesson, monkeypatch):
    """The finding: forgiven with it; without it 0.3 is late, and 0.03 later still."""
    monkeypatch.setattr(lesson, "STARTS", (0.03, 0.3))
    monkeypatch.setattr(lesson, "NETWORKS", 1)
    digits = load_digits()
    x = tf.constant(digits.data / 16, tf.float32)
    y = digits.target.astype("int32")
    plain = train(lesson, x, y, False, 25)
    normalized = train(lesson, x, y, True, 5)
    assert plain[:5].max() < 60
    assert normalized[4].min() > 80
    assert plain[-1, 1] > 75 and plain[-1, 0] < 30
