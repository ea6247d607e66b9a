"""How much of a trained network should be trained again, and how far back?

제목: 미세 조정: 얼마나, 얼마나 멀리 뒤로
Question: What do accuracy and cost become as more blocks are trained again?
Finding: From digits to other digits, with 20 labels each, it pays to go far back: only
    a head gets to {depth_0}, with two blocks trained again to {depth_2}, with four to
    {depth_4}, with all 13 to {depth_13}, a gain of {gain} for {cost_13} times as many
    multiplications. From random weights the same updates lead to {from_scratch}.
결과: 숫자마다 레이블 20개로 다른 숫자를 배울 때는 멀리 뒤로 갈수록 낫습니다. 출력층만
    학습하면 {depth_0}, 블록 두 개까지면 {depth_2}, 네 개까지면 {depth_4}, 열세 개
    전부면 {depth_13}로 {gain} 차이이고, 곱셈은 {cost_13}배가 듭니다. 같은 횟수를 무작위
    가중치에서 학습하면 {from_scratch}입니다.
Lecture: 001, Transfer Learning Options
Changes from: 61_mobilenet_transfer (its fixed features are the depth 0 of this one)
Run: python recipes/63_fine_tuning_depth.py
Try: (1) 200 labels a class: does the best depth move? (2) a learning rate ten times
    smaller for the old blocks (3) thaw from the front instead of from the back
"""

from common import datasets, images, plots, pretrained
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers

OPTIONS = {
    "--weights": {
        "default": "auto",
        "reproduce": "digits",
        "metavar": "W",
        "help": "imagenet, digits (learned here), none, a file; auto: the best at hand",
    },
    "--images": {"metavar": "DIR", "help": "your images, a folder for each class"},
}

WEIGHTS_FILE = "mobilenet_1_0_128_tf_no_top.h5"
# ImageNet's network is full width; two cores pre-train a quarter of it, on digits.
FULL = {"input_shape": (128, 128, 3), "alpha": 1.0}
SMALL = {"input_shape": (32, 32, 3), "alpha": 0.25}
PRETRAINING_EPOCHS = 5
DEPTHS = (0, 1, 2, 4, 8, 13)  # trained blocks, counted from the back
EPOCHS = 20
BATCH_SIZE = 25
LEARNING_RATE = 1e-3


def build_backbone(weights):
    size = SMALL if weights is None else FULL
    backbone = keras.applications.MobileNet(
        include_top=False, weights=weights, pooling="avg", **size
    )
    for layer in backbone.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.9  # 0.99 would need more updates than few labels allow
    return backbone


def preprocess(pixels):
    """uint8 [n, height, width, 3] to [-1, 1], as MobileNet was trained."""
    return pixels / np.float32(127.5) - 1


def build_model(backbone=None, classes=5):
    """The backbone, by default a small random one, under a new last layer."""
    model = keras.Sequential([backbone or build_backbone(None), layers.Dense(classes)])
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
        steps_per_execution=20,
    )
    return model


def pretrain(run, backbone):
    """Teach the backbone the digits 0 to 4, none of which the new task holds."""
    (x, y), _, _ = datasets.mnist()
    x = preprocess(images.digits_as_rgb(x[y < 5], SMALL["input_shape"][0]))
    model = build_model(backbone)
    run.fit(
        model, x, y[y < 5], batch_size=50, epochs=PRETRAINING_EPOCHS, name="pretraining"
    )


def block_of(layer):
    """The number of the block a layer belongs to, 1 to 13; the stem is part of 1."""
    digits = "".join(filter(str.isdigit, layer.name))
    return int(digits) if layer.name.startswith("conv_") else 1


def thaw(backbone, depth):
    """Make the last `depth` blocks trainable, and nothing else."""
    for layer in backbone.layers:
        layer.trainable = block_of(layer) > 13 - depth


