"""The trained networks that read what a visitor draws, as the page computes them."""

import ast
import base64
import tempfile
from pathlib import Path

from common import datasets, results
from common.files import Problem
from publish.entries import Lesson
from publish.page.runs import run_file, say

import numpy as np

SHAPES = ((None, 28, 28), (None, 28, 28, 1))  # of MNIST's images
CLASSES = 10
SILENT = ("InputLayer", "Reshape", "Flatten", "Dropout")  # nothing to compute
ACTIVATIONS = ("linear", "relu", "sigmoid", "tanh")  # of networks.js


def networks(every: list[Lesson], runs: Path) -> list[dict]:
    """The networks of recipes that read MNIST's digits, each from its default run.

    A recipe's own network is its run's model.keras; where it has not been run, what
    `build_model` returns says that it will read digits, and its layers are None.
    """
    found = []
    for lesson in every:
        if not uses_mnist(lesson.recipe):
            continue
        try:
            model, trained = network(lesson, runs)
            if model is None or not reads_digits(model):
                continue
            layers, weights = exported(model)
        except (Problem, ValueError, OSError) as error:
            say(f"{lesson.stem} does not read drawn digits: {error}")
            continue
        entry = {"stem": lesson.stem, "number": lesson.stem[:2], "layers": None}
        entry["word"] = lesson.stem.split("_")[1]
        if trained:
            encoded = base64.b64encode(weights).decode()
            entry |= {"layers": layers, "weights": encoded}
        found.append(entry)
    return found


def uses_mnist(recipe: Path) -> bool:
    """Whether a recipe calls `datasets.mnist`."""
    tree = ast.parse(recipe.read_text(encoding="utf-8"))
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "mnist"
        and getattr(node.value, "id", "") == "datasets"
        for node in ast.walk(tree)
    )


def network(lesson: Lesson, runs: Path) -> tuple:
    """(the recipe's network or None, whether it is trained)."""
    import keras

    record = results.own_run(lesson.recipe, runs)
    if record and "model.keras" in record["files"]:
        content = run_file(lesson.recipe, runs, "model.keras", record)
        if content:
            with tempfile.TemporaryDirectory() as folder:
                # Keras reads a file; this is the content whose digest was checked.
                path = Path(folder, "model.keras")
                path.write_bytes(content)
                return keras.models.load_model(
                    path, compile=False, safe_mode=True
                ), True
    build_model = getattr(lesson.module, "build_model", None)
    return (build_model() if build_model else None), False


def reads_digits(model) -> bool:
    """Whether a network takes an image of a digit and gives ten scores."""
    return model.input_shape in SHAPES and model.output_shape == (None, CLASSES)


def exported(model) -> tuple[list[dict], bytes]:
    """A sequential Keras network as the page computes it: layers, float16 weights.

    Raises Problem for a layer that the page cannot compute.
    """
    described, weights = [], []
    for layer in model.layers:
        kind = type(layer).__name__
        if kind in SILENT:
            continue  # the page keeps values in Keras' order
        if kind in ("Dense", "Conv2D"):
            step = _weighted(layer, kind)
            weights += layer.get_weights()
        elif kind == "LSTM":
            step = _recurrent(layer)
            weights += layer.get_weights()
        elif kind in ("MaxPooling2D", "AveragePooling2D"):
            step = _pooling(layer, kind)
        else:
            step = None
        if step is None:
            raise Problem(f"the page cannot compute layer {layer.name} ({kind})")
        described.append(step)
    flat = np.concatenate([array.ravel() for array in weights])
    return described, flat.astype("<f2").tobytes()


def _weighted(layer, kind: str) -> dict | None:
    """A dense or convolutional layer, None where it is none of the plain ones."""
    settings, shape = layer.get_config(), layer.kernel.shape
    if settings["activation"] not in ACTIVATIONS:
        return None
    step = {"activation": settings["activation"], "bias": settings["use_bias"]}
    if kind == "Dense":
        return step | {"kind": "dense", "inputs": shape[0], "outputs": shape[1]}
    ones = settings["strides"] == settings["dilation_rate"] == (1, 1)
    if not ones or shape[0] != shape[1]:
        return None
    step |= {"kind": "convolution", "size": shape[0], "inputs": shape[2]}
    return step | {"outputs": shape[3], "same": settings["padding"] == "same"}


def _recurrent(layer) -> dict | None:
    """An LSTM that gives its last output, None for others."""
    settings = layer.get_config()
    plain = {"activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True}
    plain |= {"return_sequences": False, "go_backwards": False}
    if any(settings[name] != value for name, value in plain.items()):
        return None
    inputs, width = layer.cell.kernel.shape
    return {"kind": "lstm", "inputs": inputs, "outputs": width // 4}


def _pooling(layer, kind: str) -> dict | None:
    """A pooling layer without overlap, None for others."""
    settings = layer.get_config()
    size = settings["pool_size"]
    if settings["strides"] != size or size != size[::-1]:
        return None
    if settings["padding"] != "valid":
        return None
    return {"kind": kind[:3].lower(), "size": size[0]}


def sample_digits() -> str:
    """The first test image of each digit, 10 x 784 bytes in base64."""
    _, _, (images, labels) = datasets.mnist()
    first = [images[np.flatnonzero(labels == digit)[0]] for digit in range(CLASSES)]
    content = (255 * np.stack(first)).round().astype(np.uint8).tobytes()
    return base64.b64encode(content).decode()
