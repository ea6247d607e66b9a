"""A network that knows 0 to 4 learns 5 to 9 from a handful of labels.

제목: 전이 학습: 0-4를 배운 신경망이 적은 라벨로 5-9를 배우기
Question: How many labels does pre-training save, and what should be trained again?
Finding: With one label per new digit a new head on the pre-trained network has
    {frozen_1} right and a network from scratch {scratch_1}; with ten the difference is
    {gain_10}, with a hundred {gain_100}. The last block should be trained again, too:
    {last_10} with ten labels, where the head alone has {frozen_10}.
결과: 새 숫자마다 레이블이 하나일 때 사전 학습한 망에 새 출력층만 학습하면 {frozen_1},
    처음부터 학습하면 {scratch_1}가 정답입니다. 그 차이는 레이블이 열 개면 {gain_10},
    백 개면 {gain_100}입니다. 마지막 블록도 다시 학습하는 편이 낫습니다. 레이블 열 개로
    {last_10}, 출력층만 학습하면 {frozen_10}입니다.
Lecture: 001, Transfer Learning
Changes from: 32_cnn_mnist (a smaller net, trained twice: on one task, then another)
Run: python recipes/60_transfer_digits.py
Try: (1) pre-train on 5-9 and transfer to 0-4: is it symmetric? (2) pre-train for one
    epoch, or on 500 images: when do the features stop being worth keeping?
    (3) 1,000 labels a class: does the network from scratch catch up?
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers

PRETRAINING_EPOCHS = 3
LABELS = (1, 5, 10, 50, 100)  # labelled examples of each of the five new digits
DRAWS = 3  # few labels are a matter of luck: which ones is drawn anew, and averaged
UPDATES = 100  # for every way and every number of labels, so that all get the same
BATCH_SIZE = 25
LEARNING_RATE = 1e-3
# The part of the network that is trained on the new digits, from which layer on.
TRAINED_FROM = {
    "scratch": "block1",
    "frozen": "head",
    "last": "block3",
    "all": "block1",
}
WAYS = {
    "scratch": "from scratch",
    "frozen": "pre-trained, frozen",
    "last": "pre-trained, last block and head",
    "all": "pre-trained, everything",
}


def build_model(trained_from="block1"):
    """A small convolutional network for five digits.

    trained_from: the layer from which on it is trainable; those before it are frozen.
    """

    def block(filters, name):
        return layers.Conv2D(filters, 3, activation="relu", name=name)

    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            block(16, "block1"),
            layers.MaxPooling2D(),
            block(32, "block2"),
            layers.MaxPooling2D(),
            block(64, "block3"),
            layers.Flatten(),
            layers.Dense(5, name="head"),
        ]
    )
    first = [layer.name for layer in model.layers].index(trained_from)
    for layer in model.layers[:first]:
        layer.trainable = False
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
        steps_per_execution=50,
    )
    return model


def digits(part, first, last):
    """The images of the digits first to last, their labels counted from 0."""
    images, labels = part
    chosen = (labels >= first) & (labels <= last)
    return images[chosen][..., None], labels[chosen] - first


def accuracy(model, x, y):
    answers = model.predict(x, batch_size=1000, verbose=0).argmax(axis=1)
    return 100 * (answers == y).mean()


def labels_figure(values):
    figure, axis = plots.new_figure(width=5.6, height=3.8)
    for way, name in WAYS.items():
        style = "k--" if way == "scratch" else "-"
        heights = [values[f"{way}_{labels}"] for labels in LABELS]
        axis.plot(LABELS, heights, style, marker="o", label=name)
    axis.set(
        xscale="log",
        xticks=LABELS,
        xticklabels=LABELS,
        xlabel="labels per new digit",
        ylabel="test accuracy on 5-9 (%)",
    )
    axis.minorticks_off()
    axis.legend(loc="lower right")
    return figure


def main(run):
    limit = run.pick(None, 2000)
    train, validation, test = datasets.mnist(limit)
    pretrained = build_model()
    run.fit(
        pretrained,
        *digits(train, 0, 4),
        batch_size=100,
        epochs=run.length(PRETRAINING_EPOCHS),
        validation_data=digits(validation, 0, 4),
        name="pretrained",
    )
    start = {}
    for way, first_trained in TRAINED_FROM.items():
        model = build_model(first_trained)  # new random weights, also in the head
        if way != "scratch":
            for layer, known in zip(model.layers, pretrained.layers, strict=True):
                if layer.name != "head":
                    layer.set_weights(known.get_weights())
        start[way] = (model, model.get_weights())

    x_new, y_new = digits(train, 5, 9)
    x_test, y_test = digits(test, 5, 9)
    updates = run.pick(UPDATES, 4)

    def one_draw(draw):
        """Train every way on the same few labels; the accuracies by way and number."""
        rng = np.random.default_rng([run.seed, draw])
        order = rng.permutation(len(x_new))
        pools = [order[y_new[order] == digit] for digit in range(5)]
        found = {}
        for labels in LABELS:
            chosen = np.concatenate([pool[:labels] for pool in pools])
            batches = rng.choice(chosen, (updates, BATCH_SIZE))
            for way, (model, weights) in start.items():
                model.set_weights(weights)
                for variable in model.optimizer.variables:
                    if "learning_rate" not in variable.path:
                        variable.assign(np.zeros(variable.shape))
                for batch in batches:
                    model.train_on_batch(x_new[batch], y_new[batch])
                found[f"{way}_{labels}"] = accuracy(model, x_test, y_test)
        return found

    # Not `fit`: sixty trainings of seconds, of which a draw is the unit of resuming.
    draws = run.train(one_draw, [], run.pick(DRAWS, 1), "few_labels")
    values = {
        key: np.mean([draw[key] for draw in draws])
        for key in draws[0]
        if key != "epoch"
    }
    run.save_figure(labels_figure(values), "accuracy_by_labels")
    return {
        "source_accuracy": accuracy(pretrained, *digits(test, 0, 4)),
        **values,
        "gain_10": values["frozen_10"] - values["scratch_10"],
        "gain_100": values["frozen_100"] - values["scratch_100"],
    }


MEASURES = {
    "source_accuracy": Measure("%", "pre-training: 0-4", "사전 학습: 0-4"),
    **{
        f"{way}_{labels}": Measure(
            "%",
            f"5-9, {labels} labels each: {english}",
            f"5-9, 레이블 {labels}개씩: {korean}",
        )
        for (way, english), korean in zip(
            WAYS.items(),
            ("처음부터", "출력층만", "마지막 블록까지", "전체"),
            strict=True,
        )
        for labels in LABELS
    },
    "gain_10": Measure(
        "pp", "10 labels: frozen - scratch", "10개: 출력층만 - 처음부터", paired=True
    ),
    "gain_100": Measure(
        "pp", "100 labels: frozen - scratch", "100개: 출력층만 - 처음부터", paired=True
    ),
}


if __name__ == "__main__":
    cli(main)
