"""Features where they should be, a new head, and the whole command line."""

import os
import subprocess
import sys
from types import SimpleNamespace

from common import images, recipes

import keras
import numpy as np
from PIL import Image


def test_half_way_features_keep_their_places(lesson):
    backbone = lesson.build_backbone(None)
    last, middle = backbone(np.zeros((1, 32, 32, 3), "float32"))
    assert last.shape == (1, 256) and middle.shape == (1, 4 * 4 * 64)


def test_a_head_on_separable_features_is_right(lesson):
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    task = SimpleNamespace(y_train=y, y_test=1 - y)
    features = np.column_stack([y * 1e-9, rng.random(40) * 1e-9])
    accuracy, answers = lesson.head_on((features, features[::-1]), task)
    assert accuracy == 100 and (answers == 1 - y).all()


def test_imagenet_weights_in_the_cache_and_a_folder_of_photos(lesson, tmp_path):
    """The whole command line: a file where Keras looks, and a user's images."""
    network = keras.applications.MobileNet(
        input_shape=(128, 128, 3), include_top=False, weights=None
    )
    (tmp_path / "models").mkdir()
    network.save(tmp_path / "models" / lesson.WEIGHTS_FILE, include_optimizer=False)
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
    assert f"weights: ImageNet, {lesson.WEIGHTS_FILE}" in done.stdout
    assert "6 training and 2 test images of 2 classes" in done.stdout
    assert "note.txt: not an image" in done.stdout
    assert "pretraining" not in done.stdout


def test_digits_as_images_keep_their_strokes():
    digit = np.zeros((1, 28, 28), "float32")
    digit[0, 14, 14] = 1
    (small,) = images.digits_as_rgb(digit, 32)
    assert small[16, 16].tolist() == [255] * 3 and small.sum() == 3 * 255
    (large,) = images.digits_as_rgb(digit, 128)
    assert large.shape == (128, 128, 3)
    center = np.argwhere(large[..., 0] == large.max()).mean(axis=0)
    assert abs(center - 14.5 / 28 * 128 + 0.5).max() < 1
