"""The perceptron learns OR, flowers and digits, and can never learn XOR.

제목: 퍼셉트론: OR, 붓꽃, 손글씨 숫자는 배우고 XOR는 배우지 못한다
Question: What can one layer with a step function learn, and how do we know that it
    will never learn XOR?
Finding: It learns {learnable_functions} of the 16 functions of two bits; on XOR its
    weights come back to where they were, so that they cycle for ever, and no function
    that it learns gets more than {xor_ceiling} of XOR right. After 20 epochs one
    perceptron per class names {digits_accuracy} of new digits and {iris_accuracy} of
    new flowers, just as scikit-learn's does.
결과: 두 비트의 함수 16개 중 {learnable_functions}개를 배웁니다. XOR에서는 가중치가
    지나온 값으로 되돌아와 끝없이 돌며, 배운 함수 가운데 XOR에 가장 가까운 것도 정답은
    {xor_ceiling}입니다. 클래스마다 퍼셉트론 하나를 20에폭 학습하면 정답률은 처음 보는
    숫자에서 {digits_accuracy}, 붓꽃에서 {iris_accuracy}이고, scikit-learn의 퍼셉트론도
    똑같습니다.
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
from sklearn.linear_model import Perceptron
from sklearn.model_selection import train_test_split

POINTS = np.array(list(product([0, 1], repeat=2)))  # 00 01 10 11
OR = np.array([0, 1, 1, 1])
XOR = np.array([0, 1, 1, 0])
LEARNING_RATE = 1  # with zero weights to start from it only scales the weights
EPOCHS = 20  # for iris and digits, which one layer does not separate
GUESSES = 1000


def add_bias_input(x):
    """The d + 1 input nodes: a constant 1, then the d features."""
    return np.column_stack([np.ones(len(x)), x])


def learn_sample(weights, sample, target):
    """Rosenblatt's rule: where the answer is wrong, pull the weights to the input.

    weights: [d + 1, outputs], changed in place; sample: [d + 1]; target: [outputs],
    -1 or +1. Returns which outputs were wrong, bool [outputs].
    """
    wrong = target * (sample @ weights) <= 0
    weights += LEARNING_RATE * np.outer(sample, wrong * target)
    return wrong


def learn_bits(labels):
    """Learn a function of two bits: (solved, weights after each sample, mistakes).

    Whole numbers stay whole numbers, so the weights either reach an epoch without a
    mistake, or come back to where an earlier epoch began: then they cycle for ever,
    which proves that no line separates the two classes.
    """
    x, targets = add_bias_input(POINTS), 2 * labels[:, None] - 1
    weights = np.zeros((3, 1))
    path, mistakes, starts = [], [], set()
    while tuple(weights.flat) not in starts:
        starts.add(tuple(weights.flat))
        mistakes.append(0)
        for sample, target in zip(x, targets, strict=True):
            mistakes[-1] += learn_sample(weights, sample, target).sum()
            path.append(weights.copy())
        if mistakes[-1] == 0:
            return True, path, mistakes
    return False, path, mistakes


def bits(weights):
    """What a perceptron with these weights says to the four points: 0 or 1."""
    return (add_bias_input(POINTS) @ weights)[:, 0] > 0


def learn_classes(data, epochs, seed):
    """One perceptron per class, ours and scikit-learn's, on the same samples.

    Returns test accuracies (ours, scikit-learn's, by guessing) in percent, and the
    largest difference between the two sets of weights.
    """
    x_train, x_test, y_train, y_test = train_test_split(
        data.data, data.target, test_size=0.25, stratify=data.target, random_state=seed
    )
    classes = np.unique(data.target)
    targets = np.where(y_train[:, None] == classes, 1, -1)
    weights = np.zeros((1 + x_train.shape[1], len(classes)))
    for _ in range(epochs):
        for sample, target in zip(add_bias_input(x_train), targets, strict=True):
            learn_sample(weights, sample, target)
    control = Perceptron(shuffle=False, tol=None, max_iter=epochs)
    control.fit(x_train, y_train)
    theirs = np.vstack([control.intercept_, control.coef_.T])

    def accuracy(w):
        return 100 * ((add_bias_input(x_test) @ w).argmax(axis=1) == y_test).mean()

    guesses = np.random.default_rng(seed).normal(size=(GUESSES, *weights.shape))
    best_guess = max(guesses, key=accuracy)
    return (
        [accuracy(w) for w in (weights, theirs, best_guess)],
        np.abs(weights - theirs).max(),
    )


def draw_lines(axis, labels, path, title):
    """The line w0 + w1 x1 + w2 x2 = 0 after each sample, the last one the darkest."""
    across = np.array([-2, 2])
    for step, (w0, w1, w2) in enumerate(np.array(path)[:, :, 0], start=1):
        style = {"color": "C0", "alpha": (step / len(path)) ** 2, "lw": 2}
        if w2:
            axis.plot(across, -(w0 + w1 * across) / w2, **style)
        elif w1:
            axis.axvline(-w0 / w1, **style)
    for label, marker in enumerate("ox"):
        style = {"color": f"C{3 - label}", "marker": marker, "zorder": 3, "lw": 3}
        axis.scatter(*POINTS[labels == label].T, 90, **style)
    axis.set(xlim=(-1.3, 1.6), ylim=(-1.3, 1.6), xlabel="$x_1$", ylabel="$x_2$")
    axis.set(title=title, xticks=[0, 1], yticks=[0, 1])


def main(run):
    _, or_path, or_mistakes = learn_bits(OR)
    _, xor_path, xor_mistakes = learn_bits(XOR)
    functions = [np.array(labels) for labels in product([0, 1], repeat=4)]
    learned = [labels for labels in functions if learn_bits(labels)[0]]

    figure, axes = plots.new_figure(1, 3, width=3.4, height=3.4)
    draw_lines(axes[0], OR, or_path, "OR: the line comes to rest")
    draw_lines(axes[1], XOR, xor_path, "XOR: the line never rests")
    epochs = range(1, 1 + len(or_mistakes))
    axes[2].plot(epochs, or_mistakes, "o-", label="OR")
    # The cycle repeats, so what comes later is known.
    axes[2].plot(epochs, np.resize(xor_mistakes, len(epochs)), "x-", label="XOR")
    axes[2].set(xlabel="epoch", ylabel="mistakes in 4 samples", yticks=range(5))
    axes[2].legend()
    run.save_figure(figure, "decision_lines")

    iris, digits = load_iris(), load_digits()
    epochs = run.length(EPOCHS, 2)
    iris_accuracies, _ = learn_classes(iris, epochs, run.seed)
    digits_accuracies, difference = learn_classes(digits, epochs, run.seed)
    return {
        "or_accuracy": 100 * (bits(or_path[-1]) == OR).mean(),
        "or_epochs": len(or_mistakes),
        "xor_ceiling": 100 * max((labels == XOR).mean() for labels in learned),
        "learnable_functions": len(learned),
        "iris_features": iris.data.shape[1],
        "digits_features": digits.data.shape[1],
        "digits_samples": digits.data.shape[0],
        "iris_accuracy": iris_accuracies[0],
        "iris_accuracy_sklearn": iris_accuracies[1],
        "digits_accuracy": digits_accuracies[0],
        "digits_accuracy_sklearn": digits_accuracies[1],
        "digits_by_guessing": digits_accuracies[2],
        "weight_difference": difference,
    }


MEASURES = {
    "or_accuracy": Measure("%", "OR learned", "배운 OR"),
    "or_epochs": Measure("", "epochs until OR is right", "OR을 다 맞힐 때까지의 에폭"),
    "xor_ceiling": Measure("%", "XOR, best possible", "XOR, 가능한 최고"),
    "learnable_functions": Measure("", "of 16 functions, learned", "16개 중 배운 함수"),
    "iris_features": Measure("", "features of an iris", "붓꽃의 특징 수"),
    "digits_features": Measure("", "features of a digit", "숫자의 특징 수"),
    "digits_samples": Measure("", "digits in the data set", "숫자 자료의 표본 수"),
    "iris_accuracy": Measure("%", "iris, one per class", "붓꽃, 클래스마다 하나"),
    "iris_accuracy_sklearn": Measure("%", "by scikit-learn", "붓꽃, scikit-learn"),
    "digits_accuracy": Measure("%", "digits, one per class", "숫자, 클래스마다 하나"),
    "digits_accuracy_sklearn": Measure("%", "by scikit-learn", "숫자, scikit-learn"),
    "digits_by_guessing": Measure(
        "%",
        "digits, best of 1,000 random weights on the test set",
        "숫자, 무작위 가중치 1,000개 중 시험 자료에서 최고",
    ),
    "weight_difference": Measure(
        "",
        "digits, largest weight difference from scikit-learn's",
        "숫자, scikit-learn과 가중치의 최대 차이",
    ),
}


if __name__ == "__main__":
    cli(main)
