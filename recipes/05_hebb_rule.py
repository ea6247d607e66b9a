"""McCulloch-Pitts gates, and Hebb's rule, which finds weights from examples.

제목: 맥컬록-피츠 신경 세포와 헤브의 학습 규칙
Question: What can a neuron with a threshold compute, and what can it learn when
    synapses grow between neurons that are active together?
Finding: One computes {gates_of_16} of the 16 gates of two inputs, and three compute
    XOR. From examples Hebb's rule gets {hebb_bipolar} of the rows of AND and OR right
    with the threshold at 0 if 0 is coded -1, and {hebb_binary} if it stays 0: then
    synapses only grow, and the same weights get {hebb_binary_moved} with the thresholds
    moved to {thresholds[0]} and {thresholds[1]}. It recalls {recalled} of four letters,
    and {noisy_recalled} of copies with 5 of 35 pixels flipped.
결과: 신경 세포 하나는 입력이 둘인 게이트 16개 중 {gates_of_16}개를, 셋은 XOR까지
    계산합니다. 헤브 규칙은 보기에서 배우며, 임계값이 0일 때 0을 -1로 쓰면 AND와 OR의
    행을 {hebb_bipolar}, 0으로 쓰면 {hebb_binary} 맞힙니다. 0으로 쓰면 시냅스가 커지기만
    하기 때문이며, 임계값을 {thresholds[0]}와 {thresholds[1]}로 옮기면 같은 가중치로도
    {hebb_binary_moved} 맞힙니다. 저장한 네 쌍의 글자는 {recalled}, 픽셀 35개 중 5개를
    뒤집은 글자는 {noisy_recalled} 되살립니다.
Lecture: 002, neural mechanism, neuronal model (1943) and Hebb's learning rule (1949)
Changes from: 04 (the step function as a whole neuron, and a first way of learning)
Run: python recipes/05_hebb_rule.py
Try: (1) a gate of three inputs that fires if two of them do (2) add the pair ㅋ, K:
    which answer is spoilt now, and by which other letter? (3) FLIPPED = 12
"""

from itertools import product

from common import plots
from common.running import Measure, cli

import numpy as np

ROWS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])  # the inputs of a gate
LETTERS = {  # 7 rows of 5 pixels: ㄱ, ㄴ, ㅅ, ㅍ and the letters of their sounds
    "#####....#....#....#....#....#....#": ".###.#...##....#..###...##...#.###.",
    "#....#....#....#....#....#....#####": "#...###..##.#.##..###...##...##...#",
    "..#....#....#...#.#..#.#.#...##...#": ".#####....#.....###.....#....#####.",
    "#####.#.#..#.#..#.#..#.#..#.#.#####": "####.#...##...#####.#....#....#....",
}
FLIPPED = 5  # pixels of a noisy letter that have the wrong colour
TRIALS = 250  # noisy copies of every letter


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


def gates_by_one_neuron():
    """Every truth table that some weights and threshold give; finer steps add none."""
    settings = product((-1, 0, 1), (-1, 0, 1), np.arange(-2, 3.5, 0.5))
    return {tuple(neuron(ROWS, np.array([w1, w2]), t)) for w1, w2, t in settings}


def hebb(inputs, outputs):
    """Hebb's rule: a synapse grows where both of its ends are active together.

    inputs: [pairs, inputs], outputs: [pairs, outputs]; weights [outputs, inputs].
    """
    weights = np.zeros((outputs.shape[1], inputs.shape[1]))
    for x, y in zip(inputs, outputs, strict=True):
        weights += np.outer(y, x)
    return weights


def recall(weights, inputs):
    return np.where(inputs @ weights.T >= 0, 1.0, -1.0)


def hebb_gates(low):
    """The sums in neurons that Hebb's rule taught AND and OR; low: the code of 0.

    Returns the sums and which should fire, float and bool [rows, gates].
    """
    inputs = np.column_stack([np.where(ROWS == 1, 1.0, low), np.ones(len(ROWS))])
    fires = np.column_stack([both(ROWS), either(ROWS)]) == 1
    return inputs @ hebb(inputs, np.where(fires, 1.0, low)).T, fires


def thresholds_between(sums, fires):
    """For every gate, halfway from the rows that should fire to those that should not.

    Hebb's own bias, an input of 1, does not get there: coded 0 and 1 it only grows.
    """
    others = np.where(fires, -np.inf, sums).max(axis=0)
    return (others + np.where(fires, sums, np.inf).min(axis=0)) / 2


def rows_right(sums, fires, thresholds):
    return 100 * ((sums >= thresholds) == fires).mean()


