"""Few labels, ImageNet's features: far ahead on color photos, little on garments.

제목: 전이 학습: 적은 레이블과 ImageNet에서 배운 특징
Question: What are the features of a trained network worth on classes it never saw?
Finding: With 20 labels of each class of color photographs (CIFAR-10), a new last layer
    on ImageNet's features has {cifar10_trained_20} right, on random ones of the same
    network {cifar10_random_20}, on pixels {cifar10_pixels_20}; a small network from
    scratch {cifar10_scratch_20}. On grey garments it is {fashion_mnist_over_pixels}
    over pixels, {fashion_mnist_over_scratch} over the small network.
결과: 컬러 사진(CIFAR-10)에서 클래스마다 레이블이 20개일 때 정답률은 ImageNet 특징
    {cifar10_trained_20}, 같은 망의 무작위 특징 {cifar10_random_20}, 픽셀
    {cifar10_pixels_20}, 처음부터 학습한 작은 망 {cifar10_scratch_20}입니다. 흑백 옷
    그림에서 차이는 픽셀과 {fashion_mnist_over_pixels}, 작은 망과
    {fashion_mnist_over_scratch}입니다.
Lecture: 001, Transfer Learning; MobileNets
Changes from: 60_transfer_digits (real trained weights, fixed: only a last layer learns)
Run: python recipes/61_mobilenet_transfer.py --images DIR --save MODEL.keras
Try: (1) your own photos, a folder for each class; then --load MODEL.keras --classify
    PHOTO names new ones (2) SIZE 64 or 224: what do they cost, what are they worth?
"""

from common import images, plots, pretrained
from common.pretrained import classifier
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

OPTIONS = {
    "--weights": {
        "default": "auto",
        "reproduce": "lite0",
        "metavar": "W",
        "help": "imagenet (MobileNet), lite0 (EfficientNet-Lite0), FILE; auto: at hand",
    },
    "--images": {"metavar": "DIR", "help": "your photos, a folder for each class"},
    "--save": {"metavar": "MODEL.keras", "help": "keep the classifier of your photos"},
    "--load": {"metavar": "MODEL.keras", "help": "one that was kept, for --classify"},
    "--classify": {"nargs": "+", "metavar": "PHOTO", "help": "photos to be named"},
}
SIZE = 128  # pixels that the network sees
PICTURES = ("fashion_mnist", "cifar10")
LABELS = (1, 5, 20, 50)  # labelled pictures of each class
ASKED = 20  # for how many the arms are compared
POOL, TESTS = 60, 50  # pictures of each class to draw from, and for the test
DRAWS = 3  # few labels are a matter of luck: which ones is drawn anew, and averaged
HEAD_C = 0.01  # how little the weights of the new layer are held back
LEARNING_RATE, BATCH_SIZE = 1e-3, 25  # from scratch
ROUND, MOST = 100, 1000  # updates in one go, and in all until all labels are known:
KNOWN = 0.05  # at this cross-entropy
ARMS = {
    "trained": ("ImageNet's features", "ImageNet 특징"),
    "random": ("random features", "무작위 특징"),
    "pixels": ("pixels", "픽셀"),
    "scratch": ("a small network from scratch", "처음부터 학습한 작은 망"),
}


def build_model(shape=(28, 28, 3), classes=10):
    """The small convolutional network that learns from scratch."""
    model = keras.Sequential([keras.Input(shape), layers.Rescaling(1 / 255)])
    for filters in (16, 32, 64):
        model.add(layers.Conv2D(filters, 3, activation="relu", padding="same"))
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dense(classes))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    adam = keras.optimizers.Adam(LEARNING_RATE)
    model.compile(adam, loss, jit_compile=False, steps_per_execution=50)
    return model


def trainer(model):
    """A function (x, y, rng) that trains the model, always from its first weights."""
    weights, adam = model.trainable_variables, model.optimizer
    adam.build(weights)
    state = [*weights, *adam.variables]
    first = [variable.numpy() for variable in state]

    @tf.function(reduce_retracing=True)
    def updates(x, y, batches):
        for batch in batches:
            with tf.GradientTape() as tape:
                loss = model.loss(tf.gather(y, batch), model(tf.gather(x, batch)))
            adam.apply(tape.gradient(loss, weights), weights)
        return model.loss(y, model(x))

    def train(x, y, rng, most):
        for variable, value in zip(state, first, strict=True):
            variable.assign(value)
        for _ in range(0, most, ROUND):
            batches = rng.integers(len(x), size=(min(ROUND, most), BATCH_SIZE))
            if updates(tf.constant(np.float32(x)), tf.constant(y), batches) < KNOWN:
                break

    return train


