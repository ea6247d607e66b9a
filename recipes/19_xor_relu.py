"""XOR with deep ReLU networks: the cure, and what it needs beside it.

제목: 깊은 ReLU 신경망의 XOR: 해결책과 그 조건
Question: Does ReLU alone make a deep network learn XOR?
Finding: Not the lecture's: by step 10,001 {lab_normal_learned} of the 2-2-2-1 networks
    have learned XOR ({lab_normal_early} by step 1,001: early or never), which is
    {lab_normal_gain} against sigmoids from the same start. In nine layers of 5 sigmoids
    have learned nothing by then, and ReLU alone is not enough: {deep_normal_learned}
    from N(0, 1), but {deep_he_learned} from He's start. Where layers have ten neurons,
    ReLU learns from every start ({wide_normal_learned} and {wide_he_learned}).
결과: 강의의 망에서는 아닙니다. 10,001걸음 안에 XOR을 배운 2-2-2-1 망은
    {lab_normal_learned}이고(1,001걸음 안에는 {lab_normal_early}: 일찍 배우지 못하면
    끝내 못 배웁니다), 같은 가중치에서 시작한 시그모이드와의 차이는
    {lab_normal_gain}입니다. 5개씩 아홉 층에서 그때까지 시그모이드는 전혀 배우지
    못하는데, ReLU도 N(0, 1)에서는 {deep_normal_learned}, He로 시작해야
    {deep_he_learned}입니다. 층마다 신경 세포가 열이면 어디서 시작해도
    배웁니다({wide_normal_learned}, {wide_he_learned}).
Lecture: 003, lab 19.py
Changes from: 18_xor_vanishing_gradient (ReLU beside sigmoid, from the same weights)
Run: python recipes/19_xor_relu.py
Try: (1) the lab script's 1,001 steps: --epochs 1001 (2) leaky ReLU: do narrow networks
    still die? (3) the biases at 0.1 instead of 0
"""

import itertools

from common import plots
from common.running import Measure, cli

import numpy as np
import tensorflow as tf

NETWORKS = 100  # of each shape and start, all trained together
STEPS = 10_001  # updates on the full batch of four, as in the lab
EARLY_STEPS = 1_001  # where the lab's script stops
ACTIVATIONS = {"ReLU": tf.nn.relu, "sigmoid": tf.sigmoid}  # the lesson, its control
SHAPES = {  # label, hidden layers, learning rate
    "lab": ("2-2-2-1", (2, 2), 0.2),
    "wide": ("2-10-10-10-1", (10, 10, 10), 0.1),
    "deep": ("2-(9 of 5)-1", (5,) * 9, 0.1),
}
# N(0, 1), for biases too, as in the lab; Glorot and He: normal, biases 0.
STARTS = {"normal": "N(0, 1)", "glorot": "Glorot", "he": "He"}
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")  # [4, 2]
Y = np.array([[0], [1], [1], [0]], "float32")  # [4, 1]


def initial_weights(hidden, networks, seed):
    """Weights [inputs, outputs, activations, starts, networks] and biases.

    One draw: the starts scale it, and both activations begin with the same.
    """
    rng = np.random.default_rng(seed)
    weights = []
    for inputs, outputs in itertools.pairwise((2, *hidden, 1)):
        scales = np.sqrt([1, 2 / (inputs + outputs), 2 / inputs])[:, None]
        weights.append(scales * rng.normal(size=(inputs, outputs, 1, 1, networks)))
        bias_scales = np.array([1, 0, 0])[:, None]
        weights.append(bias_scales * rng.normal(size=(outputs, 1, 1, networks)))
    twice = [np.repeat(w, len(ACTIVATIONS), axis=-3) for w in weights]
    return [tf.constant(w, tf.float32) for w in twice]


def forward(weights):
    """The logits [4, activations, starts, networks] on the four samples."""
    signal = X[:, :, None, None, None]  # [4, inputs, ...], the same for all networks
    for layer in range(0, len(weights), 2):
        if layer:
            parts = zip(ACTIVATIONS.values(), tf.unstack(signal, axis=2), strict=True)
            signal = tf.stack([activation(part) for activation, part in parts], axis=2)
        # A matrix product per network, written out, with the networks last: the
        # processor works on many at once.
        signal = tf.reduce_sum(signal[:, :, None] * weights[layer], axis=1)
        signal += weights[layer + 1]
    return signal[:, 0]


