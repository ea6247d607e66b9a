"""Long memory: the plain recurrent cell, LSTM and GRU.

제목: 오래 기억하기: RNN, LSTM, GRU
Question: Over how many steps can a recurrent cell learn to remember a number?
Lecture: 000, RNN: long-term dependency; vanishing gradient, LSTM and GRU
Changes from: 40_rnn_bptt (gated cells beside the plain one; trained, on a task that
    needs the far past)
Run: python recipes/42_lstm_gru.py
Try: (1) gates that start at bias 0: how long a memory is left? (2) the plain RNN on 10
    and 25 steps with a learning rate of 3e-3 (3) a GRU without its reset gate
"""

from common import plots
from common.running import Claim, cli

import keras
import numpy as np
import tensorflow as tf
from keras import layers

CLAIMS = [
    Claim("rnn_solved", None, "steps", text="longest sequence solved, plain RNN"),
    Claim("lstm_solved", None, "steps", text="longest sequence solved, LSTM"),
    Claim("gru_solved", None, "steps", text="longest sequence solved, GRU"),
    Claim("rnn_short", None, text="squared error, shortest sequence, plain RNN"),
    Claim("rnn_long", None, text="squared error, longest sequence, plain RNN"),
    Claim("lstm_long", None, text="squared error, longest sequence, LSTM"),
    Claim("gru_long", None, text="squared error, longest sequence, GRU"),
    Claim("blind", None, text="control: always answer the mean"),
    Claim("rnn_influence", None, text="influence of the first state, log10, RNN"),
    Claim("lstm_influence", None, text="influence of the first state, log10, LSTM"),
    Claim("gru_influence", None, text="influence of the first state, log10, GRU"),
    Claim("keras_difference", None, text="log10 of: cells by hand less Keras layers"),
]

LENGTHS = [25, 50, 100, 200]
UNITS = 24
BATCH_SIZE = 50
UPDATES = 100  # per epoch, each on sequences never seen before
EPOCHS = 8
LEARNING_RATE = 1e-2
LONGEST_GRADIENT = 1.0  # longer ones are cut: through time they can explode
TEST_SEQUENCES = 1_000
SOLVED = 0.1  # of the error of a blind answer
GATES = {"rnn": 1, "lstm": 4, "gru": 3}  # blocks of UNITS columns in U and W


def adding(rng, count, length):
    """The adding problem: remember two numbers of a long sequence, say their sum.

    x [count, length, 2]: a random number in [0, 1) and a mark, 1 at one step of each
    half and else 0; target [count]: the sum of the two marked numbers.
    """
    x = np.zeros((count, length, 2), "float32")
    x[:, :, 0] = rng.random((count, length))
    rows, (first, second) = np.arange(count), rng.integers(length // 2, size=(2, count))
    second += length // 2
    x[rows, first, 1] = x[rows, second, 1] = 1
    return x, x[rows, first, 0] + x[rows, second, 0]


def draw_weights(cell, length, rng):
    """U [2, gates * UNITS], W [UNITS, gates * UNITS], b, V [UNITS, 1], its bias.

    The gates that keep the state start open: their memories are 1 to `length` steps.
    """
    rotations = np.linalg.qr(rng.normal(size=(GATES[cell], UNITS, UNITS)))[0]
    b = np.zeros(GATES[cell] * UNITS)
    keep = np.log(rng.uniform(1, length - 1, size=UNITS))
    if cell == "lstm":
        b[:UNITS], b[UNITS : 2 * UNITS] = -keep, keep
    if cell == "gru":
        b[:UNITS] = keep
    U = rng.normal(size=(2, len(b))) * UNITS**-0.5
    V = rng.normal(size=(UNITS, 1)) * UNITS**-0.5
    arrays = (U, np.hstack(rotations), b, V, np.zeros(1))
    return [tf.Variable(array.astype("float32")) for array in arrays]


def rnn_step(x, s, W):
    """x: U x_t + b [batch, gates * UNITS]; s: the state before. Returns the state."""
    return tf.tanh(x + s @ W)


def lstm_step(x, s, W):
    """The state is the answer h and, beside it, the memory c: [batch, 2 * UNITS]."""
    h, c = tf.split(s, 2, axis=1)
    put_in, forget, new, put_out = tf.split(x + h @ W, 4, axis=1)
    c = tf.sigmoid(forget) * c + tf.sigmoid(put_in) * tf.tanh(new)
    return tf.concat([tf.sigmoid(put_out) * tf.tanh(c), c], axis=1)


def gru_step(x, h, W):
    x_gates, x_new = x[:, : 2 * UNITS], x[:, 2 * UNITS :]
    gates = tf.sigmoid(x_gates + h @ W[:, : 2 * UNITS])
    keep, reset = tf.split(gates, 2, axis=1)
    new = tf.tanh(x_new + (reset * h) @ W[:, 2 * UNITS :])
    return keep * h + (1 - keep) * new


STEPS = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}