def new_head(features, y):
    """A new last layer on features [n, units]: softmax regression, a convex problem."""
    mean = features.mean(axis=0)
    scale = (features - mean).std()
    head = LogisticRegression(C=HEAD_C, max_iter=1000)
    with threadpool_limits(1):  # so small a problem takes longer on two
        head.fit((features - mean) / scale, y)
    head.coef_ /= scale
    head.intercept_ -= head.coef_ @ mean
    return head


def compare(run, network, task, name):
    """Accuracy of each arm with each number of labels, {name_arm_labels: %}."""
    both, y = (task.x_train, task.x_test), task.y_train
    step = max(1, task.x_test.shape[1] // 32)
    small = [x[:, ::step, ::step] for x in both]
    learned = network.get_weights()
    features = {
        "trained": pretrained.features(network, *both),
        "random": pretrained.features(pretrained.untrained(network), *both),
        "pixels": [x.reshape(len(x), -1) / np.float32(255) for x in small],
    }
    network.set_weights(learned)  # for the next pictures
    scratch = build_model(small[0].shape[1:], len(task.names))
    train = trainer(scratch)

    def one_draw(draw):
        found = {}
        for labels in [n for n in LABELS if n <= np.bincount(y).min()]:
            rng = np.random.default_rng([run.seed, draw])
            few = images.few_of_each(y, labels, rng)
            train(small[0][few], y[few], rng, run.pick(MOST, 2))
            answers = {"scratch": scratch(np.float32(small[1])).numpy().argmax(axis=1)}
            for arm, (x, x_test) in features.items():
                answers[arm] = new_head(x[few], y[few]).predict(x_test)
            for arm, given in answers.items():
                found[f"{name}_{arm}_{labels}"] = 100 * np.mean(given == task.y_test)
        return found

    draws = run.train(one_draw, [], run.pick(DRAWS, 1), name)  # resumable by draw
    return {k: np.mean([d[k] for d in draws]) for k in draws[0] if k != "epoch"}


def labels_figure(values, names, words):
    """Accuracy by labels, a panel for each set of pictures."""
    figure, axes = plots.new_figure(1, len(names), width=4.4, height=3.6)
    for axis, name in zip(np.ravel(axes), names, strict=True):
        for arm, style in zip(ARMS, ("o-", "s:", "^:", "d--"), strict=True):
            known = [n for n in LABELS if f"{name}_{arm}_{n}" in values]
            curve = [values[f"{name}_{arm}_{n}"] for n in known]
            axis.plot([str(n) for n in known], curve, style, label=ARMS[arm][0])
        axis.set(xlabel="labels of each class", title=name)
    np.ravel(axes)[0].set(ylabel="test accuracy (%)")
    figure.suptitle(words, fontsize="small")
    lines, columns = axis.get_legend_handles_labels(), 2 * len(names)
    figure.legend(*lines, ncols=columns, fontsize="small", loc="outside lower center")
    return figure


def main(run):
    if run.options["load"]:
        return {"sure": classifier.answer(run, classifier.load(run), SIZE)}
    trained = pretrained.load(run, "mobilenet", run.pick(SIZE, 32))
    values = {"parameters": keras.applications.MobileNet(weights=None).count_params()}
    counts = run.pick((POOL, TESTS), (ASKED, 2))
    tasks = images.tasks(run, SIZE, PICTURES[: run.pick(None, 1)], *counts)
    if "photos" in tasks:
        values |= classifier.leave(run, trained.network, new_head, tasks["photos"])
    for name, task in tasks.items():
        values |= compare(run, trained.network, task, name)
        reached = values.get(f"{name}_trained_{ASKED}")
        for arm in list(ARMS)[1:] if reached else ():
            values[f"{name}_over_{arm}"] = reached - values[f"{name}_{arm}_{ASKED}"]
    run.save_figure(labels_figure(values, tasks, trained.words), "accuracy_by_labels")
    return values


MEASURES = {
    **{
        f"{p}_over_{arm}": Measure("pp", f"{p}: over {en}", f"{p}: {ko} 대비", True)
        for p in (*PICTURES, "photos")
        for arm, (en, ko) in list(ARMS.items())[1:]
    },
    **{
        f"{p}_{arm}_{n}": Measure("%", f"{p}, {n} a class: {en}", f"{p}, {n}개씩: {ko}")
        for p in (*PICTURES, "photos")
        for arm, (en, ko) in ARMS.items()
        for n in LABELS
    },
    "photos": Measure("%", "your photos, all labels", "내 사진, 모든 레이블"),
    "sure": Measure("%", "how sure of the new photos", "새 사진에 대한 확신"),
    "parameters": Measure("", "MobileNet: parameters", "매개변수", deterministic=True),
}


if __name__ == "__main__":
    cli(main)
