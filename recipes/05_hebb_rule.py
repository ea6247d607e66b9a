"""McCulloch-Pitts gates, and Hebb's rule, which finds weights from examples.

제목: 맥컬록-피츠 신경 세포와 헤브의 학습 규칙
Question: What can a neuron with a threshold compute, and what can it learn when
    synapses grow between neurons that are active together?
Lecture: 002, neural mechanism, neuronal model (1943) and Hebb's learning rule (1949)
Changes from: 04 (the step function as a whole neuron, and a first way of learning)
Run: python recipes/05_hebb_rule.py
Try: (1) a gate of three inputs that fires if two of them do (2) add the pair ㅋ, K:
    which answer is spoilt now, and by which other letter? (3) FLIPPED = 12
"""

from common import plots
from common.running import Claim, cli

import numpy as np
import tensorflow as tf

MODEL = "002, neuronal model of McCulloch and Pitts: Y = f(X), step function"
HISTORY = "002, history: several perceptrons can solve XOR, one cannot"
BRAIN = "002, neural mechanism: human cerebral cortex"
COMPARED = "002, comparison between brain and computer"
CLAIMS = [
    Claim("and_gate", (0, 0, 0, 1), "", MODEL, "exact", "AND of 00, 01, 10, 11"),
    Claim("or_gate", (0, 1, 1, 1), "", MODEL, "exact", "OR of 00, 01, 10, 11"),
    Claim("not_gate", (1, 0), "", MODEL, "exact", "NOT of 0, 1: inhibiting synapse"),
    Claim("xor_gate", (0, 1, 1, 0), "", HISTORY, "exact", "XOR by three neurons"),
    Claim("gates_of_16", None, text="of the 16 gates of two inputs: by one neuron"),
    Claim("hebb_bipolar", None, "%", text="AND, OR by Hebb's rule, coded -1, +1"),
    Claim("hebb_binary", None, "%", text="the same, coded 0, 1"),
    Claim("recalled", None, "%", text="stored pairs of letters recalled"),
    Claim("noisy_recalled", None, "%", text="the same, 5 of 35 pixels flipped"),
    Claim("right_of_5", None, "%", text="5 pairs in 100 inputs: bits right"),
    Claim("right_of_100", None, "%", text="100 pairs in 100 inputs: bits right"),
    Claim("tape_differs", None, text="weights unlike GradientTape's"),
    Claim("synapses", 1e14, "", BRAIN, "exact", "synapses: 1,000 of each neuron"),
    # Published: Azevedo 2009 (neurons), Pakkenberg 2003 (synapses); 20 W is usual.
    Claim("neurons", 1e11, "", BRAIN, "cited", "neurons", published=1.6e10),
    Claim("dendrites", 1000, "", BRAIN, "cited", "dendrites of a neuron"),
    Claim("brain_elements", 1e14, "", COMPARED, "cited", "synapses", published=1.5e14),
    Claim("brain_element_size", 1e-6, "m", COMPARED, "cited", "size of one"),
    Claim("brain_power", 30, "W", COMPARED, "cited", "energy of a brain", published=20),
    Claim("brain_speed", 100, "Hz", COMPARED, "cited", "speed of a neuron"),
    Claim("cpu_elements", 1e8, "", COMPARED, "cited", "transistors of a CPU"),
    Claim("cpu_element_size", 1e-6, "m", COMPARED, "cited", "size of one"),
    Claim("cpu_power", 30, "W", COMPARED, "cited", "energy of a CPU"),
    Claim("cpu_speed", 1e9, "Hz", COMPARED, "cited", "speed of a CPU"),
]

NEURONS = 10**11  # of the cerebral cortex, as the slide has it
DENDRITES = 1000  # per neuron
LETTERS = {  # 7 rows of 5 pixels: ㄱ, ㄴ, ㅅ, ㅍ and the letters of their sounds
    "#####....#....#....#....#....#....#": ".###.#...##....#..###...##...#.###.",
    "#....#....#....#....#....#....#####": "#...###..##.#.##..###...##...##...#",
    "..#....#....#...#.#..#.#.#...##...#": ".#####....#.....###.....#....#####.",
    "#####.#.#..#.#..#.#..#.#..#.#.#####": "####.#...##...#####.#....#....#....",
}
FLIPPED = 5  # pixels of a noisy letter that have the wrong colour
TRIALS = 250  # noisy copies of every letter
INPUTS = 100  # of the net that stores random pairs


def neuron(x, weights, threshold):
    """1 (excited) if the weighted inputs reach the threshold, else 0 (suppressed)."""
    return np.where(x @ weights >= threshold, 1, 0)


def both(x):
    return neuron(x, np.array([1, 1]), 2)


def either(x):
    return neuron(x, np.array([1, 1]), 1)


def inverse(x):
    return neuron(x, np.array([-1]), 0)  # an inhibiting synapse


