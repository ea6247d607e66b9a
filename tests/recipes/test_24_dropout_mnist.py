"""The lab's network exactly; dropout against its definition, and what it gains."""

from common import datasets
from common.executing import Request, Run

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers


def test_the_network_is_the_labs(lesson):
    model = lesson.build_model()
    assert model.count_params() == 1_195_018
    dense = [layer for layer in model.layers if isinstance(layer, layers.Dense)]
    assert [layer.units for layer in dense] == [512, 512, 512, 512, 10]
    noise = [layer.rate for layer in model.layers if isinstance(layer, layers.Dropout)]
    assert noise == [0.3] * 4


def test_dropout_silences_its_share_and_keeps_the_mean(lesson):
    layer = lesson.Dropout(0.3)
    ones = np.ones((500, 512), "float32")
    first, second = (layer(ones, training=True).numpy() for _ in range(2))
    silent = first == 0
    # 256,000 draws: one standard deviation of the share is 0.0009.
    assert silent.mean() == pytest.approx(0.3, abs=0.005)
    np.testing.assert_allclose(first[~silent], 1 / 0.7, rtol=1e-6)
    # Independent from call to call, from image to image, from neuron to neuron.
    for other in (second, np.roll(first, 1, axis=0), np.roll(first, 1, axis=1)):
        both = (silent & (other == 0)).mean()
        assert both == pytest.approx(0.3**2, abs=0.005)
    assert (layer(ones).numpy() == ones).all()
    assert (lesson.Dropout(0.0)(ones, training=True) == ones).numpy().all()


def test_dropout_passes_gradients_only_where_values_passed(lesson):
    layer = lesson.Dropout(0.3)
    values = tf.Variable(tf.random.stateless_uniform((20, 30), (1, 2)) + 1)
    with tf.GradientTape() as tape:
        passed = layer(values, training=True)
    slope = tape.gradient(passed, values).numpy()
    np.testing.assert_allclose(slope, np.where(passed == 0, 0, 1 / 0.7), rtol=1e-6)


def test_a_saved_dropout_network_opens_without_the_recipe(lesson, tmp_path):
    model = lesson.build_model()
    path = tmp_path / "dropout.keras"
    model.save(path)
    opened = keras.models.load_model(path, compile=False, safe_mode=True)
    images = datasets.mnist(limit=10)[2][0]
    np.testing.assert_allclose(opened(images), model(images), rtol=1e-5, atol=1e-5)
    own = [layer for layer in opened.layers if type(layer) is layers.Dropout]
    assert [layer.rate for layer in own] == [0.3] * 4


def test_dropout_helps_where_images_are_few(lesson, monkeypatch, tmp_path):
    """Shown in seconds by 2,000 images and two layers of 256."""
    monkeypatch.setattr(lesson, "HIDDEN_UNITS", (256, 256))
    (x, y), _, (x_test, y_test) = datasets.mnist(limit=5000)
    x, y = x[:2000], y[:2000]
    loss, accuracy = {}, {}
    for name, rate in (("plain", 0.0), ("dropout", lesson.DROPOUT_RATE)):
        keras.utils.set_random_seed(0)
        model = lesson.build_model(rate)
        run = Run(Request(stem="24", out=tmp_path))
        run.fit(model, x, y, batch_size=lesson.BATCH_SIZE, epochs=25, name=name)
        loss[name], accuracy[name] = model.evaluate(
            x_test, y_test, batch_size=1000, verbose=0
        )
    # Four seeds: 0.7 to 1.0 percentage points more, 9 to 16 % less loss.
    assert accuracy["dropout"] > accuracy["plain"] + 0.002
    assert loss["dropout"] < 0.95 * loss["plain"]


def test_the_control_is_the_network_of_23(quick, quick_run):
    deep, _ = quick_run("23_deeper_mnist")
    assert quick["history"]["plain"][0] == pytest.approx(
        deep["history"]["model_3"][0], rel=1e-5
    )
