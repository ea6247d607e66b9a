"""GoogLeNet: 1x1 convolutions make kernels of several sizes affordable.

제목: GoogLeNet: 1x1 합성곱으로 연산량 줄이기
Question: What do 1x1 convolutions save, and what do extra classifiers?
Finding: 1x1 divides multiplications by {cost_ratio} and parameters by {weight_ratio}.
    After 500 updates a small network loses {reduced_loss} by it, and {average_loss} by
    averaging its last maps, not flattening. Extra classifiers raise the first gradient
    by {heads_small} powers of ten from AlexNet's small weights, {heads_he} from He's.
결과: 1x1을 쓰면 곱셈은 {cost_ratio}분의 1, 매개변수는 {weight_ratio}분의 1이 됩니다.
    500번 갱신한 작은 망이 그 때문에 잃는 정답률은 {reduced_loss}, 마지막 맵을 평균해서
    잃는 것은 {average_loss}입니다. 추가 분류기는 첫 층의 기울기를 AlexNet의 작은
    가중치로는 10의 {heads_small}제곱, He의 것으로는 10의 {heads_he}제곱 배로 합니다.
Lecture: 000 and 004, GoogLeNet; 001, common architectures
Changes from: 35_vgg16 (kernels of several sizes side by side, 1x1 before them)
Run: python recipes/36_googlenet.py (--dataset cifar10: small networks on photos)
Try: (1) gain_by_heads from "glorot_uniform" (2) twice the maps before 5x5: the price?
"""

import functools

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf
from keras import layers

