"""Truncated back-propagation through time: how far back must an error go?

제목: 단기 BPTT: 오차를 몇 단계까지 거슬러 보낼까
Question: What can a recurrent network learn if errors stop at the border of a chunk?
Finding: What lies within a chunk, and what W happens to remember untaught: with chunks
    of 5 steps every echo up to {reach_5} is learned, with 9 up to {reach_9}, without
    borders up to {reach_all}. Of the bits of 8 steps ago, chunks of 5 get {far_5} right
    (guessing: {chance}) and chunks of 9 {far_9}: cutting makes long sequences
    affordable and gives up what lies further back, {far_loss}.
결과: 한 덩어리 안에 드는 것, 그리고 W가 배우지 않고도 기억하는 것까지입니다. 5단계씩
    끊으면 {reach_5} 전까지의 메아리를 모두 배우고, 9단계씩이면 {reach_9}, 끊지 않으면
    {reach_all}까지 배웁니다. 8단계 전의 비트는 5단계씩 끊으면 {far_5}(찍으면
    {chance}), 9단계씩이면 {far_9} 맞힙니다. 끊으면 긴 수열도 감당할 수 있지만, 더 먼
    과거는 포기하는 것입니다({far_loss}).
Lecture: 000, truncated BPTT
Changes from: 40_rnn_bptt (the walk back stops where a chunk begins; networks learn)
Run: python recipes/41_truncated_bptt.py
Try: (1) echoes of 12 and 16 steps (2) START_SCALE 1: what does a W that forgets slowly
    remember without being taught? (3) chunks that begin at a random step each time
"""

from common import plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf

STEPS = 36  # of a sequence
CHUNKS = (1, 3, 5, 9, 13, STEPS)  # in a chunk of 5 errors go up to 4 back, the slide's
ECHOES = (2, 4, 8, 12)  # the task: say the bit heard so many steps ago
FAR = 8  # the echo that is followed by epoch
LEARNED = 95  # percent right
UNITS = 32
START_SCALE = 0.6  # W starts as a rotation times this, so that untaught it forgets
BATCH_SIZE = 32
UPDATES = 100  # per epoch, each on sequences never seen before
EPOCHS = 8
LEARNING_RATE = 3e-3

# One network for each chunk and echo; all learn side by side, as one batch of matrices.
NETWORKS = [(chunk, echo) for chunk in CHUNKS for echo in ECHOES]


def draw_weights(rng):
    """U [networks, 1, units], W [networks, units, units], b, V [networks, units, 1], c.

    All networks start alike.
    """
    rotation, _ = np.linalg.qr(rng.normal(size=(UNITS, UNITS)))
    U, V = 0.5 * rng.normal(size=(1, UNITS)), rng.normal(size=(UNITS, 1)) / UNITS**0.5
    one = [U, START_SCALE * rotation, np.zeros((1, UNITS)), V, np.zeros((1, 1))]
    return [np.stack([array] * len(NETWORKS)).astype("float32") for array in one]


def echo_task(rng, count):
    """Random bits to be said again, some steps late.

    x [STEPS, 1, count, 1]: -1 or 1; targets [STEPS, networks, count, 1]: 0 or 1, and -1
    where the bit asked for lies before the beginning.
    """
    bits = rng.integers(2, size=(STEPS, count, 1))
    targets = np.full((STEPS, len(NETWORKS), count, 1), -1)
    for index, (_, echo) in enumerate(NETWORKS):
        targets[echo:, index] = bits[:-echo]
    return (2.0 * bits[:, None] - 1).astype("float32"), targets


def forward(weights, x):
    """The answers, as logits: [STEPS, networks, count, 1].

    Each network carries its state from chunk to chunk, and errors do not: the gradient
    is the sum of those of the chunks, which can be taken one after the other, with only
    one chunk's states kept. Forward, nothing changes.
    """
    U, W, b, V, c = weights
    chunks = np.array([chunk for chunk, _ in NETWORKS])[:, None, None]
    s, answers = tf.zeros((len(NETWORKS), x.shape[2], UNITS)), []
    for t in range(STEPS):
        s = tf.where(t % chunks == 0, tf.stop_gradient(s), s)  # here a chunk begins
        s = tf.tanh(x[t] @ U + s @ W + b)
        answers.append(s @ V + c)
    return tf.stack(answers)


def errors(weights, x, targets):
    """The cross-entropy of each network, mean of the bits asked for: [networks]."""
    asked = tf.cast(targets >= 0, "float32")
    bits = tf.cast(targets, "float32")
    each = tf.nn.sigmoid_cross_entropy_with_logits(bits, forward(weights, x))
    total = tf.reduce_sum(asked * each, [0, 2, 3])
    return total / tf.reduce_sum(asked, [0, 2, 3])


