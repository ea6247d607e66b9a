"""A digit read row by row: RNN, LSTM and GRU.

제목: 한 줄씩 읽는 손글씨 숫자: RNN, LSTM, GRU
Question: Can a network that sees one row of 28 pixels at a time name the digit?
Finding: Yes, if it remembers: after six epochs an LSTM of 64 units has {lstm_accuracy}
    of new digits right and a GRU {gru_accuracy}; a plain cell of as many units has
    {rnn_accuracy}, which is {lstm_gain} behind, with about a quarter of the weights.
결과: 기억할 수 있으면 됩니다. 6에폭 뒤 유닛 64개의 LSTM은 처음 보는 숫자의
    {lstm_accuracy}, GRU는 {gru_accuracy}를 맞힙니다. 유닛 수가 같은 단순 RNN은
    {rnn_accuracy}로 LSTM과의 차이가 {lstm_gain}이며, 가중치는 그 4분의 1쯤입니다.
Lecture: 000, RNN: concept, vanishing gradient; many to one
Changes from: 20_softmax_mnist (the rows are 28 time steps; the state after the last
    one is read by a softmax layer); 42_lstm_gru (real data)
Run: python recipes/43_rnn_mnist.py
Try: (1) SimpleRNN with 140 units, as many weights as the LSTM: is the rest of the gap
    the cell? (2) columns as time steps (3) 784 steps of one pixel, a few epochs
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers

CELLS = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}
UNITS = 64
BATCH_SIZE = 100  # 550 updates per epoch on 55,000 images
EPOCHS = 6
LEARNING_RATE = 3e-3  # at the start; falls to 0 along a cosine
LONGEST_GRADIENT = 1.0  # longer ones are cut: through time they can explode
UPDATES = EPOCHS * 550
IMAGES_CUT = 1_000  # test images for the accuracy by rows read


def build_model(cell=layers.LSTM, updates=UPDATES):
    """updates: of the whole training, as the learning rate falls over it."""
    model = keras.Sequential([keras.Input((28, 28)), cell(UNITS), layers.Dense(10)])
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, updates)
    model.compile(
        optimizer=keras.optimizers.Adam(rate, clipnorm=LONGEST_GRADIENT),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,  # XLA cannot use the LSTM and GRU built into a GPU
        steps_per_execution=50,
    )
    return model


def answers(model, images):
    return model.predict(images, batch_size=1000, verbose=0).argmax(axis=1)


def accuracy_by_rows(model, images, labels):
    """Accuracy in percent if the image ends after 1, 2, ... 28 rows: [28]."""
    read = np.tri(28, dtype="float32")  # [last row, row]
    cut = images[None] * read[:, None, :, None]  # [28, n, 28, 28]
    given = answers(model, cut.reshape(-1, 28, 28)).reshape(28, len(images))
    return 100 * np.mean(given == labels, axis=1)


def rows_figure(curves, image):
    """Accuracy by rows read, and beside it a digit in the same rows."""
    figure, axes = plots.new_figure(1, 2, width=4.4, height=3.6)
    rows = np.arange(1, 29)
    axes[0].imshow(image, cmap="gray_r", extent=(0.5, 28.5, 28.5, 0.5))
    axes[0].set(xlabel="pixel of the row", ylabel="row = time step", title="the input")
    axes[0].grid(False)
    for name, values in curves.items():
        axes[1].plot(values, rows, label=name.upper())
    axes[1].axvline(10, color="grey", ls=":", label="guessing")
    axes[1].set(
        xlabel="test accuracy (%)",
        ylabel="rows read, the rest blank",
        title="when does it know?",
        ylim=(28.5, 0.5),
    )
    axes[1].legend(loc="upper right")
    return figure


def main(run):
    (x_train, y_train), validation, (x_test, y_test) = datasets.mnist(
        limit=run.pick(None, 100)
    )
    epochs = run.length(EPOCHS)
    updates = max(1, epochs * (len(x_train) // BATCH_SIZE))
    histories, curves, values = {}, {}, {}
    for name, cell in CELLS.items():
        keras.utils.set_random_seed(run.seed)
        model = build_model(cell, updates)
        histories[name.upper()] = run.fit(
            model,
            x_train,
            y_train,
            batch_size=BATCH_SIZE,
            epochs=epochs,
            validation_data=validation,
            name="model" if name == "lstm" else name,
        )
        values[f"{name}_accuracy"] = 100 * np.mean(answers(model, x_test) == y_test)
        values[f"{name}_parameters"] = model.count_params()
        few = run.pick(IMAGES_CUT, 10)
        curves[name] = accuracy_by_rows(model, x_test[:few], y_test[:few])
    run.save_figure(plots.learning_curves(histories), "learning_curves")
    run.save_figure(rows_figure(curves, x_test[0]), "rows_read")
    return {
        **values,
        "lstm_gain": values["lstm_accuracy"] - values["rnn_accuracy"],
        "half_accuracy": curves["lstm"][13],
    }


MEASURES = {
    "lstm_accuracy": Measure(
        "%", "LSTM, 28 steps of 28 pixels", "LSTM, 28픽셀씩 28단계"
    ),
    "gru_accuracy": Measure("%", "GRU", "GRU"),
    "rnn_accuracy": Measure(
        "%", "control: plain RNN, as many units", "대조: 유닛 수가 같은 단순 RNN"
    ),
    "lstm_gain": Measure("pp", "LSTM - RNN", "LSTM 빼기 RNN", paired=True),
    "lstm_parameters": Measure("", "weights and biases, LSTM", "가중치와 편향, LSTM"),
    "gru_parameters": Measure("", "weights and biases, GRU", "가중치와 편향, GRU"),
    "rnn_parameters": Measure(
        "", "weights and biases, plain RNN", "가중치와 편향, RNN"
    ),
    "half_accuracy": Measure(
        "%", "LSTM, lower 14 rows blank", "아래 14줄을 비울 때의 LSTM"
    ),
}


if __name__ == "__main__":
    cli(main)
