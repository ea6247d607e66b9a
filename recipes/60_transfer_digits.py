"""A network that knows 0 to 4 learns 5 to 9 from a handful of labels.

제목: 전이 학습: 0-4를 배운 신경망이 적은 레이블로 5-9를 배우기
Question: How many labels is pre-training worth?
Finding: Five labels of each new digit do with pre-training what {equal_5} do without
    ({saved_5}), and twenty do what {equal_20} do ({saved_20}). With 200 of each it
    hardly matters any more: {pretrained_200} against {scratch_200}.
결과: 사전 학습을 하면 새 숫자마다 레이블 5개가 사전 학습 없는 {equal_5}개와
    맞먹고(차이 {saved_5}), 20개가 {equal_20}개와 맞먹습니다(차이 {saved_20}). 레이블이
    200개씩이면 {pretrained_200}와 {scratch_200}로 거의 차이가 없습니다.
Lecture: 001, Transfer Learning
Changes from: 32_cnn_mnist (a smaller net, trained twice: on one task, then another)
Run: python recipes/60_transfer_digits.py
Try: (1) pre-train on 5-9 and transfer to 0-4: is it symmetric? (2) pre-train for one
    epoch, or on 500 images: when do the features stop being worth keeping?
    (3) freeze the blocks: is the head alone better with one label, or with a hundred?
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf
from keras import layers

PRETRAINING_EPOCHS = 3
LABELS = (1, 2, 5, 10, 20, 50, 200)  # labelled examples of each new digit
ASKED = (5, 20)  # labels with pre-training: how many without it are as good?
DRAWS = 5  # few labels are a matter of luck: which ones is drawn anew, and averaged
UPDATES = 400  # for both starts and every number of labels
BATCH_SIZE = 25
LEARNING_RATE = 1e-3


def build_model():
    """A small convolutional network for five digits."""

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


def trainer(model, x, y):
    """A function (start, batches) that trains the model on batches of x and y.

    start: the weights that it starts from, as `model.get_weights()` gives them;
    batches: int32 [updates, batch], places in x and y. One compiled loop serves all
    trainings, for each of which `fit` would compile its own.
    """
    variables, adam = model.trainable_variables, model.optimizer
    adam.build(variables)
    x, y = tf.constant(x), tf.constant(y)

    @tf.function
    def loop(batches):
        for batch in batches:
            with tf.GradientTape() as tape:
                loss = model.loss(tf.gather(y, batch), model(tf.gather(x, batch)))
            adam.apply(tape.gradient(loss, variables), variables)

    def train(start, batches):
        model.set_weights(start)
        for variable in adam.variables:
            if "learning_rate" not in variable.path:
                variable.assign(tf.zeros_like(variable))
        loop(tf.constant(batches))

    return train


def accuracy(model, x, y):
    answers = model.predict(x, batch_size=1000, verbose=0).argmax(axis=1)
    return 100 * (answers == y).mean()


def equal_labels(reached, scratch):
    """How many labels from scratch give the accuracy `reached`, between those tried.

    scratch: accuracies with LABELS. Read off a curve that is linear in the logarithm of
    the labels; beyond its ends, the first or the last of LABELS.
    """
    rising = np.maximum.accumulate(scratch)
    return np.exp(np.interp(reached, rising, np.log(LABELS)))


def labels_figure(curves):
    """Accuracy by labels; in red, how far to the right the lower curve is as high."""
    figure, axis = plots.new_figure(width=5.6, height=3.8)
    axis.plot(LABELS, curves["pretrained"], "o-", label="pre-trained on 0 to 4")
    axis.plot(LABELS, curves["scratch"], "o--", label="from scratch")
    for asked in ASKED:
        reached = curves["pretrained"][LABELS.index(asked)]
        equal = equal_labels(reached, curves["scratch"])
        axis.plot([asked, equal], [reached, reached], "C3|-", linewidth=2)
        words = f" {asked} labels are worth {equal:.1f}"
        axis.text(equal, reached, words, color="C3", va="top")
    axis.set(xscale="log", xlabel="labels of each new digit")
    axis.set(ylabel="test accuracy on 5 to 9 (%)")
    axis.set_xticks(LABELS, LABELS)
    axis.minorticks_off()
    axis.legend(loc="lower right")
    return figure


def main(run):
    train, validation, test = datasets.mnist(limit=run.pick(None, 2000))
    known = build_model()
    run.fit(
        known,
        *digits(train, 0, 4),
        batch_size=100,
        epochs=run.length(PRETRAINING_EPOCHS),
        validation_data=digits(validation, 0, 4),
        name="pretrained",
    )
    model = build_model()
    scratch = model.get_weights()
    # The head, its kernel and biases, is new: it knows other digits.
    starts = {"pretrained": known.get_weights()[:-2] + scratch[-2:], "scratch": scratch}
    (x_new, y_new), (x_test, y_test) = digits(train, 5, 9), digits(test, 5, 9)
    training = trainer(model, x_new, y_new)

    def one_draw(draw):
        """Train from both starts on the same few labels: their accuracies."""
        rng = np.random.default_rng([run.seed, draw])
        order = rng.permutation(len(x_new)).astype("int32")
        pools = [order[y_new[order] == digit] for digit in range(5)]
        found = {}
        for labels in LABELS:
            few = np.concatenate([pool[:labels] for pool in pools])
            batches = rng.choice(few, (run.pick(UPDATES, 4), BATCH_SIZE))
            for start, weights in starts.items():
                training(weights, batches)
                found[f"{start}_{labels}"] = accuracy(model, x_test, y_test)
        return found

    # A draw is the unit of resuming.
    draws = run.train(one_draw, [], run.pick(DRAWS, 1), "few_labels")
    curves, values = {}, {"source_accuracy": accuracy(known, *digits(test, 0, 4))}
    for start in starts:
        names = [f"{start}_{labels}" for labels in LABELS]
        curves[start] = [np.mean([draw[name] for draw in draws]) for name in names]
        values |= zip(names, curves[start], strict=True)
    for asked in ASKED:
        equal = equal_labels(values[f"pretrained_{asked}"], curves["scratch"])
        values |= {f"equal_{asked}": equal, f"saved_{asked}": equal - asked}
    run.save_figure(labels_figure(curves), "accuracy_by_labels")
    return values


MEASURES = {
    **{
        f"{name}_{asked}": Measure("", f"{asked} {english}", f"{asked}{korean}", paired)
        for asked in ASKED
        for name, english, korean, paired in (
            ("equal", "pre-trained: as good from scratch", "개와 맞먹는 레이블", False),
            ("saved", "pre-trained: labels saved", "개일 때 아낀 레이블", True),
        )
    },
    **{
        f"{start}_{labels}": Measure(
            "%", f"{labels} labels, {start}", f"{korean}, {labels}개"
        )
        for start, korean in (("pretrained", "사전 학습"), ("scratch", "처음부터"))
        for labels in LABELS
    },
    "source_accuracy": Measure("%", "pre-training: 0 to 4", "사전 학습: 0-4"),
}


if __name__ == "__main__":
    cli(main)
