"""The walk-through by hand against SciPy and TensorFlow; letters, votes, learning."""

import keras
import numpy as np
import tensorflow as tf
from scipy.signal import correlate2d


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


def test_trained_net_beats_templates_and_untrained_filters(lesson):
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x_test, y_test = lesson.draw(rng, 1000)
    model = lesson.build_model()
    model.fit(*lesson.draw(rng, 2000), batch_size=50, epochs=4, verbose=0)
    right = (model.predict(x_test, verbose=0).argmax(axis=1) == y_test).mean()
    templates = [t - t.mean() for t in lesson.read_drawings()[:2]]
    matched = np.einsum("nhwc,thw->nt", x_test, templates).argmax(axis=1) == y_test
    assert right > 0.95
    assert 0.55 < matched.mean() < right - 0.1
