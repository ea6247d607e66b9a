"""LeNet-5 layer by layer, today's and that of 1998, and what the two learn."""

from common import datasets
from common.executing import Request, Run

import keras
import pytest


def test_lenet_parameters_layer_by_layer(lesson):
    model = lesson.build_model()
    counts = {layer.name: layer.count_params() for layer in model.layers}
    expected = {"C1": 156, "C3": 2416, "C5": 48_120, "F6": 10_164, "output": 850}
    assert {name: counts[name] for name in expected} == expected
    assert model.count_params() == 61_706
    assert model.get_layer("S4").output.shape == (None, 5, 5, 16)


def test_network_of_1998_counted_connection_by_connection(lesson):
    parameters, connections = lesson.count_1998()
    # LeCun et al. 1998 give both for every layer.
    assert parameters == 156 + 12 + 1_516 + 32 + 48_120 + 10_164
    assert connections == (
        122_304 + 5_880 + 151_600 + 2_000 + 48_120 + 10_164 + 84 * 10
    )


def test_learning_rate_falls_to_nothing_at_the_last_update(lesson):
    model = lesson.build_model("tanh", keras.layers.AveragePooling2D, updates=40)
    rate = model.optimizer._learning_rate
    assert float(rate(0)) == pytest.approx(lesson.LEARNING_RATE)
    assert float(rate(40)) == pytest.approx(0, abs=1e-9)


def test_relu_and_maximum_learn_more_than_tanh_and_average(lesson, tmp_path):
    (x, y), _, (x_test, y_test) = datasets.mnist(limit=5000)
    epochs, accuracy = 4, {}
    updates = epochs * len(x) // lesson.BATCH_SIZE
    for activation, pooling in (
        ("relu", keras.layers.MaxPooling2D),
        ("tanh", keras.layers.AveragePooling2D),
    ):
        keras.utils.set_random_seed(0)
        model = lesson.build_model(activation, pooling, updates)
        run = Run(Request(stem="33", out=tmp_path))
        run.fit(
            model, x, y, batch_size=lesson.BATCH_SIZE, epochs=epochs, name=activation
        )
        accuracy[activation] = model.evaluate(
            x_test, y_test, batch_size=1000, verbose=0
        )[1]
    # Four seeds: 3 percentage points more.
    assert accuracy["relu"] > accuracy["tanh"] + 0.01
