"""How recipes train: like Keras' fit, keyed on (seed, epoch), and resumable."""

import io
import json

from common import checkpoints, files, training
from common.executing import Request, Run
from common.files import Problem

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

NUM_SAMPLES, FEATURES = 64, 12


@pytest.fixture
def new_run(tmp_path, monkeypatch):
    """A function (seed=0, **settings) that makes a Run in a folder of its own."""
    monkeypatch.setattr(training, "NOT_WORTH_COMPILING", 0)

    def make(seed=0, **settings):
        run = Run(Request("24", seed=seed, quick=True, out=tmp_path))
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
    save = checkpoints.save
    saved = []

    def save_and_keep(*arguments):
        save(*arguments)
        saved.append(path.read_bytes())

    monkeypatch.setattr(checkpoints, "save", save_and_keep)
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


def test_dropout_by_xla_draws_by_threefry_and_leaves_keras_as_it_was():
    """Its zeros are where ThreeFry's uniform numbers lie below the rate."""
    usual = tf.nn.experimental.stateless_dropout
    layer, seen = layers.Dropout(0.3), tf.Variable(tf.zeros((50, 64)))
    seed = layer.seed_generator.state

    def step(batch):
        seen.assign(layer(batch[0], training=True))

    def masks(jit_compile):
        seed.assign([5, 7])
        run_steps = training.compiled_steps(step, jit_compile)
        run_steps((tf.ones((50, 64)),), tf.range(50)[None])
        return seen.numpy() == 0

    @tf.function(jit_compile=True)
    def expected():
        return tf.random.stateless_uniform((50, 64), (5, 7), alg="threefry") < 0.3

    by_xla = masks(jit_compile=True)
    assert tf.nn.experimental.stateless_dropout is usual
    assert (by_xla == expected().numpy()).all()
    assert (by_xla != masks(jit_compile=False)).any()
    assert by_xla.mean() == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("worth", [0, NUM_SAMPLES])
def test_dropout_trains_whether_or_not_compiling_is_worth_it(
    new_run, worth, monkeypatch
):
    monkeypatch.setattr(training, "NOT_WORTH_COMPILING", worth)
    model = new_model("dropout", jit_compile=True)
    assert np.isfinite(fit(new_run(), model, epochs=1)["loss"]).all()


def test_initial_epoch_goes_on_as_one_training(new_run):
    whole, parts = new_model("dropout"), new_model("dropout")
    expected = fit(new_run(), whole, epochs=3, name="whole")
    run = new_run()
    first = fit(run, parts, epochs=2, name="first")
    second = fit(run, parts, epochs=3, initial_epoch=2, name="second")
    assert {k: first[k] + second[k] for k in first} == expected
    assert weights(parts) == weights(whole)


def test_two_trainings_of_one_name_are_refused_in_one_line(new_run):
    run = new_run()
    fit(run, new_model("dense"), epochs=1)
    with pytest.raises(Problem, match="two trainings are named 'model'") as raised:
        fit(run, new_model("recurrent"), epochs=1)
    assert raised.value.status == 2


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
    kept, _ = checkpoints.restore(
        run.folder / "model.checkpoint", run.settings, [state], run.say
    )
    assert [logs["loss"] for logs in kept["history"]] == [0.5, 0.4]


def test_callbacks_are_told_of_epochs(new_run):
    heard = []
    hook = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: heard.append(("begin", epoch)),
        on_epoch_end=lambda epoch, logs: heard.append((epoch, sorted(logs))),
    )
    fit(new_run(), new_model("dense"), epochs=2, callbacks=[hook])
    metrics = ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert heard == [("begin", 0), (0, metrics), ("begin", 1), (1, metrics)]


def patient(**settings):
    return keras.callbacks.EarlyStopping(monitor="val_loss", patience=2, **settings)


def keras_fit(model, run, epochs, callbacks):
    """Keras' own fit, fed the batches that run.fit takes, epoch after epoch."""
    x, y = samples()
    orders = [run.order(epoch, NUM_SAMPLES, 8).ravel() for epoch in range(epochs)]
    order = np.concatenate(orders)
    batches = tf.data.Dataset.from_tensor_slices((x[order], y[order])).batch(8)
    model.steps_per_execution = 1
    return model.fit(
        batches,
        epochs=epochs,
        steps_per_epoch=NUM_SAMPLES // 8,
        shuffle=False,  # each epoch has its order already
        verbose=0,
        validation_data=(x[:20], y[:20]),
        callbacks=callbacks,
    ).history


