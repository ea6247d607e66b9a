"""Long memory: the plain recurrent cell, LSTM and GRU.

제목: 오래 기억하기: RNN, LSTM, GRU
Question: Over how many steps can a recurrent cell learn to remember a number?
Finding: Over {lstm_solved} with gates (LSTM and GRU alike) and {rnn_solved} without,
    if all learn at one rate and gates start open for the length; there the squared
    errors are {lstm_long}, {gru_long} and {rnn_long}, where the mean as answer has
    {blind}. Trained, the first state's influence is 10 to the power {lstm_influence}
    (LSTM), {gru_influence} (GRU), {rnn_influence} (plain).
결과: 모두 같은 학습률로 배우고 게이트가 길이에 맞게 열린 채 시작하면, LSTM과 GRU는
    {lstm_solved}까지 기억하고 단순 RNN은 {rnn_solved}입니다. 그때의 제곱 오차는 차례로
    {lstm_long}, {gru_long}, {rnn_long}이고 평균만 답하면 {blind}입니다. 학습 뒤 첫
    상태의 영향은 10의 {lstm_influence}, {gru_influence}, {rnn_influence}제곱입니다.
Lecture: 000, RNN: long-term dependency; vanishing gradient, LSTM and GRU
Changes from: 40_rnn_bptt (gated cells too; trained on what needs the far past)
Run: python recipes/42_lstm_gru.py
Try: (1) gates that start at bias 0 (2) the plain RNN with a learning rate of 3e-3
    (3) a GRU without its reset gate
"""

from common import plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf
from keras import layers

LENGTHS = [25, 50, 100, 200]
UNITS = 24
BATCH_SIZE = 50
UPDATES = 100  # per epoch, each on sequences never seen before
EPOCHS = 8
LEARNING_RATE = 1e-2
LONGEST_GRADIENT = 1.0  # longer ones are cut
TEST_SEQUENCES = 1_000
SOLVED = 0.1  # of the error of a blind answer
GATES = {"rnn": 1, "lstm": 4, "gru": 3}  # blocks of UNITS columns in U and W


def adding(rng, count, length):
    """x [count, length, 2]: a random number, and a mark at two of the steps; target
    [count]: the sum of the two marked numbers."""
    x = np.zeros((count, length, 2), "float32")
    x[:, :, 0] = rng.random((count, length))
    rows, (first, second) = np.arange(count), rng.integers(length // 2, size=(2, count))
    second += length // 2  # one mark in each half
    x[rows, first, 1] = x[rows, second, 1] = 1
    return x, x[rows, first, 0] + x[rows, second, 0]


def draw_weights(cell, length, rng):
    """U [2, gates * UNITS], W [UNITS, gates * UNITS], b, V [UNITS, 1], its bias."""
    rotations = np.linalg.qr(rng.normal(size=(GATES[cell], UNITS, UNITS)))[0]
    # The gates that keep the state start open: their memories are 1 to `length` steps.
    keep = np.log(rng.uniform(1, length - 1, size=UNITS))
    starts = {"rnn": [0 * keep], "lstm": [-keep, keep], "gru": [keep]}[cell]
    b = np.zeros(GATES[cell] * UNITS)
    b[: UNITS * len(starts)] = np.concatenate(starts)
    U = rng.normal(size=(2, len(b))) * UNITS**-0.5
    V = rng.normal(size=(UNITS, 1)) * UNITS**-0.5
    arrays = (U, np.hstack(rotations), b, V, np.zeros(1))
    return [tf.Variable(array, dtype="float32") for array in arrays]


def rnn_step(x, s, W):
    return tf.tanh(x + s @ W)  # x: U x_t + b [batch, gates * UNITS]


def lstm_step(x, s, W):
    """The state is the answer h and, beside it, the memory c: [batch, 2 * UNITS]."""
    h, c = tf.split(s, 2, axis=1)
    put_in, forget, new, put_out = tf.split(x + h @ W, 4, axis=1)
    c = tf.sigmoid(forget) * c + tf.sigmoid(put_in) * tf.tanh(new)
    return tf.concat([tf.sigmoid(put_out) * tf.tanh(c), c], axis=1)


def gru_step(x, h, W):
    gates = tf.sigmoid(x[:, : 2 * UNITS] + h @ W[:, : 2 * UNITS])
    keep, reset = tf.split(gates, 2, axis=1)
    new = tf.tanh(x[:, 2 * UNITS :] + (reset * h) @ W[:, 2 * UNITS :])
    return keep * h + (1 - keep) * new


STEPS = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}


def answer(cell, weights, x, nudges=None):
    # nudges are added to the states: the gradient by them is the states' influence.
    U, W, b, V, b_out = weights
    from_input = tf.transpose(x, [1, 0, 2]) @ U + b  # of all steps at once
    s = tf.zeros((x.shape[0], UNITS * (2 if cell == "lstm" else 1)))
    for t in tf.range(x.shape[1]):
        s = STEPS[cell](from_input[t], s, W)
        if nudges is not None:
            s += nudges[t]
    return (s[:, :UNITS] @ V + b_out)[:, 0]


