"""XOR with deep sigmoid networks: the vanishing gradient, and when it really strikes.

제목: 깊은 시그모이드 신경망의 XOR: 사라지는 기울기
Question: Does a deep sigmoid network fail to learn XOR because its gradient vanishes?
Finding: The lecture's mostly does not fail: by step 10,001 {lab_normal_learned} of the
    2-2-2-1 networks have learned XOR, and of the others {lab_failed_on_plateau} stand
    where a gradient that vanished from the start leaves a network, at a loss near ln 2.
    Where less of it arrives, networks learn later: in 2-10-10-10-1 with {wide_ratio[1]}
    of the last layer's in the first {wide_glorot_learned} have learned by then and
    {wide_glorot_late} by step 50,000, in nine layers with {deep_ratio[0]}
    {deep_normal_learned} and {deep_normal_late}.
결과: 강의의 망은 대개 실패하지 않습니다. 10,001걸음 안에 2-2-2-1 망의
    {lab_normal_learned}가 XOR을 배우고, 나머지 가운데 기울기가 처음부터 사라진 망처럼
    손실 ln 2 근처에 머문 것은 {lab_failed_on_plateau}입니다. 기울기가 적게 닿는 망은
    늦게 배웁니다. 첫 층의 기울기가 마지막 층의 {wide_ratio[1]}배인 2-10-10-10-1은
    그때까지 {wide_glorot_learned}, 50,000걸음까지 {wide_glorot_late}가 배우고, 아홉
    층({deep_ratio[0]}배)에서는 {deep_normal_learned}와 {deep_normal_late}입니다.
Lecture: 003, lab 18.py and the slides before it
Changes from: 17_xor (more layers; three starts of every shape train at once)
Run: python recipes/18_xor_vanishing_gradient.py
Try: (1) tanh in place of sigmoid (2) a learning rate of 1: how many learn now?
    (3) hidden layers 1 to 9 of 5 neurons: from which depth on does no network learn?
"""

from itertools import pairwise

from common import plots
from common.running import Measure, cli

import numpy as np
import tensorflow as tf

NETWORKS = 100  # of each shape and start, all trained together
LAB_STEPS = 10_001  # updates on the full batch of four, as in the lab
STEPS = 50_000  # five times as many: who is only late, has learned by now
SHAPES = {  # label, hidden layers, learning rate
    "lab": ("2-2-2-1", (2, 2), 0.2),
    "wide": ("2-10-10-10-1", (10, 10, 10), 0.1),
    "deep": ("2-(9 of 5)-1", (5,) * 9, 0.1),
}
# N(0, 1), for biases too, as in the lab; Glorot and He: normal, biases 0.
STARTS = {"normal": "N(0, 1)", "glorot": "Glorot", "he": "He"}
PLATEAU = 0.6  # a loss above it is still near ln 2, that of 0.5 to everything
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")  # [4, 2]
Y = np.array([[0], [1], [1], [0]], "float32")  # [4, 1]


def initial_weights(hidden, networks, seed):
    """Weights [inputs, outputs, starts, networks] and biases; one draw, scaled."""
    rng = np.random.default_rng(seed)
    weights = []
    for inputs, outputs in pairwise((2, *hidden, 1)):
        scales = np.sqrt([1, 2 / (inputs + outputs), 2 / inputs])[:, None]
        weights.append(scales * rng.normal(size=(inputs, outputs, 1, networks)))
        bias_scales = np.array([1, 0, 0])[:, None]
        weights.append(bias_scales * rng.normal(size=(outputs, 1, networks)))
    return [tf.constant(w, tf.float32) for w in weights]


def forward(weights):
    """The logits [4, starts, networks] of every network on the four samples."""
    signal = X[:, :, None, None]  # [4, inputs, ...], the same for all networks
    for layer in range(0, len(weights), 2):
        if layer:
            signal = tf.sigmoid(signal)
        # A matrix product per network, written out, with the networks last: the
        # processor works on many at once.
        signal = tf.reduce_sum(signal[:, :, None] * weights[layer], axis=1)
        signal += weights[layer + 1]
    return signal[:, 0]


def losses_and_gradients(weights):
    """Cross-entropy, and whether all four are right, [starts, networks]; gradients."""
    with tf.GradientTape() as tape:
        tape.watch(weights)
        logits = forward(weights)
        targets = tf.broadcast_to(Y[:, None], tf.shape(logits))
        cost = tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)
        losses = tf.reduce_mean(cost, axis=0)
        # No network sees another, so the gradient of the sum is each one's own.
        total = tf.reduce_sum(losses)
    learned = tf.reduce_all((logits > 0) == (targets > 0.5), axis=0)
    return losses, learned, tape.gradient(total, weights)


@tf.function(jit_compile=True)
def train(weights, learning_rate, steps):
    """Gradient descent for all networks in one compiled loop (`fit` on four samples
    would spend its time between the steps).

    Returns the weights, and by step the losses and who had all four samples right.
    """
    losses_by_step = tf.TensorArray(tf.float32, steps)
    learned_by_step = tf.TensorArray(tf.bool, steps)
    for step in tf.range(steps):
        losses, learned, gradients = losses_and_gradients(weights)
        weights = [
            w - learning_rate * g for w, g in zip(weights, gradients, strict=True)
        ]
        losses_by_step = losses_by_step.write(step, losses)
        learned_by_step = learned_by_step.write(step, learned)
    return weights, losses_by_step.stack(), learned_by_step.stack()


