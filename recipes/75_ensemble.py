"""Ten networks together are right more often than the best of them.

제목: 앙상블: 함께 답하는 열 개의 신경망
Question: Ten networks that answer together, or one that costs as much?
Finding: Together ten have {ensemble} wrong, one of them {member}, the one that does
    best on validation {chosen}. One of ten times their size has {wide} wrong, one that
    is trained ten times as long {long}. Five together already reach {together_5}.
결과: 열 개가 함께 답하면 오류가 {ensemble}, 하나씩은 평균 {member}, 검증에서 가장 나은
    하나는 {chosen}입니다. 매개변수가 열 배인 망 하나는 {wide}, 열 배 오래 학습한 망
    하나는 {long}입니다. 다섯 개만 모여도 {together_5}입니다.
Lecture: 000, Ensemble Network (Trimps-Soushen); 002, Note on ImageNet and ILSVRC
Changes from: 22_initialization_mnist (ten such networks at once, on 20,000 images)
Run: python recipes/75_ensemble.py
Try: (1) EPOCHS = 1 and 20: when do the networks differ most? (2) NETWORKS = 30
"""

import math

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf

NETWORKS = 10
GROUPS = (1, 2, 3, 5, 10)  # how many answer together
SIZES = (784, 256, 256, 10)
WIDE = (784, 1290, 1290, 10)  # ten times as many parameters, to 0.1 %
IMAGES, BATCH_SIZE, EPOCHS, LEARNING_RATE = 20_000, 100, 5, 1e-3
BINS = 15  # of confidence, for the calibration error
# The slide's two answers to the picture of a cat.
FIRST = {"cat": 0.9, "dog": 0.1}
SECOND = {"dog": 0.5, "bear": 0.3, "swing": 0.1, "cat": 0.09, "abacus": 0.02}


def build(seeds, sizes):
    """Networks side by side: weights [networks, inputs, outputs] and biases of layers.

    seeds: one for each network, of which its He-normal weights are drawn.
    """
    rngs, variables = [np.random.default_rng(seed) for seed in seeds], []
    for layer in range(len(sizes) - 1):
        shape, scale = sizes[layer : layer + 2], math.sqrt(2 / sizes[layer])
        draws = [rng.normal(size=shape) for rng in rngs]
        variables.append(tf.Variable(scale * np.array(draws), dtype="float32"))
        variables.append(tf.Variable(tf.zeros((len(seeds), 1, shape[1]))))
    return variables


def logits(variables, x):
    """x [networks or 1, samples, 784] to [networks, samples, 10]."""
    for layer in range(0, len(variables), 2):
        x = tf.matmul(x, variables[layer]) + variables[layer + 1]
        if layer < len(variables) - 2:
            x = tf.nn.relu(x)
    return x


def train(run, variables, x, y, epochs, name):
    """Adam on all networks at once, each on batches of its own order.

    It takes every weight by itself, so that they train as if each were alone.
    """
    adam = keras.optimizers.Adam(LEARNING_RATE)
    adam.build(variables)
    networks, x, y = variables[0].shape[0], x.reshape(-1, 784), tf.constant(y)

    @tf.function(jit_compile=True)
    def loop(order):
        for batch in order:  # [networks, BATCH_SIZE]
            with tf.GradientTape() as tape:
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
                    tf.gather(y, batch), logits(variables, tf.gather(x, batch))
                )
                loss = tf.reduce_sum(tf.reduce_mean(losses, axis=1))
            adam.apply(tape.gradient(loss, variables), variables)
        return loss / networks

    def step(epoch):
        keys = [epoch * NETWORKS + network for network in range(networks)]
        orders = [run.order(key, len(x), BATCH_SIZE) for key in keys]
        return {"loss": loop(tf.constant(np.stack(orders, axis=1)))}

    run.train(step, [*variables, *adam.variables], epochs, name)


def answers(variables, x):
    """Probabilities [networks, samples, 10] in float64."""
    scores = logits(variables, x.reshape(1, -1, 784))
    return tf.nn.softmax(tf.cast(scores, tf.float64)).numpy()


def error(p, y):
    """Percent of the answers p [..., samples, classes] that are wrong."""
    return 100 * np.mean(p.argmax(axis=-1) != y)


def place(answers, right):
    """Where the right class stands among answers {class: probability}, from 1."""
    return sorted(answers, key=answers.get, reverse=True).index(right) + 1


def miscalibration(p, y):
    """How far confidence is from the share that is right, in bins of it, in %."""
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    bins = np.minimum(confidence * BINS, BINS - 1).astype(int)
    return 100 * abs(np.bincount(bins, confidence - right)).sum() / len(y)


def mcnemar(first, second):
    """Chance that two equally good networks differ so much. first, second: bool [n].

    A sample that only one of them has right is then either's, as heads or tails.
    """
    only = int(np.sum(first & ~second)), int(np.sum(second & ~first))
    tail = sum(math.comb(sum(only), i) for i in range(min(only) + 1))
    return min(1, 2 * tail / 2 ** sum(only))


