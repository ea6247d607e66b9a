"""A digit read row by row: RNN, LSTM and GRU.

제목: 한 줄씩 읽는 손글씨 숫자: RNN, LSTM, GRU
Question: Can a network that sees one row of 28 pixels at a time name the digit, and
    from which row on does it know?
Finding: Yes: after 2,200 updates at one learning rate an LSTM has {lstm_accuracy} of
    new digits right and a GRU {gru_accuracy}. A plain RNN has {rnn_accuracy} with as
    many units (the LSTM's gain: {lstm_gain}) and {wide_rnn_accuracy} with as many
    weights ({cell_gain}). An LSTM trained to answer after every row has nine of ten
    right from row {known_row} of 28 on ({half_accuracy} halfway); one that was asked at
    the end only, from row {known_last_row} on ({half_last_accuracy} halfway).
결과: 됩니다. 같은 학습률로 2,200번 갱신하면 LSTM은 처음 보는 숫자의 {lstm_accuracy},
    GRU는 {gru_accuracy}를 맞힙니다. 단순 RNN은 유닛 수가 같으면 {rnn_accuracy}(LSTM의
    이득 {lstm_gain}), 가중치 수가 같으면 {wide_rnn_accuracy}({cell_gain})입니다. 줄마다
    답하도록 배운 LSTM은 28줄 중 {known_row}번째 줄부터 열에 아홉을 맞히고(절반에서
    {half_accuracy}), 끝에서만 답해 본 LSTM은 {known_last_row}번째 줄부터입니다(절반에서
    {half_last_accuracy}).
Lecture: 000, RNN: concept, vanishing gradient; many to one, many to many
Changes from: 20_softmax_mnist (the rows are 28 time steps; the state after the last
    one is read by a softmax layer); 42_lstm_gru (real data)
Run: python recipes/43_rnn_mnist.py
Try: (1) columns as time steps: from which one on does it know? (2) rows from the bottom
    (3) 784 steps of one pixel, a few epochs
"""

import functools

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers

UNITS = 64
WIDE_UNITS = 138  # a plain RNN of so many has as many weights as the LSTM
BATCH_SIZE = 100  # 550 updates per epoch on 55,000 images
EPOCHS = 4
LEARNING_RATE = 3e-3  # falls to 0 along a cosine; the same for all
KNOWN = 90  # percent right, where a network is said to know
LONGEST_GRADIENT = 1.0  # longer ones are cut: through time they can explode
NETWORKS = {
    "rnn": {"cell": layers.SimpleRNN},
    "wide_rnn": {"cell": layers.SimpleRNN, "units": WIDE_UNITS},
    "gru": {"cell": layers.GRU},
    "lstm": {},
    "every_row": {"every_row": True},  # an LSTM asked after each row, not at the end
}


def build_model(cell=layers.LSTM, units=UNITS, every_row=False, updates=550 * EPOCHS):
    """Logits [10] after the last row, or after every row, [28, 10].

    updates: of the whole training, over which the learning rate falls.
    """
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            cell(units, return_sequences=every_row),
            layers.Dense(10),  # the same for every row
        ]
    )
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, updates)
    model.compile(
        optimizer=keras.optimizers.Adam(rate, clipnorm=LONGEST_GRADIENT),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,  # XLA cannot use the LSTM and GRU built into a GPU
        steps_per_execution=50,
    )
    return model


def targets(labels, every_row=False, **_):
    """The label [n] once, or for each row, [n, 28]."""
    return np.repeat(labels[:, None], 28, axis=1) if every_row else labels


def accuracy_by_row(model, images, labels, **network):
    """Percent right of what the state after each row is read as: [28].

    model: trained, built with **network. Whatever it was asked for, its dense layer
    reads the states in between as it reads the last; nothing is trained.
    """
    reader = build_model(**{**network, "every_row": True})
    reader.set_weights(model.get_weights())
    logits = reader.predict(images, batch_size=1000, verbose=0)
    return 100 * np.mean(logits.argmax(axis=2) == labels[:, None], axis=0)


