"""Batch normalization against NumPy and Keras, and which starts it forgives."""

import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits


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
    chosen = slice(5 * 5, None)  # starts from 1 on, where EPSILON is nothing
    for normalize in (True, False):
        before, _ = lesson.forward(weights, x, normalize)
        after, _ = lesson.forward(larger, x, normalize)
        same = np.allclose(before[chosen], after[chosen], rtol=1e-2, atol=1e-2)
        assert same == normalize


def test_batch_norm_learns_where_a_plain_network_does_not(lesson, monkeypatch):
    monkeypatch.setattr(lesson, "STARTS", (0.03, 0.1))
    monkeypatch.setattr(lesson, "NETWORKS", 1)
    digits = load_digits()
    x = tf.constant(digits.data / 16, tf.float32)
    y = digits.target.astype("int32")
    accuracy = {}
    for normalize in (False, True):
        weights = lesson.initial_weights(0)
        for epoch in range(5):
            order = np.random.default_rng(epoch).permutation(1200).reshape(-1, 100)
            order = tf.constant(order.astype("int32"))
            # Not compiled: for so few steps compiling would take longer.
            train_epoch = lesson.train_epoch.python_function
            train_epoch(weights, x[:1200], y[:1200], order, normalize)
        answers = lesson.answers(weights, x[:1200], x[1200:], normalize)
        accuracy[normalize] = lesson.accuracy_by_start(answers, y[1200:])
    assert accuracy[False].max() < 40
    assert accuracy[True].min() > 80