def answer(cell, weights, x, nudges=None):
    """What the network answers behind the last step: [batch].

    nudges: added to the states; the gradient by them is the influence of each state.
    """
    U, W, b, V, b_out = weights
    from_input = tf.transpose(x, [1, 0, 2]) @ U + b  # of all steps at once
    s = tf.zeros((x.shape[0], UNITS * (2 if cell == "lstm" else 1)))
    for t in tf.range(x.shape[1]):
        s = STEPS[cell](from_input[t], s, W)
        if nudges is not None:
            s += nudges[t]
    return (s[:, :UNITS] @ V + b_out)[:, 0]


def by_keras(cell, weights, x):
    """The same answer by the Keras layer."""
    kinds = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}
    extra = {"reset_after": False} if cell == "gru" else {}
    layer = kinds[cell](UNITS, **extra)
    model = keras.Sequential([keras.Input(x.shape[1:]), layer, layers.Dense(1)])
    model.set_weights([variable.numpy() for variable in weights])
    return model(x)[:, 0]


def train(run, cell, length):
    """Train one network on ever new sequences; returns its weights."""
    weights = draw_weights(cell, length, np.random.default_rng(run.seed))
    optimizer = keras.optimizers.Adam(LEARNING_RATE, global_clipnorm=LONGEST_GRADIENT)
    optimizer.build(weights)

    # A recurrence as small as this one gains from XLA, whose compiling takes seconds.
    @tf.function(jit_compile=not run.quick)
    def updates(x, target):
        error = 0.0
        for i in tf.range(x.shape[0]):
            with tf.GradientTape() as tape:
                error = tf.reduce_mean((answer(cell, weights, x[i]) - target[i]) ** 2)
            gradients = tape.gradient(error, weights)
            optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return error  # of the last batch

    def one_epoch(epoch):
        rng = np.random.default_rng([run.seed, epoch, length])
        count = run.pick(UPDATES, 2)
        x, target = adding(rng, count * BATCH_SIZE, length)
        x = x.reshape(count, BATCH_SIZE, length, 2)
        return {"error": updates(x, target.reshape(count, BATCH_SIZE))}

    changed = weights + optimizer.variables
    run.train(one_epoch, changed, run.length(EPOCHS), f"{cell}_{length}")
    return weights


def influence(cell, weights, x):
    """Of each state on the last answer, relative to the last state's: [length]."""
    nudges = tf.zeros((x.shape[1], x.shape[0], UNITS * (2 if cell == "lstm" else 1)))
    with tf.GradientTape() as tape:
        tape.watch(nudges)
        total = tf.reduce_sum(answer(cell, weights, x, nudges))
    slopes = tape.gradient(total, nudges).numpy().astype("float64")  # squares are tiny
    sizes = np.linalg.norm(slopes, axis=2).mean(axis=1)
    return np.maximum(sizes, np.finfo("float32").tiny) / sizes[-1]


def memory_figure(errors, blind, influences):
    """Error by length of the sequence, and influence by distance in the longest."""
    figure, axes = plots.new_figure(1, 2, width=5)
    for cell in STEPS:
        axes[0].semilogy(*zip(*errors[cell].items(), strict=True), "o-")
        distances = np.arange(len(influences[cell]))[::-1]
        axes[1].semilogy(distances, influences[cell], label=cell.upper())
    axes[0].axhline(blind, color="grey", ls=":", label="always the mean")
    axes[0].legend()
    axes[0].set(xlabel="length of the sequence (steps)", ylabel="mean squared error")
    axes[0].set(title="the adding problem", xticks=list(errors["rnn"]))
    axes[1].set(xlabel="steps back in time", ylabel="influence on the answer")
    axes[1].set_title(f"states, after training on {len(distances)} steps")
    axes[1].legend()
    return figure


def main(run):
    lengths = run.pick(LENGTHS, [10])
    count = run.pick(TEST_SEQUENCES, 50)
    errors = {cell: {} for cell in STEPS}
    influences, differences, values = {}, [], {}
    for length in lengths:
        x, target = adding(np.random.default_rng([run.seed, length]), count, length)
        blind = np.mean((target - target.mean()) ** 2)
        for cell in STEPS:
            weights = train(run, cell, length)
            answers = answer(cell, weights, x)
            errors[cell][length] = np.mean((answers - target) ** 2)
            influences[cell] = influence(cell, weights, x[:100])  # kept: the longest
            differences.append(np.abs(answers - by_keras(cell, weights, x)).max())
    for cell in STEPS:
        solved = [n for n in lengths if errors[cell][n] < SOLVED * blind]
        values[f"{cell}_solved"] = max(solved, default=0)
        values[f"{cell}_long"] = errors[cell][lengths[-1]]
        values[f"{cell}_influence"] = np.log10(influences[cell][0])
    run.save_figure(memory_figure(errors, blind, influences), "memory")
    return {
        **values,
        "rnn_short": errors["rnn"][lengths[0]],
        "blind": blind,
        "keras_difference": np.log10(max(differences)),
    }


if __name__ == "__main__":
    cli(main)