OPTIONS = {
    "--dataset": {
        "choices": ["fashion_mnist", "cifar10"],
        "default": "fashion_mnist",
        "reproduce": "fashion_mnist",
        "help": "what the small networks learn: fashion_mnist (default) or cifar10",
    }
}
MODULES = {  # maps of 1x1; before and of 3x3; before and of 5x5; behind pooling
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
PRINTED = (128, 304, 73, 88, 100, 119, 170, 54, 71)  # by the paper, in millions
SMALL = ("3a", "3b", "4a", "4b"), 8  # the small networks: modules, an eighth as wide
CHANGES = {"model": {}, "naive": {"reduced": False}, "flat": {"flatten": True}}
BATCH_SIZE, LEARNING_RATE = 100, 3e-3  # best for Adam of 1, 3 and 6e-3, held out
IMAGES, EPOCHS = 10_000, 5  # 500 updates
LITTLE = {"class_name": "RandomNormal", "config": {"stddev": 0.01}}  # AlexNet's weights

conv = functools.partial(layers.Conv2D, padding="same", activation="relu")
pool = functools.partial(layers.MaxPooling2D, padding="same")


def body(x, names, divisor=1, reduced=True, flatten=False, heads=False, **how):
    """Modules up to what goes into classifiers: the last one, before it extra ones."""
    ends, size = [], names[0][0]
    for name in names:
        one, to3, three, to5, five, pooled = (m // divisor for m in MODULES[name])
        x, size = x if name[0] == size else pool(3, 2)(x), name[0]
        before3 = conv(to3, 1, name=f"{name}_3_1", **how)(x) if reduced else x
        before5 = conv(to5, 1, name=f"{name}_5_1", **how)(x) if reduced else x
        branches = [
            conv(one, 1, name=f"{name}_1", **how)(x),
            conv(three, 3, name=f"{name}_3", **how)(before3),
            conv(five, 5, name=f"{name}_5", **how)(before5),
            conv(pooled, 1, name=f"{name}_pool", **how)(pool(3, 1)(x)),
        ]
        x = layers.Concatenate()(branches)
        if heads and name in ("4a", "4d"):
            end = conv(128, 1, **how)(layers.AveragePooling2D(5, 3)(x))
            end = layers.Dense(1024, "relu", **how)(layers.Flatten()(end))
            ends.append(layers.Dropout(0.7)(end))
    x = layers.Flatten()(x) if flatten else layers.GlobalAveragePooling2D()(x)
    return [*ends, layers.Dropout(0.4)(x)]


def full_size_model(shape=(224, 224, 3), start="zeros", **change):
    """The paper's, but for its normalizations (34); zeros as weights, to be counted."""
    how = {"kernel_initializer": start}
    x = inputs = keras.Input(shape)
    x = pool(3, 2)(conv(64, 7, 2, **how)(x))
    x = pool(3, 2)(conv(192, 3, **how)(conv(64, 1, **how)(x)))
    ends = body(x, list(MODULES), **change, **how)
    return keras.Model(inputs, [layers.Dense(1000, **how)(x) for x in ends])


def build_model(shape=(28, 28, 1), **change):
    how = {"kernel_initializer": "he_normal"}
    x = inputs = keras.Input(shape)
    x = conv(8, 1, **how)(pool(3, 2)(conv(8, 3, **how)(x)))
    (x,) = body(conv(24, 3, **how)(x), *SMALL, **change, **how)
    model = keras.Model(inputs, layers.Dense(10)(x))
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
        steps_per_execution=20,
    )
    return model


def multiplications(model, part=""):
    """Of one image, in layers whose names begin so: each weight at each place."""
    used = [x for x in model.layers if hasattr(x, "kernel") and x.name.startswith(part)]
    return int(sum(np.prod((*x.output.shape[1:-1], *x.kernel.shape)) for x in used))


def longest_way(model):
    """Layers with weights on the longest way, and the pixels that a last cell sees."""
    ways = {}
    for x in model.layers:
        inputs = (y._keras_history.operation for y in keras.tree.flatten(x.input))
        depth, seen, step = map(max, (0, 1, 1), (0, 1, 1), *[ways[y] for y in inputs])
        if hasattr(x, "strides"):
            size = getattr(x, "kernel_size", None) or x.pool_size
            seen, step = seen + (size[0] - 1) * step, step * x.strides[0]
        ways[x] = depth + hasattr(x, "kernel"), seen, step
    return {"layers": ways[x][0], "receptive_field": ways[x][1]}


def gain_by_heads(run, images, labels, start):
    """How much larger the first gradient is with extra classifiers, in powers of 10."""
    keras.utils.set_random_seed(run.seed)
    images = keras.ops.image.resize(images, 2 * [run.pick(224, 112)])
    model = full_size_model(images.shape[1:], start, heads=True)
    entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape(persistent=True) as tape:
        *extra, last = [entropy(labels, scores) for scores in model(images)]
        both = last + 0.3 * sum(extra)  # as in the paper
    alone, together = (tape.gradient(x, model.weights[0]) for x in (last, both))
    return np.log10(np.linalg.norm(together) / np.linalg.norm(alone))


def story_figure(full, costs):
    """The network to scale; below, costs with and without 1x1 by module: [2, 9]."""
    figure, axes = plots.new_figure(2, 1, width=6, height=2.8)
    shapes = [x.output.shape[1:] for x in full.layers if len(x.output.shape) == 4]
    height, _, width = np.transpose(shapes[1:])  # without the image
    axes[0].bar(np.cumsum(width), height, -width, align="edge", ec="white", lw=0.3)
    axes[0].set(xlabel="maps", ylabel="pixels", title="GoogLeNet to scale")
    axes[1].plot(list(MODULES), costs.T, "o", label=["with 1x1", "without"])
    axes[1].plot(list(MODULES), PRINTED, "kx", label="printed in the paper")
    axes[1].set(ylabel="million multiplications")
    axes[1].legend(fontsize="small")
    return figure


def main(run):
    train, _, test = datasets.pictures(run.options["dataset"], run.pick(IMAGES, 200))
    right = {}
    for name, change in CHANGES.items():
        keras.utils.set_random_seed(run.seed)
        model, epochs = build_model(train[0].shape[1:], **change), run.length(EPOCHS)
        run.fit(model, *train, batch_size=BATCH_SIZE, epochs=epochs, name=name)
        right[name] = 100 * model.evaluate(*test, batch_size=1000, verbose=0)[1]
    full, naive = full_size_model(), full_size_model(reduced=False)
    both = full, naive
    costs = np.array([[multiplications(m, n) / 1e6 for n in MODULES] for m in both])
    run.save_figure(story_figure(full, costs), "modules")
    few = [part[: run.pick(4, 1)] for part in test]
    return {
        "parameters": full.count_params(),
        "multiplications": multiplications(full),
        **longest_way(full),
        "cost_ratio": multiplications(naive) / multiplications(full),
        "weight_ratio": naive.count_params() / full.count_params(),
        "five_ratio": multiplications(naive, "3a_5") / multiplications(full, "3a_5"),
        "as_printed": np.sum(np.abs(costs[0] - PRINTED) < 1),
        "reduced_loss": right["naive"] - right["model"],
        "average_loss": right["flat"] - right["model"],
        "heads_small": gain_by_heads(run, *few, LITTLE),
        "heads_he": gain_by_heads(run, *few, "he_normal"),
    }


fixed = functools.partial(Measure, deterministic=True)  # no seed changes these
MEASURES = {
    "parameters": fixed("", "full size: parameters", "원래 크기: 매개변수"),
    "multiplications": fixed("", "multiplications an image", "이미지당 곱셈"),
    "layers": fixed("", "with weights, longest way", "가중치 있는 층, 가장 긴 길"),
    "receptive_field": fixed("pixels", "seen by a last cell", "마지막 칸이 보는 폭"),
    "cost_ratio": fixed("", "multiplied without 1x1", "1x1 없을 때의 곱셈"),
    "weight_ratio": fixed("", "parameters without 1x1", "1x1 없을 때의 매개변수"),
    "five_ratio": fixed("", "multiplied, 5x5 of 3a", "3a의 5x5에서 곱셈"),
    "as_printed": fixed("", "modules as the paper has them", "논문과 같은 모듈"),
    "reduced_loss": Measure("pp", "without - with 1x1", "1x1 없이 - 사용", paired=True),
    "average_loss": Measure("pp", "flat - averaged", "펼침 - 평균", paired=True),
    "heads_small": Measure("", "gradient, N(0, 0.01): 10^", "기울기, N(0, 0.01): 10^"),
    "heads_he": Measure("", "gradient, He's start: 10^", "기울기, He 초기화: 10^"),
}


if __name__ == "__main__":
    cli(main)