def main(run):
    (x, y), (x_held, y_held), (x_test, y_test) = datasets.mnist(run.pick(None, 500))
    epochs, first = run.length(EPOCHS), run.seed * NETWORKS
    trainings = {  # all four cost as much
        "members": (range(first, first + NETWORKS), SIZES, epochs),
        "same_start": ([first] * NETWORKS, SIZES, epochs),
        "wide": ([first], WIDE, epochs),
        "long": ([first], SIZES, NETWORKS * epochs),
    }
    p, held = {}, {}  # answers to test and validation, [networks, samples, 10]
    for name, (seeds, sizes, length) in trainings.items():
        networks = build(seeds, sizes)
        train(run, networks, x[:IMAGES], y[:IMAGES], length, name)
        p[name], held[name] = (answers(networks, images) for images in (x_test, x_held))
    members, together = p["members"], p["members"].mean(axis=0)
    chosen = members[np.argmin([error(one, y_held) for one in held["members"]])]
    votes = np.eye(10)[members.argmax(axis=2)].sum(axis=0)  # [samples, 10]
    combined = {"ensemble": together, "vote": votes, "logits": np.log(members).mean(0)}
    controls = {"member": members, "chosen": chosen, "wide": p["wide"]}
    controls |= {"long": p["long"], "same_start": p["same_start"].mean(axis=0)}
    values = {name: error(p, y_test) for name, p in {**combined, **controls}.items()}
    values |= {f"gain_{name}": values[name] - values["ensemble"] for name in controls}
    for k in GROUPS:  # of networks that share none
        groups = members[: NETWORKS // k * k].reshape(-1, k, *together.shape)
        values[f"together_{k}"] = error(groups.mean(axis=1), y_test)
    truth, each = np.eye(10)[y_test], np.arange(len(y_test))
    for name, p in (("member", members), ("ensemble", together[None])):
        values[f"squared_{name}"] = np.mean(np.sum((p - truth) ** 2, axis=2))
        values[f"loss_{name}"] = -np.mean(np.log(p[:, each, y_test]))
        values[f"calibration_{name}"] = np.mean([miscalibration(q, y_test) for q in p])
    values["spread"] = np.mean(np.sum((members - together) ** 2, axis=2))
    fifth = np.sort(together, axis=1)[:, -5]
    values["top_5"] = 100 * np.mean(together[each, y_test] < fifth)
    alike = np.mean(np.sum(votes * (votes - 1), axis=1)) / NETWORKS / (NETWORKS - 1)
    values["disagreement"] = 100 * (1 - alike)
    right = [q.argmax(axis=1) == y_test for q in (together, chosen)]
    values["mcnemar"] = mcnemar(*right)
    values |= {"first_place": place(FIRST, "cat"), "second_place": place(SECOND, "cat")}
    figure, axis = plots.new_figure(width=5.6, height=3.8)
    axis.plot(GROUPS, [values[f"together_{k}"] for k in GROUPS], "o-", label="together")
    for index, name in enumerate(("chosen", "wide", "long"), start=1):
        axis.axhline(values[name], ls="--", color=f"C{index}", label=WORDS[name][0])
    axis.set(xlabel="networks", ylabel="test error (%)", xticks=GROUPS)
    axis.legend()
    run.save_figure(figure, "networks_together")
    return values


WORDS = {
    "ensemble": ("ten together", "열 개 함께"),
    "vote": ("ten, majority vote", "열 개의 다수결"),
    "logits": ("ten, mean of logits", "로짓의 평균"),
    "member": ("one of the ten", "열 개 중 하나"),
    "chosen": ("the best on validation", "검증에서 가장 나은 하나"),
    "wide": ("one, ten times as large", "열 배 큰 하나"),
    "long": ("one, ten times as long", "열 배 오래 배운 하나"),
    "same_start": ("ten of one start", "같은 가중치에서 시작한 열 개"),
}
PAIR = ("member", "ensemble")
GAINS = ("member", "chosen", "wide", "long", "same_start")
MEASURES = {name: Measure("%", f"error: {e}", k) for name, (e, k) in WORDS.items()} | {
    **{
        f"gain_{n}": Measure("pp", f"{n} - 10", WORDS[n][1], paired=True) for n in GAINS
    },
    **{f"together_{k}": Measure("%", f"error: {k}", f"오류: {k}개") for k in GROUPS},
    **{f"squared_{n}": Measure("", f"squared error: {n}", "제곱 오차") for n in PAIR},
    **{f"loss_{n}": Measure("", f"cross-entropy: {n}", "교차 엔트로피") for n in PAIR},
    **{f"calibration_{n}": Measure("%", f"calibration: {n}", "보정") for n in PAIR},
    "spread": Measure("", "variance of the ten", "열 개의 분산"),
    "disagreement": Measure("%", "digits two differ on", "두 망의 답이 다른 숫자"),
    "top_5": Measure("%", "top-5 error: ten", "5순위 오류: 열 개"),
    "mcnemar": Measure("", "ten or best: McNemar's p", "맥니마 검정 p"),
    "first_place": Measure("", "slide: cat", "고양이 순위", deterministic=True),
    "second_place": Measure("", "slide: cat, second", "두 번째", deterministic=True),
}


if __name__ == "__main__":
    cli(main)
