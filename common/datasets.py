"""One call per data set; every call returns NumPy arrays."""

import gzip
import logging
import os
import socket
import threading
from pathlib import Path

from common.files import ROOT, Problem, digest

import numpy as np

MNIST_FOLDER = ROOT / "data" / "mnist"
MNIST_SHA256 = {
    "train-images-idx3-ubyte.gz": (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
    ),
    "train-labels-idx1-ubyte.gz": (
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
    ),
    "t10k-images-idx3-ubyte.gz": (
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
    ),
    "t10k-labels-idx1-ubyte.gz": (
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
    ),
}
HELD_OUT = 5_000  # the lecture's lab code keeps the first 5,000 for validation
DATA_HOST = "storage.googleapis.com"  # where tensorflow-datasets keeps its mirror
PROBE_SECONDS = 3


def mnist(limit: int | None = None, folder: Path = MNIST_FOLDER):
    """The embedded MNIST in the lecture's split.

    Returns (x_train, y_train), (x_validation, y_validation), (x_test, y_test):
    images float32 [n, 28, 28] in [0, 1], labels int32 [n]; 55,000, 5,000 and 10,000
    in file order, the first 5,000 training images being the validation set.
    `limit` cuts each of the three to its first `limit` samples.

    Raises Problem where a file is missing, cut or altered.
    Source: LeCun, Cortes and Burges, the MNIST database.
    """
    x_train = _idx(folder, "train-images-idx3-ubyte.gz").reshape(-1, 28, 28)
    y_train = _idx(folder, "train-labels-idx1-ubyte.gz")
    x_test = _idx(folder, "t10k-images-idx3-ubyte.gz").reshape(-1, 28, 28)
    y_test = _idx(folder, "t10k-labels-idx1-ubyte.gz")

    def part(images, labels):
        scaled = images[:limit].astype("float32") / np.float32(255)
        return scaled, labels[:limit].astype("int32")

    return (
        part(x_train[HELD_OUT:], y_train[HELD_OUT:]),
        part(x_train[:HELD_OUT], y_train[:HELD_OUT]),
        part(x_test, y_test),
    )


def _idx(folder: Path, name: str) -> np.ndarray:
    """The payload of one idx file as flat bytes, its sha256 checked first."""
    path = folder / name
    restore = f"expected sha256 {MNIST_SHA256[name]}; restore it with: " + (
        "git checkout -- data/mnist"
        if folder == MNIST_FOLDER
        else f"a copy of data/mnist/{name}"
    )
    try:
        compressed = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise Problem(f"{path}: {reason}; {restore}") from error
    if digest(compressed) != MNIST_SHA256[name]:
        raise Problem(f"{path} is damaged or not the official file; {restore}")
    content = gzip.decompress(compressed)
    header = 16 if "images" in name else 8
    return np.frombuffer(content, np.uint8, offset=header)


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
