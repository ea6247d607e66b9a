"""Contestants of scikit-learn: MLPClassifier and BernoulliRBM."""

from bench.contestants import protocol, task
from bench.labs import LABS
from common.files import Problem

import numpy as np
import sklearn
from sklearn.neural_network import BernoulliRBM, MLPClassifier


def network(job, gate, known, start):
    """Epochs of MLPClassifier.partial_fit, which shuffles and goes on from where
    it was. Its penalty on the weights is off, as the recipes have none."""
    (x, y), (x_test, y_test) = task.mnist(job.images)
    x, x_test = x.reshape(-1, 784), x_test.reshape(-1, 784)
    units = [layer["units"] for layer in known["layers"] if layer["kind"] == "dense"]
    model = MLPClassifier(
        units[:-1],
        batch_size=known["batch_size"],
        learning_rate_init=known["learning_rate"],
        epsilon=known["epsilon"],
        alpha=0,
        # With a number here, every call would begin its order anew: one order for all.
        random_state=np.random.RandomState(0),
    )
    # The first call makes the weights; then they are set to the others' start.
    size = known["batch_size"]
    model.partial_fit(x[:size], y[:size], classes=np.arange(10))
    for mine, given in zip(model.coefs_, start[::2], strict=True):
        mine[:] = given
    for mine, given in zip(model.intercepts_, start[1::2], strict=True):
        mine[:] = given
    gate.about["parameters"] = sum(w.size for w in model.coefs_ + model.intercepts_)
    gate.score = lambda: task.percent(model.predict(x_test), y_test)
    while True:
        gate.wait()
        model.partial_fit(x, y)


def rbm(job, gate, known, start):
    """Epochs of BernoulliRBM.partial_fit over shuffled batches.

    It keeps its chains from batch to batch (persistent CD): a product less.
    """
    (x, _), (x_test, _) = task.mnist(job.images)
    x, x_test = x.reshape(-1, 784), x_test.reshape(-1, 784)
    w, b, c = start
    size = known["batch_size"]
    model = BernoulliRBM(
        len(c), learning_rate=known["learning_rate"], batch_size=size, random_state=0
    )
    model.partial_fit(x[:size])
    model.components_[:], model.intercept_visible_[:] = w.T, b
    model.intercept_hidden_[:] = c
    gate.about["parameters"] = w.size + b.size + c.size
    gate.score = lambda: task.reconstruction_error(
        x_test,
        model.components_.T,
        model.intercept_visible_,
        model.intercept_hidden_,
    )
    rng = np.random.default_rng(0)
    while True:
        gate.wait()
        order = rng.permutation(len(x))
        for begin in range(0, len(x) - size + 1, size):
            model.partial_fit(x[order[begin : begin + size]])


def enter(job, gate):
    if job.device == "gpu":
        raise Problem("scikit-learn computes on the CPU only")
    gate.about |= {"device": "CPU", "version": f"scikit-learn {sklearn.__version__}"}
    known, start = protocol.read_network(job.shared)
    loops = {"network": network, "rbm": rbm}
    loops[LABS[job.lab].loop](job, gate, known, start)


if __name__ == "__main__":
    protocol.main(enter, ("fit",))
