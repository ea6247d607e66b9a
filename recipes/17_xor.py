"""XOR: one neuron cannot learn it, a hidden layer can.

제목: XOR 문제: 신경 세포 하나로는 안 되고 은닉층이 있으면 된다
Question: How often does a network learn XOR, without and with one hidden layer?
Finding: Without one, never: by step 10,001 {one_neuron_learned} of single neurons have
    learned it, none ever had more than {one_neuron_best} of the four samples right, and
    their loss ends at {one_neuron_loss}, ln 2, the price of answering 0.5 to
    everything. With two hidden neurons {hidden_learned} have, with ten {ten_learned}.
    More steps help little: by step 50,000 it is {hidden_learned_late} of those with
    two; of the others {hidden_stuck} stand at a loss of (ln 2)/2, two samples at 0.5.
결과: 은닉층이 없으면 배우지 못합니다. 10,001걸음 안에 XOR을 배운 신경 세포는
    {one_neuron_learned}이고, 표본 넷 중 가장 많이 맞힌 것이 {one_neuron_best}개이며,
    손실은 무엇에나 0.5라고 답할 때의 값 ln 2, 곧 {one_neuron_loss}에서 끝납니다. 은닉
    신경 세포가 둘이면 {hidden_learned}, 열이면 {ten_learned}가 배웁니다. 둘일 때는
    50,000걸음까지 가도 {hidden_learned_late}이고, 못 배운 망 가운데 {hidden_stuck}는
    표본 둘에 0.5라고 답하는 손실 (ln 2)/2에 머뭅니다.
Lecture: 001, perceptron; 002, history of neural networks; 003, the labs before 18.py
Changes from: 10_backpropagation (GradientTape; a hundred networks train at once)
Run: python recipes/17_xor.py
Try: (1) 3 or 4 hidden neurons: from which width on does every network learn?
    (2) AND in place of XOR: what does one neuron do now? (3) weights N(0, 0.1)
"""

from itertools import pairwise

from common import plots
from common.running import Measure, cli

import numpy as np
import tensorflow as tf

NETWORKS = 100  # of each kind, all trained together; each has weights of its own
LAB_STEPS = 10_001  # updates on the full batch of four, as in the lab
STEPS = 50_000  # five times as many: who has not learned by now, is caught
LEARNING_RATE = 0.1
KINDS = {"one_neuron": (), "hidden": (2,), "ten": (10,)}  # hidden layer sizes
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")  # [4, 2]
Y = np.array([[0], [1], [1], [0]], "float32")  # [4, 1]
LOCAL_MINIMUM = np.log(2) / 2  # loss of one who is sure of two, and says 0.5 to two


def initial_weights(hidden, networks, seed):
    """N(0, 1): weights [inputs, outputs, networks] and biases [outputs, networks]."""
    rng = np.random.default_rng(seed)
    weights = []
    for inputs, outputs in pairwise((2, *hidden, 1)):
        weights.append(rng.normal(size=(inputs, outputs, networks)))
        weights.append(rng.normal(size=(outputs, networks)))
    return [tf.constant(w, tf.float32) for w in weights]


def layer_sums(weights, x=X):
    """What each layer's neurons sum up, [samples, neurons, networks] by layer.

    All neurons are sigmoids; the last layer's sums are the logits.
    """
    signal = x[:, :, None]  # [samples, inputs, networks], the same for all networks
    sums = []
    for layer in range(0, len(weights), 2):
        if layer:
            signal = tf.sigmoid(sums[-1])
        # A matrix product per network, written out, with the networks last: the
        # processor works on many at once.
        products = signal[:, :, None] * weights[layer]
        sums.append(tf.reduce_sum(products, axis=1) + weights[layer + 1])
    return sums


def losses_and_gradients(weights):
    """Cross-entropy and samples right [networks]; the gradient for every weight."""
    with tf.GradientTape() as tape:
        tape.watch(weights)
        logits = layer_sums(weights)[-1][:, 0]  # [4, networks]
        targets = tf.broadcast_to(Y, tf.shape(logits))
        cost = tf.nn.sigmoid_cross_entropy_with_logits(targets, logits)
        losses = tf.reduce_mean(cost, axis=0)
        # No network sees another, so the gradient of the sum is each one's own.
        total = tf.reduce_sum(losses)
    right = tf.math.count_nonzero((logits > 0) == (Y > 0.5), axis=0, dtype=tf.int32)
    return losses, right, tape.gradient(total, weights)


@tf.function(jit_compile=True)
def train(weights, learning_rate, steps):
    """Gradient descent for all networks in one compiled loop (`fit` on four samples
    would spend its time between the steps).

    Returns the weights, and of every step losses and samples right [steps, networks].
    """
    losses_by_step = tf.TensorArray(tf.float32, steps)
    right_by_step = tf.TensorArray(tf.int32, steps)
    for step in tf.range(steps):
        losses, right, gradients = losses_and_gradients(weights)
        weights = [
            w - learning_rate * g for w, g in zip(weights, gradients, strict=True)
        ]
        losses_by_step = losses_by_step.write(step, losses)
        right_by_step = right_by_step.write(step, right)
    return weights, losses_by_step.stack(), right_by_step.stack()


