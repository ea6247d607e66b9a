"""VGG16: small kernels in a row see as far as a large one, with fewer weights.

제목: VGG16: 작은 커널을 여러 겹 쌓기
Question: What do two 3x3 convolutions in a row have over one 5x5?
Finding: The same view with {pair_saving} fewer weights where all maps are equally many;
    accuracy on garments in a small network differs by {equal_gain}. In the paper's
    whole network pairs multiply {whole_net_extra} more; small, they differ from 5x5 by
    {pair_gain}, and three layers a block from one by {depth_gain}. Of VGG16's
    {parameters} parameters, {dense_share} are in its three dense layers.
결과: 맵의 수가 모두 같으면 가중치를 {pair_saving} 덜 쓰고도 같은 넓이를 보며, 작은
    망에서 옷 그림 정답률의 차이는 {equal_gain}입니다. 논문처럼 망 전체를 바꾸면 곱셈은
    {whole_net_extra} 늘고, 작은 망에서 5x5와의 차이는 {pair_gain}, 블록마다 세 층을 둔
    망과 한 층을 둔 망의 차이는 {depth_gain}입니다. VGG16의 매개변수 {parameters}개 중
    {dense_share}가 완전 연결 층 세 개에 있습니다.
Lecture: 000 and 004, VGG; 001, common architectures, and width by depth
Changes from: 34_alexnet (3x3 kernels only, in blocks; more layers)
Run: python recipes/35_vgg16.py (--dataset cifar10: the small networks on photographs)
Try: (1) "seven": (7,) in BLOCKS beside three 3x3 (2) "glorot_uniform" in build_model:
    which depth suffers? (3) IMAGES 10_000, EPOCHS 8: what does depth do then?
"""

import functools
import gc
import math

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers

OPTIONS = {
    "--dataset": {
        "choices": ["fashion_mnist", "cifar10"],
        "default": "fashion_mnist",
        "reproduce": "fashion_mnist",
        "help": "what the small networks learn: fashion_mnist (default) or cifar10",
    }
}
# The paper's networks: convolutions in each of five blocks. D is VGG16, E VGG19.
CONFIGURATIONS = {"A": "11222", "B": "22222", "D": "22333", "E": "22444"}
MAPS = (64, 128, 256, 512, 512)  # by block
# The small networks: the kernels in each of their three blocks.
BLOCKS = {"one": (3,), "two": (3, 3), "three": (3, 3, 3), "five": (5,), "mixed": (3, 5)}
SMALL_MAPS = (8, 16, 32)
IMAGES = 40_000  # to learn from, few times, so that none is learned by heart
BATCH_SIZE = 100
EPOCHS = 2  # 800 updates
LEARNING_RATE = 2e-3  # Adam's, the same for all; falls to 0 along half a cosine


conv = functools.partial(layers.Conv2D, padding="same", activation="relu")


def full_size_model(convolutions=CONFIGURATIONS["D"], kernel=3, start="zeros"):
    """A network of the paper; start: of its weights, zeros to be counted at once."""
    x = inputs = keras.Input((224, 224, 3))
    for maps, depth in zip(MAPS, convolutions, strict=True):
        for _ in range(int(depth)):
            x = conv(maps, kernel, kernel_initializer=start)(x)
        x = layers.MaxPooling2D(2)(x)  # 112, 56, 28, 14, 7 pixels on a side
    x = layers.Flatten()(x)  # 7 x 7 x 512 = 25,088 values
    for _ in range(2):
        x = layers.Dense(4096, activation="relu", kernel_initializer=start)(x)
        x = layers.Dropout(0.5)(x)
    x = layers.Dense(1000, activation="softmax", kernel_initializer=start)(x)
    return keras.Model(inputs, x)


def build_model(kernels=BLOCKS["two"], shape=(28, 28, 1), updates=EPOCHS * 400):
    """A small network; kernels: of the convolutions in each of its blocks."""
    hidden, start = [], {"kernel_initializer": "he_normal"}
    for maps in SMALL_MAPS:
        hidden += [conv(maps, kernel, **start) for kernel in kernels]
        hidden.append(layers.MaxPooling2D(2))  # 14, 7, 3 pixels on a side
    hidden += [layers.Flatten(), layers.Dense(128, "relu", **start)]
    model = keras.Sequential([keras.Input(shape), *hidden, layers.Dense(10)])
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, updates)
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
        steps_per_execution=25,
    )
    return model


def multiplications(model):
    """Of one image: each weight of a kernel, once at every place of its map."""
    weighted = [layer for layer in model.layers if hasattr(layer, "kernel")]
    return sum(math.prod((*x.output.shape[1:-1], *x.kernel.shape)) for x in weighted)


def receptive_field(model):
    """Pixels on a side that a cell of the last maps sees."""
    seen, step = 1, 1  # step: pixels from a cell to the next
    for layer in model.layers:
        size = getattr(layer, "kernel_size", getattr(layer, "pool_size", None))
        if size:
            seen += (size[0] - 1) * step
            step *= layer.strides[0]
    return seen


