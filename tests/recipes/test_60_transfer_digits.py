"""The compiled loop against Keras, the distance between curves, and what is saved."""

from common import datasets
from common.executing import Request, Run

import keras
import numpy as np
import pytest


def test_the_two_tasks_share_no_digit(lesson):
    images, labels = np.zeros((10, 28, 28)), np.arange(10)
    x, y = lesson.digits((images, labels), 5, 9)
    assert x.shape == (5, 28, 28, 1) and list(y) == [0, 1, 2, 3, 4]


def test_the_loop_trains_as_keras_does_and_from_the_start_each_time(lesson):
    rng = np.random.default_rng(0)
    x, y = rng.random((30, 28, 28, 1), "float32"), rng.integers(0, 5, 30)
    batches = rng.choice(30, (4, 10)).astype("int32")
    model = lesson.build_model()
    start = model.get_weights()
    train = lesson.trainer(model, x, y)
    train(start, batches)
    ours = model.get_weights()
    train(start, batches)  # with the averages of Adam at zero again
    for first, second in zip(ours, model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)

    other = lesson.build_model()
    other.set_weights(start)
    for batch in batches:
        other.train_on_batch(x[batch], y[batch])
    for first, second in zip(ours, other.get_weights(), strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-5)
    assert any((w != v).any() for w, v in zip(start, ours, strict=True))


def test_equal_labels_reads_the_lower_curve(lesson):
    scratch = 50 + 10 * np.log(lesson.LABELS)
    assert lesson.equal_labels(50 + 10 * np.log(7), scratch) == pytest.approx(7)
    assert lesson.equal_labels(scratch[2], scratch) == pytest.approx(lesson.LABELS[2])
    # Off its ends, the ends.
    assert lesson.equal_labels(110, scratch) == pytest.approx(lesson.LABELS[-1])
    assert lesson.equal_labels(10, scratch) == pytest.approx(lesson.LABELS[0])


def test_pretraining_is_worth_labels(lesson, tmp_path):
    """Shown in seconds by 10,000 images of 0 to 4 and one label of each new digit."""
    train, _, test = datasets.mnist(limit=20_000)
    keras.utils.set_random_seed(0)
    known, model = lesson.build_model(), lesson.build_model()
    run = Run(Request(stem="60", out=tmp_path))
    run.fit(known, *lesson.digits(train, 0, 4), batch_size=50, epochs=2)
    scratch = model.get_weights()
    pretrained = known.get_weights()[:-2] + scratch[-2:]
    (x, y), (x_test, y_test) = (lesson.digits(part, 5, 9) for part in (train, test))
    training = lesson.trainer(model, x, y)

    def mean_accuracy(start):
        found = []
        for draw in range(3):
            rng = np.random.default_rng(draw)
            few = [rng.choice(np.flatnonzero(y == digit)) for digit in range(5)]
            training(start, rng.choice(few, (150, 25)).astype("int32"))
            found.append(lesson.accuracy(model, x_test, y_test))
        return np.mean(found)

    # Single draws gained 7 to 18 points.
    assert mean_accuracy(pretrained) > mean_accuracy(scratch) + 3
