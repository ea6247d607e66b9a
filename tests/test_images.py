"""Few labelled pictures, and a user's folder: what can be used is, the rest named."""

import struct
import zlib
from types import SimpleNamespace

from common import images
from common.files import Problem

import numpy as np
import pytest
from PIL import Image

SIZE = 16


@pytest.fixture
def run(tmp_path):
    """What `images` needs of a run; `said` and `saved` hold what it told."""
    said, saved = [], {}
    return SimpleNamespace(
        options={"images": None},
        quick=True,
        seed=0,
        pick=lambda full, quick: quick,
        say=said.append,
        save_bytes=lambda content, name: saved.__setitem__(name, content.decode()),
        folder=tmp_path / "run",
        said=said,
        saved=saved,
    )


def photo(path, color=(200, 30, 30), size=(40, 30), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(path, **options)


@pytest.fixture
def folder(tmp_path):
    """Two classes of four images each: red cats, blue dogs."""
    for number in range(4):
        photo(tmp_path / "photos" / "cat" / f"{number}.png", (255, 0, 0))
        photo(tmp_path / "photos" / "dog" / f"{number}.jpg", (0, 0, 255), quality=95)
    return tmp_path / "photos"


def test_a_folder_per_class_becomes_arrays(run, folder):
    x, y, names = images.read_folder(run, folder, SIZE)
    assert (x.shape, x.dtype) == ((8, SIZE, SIZE, 3), np.uint8)
    assert names == ["cat", "dog"]
    assert (x[y == 0] == (255, 0, 0)).all()
    assert abs(x[y == 1].astype(int) - (0, 0, 255)).max() < 5
    assert run.said == [] and run.saved == {}


def test_training_and_test_images_are_all_and_apart(run, folder):
    for number in range(4):  # every image with its own shade
        photo(folder / "cat" / f"{number}.png", (number, 0, 0))
        photo(folder / "dog" / f"{number}.jpg", (0, 0, 90 + 20 * number))
    run.options["images"] = str(folder)
    (task,) = images.tasks(run, SIZE, ["cifar10"], 5, 5).values()
    assert sorted(task.y_train) == [0, 0, 0, 1, 1, 1]
    assert sorted(task.y_test) == [0, 1]
    shades = {tuple(x[0, 0]) for part in (task.x_train, task.x_test) for x in part}
    assert len(shades) == 8
    again = images.tasks(run, SIZE, [], 5, 5)["photos"]
    assert (task.x_train == again.x_train).all()


@pytest.mark.parametrize(
    ("mode", "color", "seen"),
    [
        ("L", 100, (100, 100, 100)),
        ("1", 1, (255, 255, 255)),
        ("RGBA", (0, 0, 0, 0), (255, 255, 255)),  # nothing there: white
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("LA", (50, 255), (50, 50, 50)),
    ],
)
def test_grey_and_alpha_become_rgb(tmp_path, mode, color, seen):
    photo(tmp_path / "a.png", color, mode=mode)
    assert (images.read_image(tmp_path / "a.png", SIZE) == seen).all()


def test_palette_becomes_rgb_and_its_transparent_color_white(tmp_path):
    image = Image.new("P", (20, 20), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    image.save(tmp_path / "a.png")
    assert (images.read_image(tmp_path / "a.png", SIZE) == (10, 200, 30)).all()
    image.save(tmp_path / "b.gif", transparency=1)
    assert (images.read_image(tmp_path / "b.gif", SIZE) == 255).all()


def test_sixteen_bits_of_grey_keep_their_contrast(tmp_path):
    grey = np.zeros((SIZE, SIZE), "uint16")
    grey[:, SIZE // 2 :] = 40_000
    Image.fromarray(grey).save(tmp_path / "a.png")
    found = images.read_image(tmp_path / "a.png", SIZE)
    assert found[:, 0].max() == 0 and found[:, -1].min() == 255


def test_a_photo_is_turned_upright(tmp_path):
    image = Image.new("RGB", (40, 40), "black")
    image.paste("white", (0, 0, 40, 20))  # the upper half
    exif = Image.Exif()
    exif[0x0112] = 3  # taken upside down
    image.save(tmp_path / "a.jpg", exif=exif)
    found = images.read_image(tmp_path / "a.jpg", SIZE)
    assert found[2].min() < 30 and found[-2].max() > 220


def huge_png(path, side):
    """A PNG that announces side x side pixels in a few bytes."""

    def chunk(kind, content):
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def test_what_cannot_be_used_is_named_and_the_rest_is_used(run, folder):
    whole = (folder / "dog" / "0.jpg").read_bytes()
    (folder / "dog" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "dog" / "note.txt").write_text("not an image")
    (folder / "dog" / "empty.png").write_bytes(b"")
    (folder / "dog" / "inner").mkdir()
    (folder / "dog" / ".hidden").write_text("no business of ours")
    huge_png(folder / "cat" / "huge.png", 60_000)
    (folder / "cat" / "a\x1b[31m\n.png").write_text("red?")
    (folder / "nothing").mkdir()
    (folder / "beside.txt").write_text("")

    x, _, names = images.read_folder(run, folder, SIZE)
    assert (len(x), names) == (8, ["cat", "dog"])
    told = "\n".join(run.said)
    for name, reason in {
        "cut.jpg": "truncated",
        "note.txt": "not an image",
        "empty.png": "not an image",
        "inner": "not a file",
        "huge.png": "too many pixels",
        r"a\x1b[31m\n.png": "not an image",
        "nothing": "no usable image",
        "beside.txt": "beside the class folders",
    }.items():
        (line,) = [line for line in run.said if name + ":" in line]
        assert reason in line
    assert "\x1b" not in told and ".hidden" not in told
    assert run.saved["unusable_images.txt"].count("\n") == 8


def test_a_large_photo_is_used(tmp_path):
    photo(tmp_path / "a.jpg", (0, 200, 0), size=(9000, 6000))
    assert (
        abs(images.read_image(tmp_path / "a.jpg", SIZE)[0, 0] - (0, 200.0, 0)).max() < 5
    )


def test_of_many_images_some_are_read_and_it_is_said(run, folder, monkeypatch):
    monkeypatch.setattr(images, "MOST_IMAGES", 6)
    x, y, _ = images.read_folder(run, folder, SIZE)
    assert len(x) == 6 and list(np.bincount(y)) == [3, 3]
    assert run.said == [
        "cat: 3 images are read, 1 are left out",
        "dog: 3 images are read, 1 are left out",
    ]


def test_only_some_names_are_printed_but_all_are_kept(run, folder):
    for number in range(30):
        (folder / "cat" / f"{number}.txt").write_text("no")
    images.read_folder(run, folder, SIZE)
    assert len(run.said) == images.MOST_NAMED + 1
    assert "10 more" in run.said[-1]
    assert run.saved["unusable_images.txt"].count("\n") == 30


def remove_dogs(folder):
    for path in (folder / "dog").iterdir():
        path.unlink()


def one_dog(folder):
    for path in sorted((folder / "dog").iterdir())[1:]:
        path.unlink()


def no_classes(folder):
    remove_dogs(folder)
    (folder / "dog").rmdir()


def only_files(folder):
    no_classes(folder)
    for path in (folder / "cat").iterdir():
        path.rename(folder / path.name)
    (folder / "cat").rmdir()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (remove_dogs, "only 'cat' has two usable images"),
        (one_dog, "only 'cat' has two usable images"),
        (no_classes, "1 class folder found"),
        (only_files, "0 class folders found"),
    ],
)
def test_what_makes_training_impossible_is_one_line(run, folder, damage, words):
    damage(folder)
    with pytest.raises(Problem, match=words) as caught:
        images.read_folder(run, folder, SIZE)
    assert caught.value.status == 2
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing", "a\nb", "file", "\0"])
def test_a_folder_that_is_none(run, tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match="expected a folder per class") as caught:
        images.read_folder(run, tmp_path / name, SIZE)
    assert caught.value.status == 2
    assert "\n" not in str(caught.value) and "\0" not in str(caught.value)


def test_few_pictures_of_every_class_in_their_own_size_as_rgb(run):
    task = images.tasks(run, SIZE, ["fashion_mnist"], 3, 2)["fashion_mnist"]
    assert (task.x_train.shape, task.x_train.dtype) == ((30, 28, 28, 3), np.uint8)
    assert list(np.bincount(task.y_train)) == [3] * 10
    assert list(np.bincount(task.y_test)) == [2] * 10 and len(task.names) == 10
    assert (task.x_train[..., 0] == task.x_train[..., 2]).all()
    assert task.x_train.max() == 255
    again = images.tasks(run, SIZE, ["fashion_mnist"], 3, 2)["fashion_mnist"]
    assert (task.x_train == again.x_train).all()
    run.seed = 1
    other = images.tasks(run, SIZE, ["fashion_mnist"], 3, 2)["fashion_mnist"]
    assert (task.x_train != other.x_train).any()


def test_names_of_classes_are_those_of_the_labels(run):
    """A trouser is tall, a sneaker and a bag are wide: rows and columns with ink."""
    task = images.tasks(run, SIZE, ["fashion_mnist"], 30, 2)["fashion_mnist"]
    ink = task.x_train[..., 0] > 50
    tall = ink.any(axis=2).sum(axis=1) - ink.any(axis=1).sum(axis=1).astype(int)
    shape = {name: tall[task.y_train == i].mean() for i, name in enumerate(task.names)}
    assert shape["trouser"] > 8 and shape["sneaker"] < -8
    assert max(shape, key=shape.get) in ("trouser", "dress")


def test_a_set_that_is_away_is_left_out_and_that_is_said(run, monkeypatch):
    pictures = images.datasets.pictures

    def away(name, limit):
        if name == "cifar10":
            raise Problem("no network")
        return pictures(name, limit)

    monkeypatch.setattr(images.datasets, "pictures", away)
    found = images.tasks(run, SIZE, ("fashion_mnist", "cifar10"), 1, 1)
    assert list(found) == ["fashion_mnist"]
    assert run.said == ["cifar10 is left out: no network"]
    with pytest.raises(Problem, match="no network"):
        images.tasks(run, SIZE, ("cifar10",), 1, 1)


def test_few_of_each_class_are_among_the_more(run):
    labels = np.arange(40) % 4
    few, more = (
        images.few_of_each(labels, count, np.random.default_rng(3)) for count in (2, 5)
    )
    assert list(np.bincount(labels[few])) == [2] * 4
    assert set(few) < set(more) and len(set(more)) == 20
    all_there_are = images.few_of_each(labels, 99, np.random.default_rng(3))
    assert sorted(all_there_are) == list(range(40))


@pytest.mark.parametrize("option", ["save", "classify"])
def test_what_needs_photographs_says_so(run, option):
    run.options[option] = "x"
    with pytest.raises(Problem, match=f"--{option} needs --images DIR") as caught:
        images.tasks(run, SIZE, ["fashion_mnist"], 1, 1)
    assert caught.value.status == 2
