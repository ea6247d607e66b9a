"""AlexNet: what each of its ideas does for a small network.

제목: AlexNet: 아이디어 하나하나의 효과
Question: Which of AlexNet's ideas can still be seen in a small network?
Finding: Not the speed of ReLU: a quarter of the images learned from is still wrong
    after {relu_updates} updates with it, {tanh_updates} with tanh, each at its best
    rate. Accuracy changes by {shift_gain} with shifts (on shifted ones), {dropout_gain}
    with dropout, {lrn_gain} with normalization, {pool_gain} with overlapping pooling.
    Full-size dense layers hold {dense_share} of weights, do {dense_work} of products.
결과: ReLU가 더 빨리 배우는 것은 보이지 않습니다. 학습 오류율이 4분의 1로 줄 때까지
    ReLU는 {relu_updates}번, tanh는 {tanh_updates}번 갱신합니다(각자 가장 좋은 학습률).
    정답률은 옮긴 그림으로 배우면 (옮긴 그림에서) {shift_gain}, 드롭아웃으로
    {dropout_gain}, 정규화로 {lrn_gain}, 겹치는 풀링으로 {pool_gain} 달라집니다. 원래
    크기에서는 완전 연결 층에 가중치의 {dense_share}와 곱셈의 {dense_work}가 있습니다.
Lecture: 000, 002 and 004, AlexNet; 001, common architectures
Changes from: 33_lenet5 (more and larger layers, ReLU, dropout, shifted images)
Run: python recipes/34_alexnet.py (--dataset cifar10: the small networks on photographs)
Try: (1) 0.3 in RATES: which activation bears it? (2) alpha=0.1 in Normalization
"""

import functools
import itertools
import math

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
IDEAS = {"activation": "relu", "lrn": True, "pool": 3, "dropout": 0.5, "shift": False}
CHANGES = {"lrn": False, "pool": 2, "dropout": 0, "shift": True}  # one in each network
SMALL = {"maps": (8, 16, 24, 24, 16), "dense": (256, 256, 10), "groups": 1}
SMALL |= {"first": (5, 1, "same"), "start": "he_normal"}  # kernel, stride, padding
FULL = {"maps": (96, 256, 384, 384, 256), "dense": (4096, 4096, 1000), "groups": 2}
FULL |= {"first": (11, 4, "valid"), "start": "zeros"}  # only to be counted
# Others of the name: the paper's text has 224 pixels, its figure's 55 cells need 227;
# merged towers; torchvision's, of a later paper, in a frame of 2 pixels.
LATER = {"groups": 1, "maps": (64, 192, 384, 256, 256)}
OTHERS = ((224, {}), (227, {"groups": 1}), (228, LATER))
IMAGES = 1_000  # few enough to be learned by heart
BATCH_SIZE = 100  # 10 updates an epoch
EPOCHS, RACE_EPOCHS = 60, 25  # RACE: ReLU against tanh
RATES = (0.003, 0.01, 0.03)  # of it, with momentum 0.9; 0.1 is too much for both
ERROR = 25  # percent of the training images, to be reached by ReLU and tanh


# In training only: each image up to two of 28 pixels off its place, each time anew.
shifts = functools.partial(layers.RandomTranslation, 2 / 28, 2 / 28, "constant")


# Of neighbouring maps: x / (2 + 0.0001 s)^0.75, s: the squares in five of them.
@keras.saving.register_keras_serializable("recipes")
class Normalization(layers.Layer):
    def call(self, x):
        return tf.nn.local_response_normalization(x, 2, bias=2, alpha=1e-4, beta=0.75)


def build_model(shape=(28, 28, 1), size=SMALL, optimizer="adam", **change):
    """AlexNet, by default a small one; change: other values of size and IDEAS."""
    net = IDEAS | size | change
    how = {"activation": net["activation"], "kernel_initializer": net["start"]}
    conv = functools.partial(layers.Conv2D, padding="same", **how)
    x = inputs = keras.Input(shape)
    x = shifts()(x) if net["shift"] else x
    x = layers.Conv2D(net["maps"][0], *net["first"], **how)(x)
    x = layers.MaxPooling2D(net["pool"], 2)(Normalization()(x) if net["lrn"] else x)
    x = conv(net["maps"][1], 5, groups=net["groups"])(x)
    x = layers.MaxPooling2D(net["pool"], 2)(Normalization()(x) if net["lrn"] else x)
    x = conv(net["maps"][2], 3)(x)
    x = conv(net["maps"][3], 3, groups=net["groups"])(x)
    x = conv(net["maps"][4], 3, groups=net["groups"])(x)
    x = layers.Flatten()(layers.MaxPooling2D(net["pool"], 2)(x))
    for units in net["dense"][:-1]:
        x = layers.Dropout(net["dropout"])(layers.Dense(units, **how)(x))
    x = layers.Dense(net["dense"][-1], kernel_initializer=net["start"])(x)
    model = keras.Model(inputs, x)
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
        steps_per_execution=10,
    )
    return model


def full_size_model(pixels=227, **change):
    return build_model((pixels, pixels, 3), FULL, **change)


def multiplications(model, kind=layers.Layer):
    """Of one image: each weight of a kernel, once at every place of its map."""
    weighted = [x for x in model.layers if hasattr(x, "kernel") and isinstance(x, kind)]
    return sum(math.prod((*x.output.shape[1:-1], *x.kernel.shape)) for x in weighted)


