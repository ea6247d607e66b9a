"""VGG16, block by block: general features in the middle, special ones at the end.

제목: VGG16 전이 학습: 블록별로 본 특징의 쓸모
Question: From which depth of a trained network should features for new images come?
Finding: This VGG16 learned ImageNet's objects and went on to find edges. For garments
    its fourth block ({fashion_mnist_trained_4}) leads the fifth, special to edges, by
    {fashion_mnist_special}, for color photographs ({cifar10_trained_4}) by
    {cifar10_special}. What the third block has learned is worth {fashion_mnist_general}
    and {cifar10_general} over random weights.
결과: 이 VGG16은 ImageNet의 사물을 배운 뒤 윤곽선 찾기를 더 배웠습니다. 옷 그림에서 넷째
    블록({fashion_mnist_trained_4})은 윤곽선에 맞추어진 다섯째보다
    {fashion_mnist_special}, 컬러 사진에서({cifar10_trained_4})는 {cifar10_special}
    앞섭니다. 셋째 블록이 배운 것의 값어치는 무작위 가중치에 견주어 각각
    {fashion_mnist_general}, {cifar10_general}입니다.
Lecture: 001, Transfer Learning; VGG 16
Changes from: 61_mobilenet_transfer (features of every block; four times the weights)
Run: python recipes/62_vgg16_transfer.py --images DIR (a folder of photos per class)
Try: (1) --weights imagenet, which never learned edges: what does its fifth block lose?
    (2) your own photos: which block serves them best? (3) average pooling throws places
    away: flatten block 5 instead, what does it gain?
"""

from common import images, plots, pretrained
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

OPTIONS = {
    "--weights": {
        "default": "auto",
        "reproduce": "edges",
        "metavar": "W",
        "help": "imagenet, edges (ImageNet, then edges), a file; auto: what is at hand",
    },
    "--images": {"metavar": "DIR", "help": "your images, a folder for each class"},
}

ARCHITECTURE = keras.applications.VGG16
SIZE = 64  # pixels that the network sees; its last maps are 4 x 4
PICTURES = ("fashion_mnist", "cifar10")
LABELS = 20  # labelled pictures of each class
POOL, TESTS = 40, 30  # pictures of each class to draw from, and for the test
DRAWS = 4  # which labels is a matter of luck: drawn anew, and averaged
HEAD_C = 0.1  # how little the weights of the new layer are held back
# The lecture's example of a top-5 answer: dog, bear, swing, cat, abacus, shark.
TOP5_EXAMPLE = (0.5, 0.3, 0.1, 0.09, 0.02, 0.01)
BLOCKS = (1, 2, 3, 4, 5)
MIDDLE = 3


def averaged_blocks(trained):
    """The network with an output for each block: each map's average, [n, maps]."""
    outputs = [trained.network.get_layer(name).output for name in trained.blocks]
    averages = [layers.GlobalAveragePooling2D()(maps) for maps in outputs]
    return keras.Model(trained.network.input, averages)


def head_on(train, test, y_train, y_test):
    """% right of a new last layer, softmax regression, on features [n, units]."""
    # Blocks and random weights change the size of a signal, so all are put to scale 1.
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation[deviation == 0] = 1
    head = LogisticRegression(C=HEAD_C, max_iter=1000)
    with threadpool_limits(1):  # so small a problem takes longer on two
        head.fit((train - mean) / deviation, y_train)
    return 100 * np.mean(head.predict((test - mean) / deviation) == y_test)


