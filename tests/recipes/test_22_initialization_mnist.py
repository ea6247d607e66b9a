"""Glorot's start, what it keeps at bay before the first step, and what it gains."""

from common import datasets
from common.executing import Request, Run

import keras
import numpy as np
import pytest


def normal():
    return keras.initializers.RandomNormal(stddev=1.0)


def test_the_default_network_starts_by_glorot(lesson):
    model = lesson.build_model()
    assert model.count_params() == 269_322
    kernel, biases = model.layers[1].get_weights()
    limit = np.sqrt(6 / (784 + 256))
    assert abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)
    assert biases.std() == pytest.approx(1, abs=0.2)  # N(0, 1) even beside Glorot


def test_spread_is_that_of_a_forward_pass_in_numpy(lesson):
    (x, y), _, _ = datasets.mnist(limit=50)
    model = lesson.build_model()
    loss, deviations, _ = lesson.spread_by_layer(model, x, y)
    signal = x.reshape(50, -1).astype("float64")
    for layer, deviation in zip(model.layers[1:], deviations, strict=True):
        kernel, biases = layer.get_weights()
        signal = signal @ kernel + biases
        if layer is not model.layers[-1]:
            signal = np.maximum(signal, 0)
        assert deviation == pytest.approx(signal.std(), rel=1e-4)
    log_sums = np.log(np.exp(signal).sum(axis=1))
    assert loss == pytest.approx(np.mean(log_sums - signal[range(50), y]), rel=1e-4)


def test_glorot_keeps_the_spread_that_n01_lets_explode(lesson):
    (x, y), _, _ = datasets.mnist(limit=500)
    loss_normal, spread_normal, _ = lesson.spread_by_layer(
        lesson.build_model(normal), x, y
    )
    loss_glorot, spread_glorot, _ = lesson.spread_by_layer(lesson.build_model(), x, y)
    assert spread_normal[-1] > 100 * spread_glorot[-1]
    assert loss_normal > 100 * loss_glorot
    assert loss_glorot < 6


def test_glorot_learns_more_in_as_many_epochs(lesson, tmp_path):
    (x, y), _, (x_test, y_test) = datasets.mnist(limit=5000)
    accuracy = {}
    for name, initializer in (
        ("normal", normal),
        ("glorot", keras.initializers.GlorotUniform),
    ):
        keras.utils.set_random_seed(0)
        model = lesson.build_model(initializer)
        run = Run(Request(stem="22", out=tmp_path))
        run.fit(model, x, y, batch_size=lesson.BATCH_SIZE, epochs=3, name=name)
        accuracy[name] = model.evaluate(x_test, y_test, batch_size=1000, verbose=0)[1]
    # Four seeds: about 70 % from N(0, 1).
    assert accuracy["normal"] + 0.1 < accuracy["glorot"]


def test_the_control_is_the_network_of_21(quick, quick_run):
    relu, _ = quick_run("21_relu_mnist")
    assert quick["values"]["normal_accuracy"] == pytest.approx(
        relu["values"]["test_accuracy"], abs=1e-6
    )


def test_a_start_that_knows_nothing_costs_ln_10(lesson):
    """With biases at 0, Glorot's network is nearer to it than with the lab's."""
    (x, y), _, _ = datasets.mnist(limit=500)
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        model = lesson.build_model()
        loss, _, _ = lesson.spread_by_layer(model, x, y)
        model.set_weights([w * (w.ndim > 1) for w in model.get_weights()])
        unbiased, _, _ = lesson.spread_by_layer(model, x, y)
        assert abs(unbiased - np.log(10)) < 0.2 < loss - np.log(10)


def test_one_order_costs_a_network_that_starts_well(lesson, tmp_path):
    (x, y), _, (x_test, y_test) = datasets.mnist(limit=5000)
    keras.utils.set_random_seed(0)
    reshuffled, one_order = lesson.build_model(), lesson.build_model()
    one_order.set_weights(reshuffled.get_weights())
    run = Run(Request(stem="22", out=tmp_path))
    run.fit(reshuffled, x, y, batch_size=lesson.BATCH_SIZE, epochs=15)
    one_order.fit(x, y, batch_size=lesson.BATCH_SIZE, epochs=15, verbose=0)
    after, before = (
        model.evaluate(x_test, y_test, batch_size=1000, verbose=0)[1]
        for model in (reshuffled, one_order)
    )
    # Five seeds: 0.2 to 1.3 percentage points, 0.6 on average.
    assert after > before
