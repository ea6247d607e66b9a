"""Contestants on TensorFlow: this project, Keras' default `fit`, the matmul rate.

`ours` runs the recipe's own network, as the recipe compiles it, in the project's own
`run.fit` and `run.train`, with the checkpoint that they write after every epoch.
"""

import time

from common import command_line, devices, recipes
from common.running import Run

import contestant
import numpy as np

devices.load_tensorflow()

import keras  # noqa: E402  (its notes are held back above)
import tensorflow as tf  # noqa: E402

ENDLESS = 10**9  # epochs: the driver ends it; a cosine this long is a constant rate
MATMUL_SIZES = (512, 1024, 2048)
MATMUL_SECONDS = 0.3  # each, in every round
HELD_OUT = 100  # the RBM's held-out images, whose errors are no part of the training
KERAS_XOR_STEPS = 100


class Told(Run):
    """A run whose loops wait for the gate before every epoch."""

    def train(self, step, variables, epochs, name="model"):
        gate, self.variables = self.gate, variables
        self.at_start(variables)

        def told(epoch):
            gate.wait()
            return step(epoch)

        return super().train(told, variables, epochs, name)


class TellEpochs(keras.callbacks.Callback):
    """The gate as a callback, for `run.fit` and for Keras' own `fit`."""

    def __init__(self, gate):
        super().__init__()
        self.gate = gate

    def on_epoch_begin(self, epoch, logs=None):
        self.gate.wait()


class Compiled(Exception):
    """Carries a model out of a recipe's `main`."""


def compiled_by_main(recipe, run):
    """The model that `main` compiles first, just before it would be trained."""

    def leave(model, *_, **__):
        raise Compiled(model)

    run.fit = leave
    try:
        recipe.main(run)
    except Compiled as compiled:
        return compiled.args[0]
    finally:
        del run.fit


def build_model(recipe, run, variant):
    """The recipe's network, compiled by the recipe; for Keras of Keras' own layers."""
    number = recipe.__name__[:2]
    if number == "22":
        return recipe.build_model(keras.initializers.GlorotUniform)
    if number == "24":
        if variant == "keras":
            recipe.Dropout = keras.layers.Dropout
        return recipe.build_model(recipe.DROPOUT_RATE)
    if number == "33":
        return recipe.build_model("relu", keras.layers.MaxPooling2D, ENDLESS)
    if number == "43":
        recipe.CELLS = {"lstm": recipe.CELLS["lstm"]}
    if number in ("32", "43"):
        return compiled_by_main(recipe, run)
    return recipe.build_model()


def describe(model) -> dict:
    """Layers and optimizer of a compiled model, for the other frameworks."""
    described = []
    for layer in model.layers:
        config = layer.get_config()
        match type(layer).__name__:
            case "Reshape" | "Flatten" as name:
                facts = {"kind": "image" if name == "Reshape" else "flatten"}
            case "Dense":
                facts = {"kind": "dense", "units": layer.units}
            case "Dropout":
                facts = {"kind": "dropout", "rate": layer.rate}
            case "Conv2D":
                facts = {
                    "kind": "conv",
                    "maps": layer.filters,
                    "kernel": layer.kernel_size[0],
                    "padding": layer.padding,
                    "bias": layer.use_bias,
                }
            case "MaxPooling2D":
                facts = {"kind": "pool", "size": layer.pool_size[0]}
            case "LSTM":
                facts = {"kind": "lstm", "units": layer.units}
        if facts["kind"] in ("dense", "conv"):
            facts["activation"] = config["activation"]
        described.append(facts)
    adam = model.optimizer.get_config()
    rate = adam["learning_rate"]
    if isinstance(rate, dict):
        rate = rate["config"]["initial_learning_rate"]
    return {
        "layers": described,
        "parameters": model.count_params(),
        "learning_rate": rate,
        "epsilon": adam["epsilon"],
        "clip": adam["clipnorm"],
    }


def network(args, gate, recipe, run):
    """Train the recipe's network for ever, our way or by Keras' default `fit`."""
    (x, y), (x_test, y_test) = contestant.mnist(args.images)
    keras.utils.set_random_seed(0)
    model = build_model(recipe, run, args.variant)
    known = {**describe(model), "batch_size": recipe.BATCH_SIZE}
    gate.about["parameters"] = known["parameters"]

    def score():
        parts = np.split(x_test, 10)
        answers = [model(part, training=False).numpy().argmax(axis=1) for part in parts]
        return contestant.percent(np.concatenate(answers), y_test)

    gate.score = score
    tell = TellEpochs(gate)
    if args.variant == "ours":
        contestant.write_network(args.shared, known, model.get_weights())
        run.fit(
            model,
            x,
            y,
            batch_size=recipe.BATCH_SIZE,
            epochs=ENDLESS,
            callbacks=[tell],
        )
    model.set_weights(contestant.read_network(args.shared)[1])
    adam = model.optimizer
    model.compile(
        optimizer=type(adam).from_config(adam.get_config()),
        loss=model.loss,
        metrics=["accuracy"],
    )
    model.fit(x, y, recipe.BATCH_SIZE, epochs=ENDLESS, verbose=0, callbacks=[tell])


