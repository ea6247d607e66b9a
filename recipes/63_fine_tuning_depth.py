"""How much of a trained network should be trained again, and how far back?

제목: 미세 조정: 얼마나, 얼마나 멀리 뒤로
Question: What do few labels gain as more blocks of a trained network are trained again?
Finding: From ImageNet to garments, with 20 labels of each class: a new last layer has
    {depth_0_20} right, and all 16 blocks trained again change that by {gain_20}. Of the
    usual advice, a rate ten times lower is worth {low_rate_gain}; keeping batch
    normalization's statistics {frozen_gain} there, {frozen_gain_high} at the higher.
결과: ImageNet에서 옷 그림으로 옮길 때, 클래스마다 레이블이 20개면 새 출력층만으로
    {depth_0_20}이고 블록 16개를 모두 다시 학습하면 {gain_20} 달라집니다. 흔한 조언의
    값어치는 열 배 낮은 학습률이 {low_rate_gain}, 배치 정규화 통계의 유지가 그때
    {frozen_gain}, 높은 학습률에서 {frozen_gain_high}입니다.
Lecture: 001, Transfer Learning Options
Changes from: 61_mobilenet_transfer (its new last layer is where all of these start)
Run: python recipes/63_fine_tuning_depth.py
Try: (1) PICTURES "cifar10", much like what was learned: does it still pay? (2) thaw the
    first blocks in place of the last ones (3) UPDATES 300: what is too long?
"""

import functools

from common import images, plots, pretrained
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf
from keras.applications import MobileNet

OPTIONS = {
    "--weights": {
        "default": "auto",
        "reproduce": "lite0",
        "metavar": "W",
        "help": "imagenet (MobileNet), lite0 (EfficientNet-Lite0), FILE; auto: at hand",
    },
    "--images": {"metavar": "DIR", "help": "your images, a folder for each class"},
}
PICTURES, SIZE = "fashion_mnist", 48  # pixels that the network sees
DEPTHS = (0, 1, 4, 10, 16)  # blocks trained again, counted from the back
ALL = DEPTHS[-1]
LABELS = FEW, MANY = 5, 20  # labelled pictures of each class
TESTS = 50  # of each class
UPDATES, ALONE = 60, 300  # of the blocks; of a layer alone, before, and from scratch
BATCH_SIZE, HIGH, LOW = 20, 1e-3, 1e-4  # and two learning rates
# What is trained: (name, depth, labels, rate, with each batch's statistics?, updates).
JOBS = [
    *((f"depth_0_{n}", 0, n, HIGH, False, ALONE) for n in LABELS),  # where others start
    *((f"pixels_{n}", None, n, HIGH, False, ALONE) for n in LABELS),
    *((f"depth_{d}_{FEW}", d, FEW, LOW, False, UPDATES) for d in DEPTHS[1:]),
    *((f"depth_{d}_{MANY}", d, MANY, LOW, False, UPDATES) for d in DEPTHS[1:]),
    *((f"high_{d}", d, MANY, HIGH, False, UPDATES) for d in DEPTHS[1:]),
    ("moving", ALL, MANY, LOW, True, UPDATES),
    ("moving_high", ALL, MANY, HIGH, True, UPDATES),
    ("scratch", ALL, MANY, HIGH, True, ALONE),
]


