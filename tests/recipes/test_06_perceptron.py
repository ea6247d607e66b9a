"""The perceptron against linear programming and scikit-learn."""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.utils import Bunch


def fewer(load):
    """The data set that `load` gives, with one feature and one sample less."""

    def give():
        data = load()
        return Bunch(data=data.data[1:, 1:], target=data.target[1:])

    return give


CHANGED_INPUTS = [
    ({"OR": np.array([0, 1, 1, 0])}, {"or_accuracy"}),
    ({"XOR": np.array([0, 0, 0, 1])}, {"xor_ceiling"}),
    (
        {"load_iris": fewer(load_iris), "load_digits": fewer(load_digits)},
        {"iris_features", "digits_features", "digits_samples", "input_nodes"},
    ),
]


def separable(labels, points):
    """Whether a line separates the labels, by linear programming."""
    signs = np.where(labels, 1, -1)
    conditions = -signs[:, None] * np.column_stack([np.ones(len(points)), points])
    costs, most = np.zeros(conditions.shape[1]), -np.ones(len(points))
    found = linprog(costs, conditions, most, bounds=(None, None))
    return found.status == 0


def test_perceptron_learns_exactly_the_separable_functions(lesson):
    for bits in product([0, 1], repeat=4):
        labels = np.array(bits)
        solved, path = lesson.learn_bits(labels)
        assert solved == separable(labels, lesson.POINTS), labels
        assert (lesson.bits(path[-1]) == labels).all() == solved


def test_no_line_gets_more_than_three_of_xor_right(lesson):
    rng = np.random.default_rng(0)
    answers = lesson.add_bias_input(lesson.POINTS) @ rng.normal(size=(3, 10_000)) > 0
    right = (answers == lesson.XOR[:, None]).sum(axis=0)
    assert right.max() == 3
    assert not lesson.learn_bits(lesson.XOR)[0]


def test_perceptron_changes_weights_only_on_a_mistake(lesson):
    sample, target = np.array([1.0, 2.0, -1.0]), np.array([1.0, -1.0])
    weights = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]])  # says +2 to both
    wrong = lesson.learn_sample(weights, sample, target)
    assert wrong.tolist() == [False, True]
    np.testing.assert_array_equal(weights.T, [[0, 1, 0], [-1, -1, 1]])


def test_the_weights_on_xor_cycle_and_those_on_or_rest(lesson):
    x, targets = lesson.add_bias_input(lesson.POINTS), 2 * lesson.XOR[:, None] - 1
    _, path = lesson.learn_bits(lesson.XOR)
    weights = np.zeros((3, 1))
    for _ in range(3):  # round after round the same weights
        for expected, sample, target in zip(path, x, targets, strict=True):
            np.testing.assert_array_equal(weights, expected)
            assert lesson.learn_sample(weights, sample, target).all()
    _, path = lesson.learn_bits(lesson.OR)
    assert all((weights == path[-1]).all() for weights in path[-4:])


@pytest.mark.parametrize("load", (load_iris, load_digits))
def test_perceptron_has_the_weights_of_scikit_learn(lesson, load):
    x_train, x_test, y_train, y_test = lesson.split(load(), 1)
    ours = lesson.learn_classes(x_train, y_train, 3)
    theirs = Perceptron(shuffle=False, tol=None, max_iter=3).fit(x_train, y_train)
    np.testing.assert_array_equal(ours[0], theirs.intercept_)
    np.testing.assert_array_equal(ours[1:].T, theirs.coef_)
    score = 100 * theirs.score(x_test, y_test)
    assert lesson.accuracy(ours, x_test, y_test) == pytest.approx(score)


def test_digits_are_learned_and_not_guessed(lesson, quick):
    values = quick["values"]
    assert values["digits_by_guessing"] < 45 < 80 < values["digits_accuracy"]


def test_no_line_parts_versicolor_from_the_others(lesson):
    features, species = load_iris(return_X_y=True)
    parted = [separable(species == number, features) for number in range(3)]
    assert parted == [True, False, False]


def test_irises_fail_by_how_the_lines_are_found_and_not_for_want_of_lines(lesson):
    """The class that the last weights get wrong differs from split to split."""
    iris, failing = load_iris(), set()
    found = {name: [] for name in (*lesson.WAYS, "both", "logistic")}
    for seed in range(6):
        x_train, x_test, y_train, y_test = lesson.split(iris, seed)
        weights = lesson.learn_classes(x_train, y_train, 20)
        named = (lesson.add_bias_input(x_test) @ weights).argmax(axis=1)
        failing.add(min(range(3), key=lambda c: (named[y_test == c] == c).mean()))
        ways = lesson.iris_ways(iris, 20, seed)
        # The same three scores, weighed against each other, name the classes.
        scores = [lesson.add_bias_input(x) @ weights for x in (x_train, x_test)]
        reader = LogisticRegression(max_iter=5000).fit(scores[0], y_train)
        ways = (*ways, 100 * reader.score(scores[1], y_test))
        for name, accuracy in zip(found, ways, strict=True):
            found[name].append(accuracy)
    mean = {name: np.mean(accuracies) for name, accuracies in found.items()}
    assert len(failing) > 1
    assert mean["as it is"] < 75
    for name in ("averaged", "together", "scaled"):
        assert mean[name] > mean["as it is"] + 8, name
    assert min(mean["both"], mean["logistic"]) > 93