def losses_and_gradients(weights):
    """Cross-entropy, and whether all four are right, of each; gradients."""
    with tf.GradientTape() as tape:
        tape.watch(weights)
        logits = forward(weights)
        targets = tf.broadcast_to(Y[:, None, None], tf.shape(logits))
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
    """RMS gradient of weights, median of networks: [layers, activations, starts]."""
    *_, gradients = losses_and_gradients(weights)
    rms = [tf.sqrt(tf.reduce_mean(g**2, axis=(0, 1))) for g in gradients[::2]]
    return np.median(rms, axis=-1)


def relu_figure(learned, gradients):
    """Who has learned XOR by which step, by ReLU and sigmoid; the gradient they get.

    learned: by shape, [steps, activations, starts, networks]. gradients: of nine
    layers, [layers, activations, starts].
    """
    figure, axes = plots.new_figure(1, len(SHAPES) + 1, width=3.2)
    share_of_last = gradients / gradients[-1]
    layers = range(1, len(gradients) + 1)
    lines = itertools.product(
        enumerate(zip(ACTIVATIONS, ("-", ":"), strict=True)), enumerate(STARTS.values())
    )
    for (row, (activation, style)), (column, name) in lines:
        look = {"linestyle": style, "color": f"C{column}"}
        for axis, (shape, by_step) in zip(axes, learned.items(), strict=False):
            steps = np.unique(np.geomspace(1, len(by_step), 200).astype(int))
            share = 100 * by_step[steps - 1, row, column].mean(axis=-1)
            axis.semilogx(steps, share, label=f"{activation}, {name}", **look)
            axis.set(title=SHAPES[shape][0], xlabel="step", ylim=(-4, 104))
        axes[-1].semilogy(layers, share_of_last[:, row, column], **look)
    axes[0].set_ylabel("% of networks that have learned")
    axes[0].legend(fontsize="small")
    axes[-1].set(title="nine: gradient / last layer's", xlabel="layer")
    return figure


def main(run):
    networks = run.pick(NETWORKS, 10)
    steps = run.length(STEPS, quick=200)
    early = min(EARLY_STEPS, steps) - 1
    learned, gradients, values = {}, {}, {}
    for shape, (_, hidden, learning_rate) in SHAPES.items():
        weights = initial_weights(hidden, networks, run.seed)
        gradients[shape] = gradient_by_layer(weights)
        _, _, by_step = train(weights, learning_rate, steps)
        learned[shape] = by_step.numpy()  # [steps, activations, starts, networks]
        for start, counts in zip(STARTS, learned[shape][-1].sum(-1).T, strict=True):
            relu, sigmoid = (int(count) for count in counts)
            values[f"{shape}_{start}_learned"] = [relu, networks]
            values[f"{shape}_{start}_gain"] = 100 * (relu - sigmoid) / networks

    run.save_figure(relu_figure(learned, gradients["deep"]), "learned_by_step")
    return {
        **values,
        "lab_normal_early": [learned["lab"][early, 0, 0].sum(), networks],
    }


MEASURES = {
    **{
        f"{shape}_{start}_learned": Measure(
            "rate", f"{label} ReLU, {name}: learns", f"{label} ReLU, {name}: 배움"
        )
        for shape, (label, _, _) in SHAPES.items()
        for start, name in STARTS.items()
    },
    "lab_normal_early": Measure(
        "rate", "2-2-2-1 ReLU, N(0, 1): by step 1,001", "2-2-2-1 ReLU: 1,001걸음 안에"
    ),
    **{
        f"{shape}_{start}_gain": Measure(
            "pp",
            f"{label}, {name}: ReLU minus sigmoid",
            f"{label}, {name}: ReLU 빼기 시그모이드",
            paired=True,
        )
        for shape, (label, _, _) in SHAPES.items()
        for start, name in STARTS.items()
    },
}


if __name__ == "__main__":
    cli(main)
