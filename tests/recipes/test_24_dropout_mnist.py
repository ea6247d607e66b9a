"""The lab's network exactly; dropout against its definition, and what it gains."""

from common import datasets
from common.executing import Request, Run

import keras
import numpy as np
import pytest
from keras import layers

CHANGED_INPUTS = [({"DROPOUT_RATE": 0.5}, {"dropped_share"})]


def test_the_network_is_the_labs(lesson):
    model = lesson.build_model()
    assert model.count_params() == 1_195_018
    dense = [layer for layer in model.layers if isinstance(layer, layers.Dense)]
    assert [layer.units for layer in dense] == [512, 512, 512, 512, 10]
    noise = [layer.rate for layer in model.layers if isinstance(layer, layers.Dropout)]
    assert noise == [0.3] * 4


def test_dropout_silences_its_share_and_keeps_the_mean(lesson):
    model = lesson.build_model()
    (layer,) = {type(layer) for layer in model.layers if "dropout" in layer.name}
    assert layer is layers.Dropout
    # 512,000 draws: one standard deviation of the share is 0.06.
    assert lesson.dropped_share(model) == pytest.approx(30, abs=0.3)
    assert lesson.dropped_share(lesson.build_model(0.5)) == pytest.approx(50, abs=0.3)
    assert lesson.dropped_share(lesson.build_model(0.0)) == 0


def test_both_networks_start_alike(lesson):
    """With dropout and without: the same weights, and the same answers when used."""
    plain, dropout = lesson.build_model(0.0), lesson.build_model()
    dropout.set_weights(plain.get_weights())
    images = datasets.mnist(limit=20)[2][0]
    np.testing.assert_allclose(plain(images), dropout(images), rtol=1e-5, atol=1e-5)
    assert not np.allclose(dropout(images, training=True), dropout(images), atol=0.1)


def test_dropout_lowers_the_loss_where_images_are_few(lesson, monkeypatch, tmp_path):
    """Shown in seconds by 2,000 images and two layers of 256."""
    monkeypatch.setattr(lesson, "HIDDEN_UNITS", (256, 256))
    (x, y), _, (x_test, y_test) = datasets.mnist(limit=5000)
    x, y = x[:2000], y[:2000]
    loss = {}
    for name, rate in (("plain", 0.0), ("dropout", lesson.DROPOUT_RATE)):
        keras.utils.set_random_seed(0)
        model = lesson.build_model(rate)
        run = Run(Request(stem="24", out=tmp_path))
        run.fit(model, x, y, batch_size=lesson.BATCH_SIZE, epochs=25, name=name)
        loss[name] = model.evaluate(x_test, y_test, batch_size=1000, verbose=0)[0]
    # Four seeds: 9 to 16 % less.
    assert loss["dropout"] < 0.95 * loss["plain"]


def test_the_control_is_the_network_of_23(quick, quick_run):
    deep, _ = quick_run("23_deeper_mnist")
    assert quick["history"]["plain"][0] == pytest.approx(
        deep["history"]["512x4_1"][0], rel=1e-5
    )


def test_differences_are_with_minus_without(quick):
    values = quick["values"]
    for gain, with_it, without in (
        ("dropout_gain", "test_accuracy", "plain_accuracy"),
        ("few_gain", "few_accuracy", "few_plain_accuracy"),
        ("loss_change", "loss", "plain_loss"),
    ):
        assert values[gain] == pytest.approx(values[with_it] - values[without])
    last = quick["history"]["model"][-1]
    assert values["loss"] == pytest.approx(last["val_loss"])
