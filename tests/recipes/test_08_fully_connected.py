"""Connections counted one by one, metrics against scikit-learn, problems learned."""

from common.executing import Request, Run

import keras
import numpy as np
import pytest
from sklearn.metrics import log_loss

CHANGED_INPUTS = [({"SIZES": (25, 12, 9)}, {"connections", "parameters"})]


def test_881_connections_counted_one_by_one(lesson):
    """A connection is there if its end changes when its beginning does."""
    connections = 0
    rng = np.random.default_rng(0)
    model = lesson.build_model()
    for layer in model.layers:
        inputs = layer.kernel.shape[0]
        x = rng.normal(size=(1, inputs)).astype("float32")
        # All the moved copies in one call: the rows of x + the identity.
        change = layer(x + np.eye(inputs, dtype="float32")).numpy() - layer(x).numpy()
        if layer is model.layers[-1]:  # a softmax would connect all outputs
            change = np.eye(inputs) @ layer.kernel.numpy()
        connections += np.count_nonzero(change)
    assert connections == 881
    assert model.count_params() == 881 + 16 + 16 + 9 + 9


def test_the_three_metrics_are_scikit_learns_and_the_formulas(lesson):
    rng = np.random.default_rng(0)
    names = {name: keras.losses.get(loss) for name, (loss, _) in lesson.METRICS.items()}
    d = np.eye(4)[rng.integers(4, size=50)]
    y = rng.uniform(0.05, 1, size=(50, 4))
    y /= y.sum(axis=1, keepdims=True)
    assert float(np.mean(names["categorical"](d, y))) == pytest.approx(
        log_loss(d.argmax(axis=1), y), rel=1e-6
    )
    d = rng.integers(2, size=(50, 4)).astype(float)
    by_column = [log_loss(d[:, i], y[:, i]) for i in range(4)]
    assert float(np.mean(names["binary"](d, y))) == pytest.approx(
        np.mean(by_column), rel=1e-6
    )
    assert float(np.mean(names["squared"](d, y))) == pytest.approx(
        ((d - y) ** 2).mean(), rel=1e-6
    )


def test_images_are_as_bright_as_said(lesson, monkeypatch):
    monkeypatch.setattr(lesson, "NOISE", 0.0)
    random = np.random.default_rng(0)
    for problem, sums in (("one", {1}), ("any", set(range(10)))):
        x, d = lesson.samples(problem, 200, random)
        assert set(d.sum(axis=1)) <= sums
        np.testing.assert_allclose(x.sum(axis=1), 5 * d.sum(axis=1), rtol=1e-6)
    _, d = lesson.samples("numbers", 200, random)
    assert d.min() >= 0 and 1.5 < d.max() < 2


def test_what_counts_as_right(lesson):
    d = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    y = np.array([[0.9, 0.2, 0.4], [0.1, 0.8, 0.3]])
    assert lesson.right_answers("any", d, y) == 50
    assert lesson.right_answers("one", d, y) == 100
    assert lesson.right_answers("numbers", d, y) == pytest.approx(100 * 4 / 6)


def test_a_metric_whose_output_cannot_say_the_answer_fails(
    lesson, monkeypatch, tmp_path
):
    monkeypatch.setattr(lesson, "SIZES", (25, 9))  # as simple as the problems are
    monkeypatch.setattr(lesson, "LEARNING_RATE", 3e-2)
    run, right = Run(Request("08", out=tmp_path)), {}
    run.folder.mkdir(parents=True)
    for metric in lesson.METRICS:
        keras.utils.set_random_seed(0)
        model = lesson.build_model(metric)
        start = model.get_weights()
        for problem in lesson.PROBLEMS:
            random = np.random.default_rng(0)
            x, d = lesson.samples(problem, 5000, random)
            x_test, d_test = lesson.samples(problem, 1000, random)
            model.set_weights(start)
            name = f"{problem}_{metric}"
            run.fit(model, x, d, batch_size=50, epochs=8, name=name)
            y = model(x_test).numpy()
            right[problem, metric] = lesson.right_answers(problem, d_test, y)
    others = right["numbers", "binary"], right["numbers", "categorical"]
    assert right["numbers", "squared"] > 70 > 40 > max(others)
    assert min(right["one", metric] for metric in lesson.METRICS) > 95
    assert min(right["any", "squared"], right["any", "binary"]) > 90
    assert right["any", "categorical"] < 5
