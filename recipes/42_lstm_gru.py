"""Long memory: the plain recurrent cell, LSTM and GRU.

제목: 오래 기억하기: RNN, LSTM, GRU
Question: Over how many steps can a recurrent cell learn to remember a number?
Finding: After 800 updates, with 24 units, Keras' biases and the best of three rates, a
    plain RNN remembers over {rnn_solved} steps, an LSTM over {lstm_solved}, a GRU over
    {gru_solved}. Gates learn to remember: of 80 states, {gru_before} reach a GRU's
    answer before training (with 1 % of the last one's influence) and {gru_after} after,
    an LSTM's {lstm_before} and {lstm_after}. A plain RNN's {rnn_before} become
    {rnn_after}.
결과: 유닛 24개, Keras의 기본 편향, 세 학습률 중 가장 좋은 것으로 800번 갱신하면 단순
    RNN은 {rnn_solved}단계, LSTM은 {lstm_solved}단계, GRU는 {gru_solved}단계까지
    기억합니다. 게이트는 기억하는 법을 배웁니다. 80개 상태 중 답에 닿는 것(영향이 마지막
    상태의 1 % 초과)은 GRU에서 학습 전 {gru_before}개, 학습 뒤 {gru_after}개이고,
    LSTM에서는 {lstm_before}개와 {lstm_after}개입니다. 단순 RNN은 {rnn_before}개에서
    {rnn_after}개가 됩니다.
Lecture: 000, RNN: long-term dependency; vanishing gradient, LSTM and GRU
Changes from: 40_rnn_bptt (gated cells too; trained, on a task of the far past)
Run: python recipes/42_lstm_gru.py
Try: (1) 160 steps: which cell gives up first? (2) ReLU in the plain cell, W starting at
    the identity (3) an LSTM whose forget biases start at the length's logarithm
"""

from common import plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf
from keras import layers

LENGTHS = (10, 20, 40, 80)
RATES = (3e-3, 1e-2, 3e-2)  # each cell learns with all three, and shows its best
UNITS = 24  # of every cell
BATCH_SIZE = 50
UPDATES = 100  # per epoch, each on sequences never seen before
EPOCHS = 8
LARGEST_SLOPE = 0.1  # of one weight; larger ones are cut: they can explode
TESTED = 1_000  # to choose the rate by, and as many to test on
SOLVED = 0.1  # of the error of a blind answer
FORGOTTEN = 0.01  # of the last state's influence
CELLS = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}


def adding(rng, count, length):
    """Remember two numbers of a long sequence, say their sum (Hochreiter, 1997).

    x [count, length, 2]: a random number, and a mark, 1 at one step of each half;
    target [count]: the sum of the two marked numbers.
    """
    x = np.zeros((count, length, 2), "float32")
    x[:, :, 0] = rng.random((count, length))
    rows, (first, second) = np.arange(count), rng.integers(length // 2, size=(2, count))
    second += length // 2
    x[rows, first, 1] = x[rows, second, 1] = 1
    return x, x[rows, first, 0] + x[rows, second, 0]


def build_model(cell="lstm"):
    form = {"reset_after": False} if cell == "gru" else {}  # the first paper's
    layer = CELLS[cell](UNITS, **form)
    model = keras.Sequential([keras.Input((None, 2)), layer, layers.Dense(1)])
    model.compile("adam", loss="mse", jit_compile=False)
    return model


def start(cell, seed):
    """Keras' U [1, 2, gates * UNITS], W [1, UNITS, gates * UNITS], b, V, c."""
    keras.utils.set_random_seed(seed)
    return [np.atleast_2d(array)[None] for array in build_model(cell).get_weights()]


# x: U x_t + b, [networks, batch, gates * UNITS]; s: the state before.
def rnn_step(x, s, W):
    return tf.tanh(x + s @ W)


def lstm_step(x, s, W):
    """The state is the answer h and, beside it, the memory c: [..., 2 * UNITS]."""
    h, c = tf.split(s, 2, axis=-1)
    put_in, forget, new, put_out = tf.split(x + h @ W, 4, axis=-1)
    c = tf.sigmoid(forget) * c + tf.sigmoid(put_in) * tf.tanh(new)
    return tf.concat([tf.sigmoid(put_out) * tf.tanh(c), c], axis=-1)


def gru_step(x, h, W):
    gates = tf.sigmoid(x[..., : 2 * UNITS] + h @ W[..., : 2 * UNITS])
    keep, reset = tf.split(gates, 2, axis=-1)
    new = tf.tanh(x[..., 2 * UNITS :] + (reset * h) @ W[..., 2 * UNITS :])
    return keep * h + (1 - keep) * new


STEP = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}


def answer(cell, weights, x, states=None):
    """The networks' last answers, [networks, batch]; states: a list for theirs."""
    U, W, b, V, c = weights
    x = tf.transpose(x, [1, 0, 2])[:, None]  # [length, 1, batch, 2]
    s = tf.zeros((U.shape[0], x.shape[2], UNITS * (2 if cell == "lstm" else 1)))
    for t in tf.range(x.shape[0]):
        s = STEP[cell](x[t] @ U + b, s, W)
        if states is not None:
            states.append(s)
    return (s[..., :UNITS] @ V + c)[..., 0]


