"""Few labelled pictures: of a data set, or a user's photographs, a folder per class."""

import warnings
from pathlib import Path
from typing import NamedTuple

from common import datasets
from common.files import Problem

import numpy as np

# Formats that Pillow decodes itself; others would start external programs.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
MOST_IMAGES = 2_000  # in all, so that a run stays within minutes on two cores
MOST_NAMED = 20  # files named on the terminal; all of them go into a file
TEST_SHARE = 4  # one image in four is kept for the test
CLASSES = {
    "fashion_mnist": (
        *("T-shirt", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "boot"),
    ),
    "cifar10": (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    ),
}
FIRST = 5_000  # pictures of each part of a data set, from which few are drawn


class Images(NamedTuple):
    """Images of a task, uint8 [n, height, width, 3], labels int32 [n], class names."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    names: list[str]


def tasks(run, size: int, names, per_class: int, tests: int) -> dict[str, Images]:
    """What to learn from few labels: sets of pictures by name, drawn for run.seed.

    With --images the photographs in that folder alone, "photos", cut to squares of
    `size` pixels. Else of each data set in `names`, as datasets.pictures has them,
    `per_class` pictures of every class and `tests` more for the test, in their own
    size, grey ones as RGB. A set that is neither here nor reachable is left out, and
    that is said; raises its Problem where none is left.
    """
    folder = run.options["images"]
    if folder:
        x, y, classes = read_folder(run, Path(folder), size)
        return {"photos": _split(run, x, y, classes)}
    for option in ("save", "classify"):
        if run.options.get(option):
            raise Problem(f"--{option} needs --images DIR, photos to learn from", 2)
    found = {}
    for name in names:
        try:
            train, _, test = datasets.pictures(name, FIRST)
        except Problem as problem:
            if name == names[-1] and not found:
                raise
            run.say(f"{name} is left out: {problem}")
            continue
        rng = np.random.default_rng([run.seed, 2])
        drawn = []
        for (x, y), count in ((train, per_class), (test, tests)):
            chosen = few_of_each(y, count, rng)
            pixels = (x[chosen] * 255).round().astype("uint8")
            drawn += [np.broadcast_to(pixels, (*pixels.shape[:3], 3)), y[chosen]]
        found[name] = Images(*drawn, list(CLASSES[name]))
    return found


def few_of_each(labels: np.ndarray, per_class: int, rng) -> np.ndarray:
    """Places of so many samples of each class, drawn by rng; fewer where fewer are."""
    order = rng.permutation(len(labels))
    return np.concatenate(
        [order[labels[order] == label][:per_class] for label in np.unique(labels)]
    )


def read_folder(run, folder: Path, size: int):
    """Read DIR/class/image, one folder per class.

    Returns images uint8 [n, size, size, 3], labels int32 [n], class names. What cannot
    be used is named, also in unusable_images.txt of the run folder. Raises Problem
    (status 2) where fewer than two classes of two images are left.
    """
    wanted = "expected a folder per class, such as DIR/cat/1.jpg and DIR/dog/1.jpg"
    try:
        entries = sorted(folder.expanduser().iterdir())
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Problem(f"--images {shown(folder)}: {reason}; {wanted}", 2) from None
    unusable = []
    classes = []
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            classes.append(entry)
        else:
            unusable.append((entry, "lies beside the class folders, not in one"))
    if len(classes) < 2:
        raise Problem(
            f"--images {shown(folder)}: {len(classes)} class folder"
            f"{'s' * (len(classes) != 1)} found, at least 2 are needed; {wanted}",
            2,
        )

    most = max(2, MOST_IMAGES // len(classes))
    x, y, names = [], [], []
    for entry in classes:
        found, left = _read_class(run, entry, size, most, unusable)
        if left:
            run.say(f"{shown(entry.name)}: {most} images are read, {left} are left out")
        if len(found) < 2:
            count = "only one usable image" if found else "no usable image"
            unusable.append((entry, f"{count}, two are needed"))
            continue
        x += found
        y += [len(names)] * len(found)
        names.append(shown(entry.name))
    _name_unusable(run, unusable)
    if len(names) < 2:
        kept = f"only {names[0]!r}" if names else "no class"
        raise Problem(
            f"--images {shown(folder)}: {kept} has two usable images, and at least 2 "
            f"classes are needed; {wanted}",
            2,
        )
    return np.stack(x), np.array(y, "int32"), names


def _read_class(run, folder: Path, size: int, most: int, unusable: list):
    """The first `most` usable images of one class, and how many files are left."""
    try:
        paths = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        unusable.append((folder, error.strerror or "cannot be read"))
        return [], 0
    # Which ones, where there are too many: any, but for this seed always the same.
    order = np.random.default_rng(run.seed).permutation(len(paths))
    found = []
    for position, index in enumerate(order):
        if len(found) == most:
            return found, len(paths) - position
        try:
            found.append(read_image(paths[index], size))
        except ValueError as error:
            unusable.append((paths[index], str(error)))
    return found, 0


def read_image(path: Path, size: int) -> np.ndarray:
    """One image file as uint8 [size, size, 3]: upright, its middle square, resized.

    Grey and palette images become RGB, what is transparent becomes white. Raises
    ValueError with the reason where the file cannot be used.
    """
    from PIL import Image, UnidentifiedImageError

    if not path.is_file():
        raise ValueError("not a file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large pictures, odd metadata
            with Image.open(path, formats=FORMATS) as image:
                # A JPEG can be decoded at a fraction of its size: huge ones fit.
                image.draft("RGB", (2 * size, 2 * size))
                return _square(_rgb(image), size)
    except UnidentifiedImageError:
        raise ValueError("not an image") from None
    except Image.DecompressionBombError:
        raise ValueError("too many pixels to decode safely") from None
    except OSError as error:
        reason = error.strerror or "truncated or damaged image"
        raise ValueError(reason) from None
    # Pillow's decoders raise anything on damaged files (struct.error, IndexError ...).
    except Exception as error:
        raise ValueError(f"damaged image ({type(error).__name__})") from None


def _rgb(image):
    """A Pillow image as upright RGB."""
    from PIL import Image, ImageOps

    if image.mode.startswith(("I", "F")):  # 16 or 32 bits of grey
        grey = np.asarray(image, "float64")
        spread = max(np.ptp(grey), 1e-9)
        image = Image.fromarray(((grey - grey.min()) / spread * 255).astype("uint8"))
    image = ImageOps.exif_transpose(image)
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _square(image, size: int) -> np.ndarray:
    """The middle square of an RGB image, resized: uint8 [size, size, 3]."""
    from PIL import Image, ImageOps

    square = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    return np.asarray(square, "uint8")


def shown(name) -> str:
    """A file name as it is safe to print: control characters escaped."""
    return "".join(
        letter
        if letter.isprintable()
        else letter.encode("unicode_escape", "surrogatepass").decode()
        for letter in str(name)
    )


def _name_unusable(run, unusable: list) -> None:
    """Say which files could not be used, and why."""
    if not unusable:
        return
    lines = [f"{shown(path)}: {reason}" for path, reason in unusable]
    run.save_bytes(("\n".join(lines) + "\n").encode(), "unusable_images.txt")
    for line in lines[:MOST_NAMED]:
        run.say(f"not used: {line}")
    if len(lines) > MOST_NAMED:
        rest = run.folder / "unusable_images.txt"
        run.say(f"not used: {len(lines) - MOST_NAMED} more, all named in {rest}")


def _split(run, x, y, names) -> Images:
    """Keep one image in four of every class, at least one, for the test."""
    rng = np.random.default_rng([run.seed, 1])
    order = rng.permutation(len(x))
    testing = np.zeros(len(x), bool)
    for label in range(len(names)):
        members = order[y[order] == label]
        testing[members[: max(1, len(members) // TEST_SHARE)]] = True
    train, test = order[~testing[order]], order[testing[order]]
    return Images(x[train], y[train], x[test], y[test], names)
