"""How recipes train: like Keras' fit, keyed on (seed, epoch), and resumable."""

import io
import json
from types import SimpleNamespace

from common import files, training
from common.files import Problem
from common.running import Run

import keras
import numpy as np
import pytest
from keras import layers

RECIPE = files.ROOT / "recipes" / "24_dropout_mnist.py"
NUM_SAMPLES, FEATURES = 64, 12


@pytest.fixture
def new_run(tmp_path, monkeypatch):
    """A function (seed=0, **settings) that makes a Run in a folder of its own."""
    monkeypatch.setattr(training, "NOT_WORTH_COMPILING", 0)

    def make(seed=0, **settings):
        args = SimpleNamespace(quick=True, show=False, epochs=None, out=tmp_path)
        run = Run(SimpleNamespace(__file__=str(RECIPE)), args, seed)
        run.folder.mkdir(parents=True, exist_ok=True)
        run.settings = {"seed": seed, **settings}
        return run

    return make


def samples():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(NUM_SAMPLES, FEATURES)).astype("float32")
    return x, (x[:, 0] + x[:, 1] > 0).astype("int32")


def new_model(kind, jit_compile=False, learning_rate=0.01):
    keras.utils.set_random_seed(11)
    body = {
        "dense": [layers.Dense(16, activation="relu")],
        "dropout": [layers.Dense(16, activation="relu"), layers.Dropout(0.5)],
        "convolution": [
            layers.Reshape((FEATURES, 1)),
            layers.Conv1D(4, 3, activation="relu"),
            layers.Flatten(),
        ],
        "recurrent": [layers.Reshape((FEATURES, 1)), layers.LSTM(5, dropout=0.3)],
    }[kind]
    model = keras.Sequential([keras.Input((FEATURES,)), *body, layers.Dense(2)])
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=jit_compile,
        steps_per_execution=3,
    )
    return model


def fit(run, model, epochs, **arguments):
    x, y = samples()
    return run.fit(
        model,
        x,
        y,
        batch_size=8,
        epochs=epochs,
        validation_data=(x[:20], y[:20]),
        **arguments,
    )


def weights(model):
    return [w.tobytes() for w in model.get_weights()]


def test_order_is_a_permutation_keyed_on_seed_and_epoch():
    order = training.batch_order(seed=1, epoch=2, num_samples=103, batch_size=10)
    assert order.shape == (10, 10)
    assert len(set(order.ravel())) == 100 and order.max() < 103 and order.min() >= 0
    again = training.batch_order(1, 2, 103, 10)
    assert (order == again).all()
    for seed, epoch in ((2, 2), (1, 3), (2, 1)):
        assert (order != training.batch_order(seed, epoch, 103, 10)).any()
    # Over the epochs every sample has its turn.
    seen = {i for e in range(5) for i in training.batch_order(0, e, 103, 10).ravel()}
    assert len(seen) == 103
    assert training.batch_order(0, 0, 3, 10).shape == (1, 3)


