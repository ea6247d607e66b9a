"""Oracles of the loop, the head and the classifier, and the whole command line."""

import os
import subprocess
import sys
from types import SimpleNamespace

from common import files, images, pretrained, recipes
from common.executing import Request, Run, execute
from common.files import Problem
from common.pretrained import classifier

import keras
import numpy as np
import pytest
from PIL import Image


def test_the_loop_trains_as_keras_does_and_from_the_start_each_time(lesson):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (30, 16, 16, 3)), rng.integers(0, 4, 30)
    model = lesson.build_model((16, 16, 3), 4)
    start = model.get_weights()
    train = lesson.trainer(model)
    train(x, y, np.random.default_rng(1), 3)
    ours = model.get_weights()
    train(x, y, np.random.default_rng(1), 3)  # with the averages of Adam at zero again
    for first, second in zip(ours, model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)

    other = lesson.build_model((16, 16, 3), 4)
    other.steps_per_execution = 1
    other.set_weights(start)
    for batch in np.random.default_rng(1).integers(30, size=(3, lesson.BATCH_SIZE)):
        other.train_on_batch(x[batch].astype("float32"), y[batch])
    for first, second in zip(ours, other.get_weights(), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-5)
    assert any((w != v).any() for w, v in zip(start, ours, strict=True))


def test_from_scratch_ends_when_the_labels_are_known(lesson):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (10, 16, 16, 3)), np.arange(10) % 5
    model = lesson.build_model((16, 16, 3), 5)
    train = lesson.trainer(model)
    train(x, y, np.random.default_rng(0), lesson.MOST)
    logits = model(x.astype("float32"))
    assert float(model.loss(y, logits)) < lesson.KNOWN
    updates = int(model.optimizer.iterations.numpy())
    assert updates % lesson.ROUND == 0 and updates < lesson.MOST


@pytest.mark.parametrize("classes", [2, 3])
def test_head_on_raw_features_is_the_one_on_scaled_features(lesson, classes):
    """Whatever unit the features have; and the classifier gives its probabilities."""
    rng = np.random.default_rng(0)
    x = rng.random((60, 4)).astype("float32")
    y = (classes * x[:, 1]).astype(int)
    head = lesson.new_head(x, y)
    assert (head.predict(x) == y).mean() > 0.5
    other = lesson.new_head(1000 * x + 5, y)
    np.testing.assert_allclose(
        head.predict_proba(x), other.predict_proba(1000 * x + 5), atol=1e-4
    )

    pixels = keras.Input((None, None, 3))
    average = keras.layers.GlobalAveragePooling2D()(pixels)
    features = keras.layers.Dense(4)(average)
    network = keras.Model(pixels, features)
    names = ["ant", "bee", "비"][:classes]
    model = classifier.build(network, head, names)
    photos = rng.random((5, 2, 2, 3)).astype("float32")
    probabilities, words = model(photos)
    expected = head.predict_proba(network(photos).numpy())
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    told = [word.decode() for word in words.numpy()]
    assert told == [names[best] for best in expected.argmax(axis=1)]


def test_counts_of_mobilenet():
    """The paper's 569 million multiplications; its parameters are a measure."""
    network = keras.applications.MobileNet(weights=None)
    products = [
        np.prod(layer.output.shape[1:3]) * np.prod(layer.kernel.shape)
        for layer in network.layers
        if hasattr(layer, "kernel")
    ]
    assert round(sum(products) / 1e6) == 569
    assert network.count_params() == 4_253_864


def test_imagenet_features_beat_random_ones_of_the_same_network(lesson, tmp_path):
    """The finding in seconds: 64 pixels, garments, 10 labels of each class."""
    keras.utils.set_random_seed(0)
    run = SimpleNamespace(
        options={"images": None, "weights": "lite0"}, seed=0, say=lambda text: None
    )
    (task,) = images.tasks(run, 64, ["fashion_mnist"], 10, 20).values()
    network = pretrained.load(run, "mobilenet", 64).network
    both = task.x_train, task.x_test

    def accuracy():
        x, x_test = pretrained.features(network, *both)
        head = lesson.new_head(x, task.y_train)
        return 100 * np.mean(head.predict(x_test) == task.y_test)

    trained = accuracy()
    pretrained.untrained(network)
    assert trained > 60
    assert trained > accuracy() + 8  # 20 labels gained 21 points