def pictures(texts):
    return np.array([[1.0 if pixel == "#" else -1.0 for pixel in t] for t in texts])


def flipped(random, pictures):
    """Copies in which FLIPPED random pixels of every picture change their colour."""
    ranks = random.permuted(np.indices(pictures.shape)[1], axis=1)
    return np.where(ranks < FLIPPED, -pictures, pictures)


def gates_figure(sums, fires, thresholds):
    """The sum of every row: those that should fire must lie above the threshold."""
    figure, axes = plots.new_figure(1, 2, width=3.4)
    for gate, axis in enumerate(axes):
        for style, rows in (("C0o", fires[:, gate]), ("C3x", ~fires[:, gate])):
            axis.plot(np.flatnonzero(rows), sums[rows, gate], style, ms=10)
        axis.axhline(0, color="grey", linestyle=":")
        axis.axhline(thresholds[gate], color="C0")
        axis.set_xticks(range(len(ROWS)), ["".join(map(str, row)) for row in ROWS])
        axis.set(title=("AND", "OR")[gate], xlabel="inputs", ylim=(-0.5, 7.7))
    axes[0].set_ylabel("weighted sum, 0 coded 0")
    labels = ["should fire", "should not", "threshold 0", "threshold moved"]
    axes[0].legend(axes[0].lines, labels, fontsize="small", loc="upper left")
    return figure


def recall_figure(rows):
    """rows: {what they are: the pictures of the four letters}."""
    figure, axes = plots.new_figure(len(rows), 4, width=1.1, height=1.5)
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        line[0].set_ylabel(name)
        for axis, image in zip(line, images, strict=True):
            axis.imshow(image.reshape(7, 5), cmap="gray_r")
            axis.spines[:].set_visible(True)
            axis.set(xticks=[], yticks=[])
    return figure


def main(run):
    random = np.random.default_rng(run.seed)
    bipolar, _ = hebb_gates(low=-1.0)
    binary, fires = hebb_gates(low=0.0)
    thresholds = thresholds_between(binary, fires)
    inputs, outputs = pictures(LETTERS), pictures(LETTERS.values())
    weights = hebb(inputs, outputs)
    noisy = flipped(random, np.repeat(inputs, TRIALS, axis=0))
    answers, wanted = recall(weights, noisy), np.repeat(outputs, TRIALS, axis=0)
    run.save_figure(gates_figure(binary, fires, thresholds), "gates")
    rows = {"stored": inputs, "noisy": noisy[::TRIALS], "recalled": answers[::TRIALS]}
    run.save_figure(recall_figure(rows), "recall")
    return {
        "and_gate": both(ROWS),
        "or_gate": either(ROWS),
        "not_gate": inverse(np.array([[0], [1]])),
        "xor_gate": one_of(ROWS),
        "gates_of_16": len(gates_by_one_neuron()),
        "hebb_bipolar": rows_right(bipolar, fires, 0),
        "hebb_binary": rows_right(binary, fires, 0),
        "hebb_binary_moved": rows_right(binary, fires, thresholds),
        "thresholds": thresholds,
        "recalled": 100 * (recall(weights, inputs) == outputs).all(axis=1).mean(),
        "noisy_recalled": 100 * (answers == wanted).all(axis=1).mean(),
    }


MEASURES = {
    "and_gate": Measure(
        "", "AND of 00, 01, 10, 11", "00, 01, 10, 11의 AND", deterministic=True
    ),
    "or_gate": Measure("", "OR of the same", "같은 입력의 OR", deterministic=True),
    "not_gate": Measure("", "NOT of 0, 1", "0, 1의 NOT", deterministic=True),
    "xor_gate": Measure("", "XOR by three", "셋으로 XOR", deterministic=True),
    "gates_of_16": Measure(
        "", "of 16 gates, by one neuron", "게이트 16개 중 하나로", deterministic=True
    ),
    "hebb_bipolar": Measure(
        "%", "AND, OR by Hebb, -1, 1", "헤브의 AND와 OR, -1과 1", deterministic=True
    ),
    "hebb_binary": Measure("%", "coded 0, 1", "0과 1로 쓸 때", deterministic=True),
    "hebb_binary_moved": Measure(
        "%", "0, 1, thresholds moved", "0과 1, 임계값을 옮김", deterministic=True
    ),
    "thresholds": Measure("", "those thresholds", "그 임계값", deterministic=True),
    "recalled": Measure("%", "letters recalled", "되살린 글자", deterministic=True),
    "noisy_recalled": Measure("%", "with 5 of 35 pixels flipped", "픽셀 5개를 뒤집음"),
}


if __name__ == "__main__":
    cli(main)
