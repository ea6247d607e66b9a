"""Back-propagation through time, written out.

제목: 시간을 거슬러 올라가는 역전파 (BPTT)
Question: How much does a step of the past influence the error of a recurrent network?
Finding: By a factor for every step back, and W decides whether it shrinks or grows:
    over 99 steps of tanh the influence is 10 to the power {log10_tanh_one} where W is a
    rotation, as Keras starts it, {log10_tanh_half} at half of that, and at three times
    it explodes, {log10_tanh_three}. The turn is at {tanh_turn} times a rotation for
    tanh and at {relu_turn} for ReLU.
결과: 한 단계 거슬러 갈 때마다 일정한 비율로 달라지며, 줄지 커질지는 W가 정합니다.
    tanh로 99단계를 거슬러 간 영향은 W가 Keras의 시작값처럼 회전 행렬이면 10의
    {log10_tanh_one}제곱, 그 절반이면 {log10_tanh_half}제곱으로 사라지지만, 3배이면
    {log10_tanh_three}제곱으로 폭발합니다. 갈림길은 tanh에서 회전 행렬의
    {tanh_turn}배, ReLU에서 {relu_turn}배입니다.
Lecture: 000, RNN: concept, forward, backpropagation through time
Changes from: 10_backpropagation (one weight matrix W shared by all steps);
    15_vanishing_influence (distance in time in the place of depth)
Run: python recipes/40_rnn_bptt.py
Try: (1) a louder input, INPUT_SCALE 1: why does tanh forget faster? (2) 20 steps: does
    the turn move? (3) random W in the place of rotations
"""

from common import plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf
from keras import layers

WORDS = 10  # inputs and targets are one-hot, as the lecture's d_3 is
HIDDEN = 64
SLIDE_STEP = 3  # the step whose error the slide takes apart
TOLERANCE = 1e-9  # relative difference of two gradients that are the same
STEPS = 100
SEQUENCES = 20  # over which the influence is averaged, each with weights of its own
INPUT_SCALE = 0.3  # deviation of U
SCALES = (0.5, 0.7, 1.0, 1.2, 2**0.5, 1.7, 2.0, 2.5, 3.0)  # W: a rotation times this

F = {"tanh": np.tanh, "ReLU": lambda z: np.maximum(z, 0)}
SLOPE = {"tanh": lambda s: 1 - s**2, "ReLU": lambda s: 1.0 * (s > 0)}  # where f is s


def draw_weights(rng, scale=1.0):
    """U [hidden, words], W [hidden, hidden], V [words, hidden]."""
    rotation, _ = np.linalg.qr(rng.normal(size=(HIDDEN, HIDDEN)))
    U = INPUT_SCALE * rng.normal(size=(HIDDEN, WORDS))
    return U, scale * rotation, rng.normal(size=(WORDS, HIDDEN)) / HIDDEN**0.5


def draw_words(rng, steps):
    return np.eye(WORDS)[rng.integers(WORDS, size=steps)]


def forward(weights, x, start, f="tanh"):
    """s_t = f(U x_t + W s_t-1), o_t = V s_t, y_t = softmax(o_t).

    x: [steps, words]; start: s_0 [hidden]. Returns s [1 + steps, hidden], where s[t]
    is the state after t steps, and y [steps, words], where y[t - 1] is said in step t.
    """
    U, W, V = weights
    s = [start]
    for x_t in x:
        s.append(F[f](U @ x_t + W @ s[-1]))
    s = np.array(s)
    o = s[1:] @ V.T
    y = np.exp(o - o.max(axis=1, keepdims=True))
    return s, y / y.sum(axis=1, keepdims=True)


def backward(weights, x, d, start):
    """dE/dU, dE/dW, dE/dV of a tanh network, walking back through time.

    E: the cross-entropy -d ln y, summed over the steps. d: targets [steps, words].
    """
    U, W, V = weights
    s, y = forward(weights, x, start)
    dU, dW, dV = np.zeros_like(U), np.zeros_like(W), np.zeros_like(V)
    from_later = np.zeros(HIDDEN)  # dE/ds_t by way of s_t+1
    for t in range(len(x), 0, -1):
        do = y[t - 1] - d[t - 1]  # of softmax with cross-entropy
        dz = (V.T @ do + from_later) * SLOPE["tanh"](s[t])
        dV += np.outer(do, s[t])
        dU += np.outer(dz, x[t - 1])
        dW += np.outer(dz, s[t - 1])
        from_later = W.T @ dz
    return dU, dW, dV


def paths(W, s, ds, f="tanh"):
    """The products whose sum is dE_t/dW, for the error of the last step only.

    s: the states [1 + t, hidden]; ds: dE_t/ds_t. Product k goes back over k states and
    ends at W's own part in s_t-k. Returns the products [t, hidden, hidden], and the
    influence by distance [t]: |dE_t/ds_t-k| over |dE_t/ds_t|.
    """
    products, sizes = [], []
    for t in range(len(s) - 1, 0, -1):
        sizes.append(np.linalg.norm(ds))
        dz = ds * SLOPE[f](s[t])
        products.append(np.outer(dz, s[t - 1]))
        ds = W.T @ dz  # one more factor, the derivative of s_t by s_t-1
    return np.array(products), np.array(sizes) / sizes[0]


