"""One call per data set; every call returns NumPy arrays."""

import gzip
import logging
import os
import socket
import threading
from pathlib import Path

from common.files import ROOT, Problem, digest

import numpy as np

DATA = ROOT / "data"
CHECKSUMS = "SHA256SUMS"  # of a data set's files, as `sha256sum -c` takes it
HELD_OUT = 5_000  # the lecture's lab code keeps the first 5,000 for validation
DATA_HOST = "storage.googleapis.com"  # where tensorflow-datasets keeps its mirror
PROBE_SECONDS = 3


def mnist(limit: int | None = None, data: Path = DATA):
    """The embedded MNIST in the lecture's split.

    Returns (x_train, y_train), (x_validation, y_validation), (x_test, y_test):
    images float32 [n, 28, 28] in [0, 1], labels int32 [n]; 55,000, 5,000 and 10,000
    in file order, the first 5,000 training images being the validation set.
    `limit` cuts each of the three to its first `limit` samples.

    Raises Problem where a file is missing, cut or altered.
    Source: LeCun, Cortes and Burges, the MNIST database.
    """
    return _images("mnist", limit, data)


def fashion_mnist(limit: int | None = None, data: Path = DATA):
    """The embedded Fashion-MNIST, ten kinds of garments, as `mnist` gives digits.

    Labels: T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, boot.
    Source: Xiao, Rasul and Vollgraf, 2017.
    """
    return _images("fashion_mnist", limit, data)


def pictures(name: str, limit: int | None = None):
    """One of two data sets of pictures with ten classes, in the split of `mnist`.

    name: "fashion_mnist" (embedded) or "cifar10" (through `from_tfds`, whose Problem it
        raises where that set is neither prepared nor reachable).
    Returns three pairs (images float32 [n, height, width, channels] in [0, 1], labels
    int32 [n]): 28 x 28 x 1 with 55,000, 5,000 and 10,000 of them, or 32 x 32 x 3 with
    45,000, 5,000 and 10,000. Source of cifar10: Krizhevsky, 2009.
    """
    if name == "fashion_mnist":
        parts = fashion_mnist(limit)
        return tuple((images[..., None], labels) for images, labels in parts)
    if name != "cifar10":
        raise Problem(f"no pictures {name!r}; there are fashion_mnist and cifar10", 2)

    def part(split: str):
        examples = from_tfds(name, split, limit)
        images = np.stack([example["image"] for example in examples])
        labels = np.array([example["label"] for example in examples], "int32")
        return images.astype("float32") / np.float32(255), labels

    return part(f"train[{HELD_OUT}:]"), part(f"train[:{HELD_OUT}]"), part("test")


def _images(name: str, limit: int | None, data: Path):
    """A data set of images in the four files that MNIST has."""

    def part(kind: str) -> tuple[np.ndarray, np.ndarray]:
        images = _idx(name, f"{kind}-images-idx3-ubyte.gz", data).reshape(-1, 28, 28)
        return images, _idx(name, f"{kind}-labels-idx1-ubyte.gz", data)

    def cut(images, labels):
        scaled = images[:limit].astype("float32") / np.float32(255)
        return scaled, labels[:limit].astype("int32")

    x_train, y_train = part("train")
    x_test, y_test = part("t10k")
    return (
        cut(x_train[HELD_OUT:], y_train[HELD_OUT:]),
        cut(x_train[:HELD_OUT], y_train[:HELD_OUT]),
        cut(x_test, y_test),
    )


def _idx(name: str, filename: str, data: Path) -> np.ndarray:
    """The payload of one idx file as flat bytes."""
    content = gzip.decompress(embedded(name, filename, data))
    header = 16 if "images" in filename else 8
    return np.frombuffer(content, np.uint8, offset=header)


def embedded(name: str, filename: str, data: Path = DATA) -> bytes:
    """A file of an embedded data set, data/NAME/FILENAME, its sha256 checked.

    Raises Problem where the file, or the list of checksums beside it, is missing, cut
    or altered.
    """
    folder = data / name
    restore = f"restore it with: git checkout -- data/{name}"
    if data != DATA:
        restore = f"restore it with a copy of data/{name}"
    contents = {}
    for path in (folder / CHECKSUMS, folder / filename):
        try:
            contents[path.name] = path.read_bytes()
        except OSError as error:
            reason = error.strerror or "cannot be read"
            raise Problem(f"{path}: {reason}; {restore}") from error
    line = f"{digest(contents[filename])}  {filename}"
    if line.encode() not in contents[CHECKSUMS].split(b"\n"):
        raise Problem(
            f"{folder / filename} is damaged or not the official file (its sha256 is "
            f"not the one in {CHECKSUMS}); {restore}"
        )
    return contents[filename]


def reachable(host: str = DATA_HOST, seconds: float = PROBE_SECONDS) -> bool:
    """Whether `host` answers on https, found out within `seconds`.

    Behind a proxy names need not resolve, so a configured proxy counts as a network.
    """
    if os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy"):
        return True
    answered = threading.Event()

    def probe():
        try:
            socket.create_connection((host, 443), timeout=seconds).close()
            answered.set()
        except OSError:
            pass

    # Name resolution has no time limit of its own, hence the thread.
    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(seconds)
    return answered.is_set()


def from_tfds(name: str, split: str, limit: int | None = None) -> list[dict]:
    """Any data set of tensorflow-datasets by name, as a list of examples.

    name: as in the catalogue, with a configuration where it has one ("beans",
        "tf_flowers"); split: "train", "test[:10%]"; limit: at most so many examples.
    Returns one dict of NumPy values per example, in the stored order.

    A prepared data set is read from $TFDS_DATA_DIR or ~/tensorflow_datasets without
    a network; another one is downloaded first. Raises Problem: status 2 for an
    unknown name or split, status 1 where there is no network.
    """
    import tensorflow_datasets as tfds

    # It notes every folder that is not prepared yet, which is said below.
    logging.getLogger("absl").setLevel(logging.ERROR)
    try:
        builder = tfds.builder(name)
    except (tfds.core.registered.DatasetNotFoundError, ValueError) as error:
        raise Problem(
            f"tensorflow-datasets has no data set {name!r}; "
            "the names are at https://www.tensorflow.org/datasets/catalog",
            status=2,
        ) from error
    if not builder.is_prepared():
        if not reachable():
            raise Problem(
                f"data set {name!r} is not on this machine and {DATA_HOST} does not "
                'answer; on a machine with a network run: python -c "import '
                f"tensorflow_datasets as t; t.load('{name}')\" and copy "
                f"{builder.data_dir} to the same place here"
            )
        builder.download_and_prepare()
    try:
        examples = builder.as_dataset(split=split, shuffle_files=False)
    except ValueError as error:
        splits = ", ".join(builder.info.splits)
        raise Problem(
            f"data set {name!r} has no split {split!r}; it has {splits}", status=2
        ) from error
    if limit is not None:
        examples = examples.take(limit)
    return list(tfds.as_numpy(examples))
