"""McCulloch-Pitts gates, and Hebb's rule, which finds weights from examples.

제목: 맥컬록-피츠 신경 세포와 헤브의 학습 규칙
Question: What can a neuron with a threshold compute, and what can it learn when
    synapses grow between neurons that are active together?
Finding: One computes {gates_of_16} of the 16 gates of two inputs, and three compute
    XOR; with the threshold at 0, Hebb's rule gets {hebb_bipolar} of the rows of AND and
    OR right if 0 is coded -1, but {hebb_binary} if it stays 0. It recalls {recalled} of
    four letters, {noisy_recalled} of copies with 5 of 35 pixels flipped, and
    {right_of_100} of the bits of 100 pairs in 100 inputs.
결과: 신경 세포 하나는 입력이 둘인 게이트 16개 중 {gates_of_16}개를, 셋은 XOR까지
    계산합니다. 임계값이 0일 때 헤브 규칙이 맞히는 AND와 OR의 행은 0을 -1로 쓰면
    {hebb_bipolar}, 0으로 쓰면 {hebb_binary}입니다. 저장한 네 쌍의 글자는 {recalled},
    픽셀 35개 중 5개를 뒤집은 글자는 {noisy_recalled} 되살리고, 입력 100개에 저장한
    100쌍은 비트의 {right_of_100}만 맞습니다.
Lecture: 002, neural mechanism, neuronal model (1943) and Hebb's learning rule (1949)
Changes from: 04 (the step function as a whole neuron, and a first way of learning)
Run: python recipes/05_hebb_rule.py
Try: (1) a gate of three inputs that fires if two of them do (2) add the pair ㅋ, K:
    which answer is spoilt now, and by which other letter? (3) FLIPPED = 12
"""

from common import plots
from common.running import Measure, cli

import numpy as np
import tensorflow as tf

MODEL = "002, neuronal model of McCulloch and Pitts: Y = f(X), step function"
HISTORY = "002, history: several perceptrons can solve XOR, one cannot"
BRAIN = "002, neural mechanism: human cerebral cortex"
COMPARED = "002, comparison between brain and computer"
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
    axis.set_xlabel(f"random pairs stored in {INPUTS} inputs")
    axis.set_ylabel("bits recalled right in %")
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


MEASURES = {
    "and_gate": Measure("", "AND of 00, 01, 10, 11", "00, 01, 10, 11의 AND"),
    "or_gate": Measure("", "OR of 00, 01, 10, 11", "00, 01, 10, 11의 OR"),
    "not_gate": Measure("", "NOT of 0, 1, by inhibition", "0, 1의 NOT, 억제 시냅스"),
    "xor_gate": Measure("", "XOR by three neurons", "신경 세포 셋으로 만든 XOR"),
    "gates_of_16": Measure("", "of 16 gates, by one neuron", "게이트 16개 중 하나로"),
    "hebb_bipolar": Measure(
        "%", "AND, OR by Hebb's rule, coded -1, +1", "헤브 규칙의 AND와 OR, 부호 -1, +1"
    ),
    "hebb_binary": Measure("%", "the same, coded 0, 1", "같은 값, 부호 0, 1"),
    "recalled": Measure("%", "stored pairs of letters recalled", "되살린 글자 쌍"),
    "noisy_recalled": Measure("%", "with 5 of 35 pixels flipped", "픽셀 5개를 뒤집음"),
    "right_of_5": Measure("%", "bits right, 5 pairs in 100", "맞은 비트, 100칸에 5쌍"),
    "right_of_100": Measure("%", "bits right, 100 pairs", "맞은 비트, 100쌍"),
    "tape_differs": Measure("", "weights unlike the tape's", "테이프와 다른 가중치"),
    "synapses": Measure("", "synapses, 1,000 a neuron", "시냅스, 세포마다 1,000개"),
}


if __name__ == "__main__":
    cli(main)
