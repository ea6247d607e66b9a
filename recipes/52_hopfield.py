"""Hopfield's memory: what it holds, where it breaks, and how it became attention.

제목: 홉필드 신경망: 기억의 한계, 그리고 어텐션이 된 현대의 홉필드 신경망
Question: How many patterns do N neurons keep, and which energy keeps more?
Finding: Theory allows {critical[0]} N random ones; 500 neurons recall with an overlap
    of {overlap_500[1]} at 0.1 N and {overlap_500[4]} at 0.2 N. Ten digits are too
    alike: {digits_hopfield} come back. A steeper energy keeps more: with 10,000 in 100
    neurons, a step down the steepest, which is attention, gives back {softmax[5]}.
결과: 이론상 한계는 무작위 패턴 {critical[0]} N개이고, 신경 세포 500개로 되살린 패턴의
    겹침은 0.1 N개일 때 {overlap_500[1]}, 0.2 N개일 때 {overlap_500[4]}입니다. 숫자는
    서로 닮아, 열 장만 저장해도 되살아나는 것은 {digits_hopfield}입니다. 에너지가
    가파르면 더 많이 기억합니다. 가장 가파른 에너지를 한 걸음 내려가는 것이 어텐션이며,
    신경 세포 100개에 패턴 10,000개를 넣어도 {softmax[5]}를 되살립니다.
Lecture: 002, comparison between neural networks: Hopfield
Changes from: 05_hebb_rule (neurons answer each other until nothing changes)
Run: python recipes/52_hopfield.py
Try: (1) BETA = 0.1, attention's usual 1 / sqrt(N): which curve falls now, and why?
    (2) digits with w = np.linalg.pinv(x) @ x, less its diagonal: what does it mend?
"""

from common import datasets, plots
from common.running import Measure, cli

import numpy as np
from scipy.special import erf, erfc, softmax

SIZES = {100: 40, 500: 10}  # neurons: how many networks of this size
LOADS = (0.05, 0.1, 0.138, 0.15, 0.2, 0.3)  # patterns a neuron
SIGNS = (-1.0, 1.0)  # what a neuron can be, and each of a random pattern
FLIPPED = 0.1  # share of a pattern's neurons that recall starts with flipped
NEURONS = 100  # of the networks below
PATTERNS, PROBES = (10, 20, 100, 500, 1000, 10_000), 50  # stored, and recalled
BETA = 0.5  # how steep the steepest energy is
STORED, STEPS = 10, 60  # patterns in each of 20 networks; steps of all neurons at once
DRAWS = 20  # of ten images, one of each digit


def damaged(patterns, rng):
    """Copies in which a share FLIPPED of the neurons [..., N], drawn anew, is wrong."""
    ranks = rng.permuted(np.indices(patterns.shape)[-1], axis=-1)
    return np.where(ranks < FLIPPED * patterns.shape[-1], -patterns, patterns)


def hebb(patterns):
    """One pass of Hebb's rule: patterns [..., P, N], w [..., N, N]; then w is fixed."""
    # No neuron acts on itself: that would hold it where it is, right or wrong.
    return patterns.mT @ patterns * (1 - np.eye(patterns.shape[-1]))


def energy(w, s):
    """E = -s'ws / 2 of states [..., networks, runs, N]: [..., networks, runs]."""
    return -np.sum((s @ w) * s, axis=-1) / 2


def recall(w, s, rng):
    """Neuron after neuron obeys its field, until all do; each sweep in a new order.

    w [networks, N, N], s [networks, runs, N]; returns s at rest, and the energies at
    the start and after each sweep [1 + sweeps, networks, runs].
    """
    s, before, field, energies = s.copy(), None, s @ w, [energy(w, s)]
    while not np.array_equal(s, before):
        before = s.copy()
        for unit in rng.permutation(s.shape[-1]):
            net, run = np.nonzero(s[..., unit] * field[..., unit] < 0)
            field[net, run] -= 2 * s[net, run, unit, None] * w[net, unit]
            s[net, run, unit] *= -1
        energies.append(energy(w, s))
    return s, np.array(energies)


def all_at_once(w, s):
    """All neurons obey together, STEPS times: the states [1 + STEPS, ...]."""
    states = [s]
    for _ in range(STEPS):
        field = states[-1] @ w
        states.append(np.where(field == 0, states[-1], np.sign(field)))
    return np.array(states)


def cube(overlaps):
    return np.maximum(overlaps, 0) * np.square(overlaps)


def recall_dense(patterns, s, rng):
    """`recall` down -sum cube(x's) over the patterns x [P, N]; Hebb's is a square."""
    s, before, overlaps = s.copy(), None, s @ patterns.T
    while not np.array_equal(s, before):
        before = s.copy()
        for unit in rng.permutation(s.shape[-1]):
            x, now = patterns[:, unit], s[:, unit, None]
            others = overlaps - now * x  # without this neuron
            gain = np.sum(cube(others + x) - cube(others - x), axis=1, keepdims=True)
            new = np.where(gain == 0, now, np.sign(gain))
            s[:, unit, None], overlaps = new, others + new * x
    return s


def attend(patterns, s):
    """One step down -log sum exp(BETA x's) / BETA + s's / 2: attention (2020)."""
    # Keys and values: the patterns [..., P, N]. Queries: BETA s [..., runs, N].
    return softmax(BETA * s @ patterns.mT, axis=-1) @ patterns


def mean_field():
    """Load and overlap of states at rest for infinite N, from the highest load on."""
    # y sqrt(2): the pattern's own field, in deviations of the noise by others (1985).
    y = np.linspace(0.1, 4, 100_000)
    load = (erf(y) / y - 2 / np.sqrt(np.pi) * np.exp(-(y**2))) ** 2 / 2
    return np.array([load, erf(y)])[:, load.argmax() :]


