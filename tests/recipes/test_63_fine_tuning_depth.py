"""What is cut fits together, only what is thawed moves, and the loop is Keras' own."""

from types import SimpleNamespace

from common import images, pretrained

import keras
import numpy as np
import pytest


@pytest.fixture(scope="module")
def trained():
    run = SimpleNamespace(options={"weights": "lite0"}, quick=True, say=print)
    return pretrained.load(run, "mobilenet", 32)


@pytest.fixture
def restored(trained):
    """ImageNet's weights, put back after the test."""
    learned = trained.network.get_weights()
    yield trained
    trained.network.set_weights(learned)


def pictures(count):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, 28, 28, 3)).astype("float32")


@pytest.mark.parametrize("depth", [0, 1, 4, 10, 16])
def test_the_parts_in_a_row_are_the_whole(lesson, trained, depth):
    lower, upper = lesson.cut(trained, depth)
    x = pictures(2)
    (whole,) = pretrained.features(trained.network, x)
    (given,) = pretrained.features(lower, x) if lower else (x,)
    (found,) = pretrained.features(upper, given)
    np.testing.assert_allclose(found, whole, rtol=1e-4, atol=1e-5)
    last = [name for name in trained.blocks if name in {la.name for la in upper.layers}]
    assert (lower is None) == (depth == 16)
    if 0 < depth < 16:  # the border is the input of the upper part
        assert trained.blocks[-depth:] == tuple(last)[-depth:]
        assert upper.input.shape == lower.output.shape


def test_without_a_network_it_is_a_layer_on_pixels(lesson, trained):
    lower, upper = lesson.cut(trained, None)
    x = pictures(2)
    assert lower is None
    np.testing.assert_allclose(upper(x), x.reshape(2, -1) / 255, rtol=1e-6)


def kept(layer, before):
    """Which of a layer's weights have every bit that they had."""
    now = layer.get_weights()
    return [(w == v).all() for w, v in zip(now, before[layer.name], strict=True)]


@pytest.mark.parametrize("moving", [False, True])
def test_what_is_left_alone_keeps_every_bit(lesson, restored, moving):
    network = restored.network
    before = {layer.name: layer.get_weights() for layer in network.layers}
    lower, upper = lesson.cut(restored, 2)
    (features,) = pretrained.features(lower, pictures(6))
    model = lesson.build_model(upper, 3)
    batches = np.arange(6).reshape(1, 6)
    lesson.tuner(model)(features, np.arange(6) % 3, batches, 1e-3, moving)
    model.layers[-1].set_weights([w + 1 for w in model.layers[-1].get_weights()])
    lesson.tuner(model)(features, np.arange(6) % 3, batches, 1e-3, moving)
    thawed = {layer.name for layer in upper.layers if layer.weights}
    for layer in network.layers:
        if layer.name not in thawed:
            assert all(kept(layer, before)), layer.name
        elif "conv" in layer.name:
            assert not any(kept(layer, before)), layer.name
        else:  # batch normalization, whose statistics come last
            assert kept(layer, before)[2:] == [not moving, not moving]


def test_the_loop_trains_as_keras_does_and_forgets_its_optimizer(lesson):
    rng = np.random.default_rng(0)
    x, y = rng.random((30, 5)).astype("float32"), rng.integers(0, 3, 30)
    batches = rng.integers(30, size=(4, 10))
    inputs = keras.Input((5,))
    model = lesson.build_model(keras.Model(inputs, inputs), 3)
    tune = lesson.tuner(model)
    tune(x, y, batches, 1e-2, False)
    ours = model.get_weights()
    model.set_weights([0 * w for w in ours])
    tune(x, y, batches, 1e-2, False)
    for first, second in zip(ours, model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)

    other = lesson.build_model(keras.Model(inputs, inputs), 3)
    other.steps_per_execution = 1
    other.optimizer.learning_rate.assign(1e-2)
    for batch in batches:
        other.train_on_batch(x[batch], y[batch])
    for first, second in zip(ours, other.get_weights(), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-5)
    assert np.abs(ours[0]).max() > 0.01


def test_the_usual_advice_on_rate_and_batch_normalization(lesson, restored):
    """The finding in seconds, with one block: a low rate and kept statistics belong
    together; at a high rate it is better to let the statistics move."""
    keras.utils.set_random_seed(0)
    run = SimpleNamespace(options={"images": None}, seed=0, say=print)
    (task,) = images.tasks(run, 32, ["fashion_mnist"], 20, 20).values()
    learned, head = restored.network.get_weights(), None
    models, found = {}, {}
    for depth in (0, 1):
        lower, upper = lesson.cut(restored, depth)
        model = lesson.build_model(upper, 10)
        given = pretrained.features(lower, task.x_train, task.x_test)
        models[depth] = model, lesson.tuner(model), given
    for depth, rate, moving, updates in (
        (0, lesson.HIGH, False, 300),
        (1, lesson.LOW, False, 40),
        (1, lesson.LOW, True, 40),
        (1, lesson.HIGH, False, 40),
        (1, lesson.HIGH, True, 40),
    ):
        restored.network.set_weights(learned)
        model, tune, (x, x_test) = models[depth]
        if depth:
            model.layers[-1].set_weights(head)
        batches = np.random.default_rng(0).integers(200, size=(updates, 20))
        tune(x, task.y_train, batches, rate, moving)
        head = head or model.layers[-1].get_weights()
        (answers,) = pretrained.features(model, x_test)
        right = answers.argmax(axis=1) == task.y_test
        found[depth, rate, moving] = 100 * right.mean()
    low, high = lesson.LOW, lesson.HIGH
    assert found[0, high, False] > 55
    assert found[1, low, False] > found[1, high, False] + 3  # 70 and 60
    assert found[1, low, False] > found[1, low, True] + 3  # 60
    assert found[1, high, True] > found[1, high, False] + 3  # 71


def test_jobs_have_names_of_their_own_and_heads_come_first(lesson):
    names = [job[0] for job in lesson.JOBS]
    assert len(set(names)) == len(names)
    assert names[: len(lesson.LABELS)] == [f"depth_0_{n}" for n in lesson.LABELS]
    assert {job[0] for job in lesson.JOBS} < set(lesson.MEASURES)
