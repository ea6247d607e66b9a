"""Recipes 06 to 11: what is written by hand against oracles, and their lessons."""

from itertools import product

from common import recipes

import numpy as np
import pytest
from scipy.optimize import linprog
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss

ATOL = 1e-9


def recipe(number):
    return recipes.load(recipes.find(number))


def relative_error(ours, theirs):
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)


def separable(labels, points):
    """Whether a line separates the labels, by linear programming."""
    signs = np.where(labels, 1, -1)
    conditions = -signs[:, None] * np.column_stack([np.ones(len(points)), points])
    costs, most = np.zeros(conditions.shape[1]), -np.ones(len(points))
    found = linprog(costs, conditions, most, bounds=(None, None))
    return found.status == 0


# 06


def test_perceptron_learns_exactly_the_separable_functions():
    module = recipe("06")
    for bits in product([0, 1], repeat=4):
        labels = np.array(bits)
        solved, path, mistakes = module.learn_bits(labels)
        assert solved == separable(labels, module.POINTS), labels
        if solved:
            assert (module.bits(path[-1]) == labels).all()
            assert mistakes[-1] == 0


def test_no_line_gets_more_than_three_of_xor_right():
    module = recipe("06")
    rng = np.random.default_rng(0)
    answers = module.add_bias_input(module.POINTS) @ rng.normal(size=(3, 10_000)) > 0
    right = (answers == module.XOR[:, None]).sum(axis=0)
    assert right.max() == 3
    assert not module.learn_bits(module.XOR)[0]


def test_perceptron_changes_weights_only_on_a_mistake():
    module = recipe("06")
    sample, target = np.array([1.0, 2.0, -1.0]), np.array([1.0, -1.0])
    weights = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]])  # says +2 to both
    wrong = module.learn_sample(weights, sample, target)
    assert wrong.tolist() == [False, True]
    np.testing.assert_array_equal(weights.T, [[0, 1, 0], [-1, -1, 1]])


def test_perceptron_has_the_weights_of_scikit_learn():
    module = recipe("06")
    (ours, theirs, guessed), difference = module.learn_classes(load_digits(), 3, 1)
    assert difference == 0
    assert ours == theirs > 85
    assert guessed < 60 < ours


def test_setosa_is_learned_without_a_mistake_and_versicolor_never():
    module = recipe("06")
    features, species = load_iris(return_X_y=True)
    x = module.add_bias_input(features)
    least = {}
    for name, labels in (("setosa", species == 0), ("versicolor", species == 1)):
        weights, targets = np.zeros((5, 1)), 2 * labels[:, None] - 1
        pairs = list(zip(x, targets, strict=True))
        least[name] = min(
            sum(module.learn_sample(weights, *pair)[0] for pair in pairs)
            for _ in range(10)
        )
        assert separable(labels, features) == (least[name] == 0)
    assert least["setosa"] == 0 < least["versicolor"]


# 07


