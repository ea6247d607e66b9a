"""LeNet-5 weight by weight, today's and that of 1998, and what the two learn."""

from common import datasets
from common.executing import Request, Run

import keras
import numpy as np
import pytest

EVERY_MAP = " ".join(["012345"] * 16)
CHANGED_INPUTS = [({"C3_INPUTS": EVERY_MAP}, {"parameters_1998"})]


def layer_by_layer(model, parts):
    return {name: model.get_layer(name).count_params() for name in parts}


def test_todays_parameters_layer_by_layer(lesson):
    model = lesson.build_model()
    expected = {"C1": 156, "C3": 2416, "C5": 48_120, "F6": 10_164, "output": 850}
    assert layer_by_layer(model, expected) == expected
    assert model.count_params() == 61_706
    assert model.get_layer("S4").output.shape == (None, 5, 5, 16)


def test_the_network_of_1998_connection_by_connection(lesson):
    model = lesson.build_model(classic=True)
    connections, parameters = {}, 0
    for layer in model.layers:
        if layer.weights:
            kernel, *bias = layer.get_weights()
            biases = sum(b.size for b in bias)
            cells = 4 if layer.name in ("S2", "S4") else 1  # that a weight takes
            used = cells * np.count_nonzero(kernel) + biases
            places = np.prod(layer.output.shape[1:-1], dtype=int)
            connections[layer.name] = places * used
            parameters += layer.trainable * (np.count_nonzero(kernel) + biases)
    # LeCun et al. 1998 give both for every layer.
    assert connections == {
        "C1": 122_304,
        "S2": 5_880,
        "C3": 151_600,
        "S4": 2_000,
        "C5": 48_120,
        "F6": 10_164,
        "output": 840,
    }
    assert sum(connections.values()) == 340_908
    assert parameters == 60_000
    assert model.get_layer("C1").output.shape == (None, 28, 28, 6)


def test_the_network_of_1998_does_what_it_says(lesson):
    model = lesson.build_model(classic=True)
    for layer in model.layers:  # weights of 1 and biases of 0 would hide mistakes
        if layer.name in ("S2", "S4"):
            layer.set_weights([np.random.normal(size=w.shape) for w in layer.weights])
    images = datasets.mnist(limit=20)[2][0]
    values = {"input": images}
    for layer in model.layers:
        values[layer.name] = layer(list(values.values())[-1]).numpy()

    # A map of C3 is the convolution of the maps below that its table names.
    kernel, bias = model.get_layer("C3").get_weights()
    for index, table in enumerate(lesson.C3_INPUTS.split()):
        seen = [int(number) for number in table]
        convolution = keras.ops.conv(
            values["S2"][..., seen], kernel[:, :, seen, index : index + 1]
        )
        expected = np.tanh(convolution[..., 0] + bias[index])
        np.testing.assert_allclose(values["C3"][..., index], expected, atol=1e-5)

    below = values["C1"].reshape(20, 14, 2, 14, 2, 6).mean(axis=(2, 4))
    weight, bias = model.get_layer("S2").get_weights()
    expected = np.tanh(below * weight[0, 0, :, 0] + bias)
    np.testing.assert_allclose(values["S2"], expected, atol=1e-5)

    # The highest score is that of the drawing closest to what F6 draws.
    drawings = lesson.read_drawings()
    away = ((values["F6"][:, None] - drawings) ** 2).sum(axis=-1)
    assert (values["output"].argmax(axis=1) == away.argmin(axis=1)).all()


def test_the_ten_drawings_differ(lesson):
    drawings = lesson.read_drawings()
    assert set(np.unique(drawings)) == {-1, 1}
    agreeing = drawings @ drawings.T / 84
    assert agreeing[~np.eye(10, dtype=bool)].max() < 0.9


def test_the_table_holds_while_the_network_learns_and_it_opens_again(lesson, tmp_path):
    (x, y), _, _ = datasets.mnist(limit=300)
    model = lesson.build_model(classic=True)
    before = model.get_layer("output").get_weights()[0]
    run = Run(Request(stem="33", out=tmp_path))
    run.fit(model, x, y, batch_size=100, epochs=2, name="1998")
    kernel = model.get_layer("C3").get_weights()[0]
    assert np.count_nonzero(kernel) == 60 * 25
    assert (model.get_layer("output").get_weights()[0] == before).all()
    opened = keras.models.load_model(run.folder / "1998.keras", safe_mode=True)
    np.testing.assert_array_equal(opened(x[:9]), model(x[:9]))


def test_the_rates_fall_as_they_should(lesson):
    today = lesson.build_model(updates=40).optimizer._learning_rate
    assert float(today(0)) == pytest.approx(lesson.LEARNING_RATE)
    assert float(today(40)) == pytest.approx(0, abs=1e-9)
    classic = lesson.build_model(True, updates=2000).optimizer._learning_rate
    # After 2, 5, 8 and 12 of 20 passes; 5, 2, 1, 0.5 and 0.1 times 1e-4 in 1998.
    in_pass = [float(classic(100 * number + 50)) for number in (1, 4, 7, 11, 19)]
    np.testing.assert_allclose(np.divide(in_pass, in_pass[0]), [1, 0.4, 0.2, 0.1, 0.02])


def test_today_gets_further_in_fewer_passes(lesson, tmp_path):
    (x, y), _, (x_test, y_test) = datasets.mnist(limit=5000)
    accuracy = {}
    for name, passes in (("today", 4), ("1998", 10)):
        keras.utils.set_random_seed(0)
        updates = passes * len(x) // lesson.BATCH_SIZE
        model = lesson.build_model(name == "1998", updates)
        run = Run(Request(stem="33", out=tmp_path))
        run.fit(model, x, y, batch_size=lesson.BATCH_SIZE, epochs=passes, name=name)
        accuracy[name] = model.evaluate(x_test, y_test, batch_size=1000, verbose=0)[1]
    # Four seeds: 2 to 3 percentage points more.
    assert 0.87 < accuracy["1998"] < accuracy["today"] - 0.01