def gradient_by_layer(weights):
    """RMS gradient of a layer's weights, median over networks: [layers, starts]."""
    *_, gradients = losses_and_gradients(weights)
    rms = [tf.sqrt(tf.reduce_mean(g**2, axis=(0, 1))) for g in gradients[::2]]
    return np.median(rms, axis=-1)


def learned_figure(learned):
    """How many networks have learned XOR by which step, from three starts."""
    figure, axes = plots.new_figure(1, len(learned), width=3.4)
    for axis, (shape, by_step) in zip(axes, learned.items(), strict=True):
        steps = np.unique(np.geomspace(1, len(by_step), 200).astype(int))
        share = 100 * by_step[steps - 1].mean(axis=-1)  # [steps, starts]
        axis.semilogx(steps, share, label=list(STARTS.values()))
        axis.axvline(LAB_STEPS, color="grey", linestyle=":")
        axis.set(title=SHAPES[shape][0], xlabel="step", ylim=(-4, 104))
    axes[0].set_ylabel("% of networks that have learned")
    axes[0].legend(title="sigmoid from")
    return figure


def cause_figure(gradients, losses, learned):
    """How much of the gradient reaches each layer; where the lab's networks end."""
    figure, axes = plots.new_figure(1, 2)
    for shape, rms in gradients.items():
        share = rms[:, 0] / rms[-1, 0]  # from N(0, 1)
        axes[0].semilogy(range(1, len(rms) + 1), share, "o-", label=SHAPES[shape][0])
    axes[0].set(xlabel="layer (1: next to the input)", title="gradient / last layer's")
    axes[0].legend()
    steps = np.unique(np.geomspace(1, len(losses), 200).astype(int))
    for value, color in ((True, "tab:blue"), (False, "tab:red")):
        lines = losses[steps - 1][:, learned[-1] == value]
        axes[1].loglog(steps, lines, color=color, alpha=0.4, linewidth=0.8)
    for loss, words in ((np.log(2), "gradient vanished"), (np.log(2) / 2, "two right")):
        axes[1].axhline(loss, color="black", linestyle=":")
        axes[1].text(1, 0.8 * loss, words, va="top")
    axes[1].set(xlabel="step", ylabel="loss", title="2-2-2-1: the red do not learn")
    return figure


def main(run):
    networks = run.pick(NETWORKS, 10)
    steps = run.length(STEPS, quick=200)
    lab_step = min(LAB_STEPS, steps - 1)
    losses, learned, gradients, values = {}, {}, {}, {}
    for shape, (_, hidden, learning_rate) in SHAPES.items():
        weights = initial_weights(hidden, networks, run.seed)
        gradients[shape] = gradient_by_layer(weights)
        values[f"{shape}_ratio"] = gradients[shape][0] / gradients[shape][-1]
        _, *by_step = train(weights, learning_rate, steps)
        losses[shape], learned[shape] = (array.numpy() for array in by_step)
        for index, start in enumerate(STARTS):
            count = learned[shape][lab_step, index].sum()
            values[f"{shape}_{start}_learned"] = [count, networks]
    failed = ~learned["lab"][lab_step, 0]
    on_plateau = losses["lab"][lab_step, 0] > PLATEAU

    run.save_figure(learned_figure(learned), "learned_by_step")
    of_lab = losses["lab"][:lab_step, 0], learned["lab"][:lab_step, 0]
    run.save_figure(cause_figure(gradients, *of_lab), "cause_of_failure")
    return {
        **values,
        "lab_failed": [failed.sum(), networks],
        "lab_failed_on_plateau": [(failed & on_plateau).sum(), failed.sum()],
        "wide_glorot_late": [learned["wide"][-1, 1].sum(), networks],
        "deep_normal_late": [learned["deep"][-1, 0].sum(), networks],
    }


MEASURES = {
    "lab_failed": Measure("rate", "2-2-2-1, N(0, 1): fails", "2-2-2-1: 못 배움"),
    "lab_failed_on_plateau": Measure(
        "rate", "of these: loss still near ln 2", "그 가운데 손실이 아직 ln 2 근처"
    ),
    **{
        f"{shape}_{start}_learned": Measure(
            "rate", f"{label}, {name}: learns", f"{label}, {name}: 배움"
        )
        for shape, (label, _, _) in SHAPES.items()
        for start, name in STARTS.items()
    },
    "wide_glorot_late": Measure("rate", "Glorot, by step 50,000", "Glorot, 5만 걸음"),
    "deep_normal_late": Measure("rate", "nine, by step 50,000", "아홉 층, 5만 걸음"),
    **{
        f"{shape}_ratio": Measure(
            "", f"{label}: gradient, first / last", f"{label}: 기울기, 첫 층 / 끝 층"
        )
        for shape, (label, _, _) in SHAPES.items()
    },
}


if __name__ == "__main__":
    cli(main)
