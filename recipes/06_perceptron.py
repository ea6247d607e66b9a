"""The perceptron learns OR, flowers and digits, and can never learn XOR.

제목: 퍼셉트론: OR, 붓꽃, 손글씨 숫자는 배우고 XOR는 배우지 못한다
Question: What can one layer with a step function learn, and how do we know that it
    will never learn XOR?
Finding: It learns {learnable_functions} of the 16 functions of two bits; on XOR its
    weights come back to where they were and cycle for ever, and no function that it
    learns gets more than {xor_ceiling} of XOR right. One perceptron per class names
    {digits_accuracy} of new digits but {iris_accuracy} of new irises, not for want of
    lines: the same layer gets to {iris_both} if its perceptrons learn together
    ({gain_together} alone) and weights are averaged ({gain_averaged}); scaled inputs
    help, too ({gain_scaled}).
결과: 두 비트의 함수 16개 중 {learnable_functions}개를 배웁니다. XOR에서는 가중치가
    지나온 값으로 되돌아와 끝없이 돌며, 배운 함수 중 어느 것도 XOR를 {xor_ceiling}보다
    많이 맞히지 못합니다. 클래스마다 하나를 두면 처음 보는 숫자는 {digits_accuracy},
    붓꽃은 {iris_accuracy} 맞힙니다. 붓꽃을 가를 직선이 없어서가 아닙니다. 함께
    배우고(이것만으로 {gain_together}) 가중치를 평균하면({gain_averaged}) 같은 층이
    {iris_both}까지 맞히고, 입력의 크기를 맞춰도 좋아집니다({gain_scaled}).
Lecture: 002, Structure of Perceptron and Perceptron learning; 001, Perceptron
Changes from: 05, whose weights followed from Hebb's rule; here only mistakes teach
Run: python recipes/06_perceptron.py
Try: (1) another learning rate: why does nothing change? (2) leave the bias input out:
    which of the 16 functions are lost? (3) 100 epochs on the digits
"""

from itertools import product

from common import plots
from common.running import Measure, cli

import numpy as np
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import train_test_split

POINTS = np.array(list(product([0, 1], repeat=2)))  # 00 01 10 11
OR = np.array([0, 1, 1, 1])
XOR = np.array([0, 1, 1, 0])
LEARNING_RATE = 1  # with zero weights to start from it only scales the weights
EPOCHS = 20  # for iris and digits, which a perceptron per class does not separate
GUESSES = 1000
SPLITS = 20  # of the 150 irises into training and test
WAYS = ("as it is", "10 times the epochs", "averaged", "together", "scaled")


def add_bias_input(x):
    """The d + 1 input nodes: a constant 1, then the d features."""
    return np.column_stack([np.ones(len(x)), x])


def learn_sample(weights, sample, target):
    """Rosenblatt's rule: where the answer is wrong, pull the weights to the input.

    weights: [d + 1, outputs], changed in place; sample: [d + 1]; target: -1 or +1,
    [outputs]. Returns which outputs were wrong.
    """
    wrong = target * (sample @ weights) <= 0
    weights += LEARNING_RATE * np.outer(sample, wrong * target)
    return wrong


def learn_bits(labels):
    """Learn a function of two bits: (solved, the weights before each sample).

    Whole numbers stay whole numbers: the weights pass an epoch without a mistake, or
    come back to where an earlier epoch began and cycle for ever. No line, then.
    """
    x, targets = add_bias_input(POINTS), 2 * labels[:, None] - 1
    weights, path, starts = np.zeros((3, 1)), [], set()
    while tuple(weights.flat) not in starts:
        starts.add(tuple(weights.flat))
        mistakes = 0
        for sample, target in zip(x, targets, strict=True):
            path.append(weights.copy())
            mistakes += learn_sample(weights, sample, target).sum()
        if mistakes == 0:
            return True, path
    return False, path


def bits(weights):
    """What a perceptron with these weights says to the four points: 0 or 1."""
    return (add_bias_input(POINTS) @ weights)[:, 0] > 0


def learn_classes(x, labels, epochs, average=False, together=False):
    """One perceptron per class; weights [d + 1, classes].

    average: the weights after all samples are added up, and not the last ones taken.
    together: if another class gets more points, it loses the sample to the right one.
    """
    targets = np.where(labels[:, None] == np.unique(labels), 1, -1)
    weights = np.zeros((1 + x.shape[1], targets.shape[1]))
    total = np.zeros_like(weights)
    for _ in range(epochs):
        for sample, target in zip(add_bias_input(x), targets, strict=True):
            if together:
                named = (sample @ weights).argmax()
                weights[:, target.argmax()] += sample
                weights[:, named] -= sample
            else:
                learn_sample(weights, sample, target)
            total += weights
    return total if average else weights


def accuracy(weights, x, labels):
    return 100 * ((add_bias_input(x) @ weights).argmax(axis=-1) == labels).mean()