def count(model):
    seen, step = 1, 1  # in pixels: the view of a cell, and from a cell to the next
    for layer in model.layers:
        size = getattr(layer, "kernel_size", getattr(layer, "pool_size", None))
        if size:
            seen, step = seen + (size[0] - 1) * step, step * layer.strides[0]
    total, dense = multiplications(model), multiplications(model, layers.Dense)
    kinds = [type(layer).__name__ for layer in model.layers]
    return {
        "parameters": model.count_params(),
        "multiplications": total,
        "dense_share": 100 * dense / model.count_params(),
        "dense_work": 100 * dense / total,
        "receptive_field": seen,
        "kinds": [kinds.count(kind) for kind in ("Conv2D", "MaxPooling2D", "Dropout")],
    }


def train(run, data, name, epochs, tests=(), **change):
    """Train a small network; errors in training, by epoch, right ones on tests (%)."""
    keras.utils.set_random_seed(run.seed)  # the same start for all
    model = build_model(data[0].shape[1:], **change)
    history = run.fit(model, *data, batch_size=BATCH_SIZE, epochs=epochs, name=name)
    right = [model.evaluate(*test, batch_size=1000, verbose=0)[1] for test in tests]
    return 100 - 100 * np.array(history["accuracy"]), 100 * np.array(right)


def story_figure(full, errors, right):
    """full: network; errors: {name: by epoch}; right: {change: (as is, shifted)}."""
    figure, axes = plots.new_figure(3, 1, width=6, height=2.6)
    shapes = [x.output.shape[1:] for x in full.layers if len(x.output.shape) == 4]
    height, _, width = np.transpose(shapes[1:])  # without the image
    axes[0].bar(np.cumsum(width), height, -width, align="edge", ec="white")
    axes[0].set(xlabel="maps", ylabel="pixels", title="full size, to scale")
    for name, curve in errors.items():
        axes[1].plot(curve, "-" if "relu" in name else "--", label=name)
    axes[1].set(xlabel="epochs of 10 updates", ylabel="training error (%)")
    axes[1].legend(fontsize="x-small", ncols=2)
    names = ["AlexNet", *(f"{name}={value}" for name, value in CHANGES.items())]
    axes[2].plot(np.array(list(right.values())), names, "o")
    axes[2].set(xlabel="test accuracy (%)", title="one change (orange: shifted images)")
    return figure


def main(run):
    data, _, test = datasets.pictures(run.options["dataset"], run.pick(10_000, 200))
    data = [part[:IMAGES] for part in data]
    errors, right, updates = {}, {}, {"relu": math.inf, "tanh": math.inf}
    for activation, rate in itertools.product(updates, RATES[: run.pick(None, 1)]):
        sgd, name = keras.optimizers.SGD(rate, momentum=0.9), f"{activation}_{rate}"
        how = {"optimizer": sgd, "activation": activation, "dropout": 0}
        errors[name], _ = train(run, data, name, run.length(RACE_EPOCHS), **how)
        reached = np.append(errors[name] <= ERROR, True).argmax()  # or after the last
        updates[activation] = min(updates[activation], 10 * (1 + reached))
    tests = test, (shifts(seed=0)(test[0], training=True), test[1])
    for name in ("model", *CHANGES):
        change = {name: CHANGES[name]} if name in CHANGES else {}
        _, right[name] = train(run, data, name, run.length(EPOCHS), tests, **change)
    gains = {key: right["model"] - right[key] for key in CHANGES}
    full = full_size_model()
    run.save_figure(story_figure(full, errors, right), "ideas")
    return {
        **count(full),
        "others": [full_size_model(p, **c).count_params() for p, c in OTHERS],
        **{f"{key}_updates": number for key, number in updates.items()},
        "times_sooner": updates["tanh"] / updates["relu"],
        "shift_gain": -gains["shift"][1],
        **{f"{key}_gain": gains[key][0] for key in ("dropout", "lrn", "pool")},
    }


fixed = functools.partial(Measure, deterministic=True)  # no seed changes these
gain = functools.partial(Measure, "pp", paired=True)
MEASURES = {
    "parameters": fixed("", "full size: parameters", "원래 크기: 매개변수"),
    "multiplications": fixed("", "multiplications an image", "이미지당 곱셈"),
    "dense_share": fixed("%", "weights in dense layers", "완전 연결 층의 가중치"),
    "dense_work": fixed("%", "multiplications there", "그곳의 곱셈"),
    "receptive_field": fixed("pixels", "seen by a last cell", "마지막 칸이 보는 폭"),
    "kinds": fixed("", "conv, pooling, dropout", "합성곱, 풀링, 드롭아웃 층"),
    "others": fixed("", "224 pixels; merged; later", "224화소; 합친 탑; 뒤의 논문"),
    "relu_updates": Measure("", "small: updates, ReLU", "작은 망: 갱신, ReLU"),
    "tanh_updates": Measure("", "updates, tanh", "갱신, tanh"),
    "times_sooner": Measure("times", "tanh's / ReLU's", "tanh / ReLU"),
    "shift_gain": gain("shifts, on shifted images", "옮겨 배우기, 옮긴 그림"),
    "dropout_gain": gain("dropout", "드롭아웃"),
    "lrn_gain": gain("normalization", "정규화"),
    "pool_gain": gain("pooling that overlaps", "겹치는 풀링"),
}


if __name__ == "__main__":
    cli(main)