@pytest.mark.parametrize("way", ["as they are", "compiled", "by XLA"])
def test_same_as_keras_fit_on_the_same_batches(new_run, way, monkeypatch):
    """An independent oracle: Keras' own loop, fed the same batches in order."""
    run, jit_compile = new_run(), way == "by XLA"
    if way == "as they are":
        monkeypatch.setattr(training, "NOT_WORTH_COMPILING", 3 * NUM_SAMPLES // 8)
    ours, theirs = new_model("dense", jit_compile), new_model("dense", jit_compile)
    history = fit(run, ours, epochs=3)
    x, y = samples()
    for epoch in range(3):
        order = run.order(epoch, NUM_SAMPLES, 8).ravel()
        keras_history = theirs.fit(
            x[order],
            y[order],
            batch_size=8,
            shuffle=False,
            verbose=0,
            validation_data=(x[:20], y[:20]),
        )
        for metric, values in keras_history.history.items():
            assert history[metric][epoch] == pytest.approx(values[0], rel=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["dense", "dropout", "convolution", "recurrent"])
def test_a_resumed_training_is_bit_identical(new_run, kind, monkeypatch):
    """Gone on with from what lay on the disk after two epochs of four."""
    jit_compile = kind == "dropout"
    path = new_run().folder / "model.checkpoint"
    save = training._save
    saved = []

    def save_and_keep(*arguments):
        save(*arguments)
        saved.append(path.read_bytes())

    monkeypatch.setattr(training, "_save", save_and_keep)
    whole, resumed = new_model(kind, jit_compile), new_model(kind, jit_compile)
    expected = fit(new_run(), whole, epochs=4)
    path.write_bytes(saved[1])
    assert fit(new_run(), resumed, epochs=4) == expected
    assert len(saved) == 4 + 2
    assert weights(resumed) == weights(whole)


def test_seeds_differ_and_repeat(new_run):
    models = [new_model("dropout") for _ in range(3)]
    for seed, name, model in zip((0, 0, 1), "abc", models, strict=True):
        fit(new_run(seed), model, epochs=2, name=name)
    assert weights(models[0]) == weights(models[1])
    assert weights(models[0]) != weights(models[2])


def test_dropout_noise_differs_between_steps_and_epochs():
    model = new_model("dropout")
    x, _ = samples()
    masks = []
    for epoch in (0, 1):
        training.key_noise(model, seed=0, epoch=epoch)
        masks += [np.array(model(x, training=True)) for _ in range(2)]
    training.key_noise(model, seed=0, epoch=0)
    assert (np.array(model(x, training=True)) == masks[0]).all()
    for i in range(4):
        for j in range(i):
            assert (masks[i] != masks[j]).any()


def test_initial_epoch_goes_on_as_one_training(new_run):
    whole, parts = new_model("dropout"), new_model("dropout")
    expected = fit(new_run(), whole, epochs=3, name="whole")
    run = new_run()
    first = fit(run, parts, epochs=2, name="first")
    second = fit(run, parts, epochs=3, initial_epoch=2, name="second")
    assert {k: first[k] + second[k] for k in first} == expected
    assert weights(parts) == weights(whole)


def test_other_settings_start_over_and_say_so(new_run, capsys):
    fit(new_run(epochs=5), new_model("dense"), epochs=2)
    fresh, other = new_model("dense"), new_model("dense")
    fit(new_run(epochs=9), other, epochs=2)
    assert "another epochs: starting over" in capsys.readouterr().out
    fit(new_run(), fresh, epochs=2, name="fresh")
    assert weights(other) == weights(fresh)


def test_a_damaged_checkpoint_is_set_aside_and_named(new_run, capsys):
    run = new_run()
    model = new_model("dense")
    expected = fit(run, model, epochs=2)
    path = run.folder / "model.checkpoint"
    sound = path.read_bytes()
    rng = np.random.default_rng(0)
    for kind in ("flip", "cut", "empty"):
        damaged = bytearray(sound)
        if kind == "flip":
            damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        path.write_bytes({"cut": sound[:-9], "empty": b""}.get(kind, bytes(damaged)))
        again = new_model("dense")
        assert fit(new_run(), again, epochs=2) == expected
        assert weights(again) == weights(model)
        assert "model.checkpoint is damaged" in capsys.readouterr().out
    assert len(list(run.folder.glob("*.damaged*"))) == 3


def test_a_checkpoint_holds_no_pickle(new_run):
    run = new_run()
    fit(run, new_model("dropout"), epochs=1)
    content = files.read_sealed(run.folder / "model.checkpoint")
    with np.load(io.BytesIO(content), allow_pickle=False) as saved:
        assert json.loads(saved["record"].tobytes())["settings"] == run.settings
        assert all(saved[name].dtype.kind in "fiu" for name in saved.files)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_what_was(new_run):
    run = new_run()
    x, y = samples()
    losses = iter([0.5, 0.4, float("nan")])
    state = keras.Variable(np.zeros(2))
    with pytest.raises(Problem, match="loss is nan in epoch 3; epochs 1 to 2") as error:
        run.train(lambda epoch: {"loss": next(losses)}, [state], epochs=5)
    assert error.value.status == 1 and "learning rate" in str(error.value)
    with pytest.raises(Problem, match="loss is nan"):
        model = new_model("dense", learning_rate=1e30)
        run.fit(model, x * 1e30, y, batch_size=8, epochs=5, name="exploding")
    kept = training._restore(
        run.folder / "model.checkpoint", run.settings, [state], run.say
    )[0]
    assert [logs["loss"] for logs in kept] == [0.5, 0.4]


def test_callbacks_are_told_of_epochs(new_run):
    heard = []
    hook = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: heard.append(("begin", epoch)),
        on_epoch_end=lambda epoch, logs: heard.append((epoch, sorted(logs))),
    )
    fit(new_run(), new_model("dense"), epochs=2, callbacks=[hook])
    metrics = ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert heard == [("begin", 0), (0, metrics), ("begin", 1), (1, metrics)]
