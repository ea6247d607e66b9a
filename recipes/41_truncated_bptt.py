"""Truncated back-propagation through time: how far back must an error go?

제목: 단기 BPTT: 오차를 몇 단계까지 거슬러 보낼까
Question: What can a recurrent network learn if errors go only a few steps back?
Finding: Echoes of as many steps, and a few more now and then. With errors that go 4
    steps back, the longest echo learned is {reach_4} ago, and of 8 steps ago {far_4} of
    the bits are right, where guessing gets {chance}; all the way back it is {far_all}.
    In return the walk keeps {states_4} states, not {states_all}.
결과: 거슬러 가는 단계 수만큼의 메아리까지이고, 가끔 조금 더 먼 것도 배웁니다. 오차를
    4단계까지 보내면 {reach_4} 전의 메아리까지 배우며, 8단계 전의 비트는 {far_4}만
    맞힙니다(찍으면 {chance}). 끝까지 보내면 {far_all}입니다. 대신 저장하는 상태는
    {states_all}개가 아니라 {states_4}개입니다.
Lecture: 000, truncated BPTT
Changes from: 40_rnn_bptt (the walk back stops after some steps; networks are trained)
Run: python recipes/41_truncated_bptt.py
Try: (1) one network with an output for every echo: why does its reach grow?
    (2) echoes of 12 and 16 steps (3) 0 steps back: why further than 1?
"""

from common import plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf

STEPS = 24  # per sequence
STEPS_BACK = [1, 2, 4, 6, 8, STEPS - 1]  # the lecture's example is 4; last: all
ECHOES = [1, 2, 4, 6, 8]  # one network each: say the bit heard so many steps ago
LEARNED = 95  # percent right
UNITS = 32
START_SCALE = 0.6  # W starts as a random rotation times this, so that it forgets
BATCH_SIZE = 32
UPDATES = 100  # per epoch, each on sequences never seen before
EPOCHS = 8
LEARNING_RATE = 3e-3


def draw_weights(rng):
    """U [echoes, 1, units], W [echoes, units, units], b [echoes, 1, units],
    V [echoes, units, 1] and its bias [echoes, 1, 1] of networks that start alike."""
    rotation, _ = np.linalg.qr(rng.normal(size=(UNITS, UNITS)))
    U, V = 0.5 * rng.normal(size=(1, UNITS)), rng.normal(size=(UNITS, 1)) / UNITS**0.5
    one = [U, START_SCALE * rotation, np.zeros((1, UNITS)), V, np.zeros((1, 1))]
    return [np.stack([array] * len(ECHOES)) for array in one]


def echo_task(rng, count):
    """Random bits to be said again, some steps late.

    x [STEPS, 1, count, 1]: -1 or 1; targets [STEPS, echoes, count, 1]: 0 or 1, and -1
    where the bit asked for lies before the beginning.
    """
    bits = rng.integers(2, size=(STEPS, count, 1))
    targets = np.full((STEPS, len(ECHOES), count, 1), -1)
    for index, echo in enumerate(ECHOES):
        targets[echo:, index] = bits[:-echo]
    return 2.0 * bits[:, None] - 1, targets


def forward(weights, x):
    """s [1 + STEPS, echoes, count, units] with s[0] = 0, and the answers o."""
    U, W, b, V, c = weights
    s = [tf.zeros((len(ECHOES), x.shape[2], UNITS), W.dtype)]
    for t in range(STEPS):
        s.append(tf.tanh(x[t] @ U + s[-1] @ W + b))
    s = tf.stack(s)
    return s, s[1:] @ V + c


def gradients(weights, x, targets, steps_back):
    """Of the cross-entropy: an error reaches the states up to `steps_back` before it.

    dE_t/dW is a sum of products, product k going back over k states (recipe 40); here
    all errors E_t take their k-th step at once. k = 0 ... STEPS - 1 is the whole sum.
    """
    _, W, _, V, _ = weights
    s, o = forward(weights, x)
    asked = tf.cast(targets >= 0, W.dtype)
    do = (tf.sigmoid(o) - tf.cast(targets, W.dtype)) * asked
    do /= tf.reduce_sum(asked, [0, 2, 3], keepdims=True)  # each network's mean
    dV = tf.einsum("tebn,tebo->eno", s[1:], do)
    dc = tf.reduce_sum(do, 0)
    dU, dW, db = tf.zeros_like(weights[0]), tf.zeros_like(W), tf.zeros_like(weights[2])
    ds = do @ tf.linalg.matrix_transpose(V)  # ds[t] is of the state after t + 1 steps
    for k in range(steps_back + 1):
        last = STEPS - k
        dz = ds * (1 - s[1 : 1 + last] ** 2)
        dU += tf.einsum("tbi,tebn->ein", x[:last, 0], dz)
        dW += tf.einsum("tebm,tebn->emn", s[:last], dz)
        db += tf.reduce_sum(dz, [0, 2])[:, None]
        ds = (dz @ tf.linalg.matrix_transpose(W))[1:]  # of the state one step earlier
    return [dU, dW, db, dV, tf.reduce_sum(dc, 1, keepdims=True)]


