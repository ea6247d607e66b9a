"""VGG16, block by block: general features first, special ones last.

제목: VGG16 전이 학습: 블록별로 본 특징의 쓸모
Question: From which depth of a trained network should features for new images come?
Lecture: 001, Transfer Learning; VGG 16
Changes from: 61_mobilenet_transfer (features of every block, 32 times the weights)
Run: python recipes/62_vgg16_transfer.py --images DIR (a folder of photos per class)
Try: (1) your own photos: which block serves them best? (2) join the features of two
    blocks (3) average pooling throws places away: use a maximum, or flatten block 3
"""

from common import datasets, images, plots, pretrained
from common.running import Claim, cli

import keras
import numpy as np
from keras import layers
from sklearn.linear_model import LogisticRegression

OPTIONS = {
    "--weights": {
        "default": "auto",
        "metavar": "W",
        "help": "auto, imagenet, digits, none or a file (default auto: imagenet if "
        "cached or reachable, else pre-trained here on digits)",
    },
    "--images": {"metavar": "DIR", "help": "your images, a folder for each class"},
}

SOURCE = "001, Transfer Learning"
CLAIMS = [
    Claim("parameters", 138357544, "", "Keras: VGG16", kind="exact", text="VGG16"),
    Claim("dense_share", None, "%", text="of them in the three dense layers"),
    Claim("pretrained", None, "%", SOURCE, text="head on the last pre-trained block"),
    Claim("random", None, "%", SOURCE, text="head on the same block, random"),
    Claim("pixels", None, "%", SOURCE, text="head on raw pixels"),
    Claim("gain", None, "pp", SOURCE, paired=True, text="pre-trained - random"),
    Claim("layers", 16, "", "001, VGG 16; 004, VGG-16", "exact", "layers with weights"),
    Claim(
        "example_sum",
        100,
        "%",
        "002, Note on ImageNet: dog 0.5, bear 0.3 ... shark 0.01",
        "exact",
        "the six answers of the top-5 example together",
        erratum="they come to 1.02; cat is fourth, so the top-5 answer stands",
    ),
    Claim("vgg_error", 7.32, "%", "002, ResNet: top-5 errors", "cited", "VGG, top-5"),
    Claim(
        "vgg_later_error",
        6.8,
        "%",
        "002, ResNet: top-5 errors",
        "cited",
        "VGG as of the paper's fifth version, top-5",
    ),
    Claim(
        "alexnet_error",
        16.4,
        "%",
        "000, AlexNet",
        "cited",
        "AlexNet, top-5: average of five networks on the contest's data alone",
        published=16.4,
    ),
    Claim(
        "alexnet_winning_error",
        15.3,
        "%",
        "002, ImageNet",
        "cited",
        "AlexNet, top-5: the winning entry, seven networks, two trained on more data",
        published=15.3,
    ),
    Claim(
        "resnet_error",
        3.5,
        "%",
        "002, Note on ImageNet",
        "cited",
        "ResNet, top-5: cut off, 3.57 on the same document's next slides",
        published=3.57,
    ),
    Claim(
        "classes_of_imagenet",
        20_000,
        "",
        "002, Note on ImageNet",
        "cited",
        "classes of ImageNet, about",
        published=21_841,
    ),
    Claim(
        "images_of_imagenet",
        14_000_000,
        "",
        "002, ILSVRC: more than 14 million",
        "cited",
        "images of ImageNet; the contest has 1.2 million of them",
        published=14_197_122,
    ),
    Claim(
        "images_with_boxes",
        1_000_000,
        "",
        "002, ILSVRC",
        "cited",
        "images in which objects are framed",
        published=1_034_908,
    ),
    Claim("classes", 1000, "", "000, AlexNet; 002", "cited", "classes of the contest"),
    Claim(
        "training_images",
        1_200_000,
        "",
        "000, AlexNet; 002",
        "cited",
        "training images of the contest",
        published=1_281_167,
    ),
    Claim("validation_images", 50_000, "", "002", "cited", "validation images"),
    Claim(
        "test_images",
        150_000,
        "",
        "002, Note on ImageNet",
        "cited",
        "test images: 150,000 in 2010, 100,000 from 2012",
        published=100_000,
    ),
    Claim(
        "year",
        2015,
        "year",
        "000, VGG: CVPR",
        "cited",
        "VGG's paper; it was shown at ICLR, not at CVPR",
        published=2015,
    ),
]

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
    small = weights is None
    settings = SMALL if small else FULL
    network = keras.applications.VGG16(
        include_top=False, weights=weights, input_shape=(None, None, 3)
    )
    outputs = [
        layers.GlobalAveragePooling2D(name=f"block{block}")(
            network.get_layer(f"block{block}_conv{2 if block < 3 else 3}").output
        )
        for block in range(1, settings["blocks"] + 1)
    ]
    return keras.Model(network.input, outputs)


def preprocess(pixels):
    """uint8 RGB to what VGG16 was trained on: BGR, minus ImageNet's mean color."""
    return keras.applications.vgg16.preprocess_input(pixels.astype("float32"))


def compiled(model):
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
    outputs = layers.Dense(5)(backbone.outputs[-1])
    run.fit(
        compiled(keras.Model(backbone.input, outputs)),
        preprocess(pixels),
        y[known],
        batch_size=50,
        epochs=run.length(PRETRAINING_EPOCHS),
        name="pretraining",
    )


def head_on(features, task):
    """Train a new last layer, softmax regression, on fixed features.

    features: (training [n, units], test [m, units]). Returns the test accuracy in
    percent and the test answers, int [m]. The features stay as they are, so this is
    a convex problem, for which scikit-learn needs a second.
    """
    train, test = features
    # Random layers change the size of a signal, so all are put to scale 1.
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation[deviation == 0] = 1
    head = LogisticRegression(C=HEAD_C, max_iter=1000)
    head.fit((train - mean) / deviation, task.y_train)
    answers = head.predict((test - mean) / deviation)
    return 100 * (answers == task.y_test).mean(), answers


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
    network = keras.applications.VGG16(weights=None)
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
    pixels = tuple(x.reshape(len(x), -1) for x in (task.x_train, task.x_test))
    values = {"pixels": head_on(pixels, task)[0]}
    for name, network in (("pretrained", backbone), ("random", untrained)):
        train, test = (
            network.predict(preprocess(x), batch_size=25, verbose=0)
            for x in (task.x_train, task.x_test)
        )
        for number, features in enumerate(zip(train, test, strict=True), start=1):
            key = f"{name}_block{number}"
            values[key], _ = head_on(features, task)
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


if __name__ == "__main__":
    cli(main)
