"""VGG16, block by block: general features first, special ones last.

제목: VGG16 전이 학습: 블록별로 본 특징의 쓸모
Question: From which depth of a trained network should features for new images come?
Finding: From digits to other digits, from the second or third block: a new head has
    {pretrained_block1} right on the first, {pretrained_block2} on the second,
    {pretrained_block3} on the third, and on raw pixels {pixels}. Pre-training gains
    {gain} on the third block, compared with random weights.
결과: 숫자에서 다른 숫자로 옮길 때는 둘째나 셋째 블록입니다. 새 출력층의 정답률은 첫째
    블록에서 {pretrained_block1}, 둘째에서 {pretrained_block2}, 셋째에서
    {pretrained_block3}이고 픽셀 그대로는 {pixels}입니다. 셋째 블록에서 사전 학습한
    가중치와 무작위 가중치의 차이는 {gain}입니다.
Lecture: 001, Transfer Learning; VGG 16
Changes from: 61_mobilenet_transfer (features of every block, 32 times the weights)
Run: python recipes/62_vgg16_transfer.py --images DIR (a folder of photos per class)
Try: (1) your own photos: which block serves them best? (2) join the features of two
    blocks (3) average pooling throws places away: use a maximum, or flatten block 3
"""

from common import datasets, images, plots, pretrained
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers
from sklearn.linear_model import LogisticRegression

OPTIONS = {
    "--weights": {
        "default": "auto",
        "reproduce": "digits",
        "metavar": "W",
        "help": "imagenet, digits (learned here), none, a file; auto: the best at hand",
    },
    "--images": {"metavar": "DIR", "help": "your images, a folder for each class"},
}

ARCHITECTURE = keras.applications.VGG16
WEIGHTS_FILE = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
# Thirteen convolutions would take hours of two cores: here the first three of the five
# blocks are pre-trained, on digits of 16 x 16 pixels.
FULL = {"size": 96, "blocks": 5}
SMALL = {"size": 16, "blocks": 3}
PRETRAINING_IMAGES = 10_000
PRETRAINING_EPOCHS = 1
LEARNING_RATE = 3e-4
# The lecture's example of a top-5 answer: dog, bear, swing, cat, abacus, shark.
TOP5_EXAMPLE = (0.5, 0.3, 0.1, 0.09, 0.02, 0.01)
HEAD_C = 0.1  # how little the weights of the new layer are held back


def build_backbone(weights):
    """VGG16 without its dense layers; one output per block, averaged over the image."""
    blocks = (SMALL if weights is None else FULL)["blocks"]
    size = (None, None, 3)
    network = ARCHITECTURE(include_top=False, weights=weights, input_shape=size)
    outputs = [
        layers.GlobalAveragePooling2D(name=f"block{block}")(
            network.get_layer(f"block{block}_conv{2 if block < 3 else 3}").output
        )
        for block in range(1, blocks + 1)
    ]
    return keras.Model(network.input, outputs)


def preprocess(pixels):
    """uint8 RGB to what VGG16 was trained on: BGR, minus ImageNet's mean color."""
    return keras.applications.vgg16.preprocess_input(pixels.astype("float32"))


def build_model(backbone=None, classes=5):
    """The backbone, by default three random blocks, under a new last layer."""
    backbone = backbone or build_backbone(None)
    answers = layers.Dense(classes)(backbone.outputs[-1])
    model = keras.Model(backbone.input, answers)
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
        steps_per_execution=5,
    )
    return model


def pretrain(run, backbone):
    """Teach the backbone the digits 0 to 4, none of which the new task holds."""
    (x, y), _, _ = datasets.mnist()
    known = np.flatnonzero(y < 5)[: run.pick(PRETRAINING_IMAGES, 100)]
    pixels = images.digits_as_rgb(x[known], SMALL["size"])
    run.fit(
        build_model(backbone),
        preprocess(pixels),
        y[known],
        batch_size=50,
        epochs=run.length(PRETRAINING_EPOCHS),
        name="pretraining",
    )


