"""A digit read row by row: RNN, LSTM and GRU.

제목: 한 줄씩 읽는 손글씨 숫자: RNN, LSTM, GRU
Question: Can a network that sees one row of 28 pixels at a time name the digit?
Lecture: 000, RNN: concept, vanishing gradient; many to one
Changes from: 20_softmax_mnist (the rows are 28 time steps; the state after the last
    one is read by a softmax layer); 42_lstm_gru (real data)
Run: python recipes/43_rnn_mnist.py
Try: (1) SimpleRNN with 140 units, as many weights as the LSTM: is the rest of the gap
    the cell? (2) columns as time steps (3) 784 steps of one pixel, a few epochs
"""

from common import datasets, plots
from common.running import Claim, cli

import keras
import numpy as np
from keras import layers

CLAIMS = [
    Claim("lstm_accuracy", None, "%", text="LSTM, 28 steps of 28 pixels"),
    Claim("gru_accuracy", None, "%", text="GRU"),
    Claim("rnn_accuracy", None, "%", text="control: plain RNN, as many units"),
    Claim("lstm_gain", None, "pp", text="LSTM - RNN", paired=True),
    Claim("lstm_parameters", None, text="weights and biases, LSTM"),
    Claim("gru_parameters", None, text="weights and biases, GRU"),
    Claim("rnn_parameters", None, text="weights and biases, plain RNN"),
    Claim("half_accuracy", None, "%", text="LSTM, lower 14 rows blank"),
]

CELLS = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}
UNITS = 64
BATCH_SIZE = 100  # 550 updates per epoch on 55,000 images
EPOCHS = 6
LEARNING_RATE = 3e-3  # at the start; falls to 0 along a cosine
LONGEST_GRADIENT = 1.0  # longer ones are cut: through time they can explode
IMAGES_CUT = 1_000  # test images for the accuracy by rows read


def build_model(cell):
    return keras.Sequential([keras.Input((28, 28)), cell(UNITS), layers.Dense(10)])


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
        model = build_model(cell)
        model.compile(
            optimizer=keras.optimizers.Adam(
                keras.optimizers.schedules.CosineDecay(LEARNING_RATE, updates),
                clipnorm=LONGEST_GRADIENT,
            ),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=False,  # XLA cannot use the LSTM and GRU built into a GPU
            steps_per_execution=50,
        )
        histories[name.upper()] = run.fit(
            model,
            x_train,
            y_train,
            batch_size=BATCH_SIZE,
            epochs=epochs,
            validation_data=validation,
            name=name,
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


if __name__ == "__main__":
    cli(main)