def one_of(x):
    """XOR needs a second layer: either, but not both."""
    not_both = neuron(x, np.array([-1, -1]), -1)
    return both(np.stack([either(x), not_both], axis=-1))


def gates_by_one_neuron(x):
    """Every truth table that some weights and threshold give; finer steps add none."""
    found = set()
    for w1 in (-1, 0, 1):
        for w2 in (-1, 0, 1):
            for threshold in np.arange(-2, 3.5, 0.5):
                found.add(tuple(neuron(x, np.array([w1, w2]), threshold)))
    return found


def hebb(inputs, outputs):
    """Hebb's rule: a synapse grows where both of its ends are active together.

    inputs: [pairs, inputs], outputs: [pairs, outputs]; weights [outputs, inputs].
    """
    weights = np.zeros((outputs.shape[1], inputs.shape[1]))
    for x, y in zip(inputs, outputs, strict=True):
        weights += np.outer(y, x)
    return weights


def hebb_by_tape(inputs, outputs):
    """Hebb's rule is one step of gradient ascent on the agreement of y with Wx."""
    weights = tf.Variable(tf.zeros((outputs.shape[1], inputs.shape[1]), tf.float64))
    with tf.GradientTape() as tape:
        agreement = tf.reduce_sum(outputs * (inputs @ tf.transpose(weights)))
    return tape.gradient(agreement, weights).numpy()


def recall(weights, inputs):
    return np.where(inputs @ weights.T >= 0, 1.0, -1.0)


def hebb_gates(x, low):
    """Rows of AND and OR (in %) that Hebb's rule gets right; low: the code of 0."""
    coded = np.where(x == 1, 1.0, low)
    inputs = np.column_stack([coded, np.ones(len(x))])  # a bias is an input of 1
    tables = np.column_stack([both(x), either(x)])
    weights = hebb(inputs, np.where(tables == 1, 1.0, low))
    return 100 * ((recall(weights, inputs) == 1) == (tables == 1)).mean()


def pictures(texts):
    return np.array([[1.0 if pixel == "#" else -1.0 for pixel in t] for t in texts])


def flipped(random, pictures):
    """Copies in which FLIPPED random pixels of every picture change their colour."""
    ranks = random.permuted(np.indices(pictures.shape)[1], axis=1)
    return np.where(ranks < FLIPPED, -pictures, pictures)


def bits_right(random, pairs):
    """Of random pairs stored in INPUTS inputs and outputs: right bits, in %."""
    inputs, outputs = random.choice([-1.0, 1.0], (2, pairs, INPUTS))
    return 100 * (recall(hebb(inputs, outputs), inputs) == outputs).mean()


def recall_figure(rows):
    """rows: {what they are: the pictures of the four letters}."""
    figure, axes = plots.new_figure(len(rows), 4, width=1.3, height=1.7)
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(name)
        for axis, image in zip(line, images, strict=True):
            axis.imshow(image.reshape(7, 5), cmap="gray_r")
            axis.spines[:].set_visible(True)
            axis.set(xticks=[], yticks=[])
    return figure


def capacity_figure(right):
    figure, axis = plots.new_figure()
    axis.plot(right.keys(), right.values(), ".-")
    axis.axhline(50, color="grey", linestyle=":", label="guessing")
    axis.set(
        xlabel=f"random pairs stored in {INPUTS} inputs",
        ylabel="bits recalled right in %",
    )
    axis.legend()
    return figure


def main(run):
    random = np.random.default_rng(run.seed)
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    inputs, outputs = pictures(LETTERS), pictures(LETTERS.values())
    weights = hebb(inputs, outputs)
    noisy = flipped(random, np.repeat(inputs, TRIALS, axis=0))
    answers = recall(weights, noisy)
    wanted = np.repeat(outputs, TRIALS, axis=0)
    right = {pairs: bits_right(random, pairs) for pairs in (1, 5, 10, 20, 50, 100, 200)}
    rows = {"stored": inputs, "input": noisy[::TRIALS], "recalled": answers[::TRIALS]}
    run.save_figure(recall_figure(rows), "recall")
    run.save_figure(capacity_figure(right), "capacity")
    return {
        "and_gate": both(x),
        "or_gate": either(x),
        "not_gate": inverse(np.array([[0], [1]])),
        "xor_gate": one_of(x),
        "gates_of_16": len(gates_by_one_neuron(x)),
        "hebb_bipolar": hebb_gates(x, low=-1.0),
        "hebb_binary": hebb_gates(x, low=0.0),
        "recalled": 100 * (recall(weights, inputs) == outputs).all(axis=1).mean(),
        "noisy_recalled": 100 * (answers == wanted).all(axis=1).mean(),
        "right_of_5": right[5],
        "right_of_100": right[100],
        "tape_differs": (weights != hebb_by_tape(inputs, outputs)).sum(),
        "synapses": NEURONS * DENDRITES,
    }


if __name__ == "__main__":
    cli(main)