def compare(run, blocks, task, name):
    """Accuracy on the features of each block, trained and random, and on pixels."""
    both, y = (task.x_train, task.x_test), task.y_train
    step = max(1, task.x_test.shape[1] // 32)
    small = [x[:, ::step, ::step].reshape(len(x), -1) / np.float32(255) for x in both]
    features = {"pixels": small}
    for kind in ("trained", "random"):
        if kind == "random":
            pretrained.untrained(blocks)
        of_parts = pretrained.features(blocks, *both)
        for block, pair in zip(BLOCKS, zip(*of_parts, strict=True), strict=True):
            features[f"{kind}_{block}"] = pair

    def one_draw(draw):
        few = images.few_of_each(y, LABELS, np.random.default_rng([run.seed, draw]))
        return {
            f"{name}_{key}": head_on(x[few], x_test, y[few], task.y_test)
            for key, (x, x_test) in features.items()
        }

    draws = [one_draw(draw) for draw in range(run.pick(DRAWS, 1))]
    values = {key: np.mean([draw[key] for draw in draws]) for key in draws[0]}
    trained, random = (
        [values[f"{name}_{kind}_{block}"] for block in BLOCKS]
        for kind in ("trained", "random")
    )
    values[f"{name}_general"] = trained[MIDDLE - 1] - random[MIDDLE - 1]
    values[f"{name}_special"] = trained[-2] - trained[-1]
    return values


def blocks_figure(values, names, words):
    """Accuracy by the block that the features come from, a panel for each task."""
    figure, axes = plots.new_figure(1, len(names), width=4.2, height=3.4)
    for axis, name in zip(np.ravel(axes), names, strict=True):
        for kind, style in (("trained", "o-"), ("random", "s--")):
            heights = [values[f"{name}_{kind}_{block}"] for block in BLOCKS]
            axis.plot(BLOCKS, heights, style, label=f"{kind} features")
        pixels = values[f"{name}_pixels"]
        axis.axhline(pixels, color="grey", linestyle=":", label="pixels")
        axis.set(title=name, xticks=BLOCKS, xlabel="features of block")
    np.ravel(axes)[0].set(ylabel="test accuracy (%)")
    lines = axis.get_legend_handles_labels()
    figure.legend(*lines, ncols=3, fontsize="small", loc="outside lower center")
    figure.suptitle(words, fontsize="small")
    return figure


def maps_figure(trained, tasks):
    """A picture of each task, and of each block the map that varies most on it."""
    names = [trained.network.get_layer(name).output for name in trained.blocks]
    network = keras.Model(trained.network.input, names)
    figure, axes = plots.new_figure(len(tasks), 6, width=1.4, height=1.6)
    for row, task in zip(np.reshape(axes, (-1, 6)), tasks.values(), strict=True):
        picture = task.x_test[-1]
        row[0].imshow(picture)
        row[0].set_title(task.names[-1], fontsize="small", parse_math=False)
        for block, axis, maps in zip(
            BLOCKS, row[1:], network(np.float32(picture[None])), strict=True
        ):
            maps = maps[0].numpy()  # [height, width, maps]
            rim = len(maps) // 6  # where all vary, as zeros lie beyond
            inner = maps[rim : len(maps) - rim, rim : len(maps) - rim]
            axis.imshow(maps[..., inner.std(axis=(0, 1)).argmax()])
            axis.set_title(f"block {block}", fontsize="small")
        for axis in row:
            axis.axis("off")
    figure.suptitle(trained.words, fontsize="small")
    return figure


def main(run):
    trained = pretrained.load(run, "vgg16", run.pick(SIZE, 32))
    counts = run.pick((POOL, TESTS), (3, 2))
    tasks = images.tasks(run, SIZE, PICTURES[: run.pick(None, 1)], *counts)
    run.save_figure(maps_figure(trained, tasks), "feature_maps")
    learned = trained.network.get_weights()
    blocks = averaged_blocks(trained)
    values = {
        "layers": sum(
            bool(layer.weights)
            for layer in ARCHITECTURE(weights=None, input_shape=(32, 32, 3)).layers
        ),
        "example_sum": 100 * sum(TOP5_EXAMPLE),
    }
    for name, task in tasks.items():
        trained.network.set_weights(learned)
        values |= compare(run, blocks, task, name)
    run.save_figure(blocks_figure(values, tasks, trained.words), "blocks")
    return values


MEASURES = {
    **{
        f"{name}_{key}": Measure("pp", f"{name}: {english}", f"{name}: {korean}", True)
        for name in (*PICTURES, "photos")
        for key, english, korean in (
            ("general", "block 3, trained - random", "3번, 학습 - 무작위"),
            ("special", "trained, block 4 - block 5", "학습, 4번 - 5번"),
        )
    },
    **{
        f"{name}_{kind}_{block}": Measure(
            "%", f"{name}: block {block}, {kind}", f"{name}: {block}번, {korean}"
        )
        for name in (*PICTURES, "photos")
        for kind, korean in (("trained", "학습"), ("random", "무작위"))
        for block in BLOCKS
    },
    **{
        f"{name}_pixels": Measure("%", f"{name}: pixels", f"{name}: 픽셀")
        for name in (*PICTURES, "photos")
    },
    "layers": Measure("", "layers with weights", "층의 수", deterministic=True),
    "example_sum": Measure("%", "six answers", "여섯 답의 합", deterministic=True),
}


if __name__ == "__main__":
    cli(main)