def test_the_next_pictures_meet_the_trained_network_again(lesson, tmp_path):
    run = Run(Request("61", quick=True, options={"weights": "lite0"}, out=tmp_path))
    run.folder.mkdir(parents=True)
    (task,) = images.tasks(run, 32, ["fashion_mnist"], 5, 2).values()
    network = pretrained.load(run, "mobilenet", 32).network
    before = network.get_weights()
    lesson.compare(run, network, task, "fashion_mnist")
    for learned, now in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(learned, now)


@pytest.fixture
def photos(tmp_path):
    """Two classes of four photographs, a file that is none, and two new ones."""
    for name, color in (("red", (250, 0, 0)), ("$blue", (0, 0, 250))):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(4):
            photo = Image.new("RGB", (50, 40), color)
            photo.save(tmp_path / "photos" / name / f"{number}.png")
        Image.new("RGB", (90, 80), color).save(tmp_path / f"new {name}.png")
    (tmp_path / "photos" / "red" / "note.txt").write_text("no photo")
    return tmp_path / "photos"


def test_a_classifier_of_photographs_to_take_along(photos, tmp_path, capsys):
    new = [str(tmp_path / f"new {name}.png") for name in ("red", "$blue")]
    kept = str(tmp_path / "deep" / "colors.keras")
    options = {"weights": "lite0", "images": str(photos), "save": kept, "classify": new}
    out = tmp_path / "out"
    record = execute(Request(stem="61", quick=True, options=options, out=out))
    assert record["options"]["weights"] == "lite0"
    assert record["values"]["photos"] == 100
    assert "photos_trained_1" in record["values"]
    assert {"classifier.keras", "answers.png"} <= set(record["files"])
    said = capsys.readouterr().out
    assert "note.txt: not an image" in said
    assert "new red.png: red, probability" in said
    assert "new $blue.png: $blue, probability" in said

    options = {"load": kept, "classify": new[1:]}
    record = execute(Request(stem="61", quick=True, options=options, out=out))
    assert list(record["values"]) == ["sure"] and 50 < record["values"]["sure"] <= 100
    assert "new $blue.png: $blue, probability" in capsys.readouterr().out


def test_imagenet_weights_in_the_cache_of_keras(lesson, photos, tmp_path):
    """The whole command line, with a file where Keras looks for its own."""
    network = keras.applications.MobileNet(
        input_shape=(128, 128, 3), include_top=False, weights=None
    )
    (tmp_path / "models").mkdir()
    cached = tmp_path / "models" / pretrained.CACHED["mobilenet"]
    network.save(cached, include_optimizer=False)
    command = [sys.executable, str(recipes.find("61")), "--quick", "--weights", "auto"]
    command += ["--images", str(photos), "--out", str(tmp_path / "out")]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "KERAS_HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert "weights: MobileNet, width 1, ImageNet, input 32 x 32" in done.stdout
    (path,) = (tmp_path / "out").rglob("metrics.json")
    assert files.read_record(path)["options"]["weights"] == "imagenet"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"load": "a.keras"}, "--load needs --classify"),
        ({"load": "no.keras", "classify": ["a.png"]}, "no such file; --save makes one"),
        ({"load": "a.keras", "classify": ["a.png"]}, "not a classifier that --save"),
        ({"load": "a.keras", "images": "x"}, "--load and --images exclude each other"),
        ({"save": "a.keras"}, "--save needs --images DIR"),
        ({"classify": ["a.png"]}, "--classify needs --images DIR"),
    ],
)
def test_bad_options_are_one_line(tmp_path, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.keras").write_bytes(b"no model")
    options = {"weights": "lite0", **options}
    with pytest.raises(Problem, match=words) as caught:
        execute(Request(stem="61", quick=True, options=options, out=tmp_path / "out"))
    assert caught.value.status == 2 and "\n" not in str(caught.value)


def test_a_photograph_that_is_none_is_named(tmp_path):
    (tmp_path / "a.png").write_text("no photo")
    run = SimpleNamespace(options={"classify": [str(tmp_path / "a.png")]})
    with pytest.raises(Problem, match=r"--classify .*a\.png: not an image") as caught:
        classifier.answer(run, None, 32)
    assert caught.value.status == 2


def test_a_name_that_keras_would_refuse_is_refused_before_training(tmp_path):
    run = SimpleNamespace(options={"save": "model.h5", "classify": None})
    with pytest.raises(Problem, match=r"model\.h5: the name has to end in \.keras"):
        classifier.leave(run, None, None, None)
