"""A hundred networks at once against lone ones; what a hidden layer is needed for."""

import numpy as np
import pytest
import tensorflow as tf


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
    *_, gradients = lesson.losses_and_gradients(start)
    trained, *_ = lesson.train(start, 0.1, 300)
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


def test_right_are_the_samples_on_their_side_of_one_half(lesson):
    """OR of both inputs has three of XOR's four, its opposite the other one."""
    weights = [np.ones((2, 1, 2), "float32"), np.full((1, 2), -0.5, "float32")]
    for part in weights:
        part[..., 1] *= -1
    losses, right, _ = lesson.losses_and_gradients([tf.constant(w) for w in weights])
    assert right.numpy().tolist() == [3, 1]
    sure = np.log1p(np.exp(-0.5))  # of a right answer with a logit of 0.5
    expected = (3 * sure + np.log1p(np.exp(1.5))) / 4
    assert float(losses[0]) == pytest.approx(expected, rel=1e-5)


def test_xor_needs_a_hidden_layer(lesson):
    learned, last = {}, {}
    for name, hidden in lesson.KINDS.items():
        start = lesson.initial_weights(hidden, 60, seed=1)
        _, losses, right = lesson.train(start, lesson.LEARNING_RATE, 20_000)
        last[name] = losses[-1].numpy()
        learned[name] = right[-1].numpy() == 4
        if not hidden:
            assert right.numpy().max() == 3
            np.testing.assert_allclose(last[name], np.log(2), rtol=1e-5)
    assert not learned["one_neuron"].any()
    # 72 and 100 % of many: sd of 60 draws 6 %.
    assert 0.5 < learned["hidden"].mean() < 0.9 < learned["ten"].mean()
    # Those that do not learn are sure of two samples and say 0.5 to the others.
    failed = last["hidden"][~learned["hidden"]]
    assert np.mean(abs(failed - lesson.LOCAL_MINIMUM) < 0.02) > 0.7


def test_steps_count_from_the_start(lesson, quick):
    """What is reported by a step is what had been learned before it."""
    start = lesson.initial_weights((2,), 20, seed=0)
    _, _, right = lesson.train(start, lesson.LEARNING_RATE, 4000)
    values = quick["values"]
    assert values["hidden_learned"] == [np.sum(right[-1] == 4), 20]
    assert values["hidden_learned"] == values["hidden_learned_late"]
    assert values["hidden_stuck"][1] == 20 - values["hidden_learned"][0]