def train(run, cell, length):
    """A network for each of the rates, side by side; returns the best's weights."""
    copies = [np.repeat(array, len(RATES), axis=0) for array in start(cell, run.seed)]
    weights = [tf.Variable(array) for array in copies]
    rates = tf.constant(RATES)[:, None, None]
    optimizer = keras.optimizers.Adam(lambda: rates, clipvalue=LARGEST_SLOPE)
    optimizer.build(weights)

    @tf.function(jit_compile=not run.quick)  # compiling takes seconds, and is worth it
    def updates(x, target):
        errors = tf.zeros(len(RATES))
        for i in tf.range(x.shape[0]):
            with tf.GradientTape() as tape:
                misses = answer(cell, weights, x[i]) - target[i]
                errors = tf.reduce_mean(misses**2, axis=1)
            optimizer.apply(tape.gradient(errors, weights), weights)
        return errors  # of the last batch

    def one_epoch(epoch):
        rng = np.random.default_rng([run.seed, epoch, length])
        batches = (run.pick(UPDATES, 2), BATCH_SIZE)
        x, target = adding(rng, np.prod(batches), length)
        errors = updates(x.reshape(*batches, length, 2), target.reshape(batches))
        return {"best_error": errors.numpy().min()}

    changed = weights + optimizer.variables
    run.train(one_epoch, changed, run.length(EPOCHS), f"{cell}_{length}")
    x, target = adding(np.random.default_rng([run.seed, length]), TESTED, length)
    errors = np.mean((answer(cell, weights, x) - target) ** 2, axis=1)
    return [weight.numpy()[[errors.argmin()]] for weight in weights]


def influence(cell, weights, x):
    """Of each state on the last answer, relative to the last state's: [length]."""
    weights, states = [tf.constant(array) for array in weights], []
    with tf.GradientTape() as tape:
        tape.watch(weights)
        answers = answer(cell, weights, x, states)
    slopes = np.array(tape.gradient(answers, states), "float64")  # squares are tiny
    sizes = np.linalg.norm(slopes, axis=3).mean(axis=(1, 2))
    return np.maximum(sizes, np.finfo("float32").tiny) / sizes[-1]


def memory_figure(errors, blind, curves):
    figure, (left, right) = plots.new_figure(1, 2, width=5)
    for index, cell in enumerate(CELLS):
        points = zip(*errors[cell].items(), strict=True)
        left.semilogy(*points, "o-", label=cell.upper())
        for curve, style in zip(curves[cell], (":", "-"), strict=True):
            right.semilogy(curve[::-1], style, color=f"C{index}")
    left.axhline(blind, color="grey", ls=":", label="always the mean")
    left.set(xlabel="length of the sequence (steps)", ylabel="mean squared error")
    left.legend(fontsize="small")
    right.axhline(FORGOTTEN, color="grey", ls=":")
    right.set(xlabel="steps back in time", ylabel="influence on the answer")
    right.set_title("80 steps; solid: trained, dotted: before")
    return figure


def main(run):
    errors, curves, values = {}, {}, {}
    for cell in CELLS:
        errors[cell] = {}
        for length in run.pick(LENGTHS, LENGTHS[:1]):
            weights = train(run, cell, length)
            rng = np.random.default_rng([run.seed, length, 1])
            x, target = adding(rng, TESTED, length)
            errors[cell][length] = np.mean((answer(cell, weights, x) - target) ** 2)
        both = start(cell, run.seed), weights  # of the longest sequences
        curves[cell] = [influence(cell, of_one, x[:100]) for of_one in both]
    blind = np.var(target)
    run.save_figure(memory_figure(errors, blind, curves), "memory")
    for cell, of_cell in errors.items():
        solved = [length for length in of_cell if of_cell[length] < SOLVED * blind]
        values[f"{cell}_solved"] = max(solved, default=0)
        for part, curve in zip(("before", "after"), curves[cell], strict=True):
            values[f"{cell}_{part}"] = np.sum(curve > FORGOTTEN)
    return {**values, "gates_gain": values["lstm_solved"] - values["rnn_solved"]}


MEASURES = {
    f"{cell}_{part}": Measure("", f"{name}: {english}", f"{name}: {korean}")
    for cell, name in {"rnn": "plain RNN", "lstm": "LSTM", "gru": "GRU"}.items()
    for part, english, korean in (
        ("solved", "steps remembered over", "기억한 단계 수"),
        ("before", "states that reach the answer", "답에 닿는 상태의 수"),
        ("after", "the same after 80 steps' training", "80단계를 학습한 뒤"),
    )
} | {"gates_gain": Measure("", "steps, LSTM - RNN", "단계 수, LSTM 빼기 RNN", True)}


if __name__ == "__main__":
    cli(main)
