"""The perceptron against linear programming and scikit-learn."""

from itertools import product

import numpy as np
from scipy.optimize import linprog
from sklearn.datasets import load_digits, load_iris


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
        solved, path, mistakes = lesson.learn_bits(labels)
        assert solved == separable(labels, lesson.POINTS), labels
        if solved:
            assert (lesson.bits(path[-1]) == labels).all()
            assert mistakes[-1] == 0


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


def test_perceptron_has_the_weights_of_scikit_learn(lesson):
    (ours, theirs, guessed), difference = lesson.learn_classes(load_digits(), 3, 1)
    assert difference == 0
    assert ours == theirs > 85
    assert guessed < 60 < ours


def test_setosa_is_learned_without_a_mistake_and_versicolor_never(lesson):
    features, species = load_iris(return_X_y=True)
    x = lesson.add_bias_input(features)
    least = {}
    for name, labels in (("setosa", species == 0), ("versicolor", species == 1)):
        weights, targets = np.zeros((5, 1)), 2 * labels[:, None] - 1
        pairs = list(zip(x, targets, strict=True))
        least[name] = min(
            sum(lesson.learn_sample(weights, *pair)[0] for pair in pairs)
            for _ in range(10)
        )
        assert separable(labels, features) == (least[name] == 0)
    assert least["setosa"] == 0 < least["versicolor"]
