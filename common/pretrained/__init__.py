"""Trained weights as assets: where those of a known network come from (`--weights`)."""

import functools
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from common import datasets
from common.files import Problem
from common.images import shown

import numpy as np

CACHED = {  # how Keras names ImageNet's weights in its cache
    "mobilenet": "mobilenet_1_0_224_tf_no_top.h5",
    "vgg16": "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
}


# Of batch normalization, where it is trained on: 0.99, as these networks were trained,
# would need more updates than few labels allow.
MOMENTUM = 0.9


class Trained(NamedTuple):
    """A network with what it has learned.

    network: RGB pixels 0 to 255, float [n, height, width, 3] of any size, which it
        resizes and scales by itself, to its last features, [n, units].
    blocks: the layers that its blocks end with, from front to back.
    words: which network, how wide, what it has learned, and the pixels it sees.
    """

    network: object
    blocks: tuple[str, ...]
    words: str


class _Choice(NamedTuple):
    """A network of a kind: what `--weights` calls it, and how it is built.

    build(pixels, weights): on a Keras tensor, with weights None (random), the word or a
    file.
    """

    word: str
    build: Callable
    blocks: tuple[str, ...]
    words: str


def load(run, kind: str, size: int) -> Trained:
    """A network of a kind, "mobilenet" or "vgg16", with the weights of `--weights`.

    size: the side of the squares that it is to see. "auto" takes the network of
    keras.applications where its ImageNet weights are cached or can be fetched, else the
    one that a package has brought; run.options then holds which of them it was.
    Raises Problem where what was asked for cannot be had.
    """
    downloaded, packaged = _choices(kind)
    wanted = run.options["weights"]
    network = None
    if wanted in ("auto", downloaded.word):
        network, trouble = _from_keras(run, downloaded, kind, size)
        if network is None and wanted != "auto":
            raise Problem(f"{trouble}, or use --weights {packaged.word}")
        wanted = downloaded.word if network else packaged.word
        run.options["weights"] = wanted
    choice = packaged if wanted == packaged.word else downloaded
    words = choice.words
    if network is None and choice is packaged:
        network = _built(choice, wanted, size)
    elif network is None:
        network = _from_file(downloaded, wanted, packaged.word, size)
        words = f"{words.partition(',')[0]}, {shown(Path(wanted).name)}"
    words = f"{words}, input {size} x {size}"
    run.say(f"weights: {words}")
    return Trained(network, choice.blocks, words)


def features(network, *parts: np.ndarray, batch: int = 50) -> list:
    """What a network gives for each array of pictures, [n, height, width, 3].

    Returns an array for each, or a list of arrays where the network has several
    outputs. One compiled call, also where the weights change between calls of it.
    """
    import tensorflow as tf

    call = functools.partial(network, training=False)
    if max(map(len, parts)) > batch:  # less is done sooner than compiled
        if not hasattr(network, "compiled_call"):
            network.compiled_call = tf.function(call, reduce_retracing=True)
        call = network.compiled_call
    return [
        tf.nest.map_structure(
            lambda *arrays: np.concatenate(arrays),
            *(
                call(np.float32(x[start : start + batch]))
                for start in range(0, len(x), batch)
            ),
        )
        for x in parts
    ]


def untrained(network):
    """The very network, its trained weights replaced by random ones."""
    for layer in network.layers:
        for variable in layer.weights:
            name = f"{variable.name}_initializer"  # of a depthwise kernel another one
            make = getattr(layer, name, None) or layer.depthwise_initializer
            variable.assign(make(variable.shape, dtype=variable.dtype))
    return network


def _choices(kind: str) -> tuple[_Choice, _Choice]:
    """Of a kind: what keras.applications can fetch, and what a package has brought."""
    from common.pretrained import edge_vgg16, efficientnet_lite0

    import keras
    from keras import layers

    def mobilenet(pixels, weights):
        scaled = layers.Rescaling(1 / 127.5, offset=-1)(pixels)
        return keras.applications.MobileNet(
            include_top=False, pooling="avg", weights=weights, input_tensor=scaled
        )

    def vgg16(pixels, weights):
        scaled = keras.applications.vgg16.preprocess_input(pixels)
        return keras.applications.VGG16(
            include_top=False, pooling="avg", weights=weights, input_tensor=scaled
        )

    def lite0(pixels, weights):
        network = efficientnet_lite0.build(pixels)
        efficientnet_lite0.load_weights(network)
        return keras.Model(network.input, network.get_layer("features").output)

    def edges(pixels, weights):
        network = vgg16(pixels, None)
        edge_vgg16.load_weights(network)
        return network

    ends = tuple(f"conv_pw_{number}_relu" for number in range(1, 14))
    convolutions = zip(range(1, 6), (2, 2, 3, 3, 3), strict=True)
    vgg16_ends = tuple(f"block{block}_conv{last}" for block, last in convolutions)
    return {
        "mobilenet": (
            _Choice("imagenet", mobilenet, ends, "MobileNet, width 1, ImageNet"),
            _Choice(
                "lite0",
                lite0,
                efficientnet_lite0.BLOCKS,
                "EfficientNet-Lite0, width 1, ImageNet",
            ),
        ),
        "vgg16": (
            _Choice("imagenet", vgg16, vgg16_ends, "VGG16, ImageNet"),
            _Choice("edges", edges, vgg16_ends, "VGG16, ImageNet and then edges"),
        ),
    }[kind]


def _built(choice: _Choice, weights, size: int):
    """The network of a choice, from pixels of any size to features."""
    import keras
    from keras import layers

    pixels = keras.Input((None, None, 3))
    # No layers.Resizing: whatever follows it would take a plain call for training.
    squares = keras.ops.image.resize(pixels, (size, size))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of inputs of another size than ImageNet's
        network = choice.build(squares, weights)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = MOMENTUM
    return keras.Model(pixels, network.output)


def _from_keras(run, choice: _Choice, kind: str, size: int):
    """The network with Keras' own weights, or None, and what was in the way."""
    home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    cached = Path(home) / "models" / CACHED[kind]
    # A quick look downloads nothing unless it was told to.
    may_download = run.options["weights"] != "auto" or not run.quick
    trouble = f"no ImageNet weights in {cached} and {datasets.DATA_HOST} is away"
    if cached.exists() or (may_download and datasets.reachable()):
        try:
            return _built(choice, "imagenet", size), ""
        # Keras raises a bare Exception where a download fails, h5py an OSError for
        # a damaged file, and loading a ValueError for weights of another network.
        except Exception as error:
            reason = " ".join(str(error).split())[:120]
            trouble = f"ImageNet weights cannot be loaded from {cached} ({reason})"
            if run.options["weights"] == "auto":
                run.say(trouble)
    return None, (
        f"{trouble}; bring https://{datasets.DATA_HOST}/tensorflow/"
        f"keras-applications/{kind}/{cached.name} there"
    )


def _from_file(choice: _Choice, wanted: str, packaged: str, size: int):
    """The network of keras.applications with the weights of a user's file."""
    path = Path(wanted)
    if not path.is_file():
        raise Problem(
            f"--weights {shown(wanted)}: neither auto, imagenet or {packaged} nor a "
            "file with weights",
            2,
        )
    try:
        return _built(choice, str(path), size)
    except Exception as error:  # whatever h5py and Keras raise for another content
        reason = " ".join(str(error).split())[:120]
        raise Problem(
            f"--weights {shown(wanted)}: not the weights of this network without its "
            f"top, as keras.applications saves them ({shown(reason)})",
            2,
        ) from None
