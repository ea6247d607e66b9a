"""43: sizes of the three networks, and what blank rows do."""

import keras
import numpy as np


def test_sizes_and_blank_rows(lesson):
    keras.utils.set_random_seed(0)
    counts = {
        name: lesson.build_model(c).count_params() for name, c in lesson.CELLS.items()
    }
    units, rows, classes = lesson.UNITS, 28, 10
    block = (rows + units + 1) * units
    readout = (units + 1) * classes
    assert counts["rnn"] == block + readout
    assert counts["lstm"] == 4 * block + readout
    assert counts["gru"] == 3 * (block + units) + readout  # Keras' GRU: two biases

    model = lesson.build_model(lesson.CELLS["lstm"])
    images = np.random.default_rng(0).random((30, 28, 28), dtype="float32")
    labels = lesson.answers(model, images)
    by_rows = lesson.accuracy_by_rows(model, images, labels)
    assert len(by_rows) == 28 and by_rows[-1] == 100
    cut = images.copy()
    cut[:, 5:] = 0
    assert by_rows[4] == 100 * np.mean(lesson.answers(model, cut) == labels) < 100
