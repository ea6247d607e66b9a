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
    folder = datasets.MNIST_FOLDER
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


def refused(folder, name):
    with pytest.raises(Problem) as raised:
        datasets.mnist(folder=folder)
    message = str(raised.value)
    assert raised.value.status == 1
    assert name in message and datasets.MNIST_SHA256[name] in message
    assert "restore" in message and "\n" not in message


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(datasets.MNIST_FOLDER, tmp_path / "mnist")


@pytest.mark.parametrize("name", datasets.MNIST_SHA256)
def test_missing_cut_and_foreign_files_are_refused(copy, name):
    content = (copy / name).read_bytes()
    other = next(n for n in datasets.MNIST_SHA256 if n != name)
    (copy / name).unlink()
    refused(copy, name)
    for damaged in (b"", content[:-1], content[: len(content) // 2], b"<html></html>"):
        (copy / name).write_bytes(damaged)
        refused(copy, name)
    (copy / name).write_bytes((copy / other).read_bytes())
    refused(copy, name)
    (copy / name).unlink()
    (copy / name).mkdir()
    refused(copy, name)


def test_any_flipped_bit_is_refused(copy):
    """200 random single-bit flips, spread over the four files."""
    rng = np.random.default_rng(5)
    names = list(datasets.MNIST_SHA256)
    sound = {name: (copy / name).read_bytes() for name in names}
    # Small files cost milliseconds, the large ones tenths of a second.
    for name, flips in zip(names, (8, 92, 8, 92), strict=True):
        for _ in range(flips):
            damaged = bytearray(sound[name])
            damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
            (copy / name).write_bytes(damaged)
            with pytest.raises(Problem, match=name):
                datasets._idx(copy, name)
        (copy / name).write_bytes(sound[name])


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
