"""A hundred networks at once against lone ones; what a hidden layer is needed for."""

import numpy as np


def numpy_gradient(lesson, weights):
    """Back-propagation written out for one 2-2-1 network, float64."""
    w1, b1, w2, b2 = weights
    hidden = 1 / (1 + np.exp(-(lesson.X @ w1 + b1)))
    answer = 1 / (1 + np.exp(-(hidden @ w2 + b2)))
    at_output = (answer - lesson.Y) / len(lesson.Y)
    at_hidden = at_output @ w2.T * hidden * (1 - hidden)
    return [
        lesson.X.T @ at_hidden,
        at_hidden.sum(axis=0),
        hidden.T @ at_output,
        at_output.sum(axis=0),
    ]


def test_xor_networks_train_as_each_would_alone(lesson):
    start = lesson.initial_weights((2,), 5, seed=7)
    _, gradients = lesson.losses_and_gradients(start)
    trained, _ = lesson.train(start, 0.1, 300)
    for network in range(5):
        alone = [w.numpy()[..., network].astype("float64") for w in start]
        expected = numpy_gradient(lesson, alone)
        for ours, oracle in zip(gradients, expected, strict=True):
            np.testing.assert_allclose(ours[..., network], oracle, rtol=1e-4, atol=1e-7)
        for _ in range(300):
            steps = numpy_gradient(lesson, alone)
            alone = [w - 0.1 * g for w, g in zip(alone, steps, strict=True)]
        for ours, oracle in zip(trained, alone, strict=True):
            np.testing.assert_allclose(ours[..., network], oracle, atol=1e-4)


def test_xor_needs_a_hidden_layer(lesson):
    rate = {}
    for name, hidden in lesson.KINDS.items():
        start = lesson.initial_weights(hidden, 60, seed=1)
        final, losses = lesson.train(start, lesson.LEARNING_RATE, lesson.STEPS)
        accuracy = lesson.accuracies(final)
        rate[name] = np.mean(accuracy == 100)
        if not hidden:
            assert accuracy.max() <= 75
            np.testing.assert_allclose(losses[-1], np.log(2), rtol=1e-5)
    assert rate["one_neuron"] == 0
    assert 0.4 < rate["hidden"] < 0.95 < rate["ten"]