def xor_figure(losses, learned, weights):
    """Who learns by which step, and what the hidden layer does to XOR.

    losses: of the 2-2-1 networks, [steps, networks]; learned: by kind, whether all four
    were right, alike; weights: of one 2-2-1 network that has learned XOR.
    """
    figure, axes = plots.new_figure(2, 2)
    steps = np.unique(np.geomspace(1, len(losses), 200).astype(int)) - 1
    for name, of_kind in learned.items():
        shape = "-".join(map(str, (2, *KINDS[name], 1)))
        axes[0, 0].semilogx(steps + 1, 100 * of_kind[steps].mean(axis=1), label=shape)
    axes[0, 0].axvline(LAB_STEPS, color="grey", linestyle=":")
    axes[0, 0].set(title="networks that have learned XOR", xlabel="step", ylabel="%")
    axes[0, 0].legend()
    for value, color in ((True, "tab:blue"), (False, "tab:red")):
        lines = losses[steps][:, learned["hidden"][-1] == value]
        axes[0, 1].loglog(steps + 1, lines, color=color, alpha=0.4, linewidth=0.8)
    axes[0, 1].axhline(LOCAL_MINIMUM, color="black", linestyle=":")
    axes[0, 1].set(xlabel="step", ylabel="cross-entropy", ylim=(1e-3, 5))
    axes[0, 1].set_title("2-2-1: blue learn, most others\nstand at (ln 2)/2")

    # The same four points before and behind the hidden layer, on what is answered.
    grid = np.linspace(-0.2, 1.2, 201, dtype="float32")
    plane = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    behind = tf.sigmoid(layer_sums(weights)[0])[:, :, 0].numpy()  # [4, 2]
    for axis, name, points, logits in (
        (axes[1, 0], "input", X, layer_sums(weights, plane)[-1]),
        (axes[1, 1], "hidden neuron", behind, layer_sums(weights[2:], plane)[-1]),
    ):
        answer = tf.sigmoid(logits).numpy().reshape(201, 201)
        axis.contourf(grid, grid, answer, 20, cmap="RdBu", vmin=-0.5, vmax=1.5)
        samples = zip(points, Y[:, 0], X, strict=True)
        for (right, up), target, (first, second) in samples:
            axis.plot(right, up, "o", color="navy" if target else "darkred")
            label = f"{first:.0f} xor {second:.0f}"
            # Two points can fall together behind the hidden layer.
            place = (0, 7 if first <= second else -15)
            style = {"textcoords": "offset points", "ha": "center"}
            axis.annotate(label, (right, up), place, **style)
        axis.set(xlabel=f"{name} 1", ylabel=f"{name} 2")
        axis.grid(False)
    axes[1, 0].set_title("what a 2-2-1 network answers (blue: 1)")
    axes[1, 1].set_title("behind its hidden layer one line does")
    return figure


def main(run):
    networks = run.pick(NETWORKS, 20)
    steps = run.length(STEPS, quick=4000)
    lab_step = min(LAB_STEPS, steps - 1)
    final, losses, right, learned, values = {}, {}, {}, {}, {}
    for name, hidden in KINDS.items():
        start = initial_weights(hidden, networks, run.seed)
        final[name], *by_step = train(start, LEARNING_RATE, steps)
        losses[name], right[name] = (array.numpy() for array in by_step)
        learned[name] = right[name] == len(X)
        values[f"{name}_learned"] = [learned[name][lab_step].sum(), networks]
    caught = abs(losses["hidden"][-1] - LOCAL_MINIMUM) < 0.02
    failed = ~learned["hidden"][-1]

    example = int(np.argmax(learned["hidden"][-1]))
    weights = [w[..., example : example + 1] for w in final["hidden"]]
    run.save_figure(xor_figure(losses["hidden"], learned, weights), "xor")
    return {
        **values,
        "hidden_learned_late": [networks - failed.sum(), networks],
        "hidden_stuck": [(caught & failed).sum(), failed.sum()],
        "one_neuron_best": right["one_neuron"].max(),
        "one_neuron_loss": losses["one_neuron"][-1].mean(),
    }


MEASURES = {
    "one_neuron_learned": Measure(
        "rate", "2-1 has learned XOR by step 10,001", "2-1: 10,001걸음 안에 배움"
    ),
    "hidden_learned": Measure(
        "rate", "2-2-1 has learned XOR by step 10,001", "2-2-1: 10,001걸음 안에 배움"
    ),
    "ten_learned": Measure(
        "rate", "2-10-1 has learned XOR by step 10,001", "2-10-1: 10,001걸음 안에 배움"
    ),
    "hidden_learned_late": Measure(
        "rate", "2-2-1 by step 50,000", "2-2-1: 50,000걸음 안에 배움"
    ),
    "hidden_stuck": Measure(
        "rate",
        "of those that have not: loss is (ln 2) / 2",
        "그 밖의 망: 손실 (ln 2)/2",
    ),
    "one_neuron_best": Measure(
        "", "most of four right, 2-1", "2-1이 맞힌 가장 많은 수"
    ),
    "one_neuron_loss": Measure("", "last loss, 2-1 (ln 2)", "2-1의 마지막 손실 (ln 2)"),
}


if __name__ == "__main__":
    cli(main)
