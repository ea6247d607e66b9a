"""A network that knows 0 to 4 learns 5 to 9 from a handful of labels.

제목: 전이 학습: 0-4를 배운 신경망이 적은 라벨로 5-9를 배우기
Question: How many labels does pre-training save, and what should be trained again?
Lecture: 001, Transfer Learning
Changes from: 32_cnn_mnist (a smaller net, trained twice: on one task, then another)
Run: python recipes/60_transfer_digits.py
Try: (1) pre-train on 5-9 and transfer to 0-4: is it symmetric? (2) pre-train for one
    epoch, or on 500 images: when do the features stop being worth keeping?
    (3) 1,000 labels a class: does the network from scratch catch up?
"""

from common import datasets, plots
from common.running import Claim, cli

import keras
import numpy as np
from keras import layers

SOURCE = "001, Transfer Learning"
CLAIMS = [
    Claim("source_accuracy", None, "%", text="pre-training: test accuracy on 0-4"),
    *[
        Claim(
            f"{way}_{labels}", None, "%", SOURCE, text=f"5-9, {labels} labels: {what}"
        )
        for labels in (1, 10, 100)
        for way, what in (
            ("scratch", "from scratch"),
            ("frozen", "frozen, new head"),
            ("last", "last block trained too"),
            ("all", "everything trained"),
        )
    ],
    Claim("gain_10", None, "pp", SOURCE, paired=True, text="10: frozen - scratch"),
    Claim("gain_100", None, "pp", SOURCE, paired=True, text="100: frozen - scratch"),
]

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


def build_model():
    def block(filters, name):
        return layers.Conv2D(filters, 3, activation="relu", name=name)

    return keras.Sequential(
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


def compiled(model):
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


def freeze_below(model, name):
    """Make the layer `name` and all after it trainable, and none before it."""
    position = [layer.name for layer in model.layers].index(name)
    for index, layer in enumerate(model.layers):
        layer.trainable = index >= position


def accuracy(model, x, y):
    answers = model.predict(x, batch_size=1000, verbose=0).argmax(axis=1)
    return 100 * (answers == y).mean()


def labels_figure(values):
    figure, axis = plots.new_figure(width=5.6, height=3.8)
    names = {
        "scratch": "from scratch",
        "frozen": "pre-trained, frozen",
        "last": "pre-trained, last block and head",
        "all": "pre-trained, everything",
    }
    for way, name in names.items():
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
    pretrained = compiled(build_model())
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
        model = build_model()  # with new random weights, also in the head
        if way != "scratch":
            for layer, known in zip(model.layers, pretrained.layers, strict=True):
                if layer.name != "head":
                    layer.set_weights(known.get_weights())
        freeze_below(model, first_trained)
        start[way] = (compiled(model), model.get_weights())

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


if __name__ == "__main__":
    cli(main)