def test_softmax_and_cross_entropy_of_the_slide():
    module = recipe("07")
    y = module.softmax(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(y, [0.090, 0.245, 0.665], atol=5e-4)
    error = module.cross_entropy(np.array([1, 0, 0]), np.array([0.3, 0.5, 0.8]))
    assert error == pytest.approx(1.204, abs=5e-4)


def test_softmax_is_shift_invariant_and_does_not_overflow():
    module = recipe("07")
    o = np.array([[1.0, 2.0, 3.0], [-5.0, 0.0, 5.0]])
    np.testing.assert_allclose(module.softmax(o), module.softmax(o + 100), atol=ATOL)
    np.testing.assert_allclose(module.softmax(o * 1000)[0], [0, 0, 1], atol=ATOL)


def test_cross_entropy_is_least_at_the_target_and_zero_only_if_one_hot():
    module = recipe("07")
    rng = np.random.default_rng(0)
    d = module.softmax(rng.normal(size=4))
    others = module.softmax(rng.normal(size=(100, 4)))
    assert (module.cross_entropy(d, others) > module.cross_entropy(d, d)).all()
    assert module.cross_entropy(d, d) > 0.1
    assert module.cross_entropy(np.eye(4), np.eye(4)).tolist() == [0, 0, 0, 0]
    labels = rng.integers(4, size=100)
    ours = module.cross_entropy(np.eye(4)[labels], others).mean()
    assert ours == pytest.approx(log_loss(labels, others), rel=1e-9)


def test_influence_of_the_scores_by_nudging():
    module = recipe("07")
    rng = np.random.default_rng(0)
    o, d = rng.normal(size=5), module.softmax(rng.normal(size=5))
    step = 1e-5 * np.eye(5)
    error = module.cross_entropy(d, module.softmax(o + step))
    nudged = (error - module.cross_entropy(d, module.softmax(o - step))) / 2e-5
    assert relative_error(module.influence(d, o), nudged) < 1e-6
    assert module.difference_from_keras() < ATOL


# 08


def test_881_connections_counted_one_by_one():
    """A connection is there if its end changes when its beginning does."""
    module = recipe("08")
    connections = 0
    rng = np.random.default_rng(0)
    weights = module.build_model().get_weights()
    for W, b in zip(weights[::2], weights[1::2], strict=True):
        x = rng.normal(size=len(W))
        for neuron in range(len(W)):
            moved = x.copy()
            moved[neuron] += 1
            layer = [(W, b)]
            change = module.forward(moved, layer) - module.forward(x, layer)
            connections += np.count_nonzero(change)
    assert connections == 881
    assert module.build_model().count_params() == 881 + 16 + 16 + 9 + 9


def test_metrics_equal_scikit_learn():
    module = recipe("08")
    rng = np.random.default_rng(0)
    z = rng.normal(size=(50, 4))
    labels, any_of_four = rng.integers(4, size=50), rng.integers(2, size=(50, 4))
    y = module.softmax(z)
    one_of_four = module.categorical_cross_entropy(np.eye(4)[labels], y)
    assert one_of_four == pytest.approx(log_loss(labels, y), rel=1e-9)
    y = module.sigmoid(z)
    by_column = [log_loss(any_of_four[:, i], y[:, i]) for i in range(4)]
    binary = module.binary_cross_entropy(any_of_four, y)
    assert binary == pytest.approx(np.mean(by_column), rel=1e-9)
    assert module.mean_squared_error(np.array([0.0, 2]), np.array([1.0, 5])) == 5


# 09


@pytest.mark.parametrize("kind", ["linear", "logistic", "softmax"])
def test_one_perceptron_is_the_classical_regression(kind):
    """On other data than the recipe's: scikit-learn's weights to three digits."""
    module = recipe("09")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))
    z = x @ rng.normal(size=(3, 3)) + rng.normal(size=(120, 3))
    if kind == "linear":
        d, penalty, activation = z[:, :1], 0, module.identity
        control = LinearRegression().fit(x, d)
    elif kind == "logistic":
        d, penalty, activation = (z[:, :1] > 0) * 1.0, 2.0, module.sigmoid
        control = LogisticRegression(C=1 / penalty, tol=1e-8).fit(x, d[:, 0])
    else:
        d, penalty, activation = np.eye(3)[z.argmax(axis=1)], 2.0, module.softmax
        control = LogisticRegression(C=1 / penalty, tol=1e-8).fit(x, d.argmax(axis=1))
    W, b = module.train(activation, x, d, penalty, steps=2000)
    np.testing.assert_allclose(W, control.coef_.T, atol=5e-4)
    np.testing.assert_allclose(b, control.intercept_, atol=5e-4)

    model = module.build_model(kind, 3, d.shape[1], penalty / (2 * len(x)))
    model.set_weights([W, b])
    assert module.slope(model, kind, x, d) < 1e-4
    model.set_weights([W + 0.1, b])
    assert module.slope(model, kind, x, d) > 1e-3


# 10


@pytest.mark.parametrize("sizes", [(2, 1), (2, 4, 1), (3, 5, 4, 2)])
def test_backpropagation_equals_tape_and_nudging(sizes):
    module = recipe("10")
    rng = np.random.default_rng(1)
    weights = module.start(rng, sizes, networks=1)
    x = rng.normal(size=(1, 7, sizes[0]))
    d = rng.uniform(size=(1, 7, sizes[-1]))
    ours = module.backward(module.forward(x, weights), d, weights)
    ours = [gradient for layer in ours for gradient in layer]
    taped, nudged = module.taped(weights, x, d), module.nudged(weights, x, d)
    for mine, tape, nudge in zip(ours, taped, nudged, strict=True):
        assert mine.shape == tape.shape
        assert relative_error(mine, tape) < 1e-12
        assert relative_error(mine, nudge) < 1e-6