def head_on(features, task):
    """A new last layer, softmax regression, on fixed features: a convex problem.

    features: (training [n, units], test [m, units]). Returns the % right.
    """
    train, test = features
    # Random layers change the size of a signal, so all are put to scale 1.
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation[deviation == 0] = 1
    head = LogisticRegression(C=HEAD_C, max_iter=1000)
    head.fit((train - mean) / deviation, task.y_train)
    answers = head.predict((test - mean) / deviation)
    return 100 * (answers == task.y_test).mean()


def blocks_figure(values, blocks, shares):
    """Left: accuracy by the block that features come from. Right: where weights are."""
    figure, (left, right) = plots.new_figure(1, 2, width=4.6)
    numbers = range(1, blocks + 1)
    for name, style in (("pretrained", "o-"), ("random", "s--")):
        heights = [values[f"{name}_block{number}"] for number in numbers]
        left.plot(numbers, heights, style, label=f"{name} features")
    left.axhline(values["pixels"], color="grey", linestyle=":", label="raw pixels")
    left.set(xticks=numbers, xlabel="features of block", ylabel="test accuracy (%)")
    left.legend(fontsize="small")
    right.bar(shares.keys(), shares.values(), color="C2")
    right.set(ylabel="share of the weights (%)")
    right.set_xticks(range(len(shares)), shares.keys(), rotation=45, ha="right")
    return figure


def weight_shares():
    """Layers with weights and weights of the whole VGG16, its parts' shares in %."""
    network = ARCHITECTURE(weights=None)
    shares = {}
    for layer in network.layers:
        part = layer.name.split("_")[0]
        if layer.weights:
            part = {"predictions": "fc3"}.get(part, part)
            share = 100 * layer.count_params() / network.count_params()
            shares[part] = shares.get(part, 0) + share
    depth = sum(bool(layer.weights) for layer in network.layers)
    return depth, network.count_params(), shares


def main(run):
    backbone, origin = pretrained.load(run, build_backbone, WEIGHTS_FILE)
    size = (FULL if origin in ("imagenet", "file") else SMALL)["size"]
    task = images.load(run, size)
    run.say(
        f"{len(task.x_train)} training and {len(task.x_test)} test images of "
        f"{len(task.names)} classes, from {task.source}"
    )

    untrained = keras.models.clone_model(backbone)  # the same network, new weights
    if origin == "digits":
        pretrain(run, backbone)
    inputs = [preprocess(x) for x in (task.x_train, task.x_test)]
    pixels = tuple(x.reshape(len(x), -1) for x in (task.x_train, task.x_test))
    values = {"pixels": head_on(pixels, task)}
    for name, network in (("pretrained", backbone), ("random", untrained)):
        train, test = (network.predict(x, batch_size=25, verbose=0) for x in inputs)
        for number, features in enumerate(zip(train, test, strict=True), start=1):
            key = f"{name}_block{number}"
            values[key] = head_on(features, task)
        values[name] = values[key]

    depth, parameters, shares = weight_shares()
    run.save_figure(blocks_figure(values, len(train), shares), "blocks")
    return {
        "layers": depth,
        "example_sum": 100 * sum(TOP5_EXAMPLE),
        "parameters": parameters,
        "dense_share": sum(shares[f"fc{number}"] for number in (1, 2, 3)),
        **values,
        "gain": values["pretrained"] - values["random"],
    }


MEASURES = {
    "layers": Measure("", "layers with weights", "층의 수", deterministic=True),
    "parameters": Measure("", "parameters", "매개변수", deterministic=True),
    "dense_share": Measure("%", "dense ones", "완전 연결 비율", deterministic=True),
    "example_sum": Measure("%", "six answers", "여섯 답의 합", deterministic=True),
    "pretrained": Measure("%", "last block, pre-trained", "마지막 블록, 사전 학습"),
    "random": Measure("%", "last block, random", "마지막 블록, 무작위"),
    "pixels": Measure("%", "raw pixels", "픽셀 그대로"),
    "gain": Measure("pp", "pre-trained - random", "사전 학습 - 무작위", paired=True),
    **{
        f"{kind}_block{block}": Measure(
            "%", f"block {block}, {kind}", f"{block}번, {korean}"
        )
        for kind, korean in (("pretrained", "사전 학습"), ("random", "무작위"))
        for block in range(1, FULL["blocks"] + 1)
    },
}


if __name__ == "__main__":
    cli(main)
