"""The data: what it is, and that damage never passes for data."""

import gzip
import shutil
import time

from common import datasets
from common.files import Problem

import numpy as np
import pytest


@pytest.fixture(scope="module")
def mnist():
    return datasets.mnist()


def test_sizes_types_and_range(mnist):
    for (images, labels), count in zip(mnist, (55_000, 5_000, 10_000), strict=True):
        assert images.shape == (count, 28, 28)
        assert labels.shape == (count,)
        assert images.dtype == np.float32 and labels.dtype == np.int32
        assert images.min() == 0 and images.max() == 1


def test_label_counts_are_the_official_ones(mnist):
    (_, y_train), (_, y_validation), (_, y_test) = mnist
    training = np.bincount(np.concatenate([y_train, y_validation]))
    assert training.tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949,
    ]  # fmt: skip
    assert np.bincount(y_test).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip


def test_held_out_images_come_first_in_file_order(mnist):
    (x_train, y_train), (x_validation, y_validation), _ = mnist
    folder = datasets.DATA / "mnist"
    raw = gzip.decompress((folder / "train-images-idx3-ubyte.gz").read_bytes())
    pixels = np.frombuffer(raw, np.uint8, offset=16).reshape(60_000, 28, 28)
    labels = gzip.decompress((folder / "train-labels-idx1-ubyte.gz").read_bytes())[8:]
    assert (np.round(x_validation[0] * 255) == pixels[0]).all()
    assert (np.round(x_train[0] * 255) == pixels[5000]).all()
    assert (np.round(x_train[-1] * 255) == pixels[-1]).all()
    assert list(labels) == [*y_validation, *y_train]


def test_splits_do_not_overlap(mnist):
    parts = [{image.tobytes() for image in images} for images, _ in mnist]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]


def test_limit_takes_the_first_of_each_part(mnist):
    for (images, labels), (few, few_labels) in zip(
        mnist, datasets.mnist(limit=7), strict=True
    ):
        assert (few == images[:7]).all() and (few_labels == labels[:7]).all()


NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def refused(data, name):
    with pytest.raises(Problem) as raised:
        datasets.mnist(data=data)
    message = str(raised.value)
    assert raised.value.status == 1
    assert name in message and "restore it with a copy of data/mnist" in message
    assert "\n" not in message


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(datasets.DATA / "mnist", tmp_path / "mnist")
    return tmp_path


