"""Contestants on JAX with optax: one jitted step, and `lax.scan` over an epoch."""

from functools import partial

from bench.contestants import protocol, task
from bench.labs import LABS
from common.files import Problem

import jax
import numpy as np
import optax
from jax import lax
from jax import numpy as jnp


def start_parameters(known, start):
    """The start weights, one list per layer, in Keras' order and shapes."""
    counts = {"dense": 2, "lstm": 3}
    weights, parameters = [jnp.asarray(array) for array in start], []
    for layer in known["layers"]:
        count = counts.get(layer["kind"], 0)
        if layer["kind"] == "conv":
            count = 1 + layer["bias"]
        parameters.append([weights.pop(0) for _ in range(count)])
    return parameters


def last_state(x, kernel, recurrent, bias):
    """An LSTM over the rows [batch, rows, inputs]; gates in Keras' order i f c o."""
    # The products with the input do not wait for the state: one for all rows.
    inputs = (x @ kernel + bias).swapaxes(0, 1)
    zeros = jnp.zeros((len(x), recurrent.shape[0]))

    def row(carry, summed):
        state, cell = carry
        i, f, c, o = jnp.split(summed + state @ recurrent, 4, axis=1)
        cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(c)
        return (jax.nn.sigmoid(o) * jnp.tanh(cell), cell), None

    return lax.scan(row, (zeros, zeros), inputs)[0][0]


def forward(layers, parameters, x, key=None):
    """The logits [batch, 10]; with a key dropout is on."""
    for layer, weights in zip(layers, parameters, strict=True):
        match layer["kind"]:
            case "image":
                x = x[..., None]
            case "flatten":
                x = x.reshape(len(x), -1)
            case "dense":
                x = x @ weights[0] + weights[1]
            case "dropout" if key is not None:
                key, mine = jax.random.split(key)
                kept = jax.random.bernoulli(mine, 1 - layer["rate"], x.shape)
                x = jnp.where(kept, x / (1 - layer["rate"]), 0)
            case "conv":
                x = lax.conv_general_dilated(
                    x,
                    weights[0],
                    window_strides=(1, 1),
                    padding=layer["padding"].upper(),
                    dimension_numbers=("NHWC", "HWIO", "NHWC"),
                )
                if layer["bias"]:
                    x = x + weights[1]
            case "pool":
                window = (1, layer["size"], layer["size"], 1)
                x = lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")
            case "lstm":
                x = last_state(x, *weights)
        if layer.get("activation", "linear") == "relu":
            x = jax.nn.relu(x)
    return x