def relative_cost(backbone, depth):
    """Multiplications of one update, as a multiple of those with only a new head.

    Every layer is computed forwards; a trained one also gives, backwards, influences
    on its inputs and on its weights, each for as many multiplications again.
    """
    forward = backward = 0
    for layer in backbone.layers:
        if hasattr(layer, "kernel"):
            products = np.prod(layer.output.shape[1:3]) * np.prod(layer.kernel.shape)
            forward += products
            backward += 2 * products * (block_of(layer) > 13 - depth)
    return (forward + backward) / forward


def depth_figure(values, depths):
    figure, (left, right) = plots.new_figure(1, 2)
    twin = right.twinx()
    scores, costs, weights = (
        [values[f"{name}_{depth}"] for depth in depths]
        for name in ("depth", "cost", "trained_weights")
    )
    left.plot(depths, scores, "o-", label="pre-trained")
    left.axhline(values["from_scratch"], color="k", ls="--", label="from scratch")
    left.set(ylabel="test accuracy (%)")
    left.legend(fontsize="small", loc="center right")
    right.plot(depths, costs, "o-", label="multiplications per update")
    right.set(ylabel="times those of depth 0", ylim=(0, None))
    twin.plot(depths, np.divide(weights, 1000), "C1s--", label="trained weights")
    twin.set(ylabel="trained weights (thousands)", ylim=(0, None))
    twin.grid(False)
    lines = [*right.get_lines(), *twin.get_lines()]
    right.legend(handles=lines, fontsize="small", loc="lower right")
    for axis in (left, right):
        axis.set(xticks=depths, xlabel="trained blocks, counted from the back")
    return figure


def main(run):
    backbone, origin = pretrained.load(run, build_backbone, WEIGHTS_FILE)
    task = images.load(run, backbone.input_shape[1])
    run.say(
        f"{len(task.x_train)} training and {len(task.x_test)} test images of "
        f"{len(task.names)} classes, from {task.source}"
    )
    untrained = keras.models.clone_model(backbone).get_weights()
    if origin == "digits" and run.quick:
        run.say("--quick leaves the pre-training out: all weights are random")
    elif origin == "digits":
        pretrain(run, backbone)
    known = backbone.get_weights()

    def fine_tuned(name, weights, depth):
        """Train the last `depth` blocks and a new head: accuracy, trained weights."""
        backbone.set_weights(weights)
        thaw(backbone, depth)
        model = build_model(backbone, len(task.names))
        run.fit(
            model,
            preprocess(task.x_train),
            task.y_train,
            batch_size=run.pick(BATCH_SIZE, 50),
            epochs=run.length(EPOCHS),
            name=name,
        )
        scores = model.predict(preprocess(task.x_test), batch_size=50, verbose=0)
        right = scores.argmax(axis=1) == task.y_test
        return 100 * right.mean(), sum(w.numpy().size for w in model.trainable_weights)

    values = {}
    depths = run.pick(DEPTHS, (0, 13))
    for depth in depths:
        key = f"depth_{depth}"
        values[key], values[f"trained_weights_{depth}"] = fine_tuned(key, known, depth)
        values[f"cost_{depth}"] = relative_cost(backbone, depth)
    values["from_scratch"], _ = fine_tuned("from_scratch", untrained, 13)
    run.save_figure(depth_figure(values, depths), "depth")
    return {
        **values,
        "best_depth": max(depths, key=lambda depth: values[f"depth_{depth}"]),
        "gain": values["depth_13"] - values["depth_0"],
    }


MEASURES = {
    **{
        f"{name}_{depth}": Measure(unit, f"{english}: {depth}", f"{korean}: {depth}")
        for name, unit, english, korean in (
            ("depth", "%", "blocks trained again", "다시 학습한 블록"),
            ("cost", "", "multiplications, times those of 0", "0개 대비 곱셈"),
            ("trained_weights", "", "weights trained", "학습한 가중치"),
        )
        for depth in DEPTHS
    },
    "from_scratch": Measure("%", "all 13, from random weights", "무작위에서 전부"),
    "best_depth": Measure("", "blocks at the best accuracy", "최고일 때의 블록 수"),
    "gain": Measure("pp", "all blocks - only a head", "전부 - 출력층만", paired=True),
}


if __name__ == "__main__":
    cli(main)
