"""Contestants in NumPy: the XOR networks and the Boltzmann machine, by hand."""

from bench.contestants import protocol, task
from bench.labs import LABS
from common.files import Problem

import numpy as np

RNG = np.random.default_rng(0)


def sigmoid(x):
    """In place: what is big need not be allocated twice."""
    np.negative(x, out=x)
    np.exp(x, out=x)
    x += 1
    return np.reciprocal(x, out=x)


def rbm(job, gate, known, start):
    """CD-1 as the recipe does it, in float32."""
    (x, _), (x_test, _) = task.mnist(job.images)
    x, x_test = x.reshape(-1, 784), x_test.reshape(-1, 784)
    w, b, c = start
    rate, size = known["learning_rate"], known["batch_size"]
    gate.score = lambda: task.reconstruction_error(x_test, w, b, c)

    def draw(p):
        return (RNG.random(p.shape, np.float32) < p).astype(np.float32)

    while True:
        gate.wait()
        order = RNG.permutation(len(x))
        for begin in range(0, len(x) - size + 1, size):
            v0 = x[order[begin : begin + size]]
            h0 = sigmoid(v0 @ w + c)
            v1 = draw(sigmoid(draw(h0) @ w.T + b))
            h1 = sigmoid(v1 @ w + c)
            change = v0.T @ h0
            change -= v1.T @ h1
            change *= rate / size
            w += change
            b += rate * (v0 - v1).mean(axis=0)
            c += rate * (h0 - h1).mean(axis=0)


def xor(job, gate, known, start):
    """All networks at once, networks last, the gradient by hand."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)[:, :, None]
    y = np.array([[0], [1], [1], [0]], np.float32)
    rate, steps = np.float32(known["learning_rate"]), known["steps"]
    losses = np.empty((steps, start[0].shape[-1]), np.float32)
    while True:
        gate.wait()
        weights = [array.copy() for array in start]
        for step in range(steps):
            signals, signal = [x], x
            for layer in range(0, len(weights), 2):
                product = np.einsum("sin,ion->son", signal, weights[layer])
                product += weights[layer + 1]
                signal = sigmoid(product) if layer + 2 < len(weights) else product
                signals.append(signal)
            logits = signals.pop()[:, 0]
            cost = np.logaddexp(0, logits) - y * logits
            losses[step] = cost.mean(axis=0)
            error = ((sigmoid(logits) - y) / 4)[:, None]
            for layer in range(len(weights) - 2, -1, -2):
                signal = signals.pop()
                kernel = weights[layer]
                if layer:
                    below = np.einsum("son,ion->sin", error, kernel)
                    below *= signal * (1 - signal)
                kernel -= rate * np.einsum(
                    "sin,son->ion", np.broadcast_to(signal, signal.shape), error
                )
                weights[layer + 1] -= rate * error.sum(axis=0)
                if layer:
                    error = below
        gate.score = lambda weights=weights: task.learned_xor(weights)


def enter(job, gate):
    if job.device == "gpu":
        raise Problem("NumPy computes on the CPU only")
    gate.about |= {"device": "CPU", "version": f"NumPy {np.__version__}"}
    known, start = protocol.read_network(job.shared)
    gate.about["parameters"] = sum(array.size for array in start)
    loops = {"rbm": rbm, "xor": xor}
    loops[LABS[job.lab].loop](job, gate, known, start)


if __name__ == "__main__":
    protocol.main(enter, ("hand",))