def build_model(network=None, classes=10):
    """A network, by default a small random one, under a new last layer of zeros."""
    network = network or MobileNet(include_top=False, weights=None, pooling="avg")
    answers = keras.layers.Dense(classes, kernel_initializer="zeros")(network.output)
    model = keras.Model(network.input, answers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    adam = keras.optimizers.Adam(LOW)
    model.compile(adam, loss, jit_compile=False, steps_per_execution=20)
    return model


def cut(trained, depth):
    """The network as two: what is left alone, and its last `depth` blocks."""
    whole = trained.network
    if depth is None:  # no network at all
        pixels = keras.Input((None, None, 3))
        small = keras.ops.image.resize(pixels, (28, 28)) / 255
        return None, keras.Model(pixels, keras.layers.Flatten()(small))
    if depth >= len(trained.blocks):
        return None, whole
    if depth == 0:
        features = keras.Input(whole.output.shape[1:])
        return whole, keras.Model(features, features)
    border = whole.get_layer(trained.blocks[-1 - depth]).output
    return keras.Model(whole.input, border), keras.Model(border, whole.output)


def tuner(model):
    """A function that trains a model on, from where it is.

    batches: int [updates, batch], places in x and y. moving: whether the statistics of
    batch normalization are each batch's, and move with them, or stay as they are.
    """
    variables, adam = model.trainable_variables, model.optimizer
    adam.build(variables)

    @tf.function(reduce_retracing=True)
    def updates(x, y, batches, moving):
        for batch in batches:
            with tf.GradientTape() as tape:
                answers = model(tf.gather(x, batch), training=moving)
                loss = model.loss(tf.gather(y, batch), answers)
            adam.apply(tape.gradient(loss, variables), variables)

    def tune(x, y, batches, rate, moving):
        for variable in adam.variables:
            variable.assign(tf.zeros_like(variable))
        adam.learning_rate.assign(rate)
        loop = updates if len(batches) > 1 else updates.python_function  # sooner done
        loop(tf.constant(np.float32(x)), tf.constant(y), tf.constant(batches), moving)

    return tune


def depth_figure(values, words):
    """Accuracy by trained blocks, for few and many labels, and what stands beside."""
    figure, axis = plots.new_figure(width=5.8, height=4.6)
    for color, n in zip(("C0", "C1"), LABELS, strict=True):
        heights = [values[f"depth_{depth}_{n}"] for depth in DEPTHS]
        axis.plot(DEPTHS, heights, f"{color}o-", label=f"{n} labels")
        axis.axhline(values[f"pixels_{n}"], color=color, ls=":", label=f"{n}, pixels")
    high = [values[f"high_{depth}"] for depth in DEPTHS[1:]]
    axis.plot(DEPTHS[1:], high, "C2s--", label=f"{MANY}, rate ten times higher")
    axis.plot(ALL, values["moving"], "C1D", mfc="w", label=f"{MANY}, batch statistics")
    axis.plot(ALL, values["moving_high"], "C2D", mfc="w", label="the same, higher rate")
    axis.plot(ALL, values["scratch"], "kx", label=f"{MANY}, from random weights")
    axis.set(xticks=DEPTHS, xlabel="blocks trained again, counted from the back")
    axis.set(ylabel="test accuracy (%)", title=words)
    figure.legend(ncols=3, fontsize="x-small", loc="outside lower center")
    return figure


def main(run):
    trained = pretrained.load(run, "mobilenet", run.pick(SIZE, 32))
    counts = run.pick((MANY, TESTS), (3, 2))
    (task,) = images.tasks(run, SIZE, [PICTURES], *counts).values()
    network, y, both = trained.network, task.y_train, (task.x_train, task.x_test)
    learned = network.get_weights()

    @functools.cache
    def prepared(depth):
        """A model to train, how, and its inputs: pictures or fixed features."""
        lower, upper = cut(trained, depth)
        model = build_model(upper, len(task.names))
        return model, tuner(model), pretrained.features(lower, *both) if lower else both

    @functools.cache
    def tuned(number):
        """What a job leads to: its accuracy by name, and its last layer's weights."""
        name, depth, labels, rate, moving, updates = JOBS[number]
        head = tuned(LABELS.index(labels))[1] if depth and name != "scratch" else None
        network.set_weights(learned)
        model, tune, (x, x_test) = prepared(depth and run.pick(depth, 1))
        if name == "scratch":
            pretrained.untrained(network)
        last = model.layers[-1]
        last.set_weights(head or [np.zeros(w.shape) for w in last.weights])
        rng = np.random.default_rng([run.seed, labels])
        few = images.few_of_each(y, labels, rng)
        tune(x, y, rng.choice(few, (run.pick(updates, 1), BATCH_SIZE)), rate, moving)
        (answers,) = pretrained.features(model, x_test)
        right = answers.argmax(axis=1) == task.y_test
        return {name: 100 * np.mean(right)}, last.get_weights()

    found = run.train(lambda job: tuned(job)[0], [], len(JOBS), "tuning")
    values = {k: v for one in found for k, v in one.items() if k != "epoch"}
    run.save_figure(depth_figure(values, trained.words), "depth")
    few, many = (values[f"depth_{ALL}_{n}"] for n in LABELS)
    return {
        **values,
        "gain_20": many - values[f"depth_0_{MANY}"],
        "gain_5": few - values[f"depth_0_{FEW}"],
        "low_rate_gain": many - values[f"high_{ALL}"],
        "frozen_gain": many - values["moving"],
        "frozen_gain_high": values[f"high_{ALL}"] - values["moving_high"],
    }


MEASURES = {
    "gain_20": Measure("pp", "20 labels: all blocks - none", "20개: 전부 - 없음", True),
    "gain_5": Measure("pp", "5 labels: all blocks - none", "5개: 전부 - 없음", True),
    "low_rate_gain": Measure("pp", "all: low rate - high", "학습률 낮게 - 높게", True),
    "frozen_gain": Measure("pp", "all: statistics kept", "통계 유지 - 아님", True),
    "frozen_gain_high": Measure("pp", "the same, high rate", "학습률 높게", True),
    **{f"pixels_{n}": Measure("%", f"{n}, pixels", f"{n}, 픽셀") for n in LABELS},
    **{
        f"depth_{d}_{n}": Measure("%", f"{n} labels: {d} blocks", f"{n}개: 블록 {d}개")
        for n in LABELS
        for d in DEPTHS
    },
    **{
        f"high_{d}": Measure("%", f"{d} blocks, high rate", f"블록 {d}개, 학습률 높게")
        for d in DEPTHS[1:]
    },
    "moving": Measure("%", "all, each batch's statistics", "전부, 배치마다의 통계"),
    "moving_high": Measure("%", "all, the same, high rate", "전부, 학습률도 높게"),
    "scratch": Measure("%", "all, from random weights", "전부, 무작위 가중치에서"),
}


if __name__ == "__main__":
    cli(main)
