"""ReLU networks at once against one at a time; what ReLU needs beside it."""

from common import recipes

import keras
import numpy as np
import pytest
import tensorflow as tf


def train_alone(layers, learning_rate, steps, x, y):
    """Gradient descent on one network of (weights, biases) by layer, in NumPy."""
    for _ in range(steps):
        signals = [x]
        for number, (w, b) in enumerate(layers):
            z = signals[-1] @ w + b
            last = number == len(layers) - 1
            signals.append(z if last else np.maximum(z, 0))
        delta = (1 / (1 + np.exp(-signals[-1])) - y) / len(x)
        updated = []
        for number in reversed(range(len(layers))):
            w, b = layers[number]
            at_weights, at_biases = signals[number].T @ delta, delta.sum(axis=0)
            updated.insert(
                0, (w - learning_rate * at_weights, b - learning_rate * at_biases)
            )
            delta = (delta @ w.T) * (signals[number] > 0)
        layers = updated
    return layers


def one_network(weights, start, index):
    """The (weights, biases) of one network of many, by layer, in float64."""
    parts = [np.asarray(w, "float64")[..., 0, start, index] for w in weights]
    return list(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("shape", ["lab", "deep"])
def test_each_network_trains_as_if_alone(lesson, shape):
    _, hidden, learning_rate = lesson.SHAPES[shape]
    weights = lesson.initial_weights(hidden, 2, seed=2)
    final, losses, learned = lesson.train(weights, learning_rate, 60)
    assert losses.shape == learned.shape == (60, 2, 3, 2)
    x, y = lesson.X.astype("float64"), lesson.Y.astype("float64")
    for start in range(3):
        for index in range(2):
            alone = one_network(weights, start, index)
            alone = train_alone(alone, learning_rate, 60, x, y)
            for ours, oracle in zip(
                one_network(final, start, index), alone, strict=True
            ):
                for together, lone in zip(ours, oracle, strict=True):
                    np.testing.assert_allclose(together, lone, rtol=2e-3, atol=2e-4)


def test_gradients_are_those_of_a_keras_network(lesson):
    _, hidden, _ = lesson.SHAPES["wide"]
    weights = lesson.initial_weights(hidden, 3, seed=0)
    losses, _, gradients = lesson.losses_and_gradients(weights)
    layers = [keras.layers.Dense(units, activation="relu") for units in hidden]
    network = keras.Sequential([keras.Input((2,)), *layers, keras.layers.Dense(1)])
    network.set_weights([np.asarray(w)[..., 0, 2, 1] for w in weights])
    with tf.GradientTape() as tape:
        loss = keras.losses.BinaryCrossentropy(from_logits=True)(
            lesson.Y, network(lesson.X)
        )
    expected = tape.gradient(loss, [v.value for v in network.trainable_variables])
    assert float(losses[0, 2, 1]) == pytest.approx(float(loss), rel=1e-5)
    for ours, theirs in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(ours[..., 0, 2, 1], theirs, rtol=1e-4, atol=1e-7)


def test_activation_is_the_only_difference_to_18(lesson):
    """The same starts, and sigmoids that are those of the recipe before."""
    before = recipes.load(recipes.find("18"))
    assert lesson.SHAPES == before.SHAPES and lesson.STARTS == before.STARTS
    _, hidden, learning_rate = lesson.SHAPES["lab"]
    weights = lesson.initial_weights(hidden, 4, seed=5)
    theirs = before.initial_weights(hidden, 4, seed=5)
    for ours, expected in zip(weights, theirs, strict=True):
        for activation in range(2):
            np.testing.assert_array_equal(ours[..., activation, :, :], expected)
    _, losses, _ = lesson.train(weights, learning_rate, 50)
    _, expected, _ = before.train(theirs, learning_rate, 50)
    np.testing.assert_allclose(losses[:, 1], expected, rtol=1e-5)


def learn(lesson, shape, networks, steps):
    """The share of networks that have learned, [steps, activations, starts]."""
    _, hidden, learning_rate = lesson.SHAPES[shape]
    weights = lesson.initial_weights(hidden, networks, seed=0)
    _, _, learned = lesson.train(weights, learning_rate, steps)
    return learned.numpy().mean(axis=-1)


def test_a_narrow_network_learns_early_or_never(lesson):
    share = learn(lesson, "lab", 60, lesson.STEPS)
    (relu_early, sigmoid_early), (relu, sigmoid) = share[lesson.EARLY_STEPS], share[-1]
    # 20, 17 and 18 % over five seeds: sd of 60 draws 5 %.
    assert (relu > 0.03).all() and (relu < 0.4).all()
    assert (relu - relu_early < 0.06).all()
    assert (sigmoid > relu + 0.2).all()
    assert (sigmoid_early < relu_early).all()


def test_nine_layers_need_a_fitting_start_as_well(lesson):
    (normal, glorot, he), sigmoids = learn(lesson, "deep", 60, steps=2000)[-1]
    assert normal < 0.2 and glorot > normal + 0.15 and he > normal + 0.15
    assert glorot < 0.8 and he < 0.8  # and are too narrow even then
    assert not sigmoids.any()
    weights = lesson.initial_weights(lesson.SHAPES["deep"][1], 60, seed=0)
    gradients = lesson.gradient_by_layer(weights)
    relu, sigmoid = gradients[0] / gradients[-1]
    assert (relu > 0.03).all() and (sigmoid < 1e-3).all()


def test_wide_layers_learn_from_every_start(lesson):
    relu, sigmoid = learn(lesson, "wide", 30, steps=1000)[-1]
    assert (relu > 0.85).all() and (sigmoid[1:] < 0.1).all()
