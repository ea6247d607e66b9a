"""Contestants on TensorFlow: this project, Keras' default `fit`, the matmul rate.

`ours` runs the recipe's own network, as the recipe compiles it, in the project's own
`run.fit` and `run.train`, with the checkpoint that they write after every epoch.
"""

import time

from bench.contestants import protocol, task
from bench.contestants.description import describe
from bench.labs import LABS
from common import devices, recipes
from common.executing import Request, Run
from common.files import Problem

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
    """A run whose own loops (`run.train`) wait for the gate before every epoch.

    at_start(variables) is called before the first one.
    """

    def __init__(self, request, gate):
        super().__init__(request)
        self.gate, self.at_start = gate, lambda variables: None

    def train(self, step, variables, epochs, name="model"):
        self.at_start(variables)

        def told(epoch):
            self.gate.wait()
            return step(epoch)

        return super().train(told, variables, epochs, name)


class TellEpochs(keras.callbacks.Callback):
    """The gate as a callback, for `run.fit` and for Keras' own `fit`."""

    def __init__(self, gate):
        super().__init__()
        self.gate = gate

    def on_epoch_begin(self, epoch, logs=None):
        self.gate.wait()


def fit_by_default(model, x, y, batch_size, gate):
    """Train for ever as Keras' own `fit` does without any option for speed.

    A model that is compiled anew with the same loss and the same optimizer's settings.
    """
    adam = model.optimizer
    model.compile(
        optimizer=type(adam).from_config(adam.get_config()),
        loss=model.loss,
        metrics=["accuracy"],
    )
    model.fit(x, y, batch_size, epochs=ENDLESS, verbose=0, callbacks=[TellEpochs(gate)])


def network(job, gate, recipe, run):
    """Train the recipe's network for ever, our way or by Keras' default `fit`."""
    (x, y), (x_test, y_test) = task.mnist(job.images)
    # Keras' own `fit` starts from the same weights and gets no seed: under a global one
    # it goes through the images in one and the same order in every epoch. (On a GPU
    # TensorFlow is set to repeat every bit, and then asks for a seed.)
    if job.variant == "ours" or job.device == "gpu":
        keras.utils.set_random_seed(run.seed)
    model = recipe.build_model()
    known = {**describe(model), "batch_size": recipe.BATCH_SIZE}
    gate.about["parameters"] = known["parameters"]
    if isinstance(model.optimizer.get_config()["learning_rate"], dict):
        held = keras.optimizers.schedules.CosineDecay(known["learning_rate"], ENDLESS)
        model.optimizer.learning_rate = held

    def score():
        parts = np.split(x_test, 10)
        answers = [model(part, training=False).numpy().argmax(axis=1) for part in parts]
        return task.percent(np.concatenate(answers), y_test)

    gate.score = score
    if job.variant == "ours":
        protocol.write_network(job.shared, known, model.get_weights())
        run.fit(
            model,
            x,
            y,
            batch_size=recipe.BATCH_SIZE,
            epochs=ENDLESS,
            callbacks=[TellEpochs(gate)],
        )
    model.set_weights(protocol.read_network(job.shared)[1])
    fit_by_default(model, x, y, recipe.BATCH_SIZE, gate)


def rbm(job, gate, recipe, run):
    """Train the recipe's Boltzmann machine by its own CD-1."""
    (x, _), (x_test, _) = task.mnist(job.images)
    x, x_test = x.reshape(-1, 784), x_test.reshape(-1, 784)
    hidden = recipe.HIDDEN_UNITS

    def at_start(variables):
        known = {
            "layers": [{"kind": "rbm", "visible": 784, "hidden": hidden}],
            "parameters": sum(int(tf.size(variable)) for variable in variables),
            "learning_rate": recipe.LEARNING_RATE,
            "batch_size": recipe.BATCH_SIZE,
        }
        gate.about["parameters"] = known["parameters"]
        protocol.write_network(job.shared, known, [v.numpy() for v in variables])
        gate.score = lambda: task.reconstruction_error(
            x_test, *(v.numpy() for v in variables)
        )

    run.at_start = at_start
    recipe.train(run, x, x[:HELD_OUT], hidden, 1, ENDLESS, "rbm")


def xor(job, gate, recipe, run):
    """Train the lab's XOR networks from the same start, again and again."""
    _, hidden, learning_rate = recipe.SHAPES["lab"]
    networks, steps = recipe.NETWORKS, recipe.LAB_STEPS
    start = recipe.initial_weights(hidden, networks, run.seed)
    start = [weight[..., :1, :] for weight in start]  # of the starts the lab's, N(0, 1)

    def for_all(weights):
        """[inputs, outputs, networks] and [outputs, networks], as all others train."""
        return [weight.numpy()[..., 0, :] for weight in weights]

    known = {
        "layers": [{"kind": "xor", "hidden": hidden, "networks": networks}],
        "parameters": sum(int(tf.size(weight)) for weight in start),
        "learning_rate": learning_rate,
        "steps": steps,
    }
    gate.about["parameters"] = known["parameters"]
    if job.variant == "ours":
        protocol.write_network(job.shared, known, for_all(start))
        while True:
            gate.wait()
            final, *by_step = recipe.train(start, learning_rate, steps)
            for values in by_step:
                values.numpy()
            weights = for_all(final)
            gate.score = lambda weights=weights: task.learned_xor(weights)
    gate.about["extrapolated"] = steps / KERAS_XOR_STEPS * networks
    dense = keras.layers.Dense
    below = [dense(units, "sigmoid") for units in hidden]
    model = keras.Sequential([keras.Input((2,)), *below, dense(1)])
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    while True:
        gate.wait()
        model.fit(recipe.X, recipe.Y, 4, epochs=KERAS_XOR_STEPS, verbose=0)


def matmul(gate):
    """The best rate of float32 matrix products, measured again in every round."""
    rng = np.random.default_rng(0)
    matrices = [rng.normal(size=(size, size)) for size in MATMUL_SIZES]
    matrices = [tf.constant(matrix, tf.float32) for matrix in matrices]
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


def enter(job, gate):
    device, described = devices.choose(job.device)
    gate.about |= {"device": described, "version": f"TensorFlow {tf.__version__}"}
    with tf.device(device):
        if job.variant == "matmul":
            matmul(gate)
        recipe = recipes.load(recipes.find(job.lab))
        for name, value in job.settings.items():
            if not hasattr(recipe, name):
                raise Problem(f"recipe {job.lab} has no setting {name}")
            setattr(recipe, name, value)
        request = Request(stem=job.lab, epochs=ENDLESS, out=job.shared / job.variant)
        run = Told(request, gate)
        run.folder.mkdir(parents=True)
        loops = {"network": network, "rbm": rbm, "xor": xor}
        loops[LABS[job.lab].loop](job, gate, recipe, run)


if __name__ == "__main__":
    protocol.main(enter, ("ours", "keras", "matmul"))