def by_keras(cell, weights, x):
    kind = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}[cell]
    layer = kind(UNITS, **({"reset_after": False} if cell == "gru" else {}))
    model = keras.Sequential([keras.Input(x.shape[1:]), layer, layers.Dense(1)])
    model.set_weights([variable.numpy() for variable in weights])
    return model(x)[:, 0]


def train(run, cell, length):
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
        count = run.pick(UPDATES, 2)
        rng = np.random.default_rng([run.seed, epoch, length])
        x, target = adding(rng, count * BATCH_SIZE, length)
        x = x.reshape(count, BATCH_SIZE, length, 2)
        return {"error": updates(x, target.reshape(count, BATCH_SIZE))}

    changed = weights + optimizer.variables
    run.train(one_epoch, changed, run.length(EPOCHS), f"{cell}_{length}")
    return weights


def influence(cell, weights, x):
    nudges = tf.zeros((x.shape[1], x.shape[0], UNITS * (2 if cell == "lstm" else 1)))
    with tf.GradientTape() as tape:
        tape.watch(nudges)
        total = tf.reduce_sum(answer(cell, weights, x, nudges))
    slopes = tape.gradient(total, nudges).numpy().astype("float64")  # squares are tiny
    sizes = np.linalg.norm(slopes, axis=2).mean(axis=1)
    return np.maximum(sizes, np.finfo("float32").tiny) / sizes[-1]


def memory_figure(errors, blind, influences):
    figure, axes = plots.new_figure(1, 2, width=5)
    for cell in STEPS:
        axes[0].semilogy(*zip(*errors[cell].items(), strict=True), "o-")
        distances = np.arange(len(influences[cell]))[::-1]
        axes[1].semilogy(distances, influences[cell], label=cell.upper())
    axes[0].axhline(blind, color="grey", ls=":", label="always the mean")
    axes[0].set(xlabel="length of the sequence (steps)", ylabel="mean squared error")
    axes[1].set(xlabel="steps back in time", ylabel="influence on the answer")
    for axis in axes:
        axis.legend()
    return figure


def main(run):
    lengths = run.pick(LENGTHS, [10])
    count = run.pick(TEST_SEQUENCES, 50)
    errors, influences, differences = {cell: {} for cell in STEPS}, {}, []
    for length in lengths:
        x, target = adding(np.random.default_rng([run.seed, length]), count, length)
        blind = np.mean((target - target.mean()) ** 2)
        for cell in STEPS:
            weights = train(run, cell, length)
            answers = answer(cell, weights, x)
            errors[cell][length] = np.mean((answers - target) ** 2)
            influences[cell] = influence(cell, weights, x[:100])  # kept: the longest
            differences.append(np.abs(answers - by_keras(cell, weights, x)).max())
    values = {"keras_difference": np.log10(max(differences)), "blind": blind}
    for cell in STEPS:
        solved = [n for n in lengths if errors[cell][n] < SOLVED * blind]
        values[f"{cell}_solved"] = max(solved, default=0)
        values[f"{cell}_long"] = errors[cell][lengths[-1]]
        values[f"{cell}_influence"] = np.log10(influences[cell][0])
    run.save_figure(memory_figure(errors, blind, influences), "memory")
    return {**values, "rnn_short": errors["rnn"][lengths[0]]}


MEASURES = {
    "rnn_solved": Measure("steps", "longest solved, plain RNN", "푼 길이, 단순 RNN"),
    "lstm_solved": Measure("steps", "longest solved, LSTM", "푼 길이, LSTM"),
    "gru_solved": Measure("steps", "longest solved, GRU", "푼 길이, GRU"),
    "rnn_short": Measure("", "error, shortest, RNN", "가장 짧을 때의 오차, RNN"),
    "rnn_long": Measure("", "error, longest, RNN", "가장 길 때의 오차, RNN"),
    "lstm_long": Measure("", "error, longest, LSTM", "가장 길 때의 오차, LSTM"),
    "gru_long": Measure("", "error, longest, GRU", "가장 길 때의 오차, GRU"),
    "blind": Measure("", "control: always the mean", "대조: 언제나 평균"),
    "rnn_influence": Measure("", "influence, log10, RNN", "첫 상태의 영향, 로그, RNN"),
    "lstm_influence": Measure("", "LSTM", "첫 상태의 영향, LSTM"),
    "gru_influence": Measure("", "GRU", "첫 상태의 영향, GRU"),
    "keras_difference": Measure("", "from Keras, log10", "Keras 계층과의 차이, 로그"),
}


if __name__ == "__main__":
    cli(main)