def accuracies(weights, x, targets):
    """Percent of the bits said right: [networks]."""
    right = (forward(weights, x).numpy() > 0) == (targets == 1)
    return 100 * np.average(right, axis=(0, 2, 3), weights=targets >= 0)


def train(run):
    """Train all networks on the same sequences; returns their weights."""
    start = draw_weights(np.random.default_rng(run.seed))
    weights = [tf.Variable(array) for array in start]
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(weights)

    # Operations as small as these gain from XLA, whose compiling takes seconds.
    @tf.function(jit_compile=not run.quick)
    def updates(x, targets):
        for i in tf.range(x.shape[0]):
            with tf.GradientTape() as tape:
                value = tf.reduce_sum(errors(weights, x[i], targets[i]))
            gradients = tape.gradient(value, weights)
            optimizer.apply_gradients(zip(gradients, weights, strict=True))

    def one_epoch(epoch):
        rng = np.random.default_rng([run.seed, epoch])
        drawn = [echo_task(rng, BATCH_SIZE) for _ in range(run.pick(UPDATES, 2))]
        x, targets = map(np.array, zip(*drawn, strict=True))
        updates(tf.constant(x), tf.constant(targets))
        right = zip(NETWORKS, accuracies(weights, x[-1], targets[-1]), strict=True)
        return {
            f"chunk_{chunk}": found for (chunk, echo), found in right if echo == FAR
        }

    changed = weights + optimizer.variables
    run.train(one_epoch, changed, run.length(EPOCHS))
    return weights


def reach_figure(quality):
    """What is learned, by chunk and echo. quality: [chunks, echoes] in percent."""
    figure, axis = plots.new_figure(width=5.2, height=3.6)
    image = axis.imshow(quality.T, vmin=50, vmax=100, origin="lower", aspect="auto")
    figure.colorbar(image, ax=axis, label="bits right (%), 50: guessing")
    for (column, row), right in np.ndenumerate(quality):
        color = "black" if right > 80 else "white"
        axis.text(column, row, f"{right:.0f}", ha="center", va="center", color=color)
    axis.grid(False)
    axis.set_xticks(range(len(CHUNKS)), [*CHUNKS[:-1], f"all {STEPS}"])
    axis.set_yticks(range(len(ECHOES)), ECHOES)
    axis.set(xlabel="steps of a chunk, at whose border errors stop")
    axis.set_ylabel("echo of so many steps ago")
    axis.set_title("learned where the chunk is longer than the echo")
    return figure


def main(run):
    weights = train(run)
    rng = np.random.default_rng([run.seed, 0, 1])  # sequences to test on
    x, targets = echo_task(rng, run.pick(500, 20))
    right = accuracies(weights, x, targets)
    run.save_figure(reach_figure(right.reshape(len(CHUNKS), len(ECHOES))), "reach")
    quality = dict(zip(NETWORKS, right, strict=True))
    values = {}
    for chunk in (1, 5, 9, STEPS):
        failed = [quality[chunk, echo] < LEARNED for echo in ECHOES]
        name = "all" if chunk == STEPS else chunk
        values[f"reach_{name}"] = [0, *ECHOES][[*failed, True].index(True)]
        values[f"far_{name}"] = quality[chunk, FAR]
    ones = np.mean(targets[FAR:, NETWORKS.index((STEPS, FAR))])
    return {
        **values,
        "far_loss": quality[5, FAR] - quality[STEPS, FAR],
        "chance": 100 * max(ones, 1 - ones),
    }


MEASURES = {
    "reach_1": Measure("steps", "every echo up to, chunk of 1", "배운 거리, 1단계씩"),
    "reach_5": Measure("steps", "every echo up to, chunk of 5", "배운 거리, 5단계씩"),
    "reach_9": Measure("steps", "every echo up to, chunk of 9", "배운 거리, 9단계씩"),
    "reach_all": Measure("steps", "control: no borders", "대조: 끊지 않음"),
    "far_1": Measure("%", "echo of 8 steps ago, chunk of 1", "8단계 전, 1단계씩"),
    "far_5": Measure("%", "echo of 8 steps ago, chunk of 5", "8단계 전, 5단계씩"),
    "far_9": Measure("%", "echo of 8 steps ago, chunk of 9", "8단계 전, 9단계씩"),
    "far_all": Measure("%", "control: no borders", "대조: 끊지 않음"),
    "far_loss": Measure(
        "pp", "chunk of 5 - no borders", "5단계씩 빼기 끊지 않음", True
    ),
    "chance": Measure("%", "control: always the commoner bit", "대조: 늘 더 흔한 비트"),
}


if __name__ == "__main__":
    cli(main)
