"""Networks side by side, the identities of averages, counts, and what ten are worth."""

import itertools

from common import datasets
from common.executing import Request, Run

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import binomtest

CHANGED_INPUTS = [
    ({"FIRST": {"dog": 0.9, "cat": 0.1}}, {"first_place"}),
    ({"SECOND": {"dog": 0.5, "cat": 0.4, "bear": 0.1}}, {"second_place"}),
]


@pytest.fixture
def drawn():
    """Probabilities of 7 networks for 50 samples of 10 classes, and the truth."""
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.full(10, 0.4), size=(7, 50))
    return p, rng.integers(10, size=50)


def test_squared_error_of_the_mean_is_mean_error_minus_variance(lesson, drawn):
    p, y = drawn
    truth, together = np.eye(10)[y], p.mean(axis=0)
    member = ((p - truth) ** 2).sum(axis=2).mean()
    spread = ((p - together) ** 2).sum(axis=2).mean()
    ensemble = ((together - truth) ** 2).sum(axis=1).mean()
    assert ensemble == pytest.approx(member - spread, rel=1e-12)
    # Two that say .9 and .5 of what is true: .13 - .04 = .09.
    two = np.array([0.9, 0.5])
    assert np.mean((two - 1) ** 2) - np.var(two) == pytest.approx((0.7 - 1) ** 2)


def test_the_recipe_measures_that_identity(quick):
    values = quick["values"]
    ensemble = values["squared_member"] - values["spread"]
    assert values["squared_ensemble"] == pytest.approx(ensemble, abs=1e-9)
    assert values["loss_ensemble"] < values["loss_member"]
    assert values["together_1"] == pytest.approx(values["member"])
    assert values["together_10"] == values["ensemble"]


def test_an_average_may_be_wrong_where_most_members_are_right(lesson):
    """No identity holds for the share of wrong answers: it can rise."""
    p = np.array([[[0.51, 0.49]], [[0.51, 0.49]], [[0.1, 0.9]]])
    y = np.array([0])
    assert lesson.error(p, y) < 50 and lesson.error(p.mean(axis=0), y) == 100


def test_networks_side_by_side_are_each_network_alone(lesson, monkeypatch, tmp_path):
    """Forward, and after a training on the same batches: Adam mixes nothing."""
    monkeypatch.setattr(lesson, "BATCH_SIZE", 20)
    rng = np.random.default_rng(0)
    x, y = rng.random((100, 28, 28)).astype("float32"), rng.integers(10, size=100)
    y = y.astype("int32")
    sizes = (784, 12, 11, 10)
    both = lesson.build([3, 5], sizes)
    alone = lesson.build([5], sizes)
    np.testing.assert_allclose(both[2][1], alone[2][0])
    weights = [variable.numpy()[1] for variable in both]
    hidden = x.reshape(-1, 784)
    for layer in (0, 2):
        hidden = np.maximum(hidden @ weights[layer] + weights[layer + 1], 0)
    scores = np.exp(hidden @ weights[4] + weights[5])
    expected = scores / scores.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(lesson.answers(both, x)[1], expected, atol=1e-5)

    class Ordered(Run):
        """Gives the second of two networks the batches of one that trains alone."""

        def order(self, key, samples, size):
            key = key // lesson.NETWORKS
            return super().order(key, samples, size)

    run = Ordered(Request("75", out=tmp_path))
    lesson.train(run, both, x, y, 3, "both")
    lesson.train(run, alone, x, y, 3, "alone")
    np.testing.assert_allclose(
        lesson.answers(both, x)[1], lesson.answers(alone, x)[0], atol=1e-4
    )
    assert abs(lesson.answers(both, x)[0] - lesson.answers(both, x)[1]).max() > 0.01


def test_networks_of_one_start_get_other_batches(lesson, tmp_path):
    (x, y), _, _ = datasets.mnist(200)
    same = lesson.build([0, 0], lesson.SIZES)
    assert (same[0][0].numpy() == same[0][1].numpy()).all()
    lesson.train(Run(Request("75", out=tmp_path)), same, x, y, 1, "same")
    assert abs(same[0][0] - same[0][1]).numpy().max() > 1e-4


def test_both_single_networks_cost_as_much_as_ten(lesson):
    def parameters(sizes):
        return sum(tf.size(v).numpy() for v in lesson.build([0], sizes))

    assert parameters(lesson.SIZES) == 269_322
    assert parameters(lesson.WIDE) / parameters(lesson.SIZES) == pytest.approx(
        lesson.NETWORKS, rel=2e-3
    )


def test_top_5_by_the_slides_rule(lesson, drawn):
    assert lesson.place({"a": 0.2, "b": 0.7, "c": 0.1}, "b") == 1
    p, y = drawn
    for row, right in zip(p[0], y, strict=True):
        among = lesson.place(dict(enumerate(row)), right) <= 5
        assert among == (row[right] >= np.sort(row)[-5])


def test_mcnemar_is_the_binomial_test(lesson):
    rng = np.random.default_rng(0)
    for first, second in itertools.product((0.5, 0.9), (0.6, 0.8)):
        right = rng.random((2, 80)) < [[first], [second]]
        only = [np.sum(right[0] & ~right[1]), np.sum(right[1] & ~right[0])]
        exact = binomtest(int(only[0]), int(sum(only))).pvalue
        assert lesson.mcnemar(*right) == pytest.approx(exact)
    assert lesson.mcnemar(right[0], right[0]) == 1


def test_miscalibration_counts_by_bins(lesson):
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 20_000)
    p = np.stack([confidence, 1 - confidence], axis=1)
    honest = (rng.random(20_000) > confidence).astype(int)
    assert lesson.miscalibration(p, honest) < 1
    always = np.zeros(20_000, int)  # right with any confidence: .25 too modest
    assert lesson.miscalibration(p, always) == pytest.approx(25, abs=0.5)


def test_ten_together_are_better_than_each_and_than_the_chosen(
    lesson, monkeypatch, tmp_path
):
    (x, y), (x_held, y_held), (x_test, y_test) = datasets.mnist(3000)
    networks = lesson.build(range(10), (784, 64, 64, 10))
    lesson.train(Run(Request("75", out=tmp_path)), networks, x, y, 5, "members")
    held, p = lesson.answers(networks, x_held), lesson.answers(networks, x_test)
    errors = [lesson.error(one, y_test) for one in p]
    chosen = errors[np.argmin([lesson.error(one, y_held) for one in held])]
    together = lesson.error(p.mean(axis=0), y_test)
    assert together < min(errors) and together < chosen - 0.5
    # The order of the networks is of no matter.
    assert lesson.error(p[::-1].mean(axis=0), y_test) == together
    five = lesson.error(p[:5].mean(axis=0), y_test)
    assert together - 0.5 < five < np.mean(errors)