def accuracies(weights, x, targets):
    _, o = forward(weights, x)
    right = (o.numpy() > 0) == (targets == 1)
    return 100 * np.average(right, axis=(0, 2, 3), weights=targets >= 0)


def train(run, steps_back):
    start = draw_weights(np.random.default_rng(run.seed))
    weights = [tf.Variable(array.astype("float32")) for array in start]
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(weights)

    # Operations as small as these gain from XLA, whose compiling takes seconds.
    @tf.function(jit_compile=not run.quick)
    def updates(x, targets):
        for i in tf.range(x.shape[0]):
            found = gradients(weights, x[i], targets[i], steps_back)
            optimizer.apply_gradients(zip(found, weights, strict=True))

    def one_epoch(epoch):
        rng = np.random.default_rng([run.seed, epoch])
        drawn = [echo_task(rng, BATCH_SIZE) for _ in range(run.pick(UPDATES, 2))]
        x, targets = map(np.array, zip(*drawn, strict=True))
        updates(tf.constant(x, tf.float32), tf.constant(targets))
        right = accuracies(weights, tf.constant(x[-1], tf.float32), targets[-1])
        return {f"echo_{echo}": r for echo, r in zip(ECHOES, right, strict=True)}

    changed = weights + optimizer.variables
    run.train(one_epoch, changed, run.length(EPOCHS), f"back_{steps_back}")
    return weights


def steps_walked(steps_back):
    return sum(STEPS - k for k in range(steps_back + 1))


def reach_figure(quality):
    figure, axes = plots.new_figure(1, 2, width=4.8)
    places = np.arange(len(quality))
    grid = np.array(list(quality.values())).T
    image = axes[0].imshow(grid, vmin=50, vmax=100, origin="lower", aspect="auto")
    figure.colorbar(image, ax=axes[0], label="bits right (%)")
    axes[0].grid(False)
    axes[0].set_yticks(range(len(ECHOES)), ECHOES)
    axes[0].set(title="quality (guessing: 50 %)", ylabel="echo of so many steps ago")
    axes[1].plot(places, [back + 1 for back in quality], "o-", label="states kept")
    walked = [steps_walked(back) for back in quality]
    axes[1].plot(places, walked, "o-", label="steps walked, each error alone")
    axes[1].axhline(STEPS, color="grey", ls=":", label="steps walked, errors together")
    axes[1].legend()
    for axis in axes:
        axis.set_xticks(places, [*list(quality)[:-1], "all"])
        axis.set_xlabel("steps that an error goes back")
    return figure


def main(run):
    rng = np.random.default_rng([run.seed, 0, 1])  # sequences to test on
    x, targets = echo_task(rng, run.pick(500, 20))
    x = tf.constant(x, tf.float32)
    whole_walk = STEPS - 1
    quality, reach = {}, {}
    for steps_back in run.pick(STEPS_BACK, [1, 4, whole_walk]):
        weights = train(run, steps_back)
        quality[steps_back] = accuracies(weights, x, targets)
        failed = [*(quality[steps_back] < LEARNED), True].index(True)
        reach[steps_back] = [0, *ECHOES][failed]  # up to here, every echo is learned
    run.save_figure(reach_figure(quality), "reach")
    ones = np.mean(targets[ECHOES[-1] :, -1])
    return {
        "reach_1": reach[1],
        "reach_4": reach[4],
        "reach_all": reach[whole_walk],
        "far_4": quality[4][-1],
        "far_all": quality[whole_walk][-1],
        "chance": 100 * max(ones, 1 - ones),
        "states_4": 4 + 1,
        "states_all": STEPS,
        "walks_4": steps_walked(4),
        "walks_all": steps_walked(whole_walk),
        "walks_shared": STEPS,
    }


MEASURES = {
    "reach_1": Measure(
        "steps", "longest echo learned, 1 step back", "1단계로 배운 거리"
    ),
    "reach_4": Measure("steps", "4 steps back", "4단계로 배운 거리"),
    "reach_all": Measure("steps", "control: all the way", "대조: 끝까지"),
    "far_4": Measure("%", "echo of 8 steps ago, 4 back", "8단계 전의 메아리, 4단계"),
    "far_all": Measure("%", "control: all the way", "대조: 끝까지"),
    "chance": Measure("%", "control: the commoner bit", "대조: 더 흔한 비트"),
    "states_4": Measure("", "states kept, 4 steps back", "저장하는 상태, 4단계"),
    "states_all": Measure("", "states kept, all the way", "저장하는 상태, 끝까지"),
    "walks_4": Measure(
        "", "steps walked, each error 4 back", "거슬러 간 단계, 4단계씩"
    ),
    "walks_all": Measure("", "each error all the way", "오차마다 끝까지"),
    "walks_shared": Measure("", "control: one shared walk", "대조: 한 번에 함께"),
}


if __name__ == "__main__":
    cli(main)
