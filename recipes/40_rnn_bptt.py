"""Back-propagation through time, written out.

제목: 시간을 거슬러 올라가는 역전파 (BPTT)
Question: How much does a step of the past influence the error of a recurrent network?
Finding: By a factor for every step back: over 99 steps of tanh the influence is 10 to
    the power {log10_tanh_half} where W is a rotation times 0.5, {log10_tanh_one} at 1,
    and at 3 it explodes, {log10_tanh_three}; ReLU at the root of 2 keeps it near 1
    ({log10_relu}). The gradient of step 3 is a sum of {paths_to_w} products; the
    longest one, which the slide prints, is {longest_path_error} away from it.
결과: 한 단계 거슬러 갈 때마다 일정한 비율로 달라집니다. tanh로 99단계를 거슬러 가면 W가
    회전 행렬의 0.5배일 때 10의 {log10_tanh_half}제곱, 1배이면 {log10_tanh_one}제곱이고,
    3배이면 {log10_tanh_three}제곱으로 폭발합니다. 2의 제곱근을 곱한 ReLU에서는 1에
    가깝게 남습니다({log10_relu}제곱). 3단계의 기울기는 곱 {paths_to_w}개의 합이며,
    슬라이드에 적힌 가장 긴 곱 하나만으로는 {longest_path_error}의 차이가 납니다.
Lecture: 000, RNN: concept, forward, backpropagation through time
Changes from: 10_backpropagation (one weight matrix W shared by all steps);
    15_vanishing_influence (distance in time in the place of depth)
Run: python recipes/40_rnn_bptt.py
Try: (1) scale W by 1.5: how far back does the error reach? (2) a louder input,
    INPUT_SCALE 1: why does tanh forget faster? (3) ReLU with W scaled by 2
"""

from common import plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf
from keras import layers

WORDS = 10  # inputs and targets are one-hot, as the lecture's d_3 is
HIDDEN = 64
STEPS = 100
SEQUENCES = 20  # over which the influence is averaged
INPUT_SCALE = 0.3  # deviation of U
NETWORKS = {  # W is a random rotation times the number
    "tanh_half": ("tanh", 0.5),
    "tanh_one": ("tanh", 1.0),
    "tanh_three": ("tanh", 3.0),
    "relu": ("relu", 2**0.5),  # half of the ReLUs are off: He's factor
}


def draw_weights(rng, scale=1.0):
    """U [hidden, words], W [hidden, hidden], V [words, hidden]."""
    rotation, _ = np.linalg.qr(rng.normal(size=(HIDDEN, HIDDEN)))
    U = INPUT_SCALE * rng.normal(size=(HIDDEN, WORDS))
    return U, scale * rotation, rng.normal(size=(WORDS, HIDDEN)) / HIDDEN**0.5


def draw_words(rng, steps):
    """A random sequence of one-hot words [steps, words]."""
    return np.eye(WORDS)[rng.integers(WORDS, size=steps)]


# f, and its derivative where its value is s.
F = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}
SLOPE = {"tanh": lambda s: 1 - s**2, "relu": lambda s: 1.0 * (s > 0)}


def forward(weights, x, start, activation="tanh"):
    """s_t = f(U x_t + W s_t-1), o_t = V s_t, y_t = softmax(o_t).

    x: [steps, words]; start: s_0 [hidden]. Returns s [1 + steps, hidden], where s[t]
    is the state after t steps, and y [steps, words], where y[t - 1] is said in step t.
    """
    U, W, V = weights
    s = [start]
    for x_t in x:
        s.append(F[activation](U @ x_t + W @ s[-1]))
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


def paths(weights, x, d_last, start, activation="tanh"):
    """The products whose sum is dE_t/dW, for the error of the last step only.

    Product k goes back over k states and ends at W's own part in s_t-k. Returns them,
    [t, hidden, hidden], and the influence by distance, |dE_t/ds_t-k| over |dE_t/ds_t|.
    """
    _, W, V = weights
    s, y = forward(weights, x, start, activation)
    ds = V.T @ (y[-1] - d_last)
    products, sizes = [], []
    for t in range(len(x), 0, -1):
        sizes.append(np.linalg.norm(ds))
        dz = ds * SLOPE[activation](s[t])
        products.append(np.outer(dz, s[t - 1]))
        ds = W.T @ dz  # one more factor, the derivative of s_t by s_t-1
    return np.array(products), np.array(sizes) / sizes[0]