def split(data, seed):
    """x_train, x_test, y_train, y_test: a quarter of each class for the test."""
    x, y = data.data, data.target
    return train_test_split(x, y, test_size=0.25, stratify=y, random_state=seed)


def iris_ways(data, epochs, seed):
    """Test accuracies on irises in %: WAYS, one thing changed in each; last two."""
    x_train, x_test, y_train, y_test = split(data, seed)

    def way(scale=False, epochs=epochs, **changes):
        mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
        x, new = ((x - scale * mean) / deviation**scale for x in (x_train, x_test))
        return accuracy(learn_classes(x, y_train, epochs, **changes), new, y_test)

    changed = way(average=True), way(together=True), way(scale=True)
    return way(), way(epochs=10 * epochs), *changed, way(average=True, together=True)


def perceptron_figure(or_path, xor_path, accuracies):
    figure, (left, middle, right) = plots.new_figure(1, 3, width=4)
    for axis, path in ((left, or_path), (middle, xor_path)):
        # A cycle repeats, so what comes later is known.
        axis.plot(np.resize(path, (len(or_path), 3)), drawstyle="steps-post")
        axis.set(xlabel="sample", ylabel="weight", ylim=(-1.3, 2.7))
    left.set_title("OR: the weights come to rest")
    middle.set_title("XOR: they cycle for ever")
    middle.legend(["$w_0$", "$w_1$", "$w_2$"], ncols=3)
    right.bar_label(right.barh([*WAYS, "averaged, together"], accuracies), fmt="%.0f")
    right.invert_yaxis()
    right.set(xlabel="new irises named right in %", xlim=(0, 110))
    right.set_title("iris: ways to find the lines")
    return figure


def main(run):
    or_path, xor_path = learn_bits(OR)[1], learn_bits(XOR)[1]
    functions = map(np.array, product([0, 1], repeat=4))
    learned = [labels for labels in functions if learn_bits(labels)[0]]

    iris, digits = load_iris(), load_digits()
    epochs = run.length(EPOCHS, 2)
    splits = run.seed * SPLITS + np.arange(run.pick(SPLITS, 2))
    ways = np.mean([iris_ways(iris, epochs, int(n)) for n in splits], axis=0)
    run.save_figure(perceptron_figure(or_path, xor_path, ways), "perceptron")
    plain, longer, averaged, together, scaled, both = ways

    x_train, x_test, y_train, y_test = split(digits, run.seed)
    weights = learn_classes(x_train, y_train, epochs)
    guesses = np.random.default_rng(run.seed).normal(size=(GUESSES, *weights.shape))
    best_guess = max(guesses, key=lambda guess: accuracy(guess, x_train, y_train))
    return {
        "or_accuracy": 100 * (bits(or_path[-1]) == OR).mean(),
        "xor_ceiling": 100 * max((labels == XOR).mean() for labels in learned),
        "learnable_functions": len(learned),
        "iris_features": iris.data.shape[1],
        "digits_features": digits.data.shape[1],
        "input_nodes": [add_bias_input(d.data).shape[1] for d in (iris, digits)],
        "digits_samples": digits.data.shape[0],
        "digits_accuracy": accuracy(weights, x_test, y_test),
        "digits_by_guessing": accuracy(best_guess, x_test, y_test),
        "iris_accuracy": plain,
        "gain_epochs": longer - plain,
        "gain_averaged": averaged - plain,
        "gain_together": together - plain,
        "gain_scaled": scaled - plain,
        "iris_both": both,
    }


MEASURES = {
    "or_accuracy": Measure("%", "OR learned", "배운 OR", deterministic=True),
    "xor_ceiling": Measure("%", "best on XOR", "XOR의 최고", deterministic=True),
    "learnable_functions": Measure("", "of 16 learned", "16개 중", deterministic=True),
    "iris_features": Measure("", "iris features", "붓꽃 특징", deterministic=True),
    "digits_features": Measure("", "digit features", "숫자 특징", deterministic=True),
    "input_nodes": Measure("", "input nodes", "입력 노드", deterministic=True),
    "digits_samples": Measure("", "digits", "숫자 표본", deterministic=True),
    "digits_accuracy": Measure("%", "digits, one per class", "숫자, 클래스마다 하나"),
    "digits_by_guessing": Measure("%", "best of 1,000 guesses", "추측 1,000개의 최고"),
    "iris_accuracy": Measure("%", "iris, one per class", "붓꽃, 클래스마다 하나"),
    "gain_epochs": Measure("pp", "10 times the epochs", "에폭을 10배로", paired=True),
    "gain_averaged": Measure("pp", "weights averaged", "가중치 평균", paired=True),
    "gain_together": Measure("pp", "learning together", "함께 배움", paired=True),
    "gain_scaled": Measure("pp", "inputs scaled", "입력 크기를 맞춤", paired=True),
    "iris_both": Measure("%", "averaged and together", "평균하고 함께 배움"),
}


if __name__ == "__main__":
    cli(main)