def count(convolutions, kernel=3):
    """What a network of the paper has; it is built for that, and dropped."""
    gc.collect()  # the one before: half a gigabyte of layers that hold each other
    model = full_size_model(convolutions, kernel)
    maps = [x.output.shape[1:] for x in model.layers if isinstance(x, layers.Conv2D)]
    dense = [x.count_params() for x in model.layers if isinstance(x, layers.Dense)]
    return {
        "parameters": model.count_params(),
        "multiplications": multiplications(model),
        "weight_layers": len(maps) + len(dense),
        "receptive_field": receptive_field(model),
        "dense_share": 100 * sum(dense) / model.count_params(),
        "narrowing": math.prod(maps[-1]) / math.prod(maps[0]),
    }


def architecture_figure(model):
    """Every map to scale: as high as it has pixels, as wide as there are maps."""
    figure, axis = plots.new_figure(width=7, height=3)
    maps = [x.output.shape[1:] for x in model.layers if len(x.output.shape) == 4]
    height, _, width = np.transpose(maps)
    axis.bar(np.cumsum(width), height, -width, align="edge", ec="white")
    axis.set(xlabel="maps", ylabel="pixels", title="VGG16's maps and pixels, to scale")
    return figure


def accuracy_figure(cost, right):
    """Right answers (%) over multiplications (cost) of the small networks, by name."""
    figure, axis = plots.new_figure(width=5.5, height=3.6)
    for name, kernels in BLOCKS.items():
        axis.plot(cost[name] / 1e6, right[name], "sC1" if 5 in kernels else "oC0")
        text = ", ".join(f"{kernel}x{kernel}" for kernel in kernels)
        axis.text(cost[name] / 1e6, right[name], text + "\n\n", ha="center")
    axis.set(xlabel="million multiplications an image", ylabel="test accuracy (%)")
    axis.set(title="convolutions in each of three blocks", xmargin=0.2, ymargin=0.2)
    return figure


def main(run):
    train, _, test = datasets.pictures(run.options["dataset"], run.pick(IMAGES, 200))
    epochs = run.length(EPOCHS)
    cost, right = {}, {}
    for name, kernels in BLOCKS.items():
        updates = epochs * (len(train[0]) // BATCH_SIZE)
        model = build_model(kernels, train[0].shape[1:], updates)
        file = "model" if name == "two" else name
        run.fit(model, *train, batch_size=BATCH_SIZE, epochs=epochs, name=file)
        cost[name] = multiplications(model)
        right[name] = 100 * model.evaluate(*test, batch_size=1000, verbose=0)[1]
    run.save_figure(accuracy_figure(cost, right), "kernels")
    run.save_figure(architecture_figure(full_size_model()), "architecture")

    counts = {name: count(blocks) for name, blocks in CONFIGURATIONS.items()}
    fives = count("11111", kernel=5)["multiplications"]
    # These have two 3x3, or a 5x5, in each block that "one" lacks.
    saving = 1 - (cost["three"] - cost["one"]) / (cost["mixed"] - cost["one"])
    return {
        **counts["D"],
        "weight_layers_e": counts["E"]["weight_layers"],
        "parameters_a_to_e": [values["parameters"] for values in counts.values()],
        "pair_saving": 100 * saving,
        "whole_net_extra": 100 * (counts["B"]["multiplications"] / fives - 1),
        **{f"{name}_accuracy": value for name, value in right.items()},
        "depth_gain": right["three"] - right["one"],
        "pair_gain": right["two"] - right["five"],
        "equal_gain": right["three"] - right["mixed"],
    }


fixed = functools.partial(Measure, deterministic=True)  # no seed changes these
MEASURES = {
    "parameters": fixed("", "VGG16: parameters", "VGG16: 매개변수"),
    "multiplications": fixed("", "multiplications an image", "이미지당 곱셈"),
    "weight_layers": fixed("", "layers with weights", "가중치가 있는 층"),
    "receptive_field": fixed("pixels", "seen by a last cell", "마지막 칸이 보는 폭"),
    "dense_share": fixed("%", "parameters in dense layers", "완전 연결 층의 몫"),
    "narrowing": fixed("", "values, last maps / first", "값의 수, 마지막 / 처음"),
    "weight_layers_e": fixed("", "layers of VGG19", "VGG19의 층"),
    "parameters_a_to_e": fixed("", "parameters, A, B, D, E", "매개변수, A, B, D, E"),
    "pair_saving": fixed("%", "3x3 pairs save, equal maps", "절약, 같은 맵 수"),
    "whole_net_extra": fixed("%", "pairs cost more, net B", "망 B에서 더 드는 곱셈"),
    "one_accuracy": Measure("%", "small, 800 updates: 3x3", "작은 망, 3x3, 800번 갱신"),
    "two_accuracy": Measure("%", "3x3, 3x3", "3x3 둘"),
    "three_accuracy": Measure("%", "3x3, 3x3, 3x3", "3x3 셋"),
    "five_accuracy": Measure("%", "control: 5x5", "대조: 5x5"),
    "mixed_accuracy": Measure("%", "control: 3x3, 5x5", "대조: 3x3, 5x5"),
    "depth_gain": Measure("pp", "three 3x3 - one", "3x3 셋 - 하나", paired=True),
    "pair_gain": Measure("pp", "two 3x3 - 5x5", "3x3 둘 - 5x5", paired=True),
    "equal_gain": Measure("pp", "three - 3x3, 5x5", "셋 - 3x3, 5x5", paired=True),
}


if __name__ == "__main__":
    cli(main)