def rbm(args, gate, recipe, run):
    """Train the recipe's Boltzmann machine by its own CD-1."""
    (x, _), (x_test, _) = contestant.mnist(args.images)
    x, x_test = x.reshape(-1, 784), x_test.reshape(-1, 784)
    hidden = args.units or recipe.HIDDEN_UNITS

    def at_start(variables):
        known = {
            "layers": [{"kind": "rbm", "visible": 784, "hidden": hidden}],
            "parameters": sum(int(tf.size(variable)) for variable in variables),
            "learning_rate": recipe.LEARNING_RATE,
            "batch_size": recipe.BATCH_SIZE,
        }
        gate.about["parameters"] = known["parameters"]
        contestant.write_network(args.shared, known, [v.numpy() for v in variables])
        gate.score = lambda: contestant.reconstruction_error(
            x_test, *(v.numpy() for v in variables)
        )

    run.at_start = at_start
    recipe.train(run, x, x[:HELD_OUT], hidden, 1, ENDLESS, "rbm")


def xor(args, gate, recipe, run):
    """Train the recipe's XOR networks from the same start, again and again."""
    kind = recipe.KINDS["lab"]
    networks, steps = args.networks or recipe.NETWORKS, args.steps or recipe.STEPS
    start = recipe.initial_weights(kind, networks, seed=0)
    known = {
        "layers": [{"kind": "xor", "hidden": kind.hidden, "networks": networks}],
        "parameters": sum(int(tf.size(weight)) for weight in start),
        "learning_rate": kind.learning_rate,
        "steps": steps,
    }
    gate.about["parameters"] = known["parameters"]
    if args.variant == "ours":
        contestant.write_network(args.shared, known, [w.numpy() for w in start])
        while True:
            gate.wait()
            final, losses = recipe.train(
                start, kind.activation, kind.learning_rate, steps
            )
            losses.numpy()
            weights = [weight.numpy() for weight in final]
            gate.score = lambda weights=weights: contestant.learned_xor(weights)
    gate.about["extrapolated"] = steps / KERAS_XOR_STEPS * networks
    dense = keras.layers.Dense
    hidden = [dense(units, kind.activation) for units in kind.hidden]
    model = keras.Sequential([keras.Input((2,)), *hidden, dense(1)])
    model.compile(
        optimizer=keras.optimizers.SGD(kind.learning_rate),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    while True:
        gate.wait()
        model.fit(recipe.X, recipe.Y, 4, epochs=KERAS_XOR_STEPS, verbose=0)


def matmul(gate):
    """The best rate of float32 matrix products, measured again in every round."""
    matrices = [tf.random.normal((size, size)) for size in MATMUL_SIZES]
    multiply = tf.function(tf.matmul)
    for matrix in matrices:
        multiply(matrix, matrix)
    while True:
        gate.wait()
        rates = []
        for size, matrix in zip(MATMUL_SIZES, matrices, strict=True):
            until = time.perf_counter() + MATMUL_SECONDS
            while (began := time.perf_counter()) < until:
                # Reading one number waits for a GPU without copying the rest.
                multiply(matrix, matrix)[0, 0].numpy()
                rates.append(2 * size**3 / (time.perf_counter() - began))
        gate.extra = {"flops_per_second": max(rates)}


def enter(args, gate):
    device, described = devices.choose(args.device)
    gate.about |= {"device": described, "version": f"TensorFlow {tf.__version__}"}
    with tf.device(device):
        if args.variant == "matmul":
            matmul(gate)
        path = recipes.find(args.lab)
        recipe = recipes.load(path)
        if args.units:
            recipe.HIDDEN_UNITS = (args.units,) * 2
        flags = ["--epochs", str(ENDLESS), "--out", str(args.shared / args.variant)]
        run = Told(recipe, command_line.parse(path, "", flags), seed=0)
        run.gate, run.at_start = gate, lambda variables: None
        run.folder.mkdir(parents=True)
        loops = {"18": xor, "51": rbm}
        loops.get(args.lab, network)(args, gate, recipe, run)


if __name__ == "__main__":
    contestant.main(enter, ("ours", "keras", "matmul"))
