"""The lab's network exactly; the epochs make the difference, not the layers."""

from common import datasets
from common.executing import Request, Run

import keras
import numpy as np
from keras import layers


def test_the_network_is_the_labs(lesson):
    model = lesson.build_model()
    assert model.count_params() == 1_195_018
    dense = [layer for layer in model.layers if isinstance(layer, layers.Dense)]
    assert [layer.units for layer in dense] == [512, 512, 512, 512, 10]
    biases = np.concatenate([layer.get_weights()[1] for layer in dense])
    assert 0.9 < biases.std() < 1.1  # N(0, 1) even beside Glorot


def test_two_networks_compare_at_one_epoch_only(lesson, tmp_path):
    (x, y), _, (x_test, y_test) = datasets.mnist(limit=5000)
    x, y = x[:2000], y[:2000]
    run = Run(Request(stem="23", out=tmp_path))
    accuracy = {}
    for name, units, parts in (
        ("deep", lesson.HIDDEN_UNITS, (2, 7)),
        ("shallow", lesson.SHALLOW_UNITS, (7,)),
    ):
        keras.utils.set_random_seed(0)
        model, first = lesson.build_model(units), 0
        for last in parts:
            run.fit(
                model,
                x,
                y,
                batch_size=lesson.BATCH_SIZE,
                initial_epoch=first,
                epochs=last,
                name=f"{name}_{last}",
            )
            test = model.evaluate(x_test, y_test, batch_size=1000, verbose=0)
            accuracy[name, last], first = test[1], last
    # Read at different epochs the deeper network seems far worse; it is not. Four
    # seeds: 5 to 12 percentage points, and at most 1.4 either way.
    assert accuracy["deep", 2] + 0.03 < accuracy["shallow", 7]
    assert abs(accuracy["deep", 7] - accuracy["shallow", 7]) < 0.03