def test_networks_side_by_side_do_not_touch_each_other():
    module = recipe("10")
    weights = module.start(np.random.default_rng(0), (2, 3, 1), networks=5)
    alone = [tuple(array[[2]].copy() for array in layer) for layer in weights]
    together = module.train(weights, module.X, module.D, epochs=50)
    np.testing.assert_array_equal(
        together[:, [2]], module.train(alone, module.X, module.D, epochs=50)
    )
    np.testing.assert_allclose(weights[0][0][[2]], alone[0][0], atol=ATOL)


def test_a_hidden_layer_learns_xor_and_none_does_not():
    module = recipe("10")
    share = {}
    for sizes in ((2, 1), (2, 2, 1), (2, 4, 1)):
        weights = module.start(np.random.default_rng(5), sizes, networks=40)
        share[sizes] = module.train(weights, module.X, module.D, epochs=1500)
    assert share[2, 1].max() == 0.75
    solved = {sizes: (right[-1] == 1).mean() for sizes, right in share.items()}
    assert solved[2, 4, 1] > 0.9
    assert 0.4 < solved[2, 2, 1] < solved[2, 4, 1]


# 11


def test_gradient_is_the_average_of_the_samples_and_equals_nudging():
    module = recipe("11")
    features, y = module.make_data(0)
    point, batch = np.array([0.3, -0.4]), slice(20, 30)

    def loss(parameters):
        return ((features[batch] @ parameters - y[batch]) ** 2).mean()

    step = 1e-5 * np.eye(2)
    nudged = [(loss(point + s) - loss(point - s)) / 2e-5 for s in step]
    gradient = module.gradient(point, features[batch], y[batch])
    assert relative_error(gradient, np.array(nudged)) < 1e-6
    each = [module.gradient(point, features[[i]], y[[i]]) for i in range(20, 30)]
    np.testing.assert_allclose(np.mean(each, axis=0), gradient, atol=ATOL)


def test_excess_is_the_loss_above_the_least():
    module = recipe("11")
    features, y = module.make_data(0)
    least, lowest, curvature = module.surface(features, y)
    line = LinearRegression().fit(features[:, :1], y)
    np.testing.assert_allclose(lowest, [line.coef_[0], line.intercept_], atol=ATOL)
    points = np.array([[0.0, 0.0], [1.0, 3.0]])
    losses = ((features @ points.T - y[:, None]) ** 2).mean(axis=0)
    np.testing.assert_allclose(
        module.excess(points, least, lowest, curvature), losses / least - 1, atol=ATOL
    )


def test_an_epoch_sees_every_sample_once():
    module = recipe("11")
    features, y = module.make_data(0)
    for size in module.SIZES.values():
        path = module.descend(features, y, size, 0.01, epochs=2, seed=0)
        assert len(path) == 1 + 2 * 1000 // size
    # Each sample pulls by itself where steps are too small to feel each other.
    rate = 1e-9
    moved = module.descend(features, y, 10, rate, 1, seed=0)[-1] - module.START
    whole = -rate * 100 * module.gradient(module.START, features, y)
    assert relative_error(moved, whole) < 1e-5


def test_batch_descent_diverges_just_above_the_largest_rate():
    module = recipe("11")
    features, y = module.make_data(3)
    shape = module.surface(features, y)
    largest_rate = 2 / np.linalg.eigvalsh(shape[2]).max()

    def excess(share):
        path = module.descend(features, y, len(y), share * largest_rate, 300, seed=0)
        return module.excess(path[-1], *shape)

    assert excess(0.98) < 0.01
    assert excess(1.02) > 100
    assert excess(0.75) < excess(0.02)


def test_small_batches_arrive_sooner_and_rest_less():
    module = recipe("11")
    features, y = module.make_data(3)
    shape = module.surface(features, y)
    seen, rest = {}, {}
    for name, size in module.SIZES.items():
        path = module.descend(features, y, size, module.LEARNING_RATE, 40, seed=3)
        above = module.excess(path, *shape)
        seen[name] = size * (above < module.GIVEN_LOSS - 1).argmax()
        rest[name] = above[-(1000 // size) :].mean()
    assert 10 * seen["stochastic"] < 5 * seen["mini_batch"] < seen["batch"]
    assert rest["batch"] < rest["mini_batch"] / 3 < rest["stochastic"] / 9


def test_keras_takes_the_same_path():
    module = recipe("11")
    features, y = module.make_data(3)
    path = module.descend(features, y, 10, module.LEARNING_RATE, 1, seed=3)
    theirs = module.keras_descend(features, y, 10, seed=3)
    np.testing.assert_allclose(path[-1], theirs, atol=1e-5)