def capacity_figure(overlaps, memories):
    figure, (left, right) = plots.new_figure(1, 2)
    for neurons, curve in overlaps.items():
        left.plot(LOADS, curve, "o-", label=f"N = {neurons}")
    loads, rest = mean_field()
    left.plot([loads[0], *loads], [0, *rest], "k--", label="N infinite")
    left.set(xlabel="patterns / N", ylabel="overlap after recall", ylim=(0, 1.03))
    for name, curve in memories.items():
        right.semilogx(PATTERNS, curve, "o-", label=name)
    right.set(xlabel=f"patterns, N = {NEURONS}", ylabel="recalled exactly (%)")
    right.set(ylim=(-3, 155), yticks=range(0, 101, 20))
    for axis, place in ((left, "lower left"), (right, "upper right")):
        axis.legend(fontsize="small", loc=place)
    return figure


def digits_figure(rows):
    figure, axis = plots.new_figure(width=7, height=2.9)
    images = np.reshape(rows, (4, 10, 28, 28))
    axis.imshow(np.block([list(row) for row in images]), cmap="gray_r", zorder=1)
    names = "stored", f"{FLIPPED:.0%} flipped", "Hopfield", "attention"
    axis.set(xticks=[], yticks=14 + 28 * np.arange(4), yticklabels=names)
    return figure


def main(run):
    rng, overlaps = np.random.default_rng(run.seed), {}
    for neurons, networks in SIZES.items():
        size, copies = run.pick((neurons, networks), (neurons // 5, 1))
        sets = [rng.choice(SIGNS, (copies, round(p * size), size)) for p in LOADS]
        ends = [recall(hebb(x), damaged(x, rng), rng)[0] for x in sets]
        overlaps[neurons] = [np.mean(s * x) for s, x in zip(ends, sets, strict=True)]
    memories = {"E square: Hopfield": [], "E cube": [], "E exponential: attention": []}
    for number in PATTERNS:
        x = rng.choice(SIGNS, (run.pick(number, 1 + number // 100), NEURONS))
        start = damaged(x[:PROBES], rng)
        hopfield = recall(hebb(x[None]), start[None], rng)[0][0]
        ends = hopfield, recall_dense(x, start, rng), np.sign(attend(x, start))
        for curve, s in zip(memories.values(), ends, strict=True):
            curve.append(100 * np.mean((s == x[:PROBES]).all(axis=-1)))
    run.save_figure(capacity_figure(overlaps, memories), "capacity")

    x = rng.choice(SIGNS, (run.pick(20, 2), STORED, NEURONS))
    w, start = hebb(x), rng.choice(SIGNS, (len(x), 50, NEURONS))
    (rest, energies), states = recall(w, start, rng), all_at_once(w, start)
    (images, labels), _, _ = datasets.mnist(limit=run.pick(None, 500))
    chosen = [rng.choice(np.flatnonzero(labels == d), DRAWS) for d in range(10)]
    digits = np.where(images.reshape(-1, 784)[np.transpose(chosen)] > 0.5, 1.0, -1.0)
    seen = damaged(digits, rng)
    ends = recall(hebb(digits), seen, rng)[0], np.sign(attend(digits, seen))
    run.save_figure(digits_figure([s[0] for s in (digits, seen, *ends)]), "digits")
    return {
        "critical": mean_field()[:, 0],
        **{f"overlap_{neurons}": curve for neurons, curve in overlaps.items()},
        "bits": [100 * np.mean(x @ hebb(x) * x < 0) for x in sets],  # of N = 500
        "bits_theory": 50 * erfc(1 / np.sqrt(2 * np.array(LOADS))),
        **dict(zip(("hebb", "dense", "softmax"), memories.values(), strict=True)),
        **{
            name: 100 * np.mean((np.diff(e, axis=0) > 0).any(axis=0))
            for name, e in (("rises", energies), ("rises_at_once", energy(w, states)))
        },
        "cycles": 100 * np.mean((states[-1] != states[-2]).any(axis=-1)),
        "spurious": 100 * np.mean(abs(rest @ x.mT).max(axis=-1) < NEURONS),
        "digits_hopfield": 100 * np.mean((ends[0] == digits).all(axis=-1)),
        "digits_attention": 100 * np.mean((ends[1] == digits).all(axis=-1)),
    }


MEASURES = {
    "critical": Measure("", "theory: load, overlap", "이론의 한계", deterministic=True),
    "overlap_100": Measure("", "overlap by load, N = 100", "부하별 겹침, N = 100"),
    "overlap_500": Measure("", "overlap by load, N = 500", "부하별 겹침, N = 500"),
    "bits": Measure("%", "wrong bits after a step, N = 500", "한 걸음 뒤 틀린 비트"),
    "bits_theory": Measure("%", "their theory", "그 이론값", deterministic=True),
    "hebb": Measure("%", "recalled of 10 to 10,000, square", "되살림, 제곱"),
    "dense": Measure("%", "recalled, cube", "되살림, 세제곱"),
    "softmax": Measure("%", "recalled, exponential", "되살림, 지수"),
    "rises": Measure("%", "runs whose energy rises", "에너지가 오른 회상"),
    "rises_at_once": Measure("%", "such, all at once", "오른 회상, 한꺼번에"),
    "cycles": Measure("%", "all at once: no rest", "한꺼번에: 멈추지 않음"),
    "spurious": Measure("%", "rest at what nobody stored", "저장하지 않은 상태"),
    "digits_hopfield": Measure("%", "ten digits, Hopfield", "숫자 열 장, 홉필드"),
    "digits_attention": Measure("%", "ten digits, attention", "숫자 열 장, 어텐션"),
}


if __name__ == "__main__":
    cli(main)
