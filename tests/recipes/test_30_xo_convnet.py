"""The walk-through by hand against SciPy and TensorFlow; what is left to learn."""

from common import recipes
from common.executing import Request, Run

import keras
import numpy as np
import tensorflow as tf
from scipy.signal import correlate2d

SLIDES = recipes.load(recipes.find("30"))
CHANGED_INPUTS = [
    # The letters in a mirror, which changes the tricky X alone; two filters of 2x2.
    ({"read_drawings": lambda: SLIDES.read_drawings()[:, :, ::-1]}, {"differing"}),
    ({"FILTERS": SLIDES.FILTERS[:2, :2, :2]}, {"feature_map_shape"}),
]


def test_walk_through_convolution_and_pooling_equal_other_libraries(lesson):
    tricky = lesson.read_drawings()[2]
    stages = lesson.walk_through(tricky)
    for index, kernel in enumerate(lesson.FILTERS):
        expected = correlate2d(tricky, kernel, mode="valid") / 9
        np.testing.assert_allclose(stages["convolution"][:, :, index], expected)
    # An even and an odd size; below 0, where a frame of 0 would win.
    for size in (4, 7):
        maps = -1 - np.random.default_rng(size).random((size, size, 3))
        expected = tf.nn.max_pool2d(maps[None], 2, 2, "SAME")[0]
        np.testing.assert_allclose(lesson.pool(maps), expected)


def test_the_filters_are_the_slides(lesson):
    assert lesson.FILTERS.tolist() == [
        [[1, -1, -1], [-1, 1, -1], [-1, -1, 1]],
        [[1, -1, 1], [-1, 1, -1], [1, -1, 1]],
        [[-1, -1, 1], [-1, 1, -1], [1, -1, -1]],
    ]


def test_clean_x_holds_its_filters_and_wins_its_votes(lesson):
    x_template, o_template, tricky = lesson.read_drawings()
    assert (x_template == x_template.T).all()
    found = lesson.walk_through(x_template)["convolution"].max(axis=(0, 1))
    np.testing.assert_allclose(found, 1)
    assert lesson.walk_through(o_template)["convolution"][:, :, 1].max() < 0.6
    for image, letter in ((x_template, 0), (tricky, 0), (o_template, 1)):
        assert np.argmax(lesson.votes(image)) == letter


def test_drawn_letters_are_what_their_labels_say(lesson):
    images, labels = lesson.draw(np.random.default_rng(0), 400)
    assert set(np.unique(images)) == {-1, 1}
    assert 150 < labels.sum() < 250
    # An O is empty at its centre of mass, an X is not.
    rows, columns = np.mgrid[:9, :9]
    for image, label in zip(images[:, :, :, 0], labels, strict=True):
        white = image == 1
        row, column = round(rows[white].mean()), round(columns[white].mean())
        assert white[row, column] == (label == 0)


def test_the_dense_control_is_as_large(lesson):
    dense = lesson.build_model(0, 0, lesson.DENSE_UNITS)
    assert lesson.build_model().count_params() == dense.count_params() == 338


def test_learned_patches_beat_given_ones_and_learned_whole_images(lesson, tmp_path):
    rng = np.random.default_rng(0)
    train, (x_test, y_test) = lesson.draw(rng, 2000), lesson.draw(rng, 1000)
    votes = np.array([lesson.votes(image[:, :, 0]) for image in x_test])
    right = {"given": (votes.argmax(axis=1) == y_test).mean()}
    for name, network in (
        ("model", ()),
        ("learned", (3, 2)),
        ("dense", (0, 0, 4)),
        ("linear", (0, 0)),
    ):
        keras.utils.set_random_seed(0)
        model = lesson.build_model(*network)
        run = Run(Request(stem="30", out=tmp_path))
        run.fit(model, *train, batch_size=50, epochs=10, name=name)
        scores = model.predict(x_test, batch_size=1000, verbose=0)
        right[name] = (scores.argmax(axis=1) == y_test).mean()
    # Five seeds: at least 0.18 more, 0.06 more, 0.04 more.
    assert right["given"] + 0.1 < right["learned"]
    assert right["linear"] + 0.03 < right["dense"]
    assert right["dense"] + 0.02 < right["model"]