@pytest.mark.parametrize("restore", [False, True])
def test_early_stopping_stops_where_keras_stops(new_run, restore):
    ours, theirs = (new_model("dense", learning_rate=0.3) for _ in range(2))
    run = new_run()
    history = fit(run, ours, 40, callbacks=[patient(restore_best_weights=restore)])
    expected = keras_fit(theirs, run, 40, [patient(restore_best_weights=restore)])
    assert 2 < len(history["loss"]) < 40
    np.testing.assert_allclose(history["val_loss"], expected["val_loss"], rtol=1e-3)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_a_stop_is_remembered_and_patience_too(new_run, monkeypatch):
    """Interrupted after every epoch, also after the last: the same end, bit for bit."""

    def new_callbacks():
        return [
            patient(restore_best_weights=True),
            keras.callbacks.ReduceLROnPlateau(patience=1, factor=0.5),
        ]

    def start(name):
        model = new_model("dropout", learning_rate=0.3)
        history = fit(new_run(), model, 30, callbacks=new_callbacks(), name=name)
        return history, weights(model)

    save = checkpoints.save
    expected = start("whole")
    assert len(expected[0]["loss"]) < 30

    def save_and_die(*arguments):
        save(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "save", save_and_die)
    for _ in expected[0]["loss"]:
        with pytest.raises(KeyboardInterrupt):
            start("parts")
    assert start("parts") == expected


def test_several_inputs_and_outputs_and_weights_as_in_keras(new_run):
    x, y = samples()
    inputs = {"left": x[:, :6], "right": x[:, 6:]}
    targets = {"sign": y, "sum": x.sum(axis=1, keepdims=True)}
    sample_weight = {"sign": 1.0 + y, "sum": np.ones(len(x), "float32")}

    def new():
        keras.utils.set_random_seed(5)
        left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
        both = layers.Dense(8, activation="tanh")(layers.concatenate([left, right]))
        model = keras.Model(
            {"left": left, "right": right},
            {
                "sign": layers.Dense(1, activation="sigmoid", name="sign")(both),
                "sum": layers.Dense(1, name="sum")(both),
            },
        )
        model.compile(
            optimizer=keras.optimizers.SGD(0.1),
            loss={"sign": "binary_crossentropy", "sum": "mse"},
            steps_per_execution=4,
        )
        return model

    def part(arrays, rows):
        return {name: array[rows] for name, array in arrays.items()}

    ours, theirs, run = new(), new(), new_run()
    validation = (part(inputs, slice(20)), part(targets, slice(20)))
    history = run.fit(
        ours,
        inputs,
        targets,
        batch_size=8,
        epochs=2,
        sample_weight=sample_weight,
        validation_data=validation,
    )
    for epoch in range(2):
        order = run.order(epoch, NUM_SAMPLES, 8).ravel()
        expected = theirs.fit(
            part(inputs, order),
            part(targets, order),
            batch_size=8,
            shuffle=False,
            verbose=0,
            sample_weight=part(sample_weight, order),
            validation_data=validation,
            validation_batch_size=20,  # Keras averages batches, of any size
        ).history
        assert set(history) == set(expected)
        for metric, values in expected.items():
            assert history[metric][epoch] == pytest.approx(values[0], rel=1e-4)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


class OfBatches(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        pass


class Unwritable(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.seen = {epoch}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"class_weight": {0: 2.0}}, "class_weight: give sample_weight"),
        ({"validation_split": 0.1}, "validation_split: give validation_data"),
        ({"wrong": 1}, "does not take wrong"),
        ({"callbacks": [OfBatches()]}, "OfBatches acts by batch"),
        ({"callbacks": [Unwritable()]}, "Unwritable keeps seen .set., which"),
        ({"y": np.zeros(3)}, "differ in their number of samples: 3, 64"),
        ({"x": iter(())}, "holds a tuple_iterator"),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, str) else "",
)
def test_what_cannot_be_done_is_refused_in_one_line(new_run, changes, said):
    x, y = samples()
    arguments = {"x": x, "y": y, "batch_size": 8, "epochs": 1, **changes}
    with pytest.raises(Problem, match=said) as raised:
        new_run().fit(new_model("dense"), **arguments)
    assert raised.value.status == 2 and "\n" not in str(raised.value)