def reading_figure(image, by_row, histories):
    """A digit's rows, the LSTMs' accuracy by rows read, and every cell's by epoch."""
    figure, (digit, reading, cells) = plots.new_figure(1, 3, width=3.6, height=3.6)
    digit.imshow(image, cmap="gray_r", extent=(0.5, 28.5, 28.5, 0.5), aspect="auto")
    digit.set(xlabel="pixel of the row", ylabel="row = time step", title="the input")
    digit.grid(False)
    rows = np.arange(1, 29)
    reading.plot(by_row["every_row"], rows, label="asked after every row")
    reading.plot(by_row["lstm"], rows, label="asked after the last row")
    reading.axvline(10, color="grey", ls=":")
    reading.set(xlabel="right (%), dotted: guessing", ylabel="rows read")
    reading.set(ylim=(28.5, 0.5), title="when does an LSTM know?")
    reading.legend(loc="upper right", fontsize="small")
    for name, history in histories.items():
        right = [100 * share for share in history["val_accuracy"]]
        epochs = range(1, 1 + len(right))
        cells.plot(epochs, right, "o-", label=name.replace("_", " "))
    cells.set(xlabel="epoch", xticks=epochs, ylabel="right, validation (%)")
    cells.set_title("which cell?")
    cells.legend(loc="lower right", fontsize="small")
    return figure


def main(run):
    (x_train, y_train), (x_validation, y_validation), (x_test, y_test) = datasets.mnist(
        limit=run.pick(None, 100)
    )
    epochs = run.length(EPOCHS)
    updates = max(1, epochs * (len(x_train) // BATCH_SIZE))
    histories, by_row, parameters = {}, {}, {}
    for name, network in NETWORKS.items():
        keras.utils.set_random_seed(run.seed)
        model = build_model(**network, updates=updates)
        histories[name] = run.fit(
            model,
            x_train,
            targets(y_train, **network),
            batch_size=BATCH_SIZE,
            epochs=epochs,
            validation_data=(x_validation, targets(y_validation, **network)),
            name="model" if name == "lstm" else name,
        )
        by_row[name] = accuracy_by_row(model, x_test, y_test, **network)
        parameters[name] = model.count_params()

    del histories["every_row"]  # its accuracy is that of all rows
    run.save_figure(reading_figure(x_test[0], by_row, histories), "rows_read")
    last = {name: accuracies[-1] for name, accuracies in by_row.items()}
    known = {name: 1 + np.sum(right < KNOWN) for name, right in by_row.items()}
    return {
        "lstm_accuracy": last["lstm"],
        "gru_accuracy": last["gru"],
        "rnn_accuracy": last["rnn"],
        "wide_rnn_accuracy": last["wide_rnn"],
        "lstm_gain": last["lstm"] - last["rnn"],
        "cell_gain": last["lstm"] - last["wide_rnn"],
        "every_row_accuracy": last["every_row"],
        "half_accuracy": by_row["every_row"][13],
        "half_last_accuracy": by_row["lstm"][13],
        "known_row": known["every_row"],
        "known_last_row": known["lstm"],
        "lstm_parameters": parameters["lstm"],
        "rnn_parameters": parameters["rnn"],
        "wide_rnn_parameters": parameters["wide_rnn"],
    }


fixed = functools.partial(Measure, deterministic=True)  # no seed changes these
MEASURES = {
    "lstm_accuracy": Measure(
        "%", "LSTM, 28 steps of 28 pixels", "LSTM, 28픽셀씩 28단계"
    ),
    "gru_accuracy": Measure("%", "GRU", "GRU"),
    "rnn_accuracy": Measure(
        "%", "control: plain RNN, as many units", "대조: 유닛 수가 같은 단순 RNN"
    ),
    "wide_rnn_accuracy": Measure(
        "%", "control: plain RNN, as many weights", "대조: 가중치 수가 같은 단순 RNN"
    ),
    "lstm_gain": Measure(
        "pp", "LSTM - RNN, as many units", "LSTM 빼기 RNN, 같은 유닛 수", paired=True
    ),
    "cell_gain": Measure(
        "pp",
        "LSTM - RNN, as many weights",
        "LSTM 빼기 RNN, 같은 가중치 수",
        paired=True,
    ),
    "every_row_accuracy": Measure("%", "LSTM asked every row", "줄마다 답한 LSTM"),
    "half_accuracy": Measure(
        "%", "the same, after 14 rows", "줄마다 답한 LSTM, 14줄까지"
    ),
    "half_last_accuracy": Measure(
        "%", "LSTM asked at the end, after 14 rows", "끝에서 답한 LSTM, 14줄까지"
    ),
    "known_row": Measure(
        "", "rows until 90 % are right, asked every row", "90 %를 맞히는 줄, 줄마다"
    ),
    "known_last_row": Measure(
        "", "the same, asked at the end", "90 %를 맞히는 줄, 끝에서만"
    ),
    "lstm_parameters": fixed("", "weights and biases, LSTM", "가중치와 편향, LSTM"),
    "rnn_parameters": fixed("", "plain RNN, as many units", "단순 RNN, 같은 유닛 수"),
    "wide_rnn_parameters": fixed("", "plain RNN, wide", "단순 RNN, 넓은 것"),
}


if __name__ == "__main__":
    cli(main)
