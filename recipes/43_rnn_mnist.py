"""A digit read row by row: RNN, LSTM and GRU.

제목: 한 줄씩 읽는 손글씨 숫자: RNN, LSTM, GRU
Question: Can a network that sees one row of 28 pixels at a time name the digit, and
    from which row on does it know?
Finding: Yes: after the last row an LSTM has {lstm_accuracy} of new digits right and a
    GRU {gru_accuracy}. A plain RNN has {rnn_accuracy} with as many units (the LSTM's
    gain: {lstm_gain}) and {wide_rnn_accuracy} with as many weights ({cell_gain}).
    Trained to answer after every row, an LSTM has {half_accuracy} right halfway down;
    the one that was only asked at the end has {half_last_accuracy} there.
결과: 됩니다. 마지막 줄까지 읽으면 LSTM은 처음 보는 숫자의 {lstm_accuracy}, GRU는
    {gru_accuracy}를 맞힙니다. 단순 RNN은 유닛 수가 같으면 {rnn_accuracy}(LSTM과의 차이
    {lstm_gain}), 가중치 수가 같으면 {wide_rnn_accuracy}({cell_gain})입니다. 줄마다
    답하도록 배운 LSTM은 절반만 읽고도 {half_accuracy}를 맞히지만, 끝에서만 답해 본
    LSTM은 그때 {half_last_accuracy}에 그칩니다.
Lecture: 000, RNN: concept, vanishing gradient; many to one, many to many
Changes from: 20_softmax_mnist (the rows are 28 time steps; the state after the last
    one is read by a softmax layer); 42_lstm_gru (real data)
Run: python recipes/43_rnn_mnist.py
Try: (1) columns as time steps: from which one on does it know? (2) rows from the bottom
    (3) 784 steps of one pixel, a few epochs
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers

UNITS = 64
WIDE_UNITS = 140  # a plain RNN of so many has as many weights as the LSTM
BATCH_SIZE = 100  # 550 updates per epoch on 55,000 images
EPOCHS = 5
LEARNING_RATE = 3e-3  # falls to 0; of 1e-3, 3e-3 and 1e-2 the plain RNNs' best
LONGEST_GRADIENT = 1.0  # longer ones are cut: through time they can explode
NETWORKS = {  # "every_row": asked for the digit after each row, not only at the end
    "rnn": {"cell": layers.SimpleRNN},
    "wide_rnn": {"cell": layers.SimpleRNN, "units": WIDE_UNITS},
    "gru": {"cell": layers.GRU},
    "lstm": {},
    "every_row": {"every_row": True},
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


def accuracy_by_row(weights, images, labels, **network):
    """Percent right of what the state after each row is read as: [28].

    weights: of a network built with the same arguments; nothing is trained.
    """
    reader = build_model(**{**network, "every_row": True})
    reader.set_weights(weights)
    logits = reader.predict(images, batch_size=1000, verbose=0)
    return 100 * np.mean(logits.argmax(axis=2) == labels[:, None], axis=0)


def rows_figure(curves, image):
    """Accuracy by rows read, and beside it a digit in the same rows."""
    figure, axes = plots.new_figure(1, 2, width=4.4, height=3.6)
    rows = np.arange(1, 29)
    axes[0].imshow(image, cmap="gray_r", extent=(0.5, 28.5, 28.5, 0.5), aspect="auto")
    axes[0].set(xlabel="pixel of the row", ylabel="row = time step", title="the input")
    axes[0].grid(False)
    for name, values in curves.items():
        axes[1].plot(values, rows, label=name)
    axes[1].axvline(10, color="grey", ls=":")
    axes[1].set(xlabel="right after so many rows (%), dotted: guessing")
    axes[1].set(ylabel="rows read", ylim=(28.5, 0.5), title="when does the LSTM know?")
    axes[1].legend(loc="upper right")
    return figure


def main(run):
    (x_train, y_train), validation, (x_test, y_test) = datasets.mnist(
        limit=run.pick(None, 100)
    )
    epochs = run.length(EPOCHS)
    updates = max(1, epochs * (len(x_train) // BATCH_SIZE))

    def labels(y, every_row=False, **_):
        return np.repeat(y[:, None], 28, axis=1) if every_row else y

    histories, by_row, values = {}, {}, {}
    for name, network in NETWORKS.items():
        keras.utils.set_random_seed(run.seed)
        model = build_model(**network, updates=updates)
        histories[name] = run.fit(
            model,
            x_train,
            labels(y_train, **network),
            batch_size=BATCH_SIZE,
            epochs=epochs,
            validation_data=(validation[0], labels(validation[1], **network)),
            name="model" if name == "lstm" else name,
        )
        by_row[name] = accuracy_by_row(model.get_weights(), x_test, y_test, **network)
        values[f"{name}_accuracy"] = by_row[name][-1]
        values[f"{name}_parameters"] = model.count_params()
    ends = {name: h for name, h in histories.items() if name != "every_row"}
    run.save_figure(plots.learning_curves(ends), "learning_curves")
    curves = {"asked after the last row": by_row["lstm"]}
    curves["asked after every row"] = by_row["every_row"]
    run.save_figure(rows_figure(curves, x_test[0]), "rows_read")
    del values["gru_parameters"], values["every_row_parameters"]
    return {
        **values,
        "lstm_gain": values["lstm_accuracy"] - values["rnn_accuracy"],
        "cell_gain": values["lstm_accuracy"] - values["wide_rnn_accuracy"],
        "half_accuracy": by_row["every_row"][13],
        "half_last_accuracy": by_row["lstm"][13],
    }


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
    "half_accuracy": Measure("%", "the same, after 14 rows", "그 LSTM, 14줄까지"),
    "half_last_accuracy": Measure(
        "%", "LSTM asked at the end, after 14 rows", "끝에서 답한 LSTM, 14줄까지"
    ),
    "lstm_parameters": Measure("", "weights and biases, LSTM", "가중치와 편향, LSTM"),
    "rnn_parameters": Measure("", "plain RNN, as many units", "단순 RNN, 같은 유닛 수"),
    "wide_rnn_parameters": Measure("", "plain RNN, wide", "단순 RNN, 넓은 것"),
}


if __name__ == "__main__":
    cli(main)
