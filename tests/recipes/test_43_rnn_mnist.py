"""43: sizes, reading out the states in between, and the lesson."""

from common import datasets
from common.executing import Request, Run

import keras
import numpy as np
import pytest
from keras import layers

OTHER_SIZES = {
    "rnn": {"cell": layers.SimpleRNN, "units": 8},
    "wide_rnn": {"cell": layers.SimpleRNN, "units": 9},
    "gru": {"cell": layers.GRU, "units": 8},
    "lstm": {"units": 8},
    "every_row": {"units": 8, "every_row": True},
}
CHANGED_INPUTS = [
    (
        {"NETWORKS": OTHER_SIZES},
        {"rnn_parameters", "wide_rnn_parameters", "lstm_parameters"},
    )
]


def test_sizes(lesson):
    def count(name):
        return lesson.build_model(**lesson.NETWORKS[name]).count_params()

    def block(units):
        return (28 + units + 1) * units

    units, wide, classes = lesson.UNITS, lesson.WIDE_UNITS, 10
    readout = (units + 1) * classes
    assert count("rnn") == block(units) + readout
    assert count("lstm") == count("every_row") == 4 * block(units) + readout
    assert count("gru") == 3 * (block(units) + units) + readout  # Keras': two biases
    assert count("wide_rnn") == block(wide) + (wide + 1) * classes
    # The fair control: as many weights as the LSTM, within 2 %.
    assert count("wide_rnn") == pytest.approx(count("lstm"), rel=0.02)


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm", "every_row"])
def test_a_row_is_read_as_if_the_image_ended_there(lesson, name):
    keras.utils.set_random_seed(0)
    network = lesson.NETWORKS[name]
    model = lesson.build_model(**network)
    for weight in model.weights:  # so that images differ in what they are taken for
        weight.assign(3 * weight)
    rng = np.random.default_rng(0)
    images = rng.random((200, 28, 28), dtype="float32")
    cell, dense = model.layers
    kind = type(cell)(lesson.UNITS)  # reads what there is, answers at the end
    kind.build(images.shape)
    kind.set_weights(cell.get_weights())
    last = dense(kind(images)).numpy().argmax(axis=1)
    by_row = lesson.accuracy_by_row(model, images, last, **network)
    assert by_row.shape == (28,) and by_row[-1] == 100
    for rows in (1, 5, 20):
        given = dense(kind(images[:, :rows])).numpy().argmax(axis=1)
        # Of 200, one that is nearly a tie may fall to the other side.
        assert by_row[rows - 1] == pytest.approx(100 * np.mean(given == last), abs=0.6)
    assert by_row[0] < 90


def test_each_row_is_asked_for_the_same_label(lesson):
    labels = np.array([3, 7], "int32")
    assert lesson.targets(labels).tolist() == [3, 7]
    assert lesson.targets(labels, every_row=True).tolist() == [[3] * 28, [7] * 28]


def test_gates_help_and_who_is_asked_every_row_knows_sooner(lesson, tmp_path):
    """The lesson in 800 updates of 40 images; the last question in 400."""
    (x, y), _, (x_test, y_test) = datasets.mnist(limit=8000)
    run, by_row = Run(Request(stem="43", out=tmp_path)), {}
    for name, epochs in (("rnn", 4), ("lstm", 4), ("every_row", 2)):
        network = lesson.NETWORKS[name]
        keras.utils.set_random_seed(0)
        model = lesson.build_model(**network, updates=200 * epochs)
        labels = lesson.targets(y, **network)
        run.fit(model, x, labels, batch_size=40, epochs=epochs, name=name)
        by_row[name] = lesson.accuracy_by_row(model, x_test, y_test, **network)
    assert by_row["lstm"][-1] > 88
    assert by_row["lstm"][-1] > by_row["rnn"][-1]
    # Halfway down, who was never asked there is not much better than guessing.
    assert by_row["lstm"][13] < 40 < 55 < by_row["every_row"][13]