def batches(key, images, size):
    """The shuffled full batches of an epoch [steps, size]."""
    order = jax.random.permutation(key, images)
    return order[: images // size * size].reshape(-1, size)


def train_forever(job, gate, step, carry, arrays, size, score):
    """Epochs of `step(arrays, carry, (key, chosen)) -> carry`, for ever.

    The key of every epoch is new; so are its order and the noise of its steps.
    """
    gate.score = lambda: score(carry)
    images = len(arrays[0])

    @partial(jax.jit, donate_argnums=0)
    def one_step(carry, arrays, key, chosen):
        return step(arrays, carry, (key, chosen))

    @partial(jax.jit, donate_argnums=0)
    def one_epoch(carry, arrays, key):
        shuffle, noise = jax.random.split(key)
        order = batches(shuffle, images, size)
        keys = jax.random.split(noise, len(order))
        return lax.scan(
            lambda carry, given: (step(arrays, carry, given), None),
            carry,
            (keys, order),
        )[0]

    epoch = 0
    while True:
        gate.wait()
        key = jax.random.key(epoch)
        if job.variant == "scan":
            carry = one_epoch(carry, arrays, key)
        else:
            shuffle, noise = jax.random.split(key)
            order = np.asarray(batches(shuffle, images, size))
            keys = jax.random.split(noise, len(order))
            for mine, chosen in zip(keys, order, strict=True):
                carry = one_step(carry, arrays, mine, chosen)
        jax.block_until_ready(carry)
        epoch += 1


def network(job, gate, known, start):
    """Train the network of `known` for ever."""
    (x, y), (x_test, y_test) = task.mnist(job.images)
    layers = known["layers"]
    parameters = start_parameters(known, start)
    adam = optax.adam(known["learning_rate"], eps=known["epsilon"])
    if known["clip"]:
        adam = optax.chain(optax.clip_by_global_norm(known["clip"]), adam)

    def loss_of(parameters, x, y, key):
        logits = forward(layers, parameters, x, key)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    def step(arrays, carry, given):
        parameters, state = carry
        key, chosen = given
        x, y = (array[chosen] for array in arrays)
        gradients = jax.grad(loss_of)(parameters, x, y, key)
        updates, state = adam.update(gradients, state, parameters)
        return optax.apply_updates(parameters, updates), state

    answer = jax.jit(lambda parameters, x: forward(layers, parameters, x).argmax(1))

    def score(carry):
        parts = [answer(carry[0], part) for part in np.split(x_test, 10)]
        return task.percent(np.concatenate(parts), y_test)

    carry = (parameters, adam.init(parameters))
    arrays = (jnp.asarray(x), jnp.asarray(y))
    train_forever(job, gate, step, carry, arrays, known["batch_size"], score)


def rbm(job, gate, known, start):
    """Train the Boltzmann machine by CD-1, as the recipe does."""
    (x, _), (x_test, _) = task.mnist(job.images)
    rate = known["learning_rate"]

    def step(arrays, carry, given):
        w, b, c = carry
        key, chosen = given
        draw_h, draw_v = jax.random.split(key)
        v0 = arrays[0][chosen]
        h0 = jax.nn.sigmoid(v0 @ w + c)
        h = (jax.random.uniform(draw_h, h0.shape) < h0).astype(h0.dtype)
        p = jax.nn.sigmoid(h @ w.T + b)
        v1 = (jax.random.uniform(draw_v, p.shape) < p).astype(p.dtype)
        h1 = jax.nn.sigmoid(v1 @ w + c)
        return (
            w + rate / len(v0) * (v0.T @ h0 - v1.T @ h1),
            b + rate * (v0 - v1).mean(axis=0),
            c + rate * (h0 - h1).mean(axis=0),
        )

    def score(carry):
        arrays = [np.asarray(array) for array in carry]
        return task.reconstruction_error(x_test.reshape(-1, 784), *arrays)

    carry = tuple(jnp.asarray(array) for array in start)
    arrays = (jnp.asarray(x.reshape(-1, 784)),)
    train_forever(job, gate, step, carry, arrays, known["batch_size"], score)


def xor(job, gate, known, start):
    """Train all XOR networks at once; networks last, as in the recipe."""
    x = jnp.array([[0, 0], [0, 1], [1, 0], [1, 1]], jnp.float32)
    y = jnp.array([[0], [1], [1], [0]], jnp.float32)
    rate = known["learning_rate"]

    def losses_of(weights):
        signal = x[:, :, None]
        for layer in range(0, len(weights), 2):
            if layer:
                signal = jax.nn.sigmoid(signal)
            signal = (signal[:, :, None] * weights[layer]).sum(axis=1)
            signal = signal + weights[layer + 1]
        losses = optax.sigmoid_binary_cross_entropy(signal[:, 0], y).mean(axis=0)
        return losses.sum(), losses

    def step(weights, _):
        gradients, losses = jax.grad(losses_of, has_aux=True)(weights)
        return jax.tree.map(lambda w, g: w - rate * g, weights, gradients), losses

    train = jax.jit(lambda weights: lax.scan(step, weights, length=known["steps"]))
    while True:
        gate.wait()
        weights, losses = train([jnp.asarray(array) for array in start])
        jax.block_until_ready((weights, losses))
        final = [np.asarray(weight) for weight in weights]
        gate.score = lambda final=final: task.learned_xor(final)


def enter(job, gate):
    try:
        device = jax.devices(job.device)[0]
    except RuntimeError as error:
        raise Problem(f"JAX sees no {job.device.upper()} here") from error
    described = f"{device.platform.upper()}:{device.id} ({device.device_kind})"
    gate.about |= {"device": described, "version": f"JAX {jax.__version__}"}
    known, start = protocol.read_network(job.shared)
    gate.about["parameters"] = sum(array.size for array in start)
    loops = {"network": network, "rbm": rbm, "xor": xor}
    with jax.default_device(device):
        loops[LABS[job.lab].loop](job, gate, known, start)


if __name__ == "__main__":
    protocol.main(enter, ("step", "scan"))
