"""Recipes 20-24: the labs' exact networks, and lessons that take seconds to check."""

from common import datasets, recipes, reporting

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers


def lesson(number):
    return recipes.load(recipes.find(number))


@pytest.mark.parametrize(
    "number, arguments, parameters, widths",
    [
        ("20", (), 7_850, [10]),
        ("21", ("relu",), 269_322, [256, 256, 10]),
        ("23", ((512, 512, 512, 512),), 1_195_018, [512, 512, 512, 512, 10]),
        ("24", (0.3,), 1_195_018, [512, 512, 512, 512, 10]),
    ],
)
def test_networks_and_optimizer_are_the_labs(number, arguments, parameters, widths):
    module = lesson(number)
    model = module.build_model(*arguments)
    assert model.count_params() == parameters
    dense = [layer for layer in model.layers if isinstance(layer, layers.Dense)]
    assert [layer.units for layer in dense] == widths
    assert module.BATCH_SIZE == 100 and module.EPOCHS == 15
    assert module.LEARNING_RATE == 1e-3 and module.EPSILON == 1e-8
    # Biases N(0, 1) even beside Glorot weights: 10 to 2,048 draws.
    biases = np.concatenate([layer.get_weights()[1] for layer in dense])
    assert 0.3 < biases.std() < 1.9 and abs(biases).max() > 0.5
    noise = [layer.rate for layer in model.layers if isinstance(layer, layers.Dropout)]
    assert noise == ([0.3] * 4 if number == "24" else [])


def test_dropout_silences_its_share_and_keeps_the_mean():
    layer = lesson("24").Dropout(0.3)
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
    assert (lesson("24").Dropout(0.0)(ones, training=True) == ones).numpy().all()


def test_dropout_passes_gradients_only_where_values_passed():
    layer = lesson("24").Dropout(0.3)
    values = tf.Variable(tf.random.stateless_uniform((20, 30), (1, 2)) + 1)
    with tf.GradientTape() as tape:
        passed = layer(values, training=True)
    slope = tape.gradient(passed, values).numpy()
    np.testing.assert_allclose(slope, np.where(passed == 0, 0, 1 / 0.7), rtol=1e-6)


def test_a_saved_dropout_network_opens_without_the_recipe(tmp_path):
    model = lesson("24").build_model(0.3)
    path = tmp_path / "dropout.keras"
    model.save(path)
    opened = keras.models.load_model(path, compile=False, safe_mode=True)
    images = datasets.mnist(limit=10)[2][0]
    np.testing.assert_allclose(opened(images), model(images), rtol=1e-5, atol=1e-5)
    own = [layer for layer in opened.layers if type(layer) is layers.Dropout]
    assert [layer.rate for layer in own] == [0.3] * 4


def test_start_weights():
    model = lesson("21").build_model("relu")
    assert model.layers[1].get_weights()[0].std() == pytest.approx(1, abs=0.02)
    glorot = lesson("22").build_model(layers.Dense(1).kernel_initializer.__class__)
    kernel = glorot.layers[1].get_weights()[0]
    limit = np.sqrt(6 / (784 + 256))
    assert abs(kernel).max() <= limit
    assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)


def test_glorot_keeps_the_spread_that_n01_lets_explode():
    module = lesson("22")
    (x, y), _, _ = datasets.mnist(limit=500)
    normal = module.build_model(lambda: keras.initializers.RandomNormal(stddev=1.0))
    glorot = module.build_model(keras.initializers.GlorotUniform)
    loss_normal, spread_normal, _ = module.spread_by_layer(normal, x, y)
    loss_glorot, spread_glorot, _ = module.spread_by_layer(glorot, x, y)
    assert spread_normal[-1] > 100 * spread_glorot[-1]
    assert loss_normal > 100 * loss_glorot
    assert loss_glorot < 6


def values(number):
    return reporting.read_result(recipes.find(number))["values"]


def test_the_lessons_in_the_measured_figures():
    """Orderings over the five seeds, by margins of several deviations."""
    softmax = np.array(values("20")["test_accuracy"])
    relu = np.array(values("21")["test_accuracy"])
    glorot = np.array(values("22")["test_accuracy"])
    assert softmax.shape == relu.shape == glorot.shape == (5,)
    assert softmax.max() + 2 < relu.min()
    assert relu.max() + 2 < glorot.min()
    deep = values("23")
    early, late = np.array(deep["deep_accuracy_3"]), np.array(deep["deep_accuracy_15"])
    assert late.mean() > early.mean()
    assert early.min() > 96.5 and early.max() < 98
    dropout = np.array(values("24")["test_accuracy"])
    assert dropout.min() > 97.8 and dropout.max() < 98.7


def test_the_same_network_has_the_same_figures_in_every_recipe():
    """23's deep network is the control of 24, and 21's network that of 22."""
    deep, plain = values("23")["deep_accuracy_15"], values("24")["plain_accuracy"]
    assert deep == pytest.approx(plain, abs=1e-6)
    relu, normal = values("21")["test_accuracy"], values("22")["normal_accuracy"]
    assert relu == pytest.approx(normal, abs=1e-6)