@pytest.mark.parametrize("name", [*NAMES, datasets.CHECKSUMS])
def test_missing_cut_and_foreign_files_are_refused(copy, name):
    path = copy / "mnist" / name
    content = path.read_bytes()
    other = next(n for n in NAMES if n != name)
    path.unlink()
    refused(copy, name)
    for damaged in (b"", content[: len(content) // 2], b"<html></html>"):
        path.write_bytes(damaged)
        refused(copy, name)
    path.write_bytes((copy / "mnist" / other).read_bytes())
    refused(copy, name)
    path.unlink()
    path.mkdir()
    refused(copy, name)


def test_any_flipped_bit_is_refused(copy):
    """200 random single-bit flips, spread over the four files."""
    rng = np.random.default_rng(5)
    # Small files cost milliseconds, the large ones tenths of a second.
    for name, flips in zip(NAMES, (92, 8, 92, 8), strict=True):
        path = copy / "mnist" / name
        sound = path.read_bytes()
        for _ in range(flips):
            damaged = bytearray(sound)
            damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
            path.write_bytes(damaged)
            with pytest.raises(Problem, match=name):
                datasets.embedded("mnist", name, copy)
        path.write_bytes(sound)


@pytest.mark.parametrize(
    "folder", sorted(datasets.DATA.iterdir()), ids=lambda f: f.name
)
def test_every_embedded_file_is_whole_and_explained(folder):
    """Whatever stands in data/NAME has a checksum, an origin and a licence."""
    files = {path.name for path in folder.iterdir()} - {"README.md", "make.py"}
    files -= {datasets.CHECKSUMS}
    listed = (folder / datasets.CHECKSUMS).read_text(encoding="utf-8").splitlines()
    assert {line.split("  ")[1] for line in listed} == files
    for name in files:
        datasets.embedded(folder.name, name)
    assert "icence" in (folder / "README.md").read_text(encoding="utf-8")


def test_fashion_mnist_is_ten_equal_classes():
    train, validation, test = datasets.fashion_mnist()
    labels = np.concatenate([train[1], validation[1]])
    assert np.bincount(labels).tolist() == [6000] * 10
    assert np.bincount(test[1]).tolist() == [1000] * 10
    assert np.mean(np.concatenate([train[0], validation[0]])) == pytest.approx(
        0.2860, abs=1e-4
    )  # the data set's published mean


def test_pictures_come_in_one_form(monkeypatch):
    parts = datasets.pictures("fashion_mnist", limit=5)
    assert [images.shape for images, _ in parts] == [(5, 28, 28, 1)] * 3
    for (images, _), (grey, _) in zip(parts, datasets.fashion_mnist(5), strict=True):
        assert (images[..., 0] == grey).all()

    def stored(name, split, limit):
        """Stands for CIFAR-10, which is not embedded: each image holds its label."""
        label = ["train[5000:]", "train[:5000]", "test"].index(split)
        image = np.full((32, 32, 3), 255 * label // 2, "uint8")
        return [{"image": image, "label": label}] * limit

    monkeypatch.setattr(datasets, "from_tfds", stored)
    for label, (images, labels) in enumerate(datasets.pictures("cifar10", 4)):
        assert images.shape == (4, 32, 32, 3) and images.dtype == np.float32
        assert labels.tolist() == [label] * 4 and labels.dtype == np.int32
        assert images.max() == pytest.approx(label / 2, abs=0.01)
    with pytest.raises(Problem, match="no pictures 'svhn'") as raised:
        datasets.pictures("svhn")
    assert raised.value.status == 2


def test_unknown_data_set_is_a_wrong_request():
    with pytest.raises(Problem, match="no data set 'no_such_set'") as raised:
        datasets.from_tfds("no_such_set", "train")
    assert raised.value.status == 2


def test_without_a_network_the_answer_comes_within_5_seconds(monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    monkeypatch.delenv("https_proxy", raising=False)
    # A name that resolves nowhere stands for a machine without a network.
    monkeypatch.setattr(datasets, "DATA_HOST", "host.invalid")
    monkeypatch.setattr(
        datasets.reachable, "__defaults__", ("host.invalid", datasets.PROBE_SECONDS)
    )
    import tensorflow_datasets  # noqa: F401  (its import is not the wait)

    started = time.monotonic()
    with pytest.raises(Problem, match="does not answer") as raised:
        datasets.from_tfds("mnist", "train")
    assert time.monotonic() - started < 5
    assert raised.value.status == 1
    assert "load('mnist')" in str(raised.value)


def test_a_prepared_data_set_needs_no_network(monkeypatch, tmp_path):
    """A set prepared elsewhere and copied here is read, its splits and limit kept."""
    import tensorflow_datasets as tfds

    monkeypatch.setattr(datasets, "reachable", lambda: False)

    class LabSet(tfds.core.GeneratorBasedBuilder):
        """Three images with labels."""

        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = {
                "image": tfds.features.Tensor(shape=(2, 2), dtype=np.uint8),
                "label": tfds.features.ClassLabel(num_classes=3),
            }
            return tfds.core.DatasetInfo(
                builder=self, features=tfds.features.FeaturesDict(features)
            )

        def _split_generators(self, _):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for label in range(3):
                image = np.full((2, 2), label, np.uint8)
                yield label, {"image": image, "label": label}

    LabSet(data_dir=tmp_path).download_and_prepare()
    monkeypatch.setattr(tfds, "builder", lambda name: LabSet(data_dir=tmp_path))
    examples = datasets.from_tfds("lab_set", "train")
    assert sorted(example["label"] for example in examples) == [0, 1, 2]
    assert all((e["image"] == e["label"]).all() for e in examples)
    assert len(datasets.from_tfds("lab_set", "train", limit=2)) == 2
    with pytest.raises(Problem, match="it has train"):
        datasets.from_tfds("lab_set", "nowhere")