def by_keras(weights, x, d, start):
    """The same gradients as Keras and GradientTape compute them."""
    settings = {"use_bias": False, "dtype": "float64"}
    inputs, first = (keras.Input(a.shape, dtype="float64") for a in (x, start))
    hidden = layers.SimpleRNN(HIDDEN, return_sequences=True, **settings)
    output = layers.Dense(WORDS, activation="softmax", **settings)
    model = keras.Model([inputs, first], output(hidden(inputs, initial_state=first)))
    model.set_weights([matrix.T for matrix in weights])
    with tf.GradientTape() as tape:
        E = -tf.reduce_sum(d * tf.math.log(model([x[None], start[None]])))
    gradients = tape.gradient(E, model.trainable_variables)
    return [gradient.numpy().T for gradient in gradients]


def relative_error(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def average_influence(rng, scale, f):
    """Of a state on an error k steps later, log10, mean over sequences: [STEPS]."""
    logs = []
    for _ in range(SEQUENCES):
        weights, error = draw_weights(rng, scale), rng.normal(size=HIDDEN)
        s, _ = forward(weights, draw_words(rng, STEPS), np.zeros(HIDDEN), f)
        logs.append(np.log10(paths(weights[1], s, error, f)[1]))
    return np.mean(logs, axis=0)


def influence_figure(logs):
    figure, (curves, ends) = plots.new_figure(1, 2, width=5)
    for scale in (3.0, 1.0, 0.5):
        curves.plot(logs["tanh"][scale], label=f"W = {scale:g} x rotation")
    curves.set(xlabel="steps back in time", ylabel="influence on the error, log10")
    curves.set_title("tanh: a factor for every step back")
    curves.legend()
    for f, of_f in logs.items():
        ends.plot(SCALES, [of_f[scale][-1] for scale in SCALES], "o-", label=f)
    ends.axhline(0, color="grey", ls=":")
    ends.set(xlabel="W = this x rotation", ylabel=f"over {STEPS - 1} steps, log10")
    ends.set_title("above 0 it explodes, below it vanishes")
    ends.legend()
    return figure


def main(run):
    rng = np.random.default_rng(run.seed)
    weights, start = draw_weights(rng), rng.uniform(-1, 1, size=HIDDEN)
    x, d = draw_words(rng, STEPS), draw_words(rng, STEPS)
    ways = (way(weights, x, d, start) for way in (backward, by_keras))
    differences = map(relative_error, *ways)

    # Of the slide's step alone: how many products, shortest first, make up dE_t/dW?
    _, W, V = weights
    x, d = x[:SLIDE_STEP], d[:SLIDE_STEP] * np.eye(SLIDE_STEP)[-1][:, None]
    s, y = forward(weights, x, start)
    products, _ = paths(W, s, V.T @ (y[-1] - d[-1]))
    whole = by_keras(weights, x, d, start)[1]
    errors = [relative_error(part, whole) for part in products.cumsum(axis=0)]

    logs = {f: {c: average_influence(rng, c, f) for c in SCALES} for f in F}
    run.save_figure(influence_figure(logs), "influence")
    ends = {f: [by_scale[c][-1] for c in SCALES] for f, by_scale in logs.items()}
    return {
        "paths_to_w": 1 + np.sum(np.array(errors) > TOLERANCE),
        "longest_path_error": 100 * relative_error(products[-1], whole),
        "log10_tanh_half": logs["tanh"][0.5][-1],
        "log10_tanh_one": logs["tanh"][1.0][-1],
        "log10_tanh_three": logs["tanh"][3.0][-1],
        "tanh_turn": np.interp(0, ends["tanh"], SCALES),  # where the influence stays 1
        "relu_turn": np.interp(0, ends["ReLU"], SCALES),
        "log10_tape": np.log10(max(differences)),
    }


MEASURES = {
    "paths_to_w": Measure("", "products that sum to dE_3/dW", "dE_3/dW를 이루는 곱"),
    "longest_path_error": Measure("%", "error of the longest", "가장 긴 곱만의 오차"),
    "log10_tanh_half": Measure(
        "", "over 99 steps, W 0.5, log10", "99단계, W 0.5배, 로그"
    ),
    "log10_tanh_one": Measure("", "the same, W a rotation", "W가 회전 행렬"),
    "log10_tanh_three": Measure("", "the same, W 3 times it", "W 3배"),
    "tanh_turn": Measure("", "W where tanh turns to exploding", "tanh의 갈림길"),
    "relu_turn": Measure("", "control: W where ReLU turns", "대조: ReLU의 갈림길"),
    "log10_tape": Measure(
        "", "by hand and by Keras' tape, log10", "Keras와의 차이, 로그"
    ),
}


if __name__ == "__main__":
    cli(main)