def by_keras(weights, x, d):
    """y and the gradients of E as Keras and GradientTape compute them, s_0 = 0."""
    settings = {"use_bias": False, "dtype": "float64"}
    hidden = layers.SimpleRNN(HIDDEN, return_sequences=True, **settings)
    output = layers.Dense(WORDS, activation="softmax", **settings)
    model = keras.Sequential([keras.Input(x.shape), hidden, output])
    model.set_weights([matrix.T for matrix in weights])
    with tf.GradientTape() as tape:
        y = model(x[None])
        value = -tf.reduce_sum(d[None] * tf.math.log(y))
    gradients = tape.gradient(value, model.trainable_variables)
    return y[0].numpy(), [gradient.numpy().T for gradient in gradients]


def relative_error(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def influence_figure(influences, missing):
    """By distance in steps: the influence, and what a shorter walk back misses."""
    figure, axes = plots.new_figure(1, 2, width=5)
    for axis, curves in zip(axes, (influences, missing), strict=True):
        for name, (activation, scale) in NETWORKS.items():
            axis.semilogy(curves[name], label=f"{activation}, W scaled by {scale:.3g}")
        axis.set_xlabel("steps back in time, k")
    axes[0].set_title("influence on the error by distance")
    axes[0].set_ylabel("|dE$_t$/ds$_{t-k}$| / |dE$_t$/ds$_t$|")
    axes[0].legend(loc="lower left")
    axes[1].set_title("if the walk back stops after k steps")
    axes[1].set(ylabel="missing part of dE$_t$/dW", ylim=(1e-8, 3))
    return figure


def main(run):
    rng = np.random.default_rng(run.seed)
    weights, silence = draw_weights(rng), np.zeros(HIDDEN)
    x, d = draw_words(rng, STEPS), draw_words(rng, STEPS)
    _, y = forward(weights, x, silence)
    y_keras, gradients_keras = by_keras(weights, x, d)
    differences = map(relative_error, backward(weights, x, d, silence), gradients_keras)
    # The lecture's third step, from a start s_0 that is not 0: else the product that
    # the slide prints would be 0, as it ends in s_0.
    products, _ = paths(weights, x[:3], d[2], rng.uniform(-1, 1, size=HIDDEN))

    influences, missing = {}, {}
    for name, (activation, scale) in NETWORKS.items():
        logs, parts = [], []
        for _ in range(SEQUENCES):
            drawn, x = draw_weights(rng, scale), draw_words(rng, STEPS)
            terms, sizes = paths(drawn, x, draw_words(rng, 1)[0], silence, activation)
            rest = terms[::-1].cumsum(axis=0)[::-1]  # rest[k]: terms k, k + 1, ...
            left = np.linalg.norm(rest, axis=(1, 2))
            logs.append(np.log10(sizes))
            parts.append(left[1:-1] / left[0])
        influences[name] = 10 ** np.mean(logs, axis=0)
        missing[name] = np.mean(parts, axis=0)
    run.save_figure(influence_figure(influences, missing), "influence")
    return {
        "paths_to_w": sum(product.any() for product in products),
        "longest_path_error": 100 * relative_error(products[-1], products.sum(axis=0)),
        "log10_tape": np.log10(max(differences)),
        "log10_forward": np.log10(relative_error(y, y_keras)),
        "influence_99": influences["tanh_half"][-1],
        **{f"log10_{name}": np.log10(influences[name][-1]) for name in NETWORKS},
    }


MEASURES = {
    "paths_to_w": Measure("", "products that sum to dE_3/dW", "dE_3/dW를 이루는 곱"),
    "longest_path_error": Measure("%", "error of the longest", "가장 긴 곱만의 오차"),
    "influence_99": Measure("", "over 99 steps, W times 0.5", "99단계의 영향, W 0.5배"),
    "log10_tanh_half": Measure("", "the same, log10", "같은 값의 상용로그"),
    "log10_tanh_one": Measure("", "W times 1, log10", "W 1배, 상용로그"),
    "log10_tanh_three": Measure("", "control: times 3", "대조: W 3배"),
    "log10_relu": Measure("", "control: ReLU, root of 2", "대조: ReLU, 2의 제곱근배"),
    "log10_tape": Measure(
        "", "by hand and by the tape, log10", "테이프와의 차이, 로그"
    ),
    "log10_forward": Measure(
        "", "y by hand and by Keras, log10", "Keras와의 차이, 로그"
    ),
}


if __name__ == "__main__":
    cli(main)
