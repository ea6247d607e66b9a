"""LeNet-5 as it was in 1998, and as it is built today.

제목: LeNet-5 (1998), 합성곱 신경망의 기본 구조
Question: How near does the network of 1998 come to its published 0.95 % today, and what
    do the habits of 25 years add to it?
Finding: With its {parameters_1998} parameters, and as many images and passes as then
    (but by Adam in batches, not image after image), it errs on {classic_error} of new
    digits. Today's form and training, all changed at once, need fewer passes: 8 in
    place of 20 leave an error of {test_error}, a difference of {gain}.
결과: 매개변수 {parameters_1998}개인 당시의 망을 같은 수의 이미지로 같은 횟수만큼
    학습하면(다만 이미지 하나씩이 아니라 미니배치와 Adam으로) 처음 보는 숫자의 오류율이
    {classic_error}입니다. 구조와 학습법을 한꺼번에 오늘날의 것으로 바꾸면 20번 대신
    8번만 훑어도 {test_error}이며, 차이는 {gain}입니다.
Lecture: 004, advanced CNN: LeNet-5
Changes from: 32_cnn_mnist (5x5 kernels, fewer maps, three dense layers)
Run: python recipes/33_lenet5.py
Try: (1) give the network of 1998 only ReLU, or only the maximum: which of the changes
    helps? (2) let each map of C3_INPUTS see all six (3) give today's form 20 passes
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers

BATCH_SIZE = 100
UPDATES = 550  # per epoch, on 55,000 images
EPOCHS = 8
LEARNING_RATE = 2e-3  # at the start; falls to 0 along half a cosine
# In 1998: passes over 60,000 images, at rates that fall as these do (his were smaller,
# for one image at a time; of three tried for Adam this was best on held-out images).
PASSES_1998 = (2, 3, 3, 4, 8)
RATES_1998 = (3e-3, 1.2e-3, 6e-4, 3e-4, 6e-5)
CONTRAST = 0.17  # between the scores of 1998's outputs, so that softmax is not certain
# Which of the six maps below each of the 16 maps of C3 sees.
C3_INPUTS = (
    "012 123 234 345 045 015 0123 1234 2345 0345 0145 0125 0134 1245 0235 012345"
)
DRAWINGS = """
    ..###.. ...#... .#####. .#####. .....#. ####### ..####. ####### .#####. .#####.
    .#...#. ..##... #.....# #.....# ....##. #...... .#..... ......# #.....# #.....#
    #.....# .#.#... ......# ......# ...#.#. #...... #...... ......# #.....# #.....#
    #.....# ...#... ......# ......# ..#..#. #...... #...... .....#. #.....# #.....#
    #.....# ...#... .....#. ......# .#...#. ######. ######. .....#. #.....# #.....#
    #.....# ...#... ....#.. ..####. #....#. ......# #.....# ....#.. .#####. .######
    #.....# ...#... ...#... ......# #....#. ......# #.....# ....#.. #.....# ......#
    #.....# ...#... ..#.... ......# ####### ......# #.....# ...#... #.....# ......#
    #.....# ...#... .#..... ......# .....#. ......# #.....# ...#... #.....# ......#
    #.....# ...#... #...... ......# .....#. ......# #.....# ..#.... #.....# ......#
    .#...#. ...#... #...... #.....# .....#. #.....# .#...#. ..#.... #.....# .....#.
    ..###.. .#####. ####### .#####. .....#. .#####. ..###.. ..#.... .#####. .####..
"""


def read_drawings():
    """What 84 outputs are to draw, digits of 12x7 cells: [10, 84] of -1 and 1."""
    rows = [line.split() for line in DRAWINGS.strip().split("\n")]
    cells = np.array([[list(part) for part in row] for row in rows])  # [12, 10, 7]
    return np.where(cells == "#", 1.0, -1.0).swapaxes(0, 1).reshape(10, 84)


def build_model(classic=False, updates=EPOCHS * UPDATES):
    """LeNet-5 of today, or of 1998; C1's padding is the frame of its 32x32 pixels."""
    activation = "tanh" if classic else "relu"

    def subsampling(name):
        if not classic:
            return [layers.MaxPooling2D(2, name=name)]
        weigh = layers.DepthwiseConv2D(
            1, activation="tanh", depthwise_initializer="ones", name=name
        )
        return [layers.AveragePooling2D(2), weigh]

    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation=activation, name="C1"),
            *subsampling("S2"),  # [n, 14, 14, 6]
            layers.Conv2D(16, 5, activation=activation, name="C3"),
            *subsampling("S4"),  # [n, 5, 5, 16]
            layers.Flatten(),
            layers.Dense(120, activation=activation, name="C5"),
            layers.Dense(84, activation=activation, name="F6"),
            layers.Dense(10, use_bias=not classic, name="output"),
        ]
    )
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, updates)
    if classic:
        rate = as_in_1998(model, updates)
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
        steps_per_execution=110,
    )
    return model


def as_in_1998(model, updates):
    """Maps of C3 that see only some maps, ten drawings as output; returns the rates."""
    seen = [[float(str(i) in maps) for maps in C3_INPUTS.split()] for i in range(6)]
    kernel = model.get_layer("C3").kernel  # [5, 5, 6, 16]
    kernel.assign(kernel * np.float32(seen))
    kernel.constraint = lambda values: values * np.float32(seen)  # after every update
    # All drawings have 84 cells of size 1, so that the one closest to what F6 draws is
    # the one with the largest product.
    output = model.get_layer("output")
    output.kernel.assign(CONTRAST * read_drawings().T)
    output.trainable = False
    ends = np.cumsum(PASSES_1998[:-1]) / sum(PASSES_1998) * updates
    return keras.optimizers.schedules.PiecewiseConstantDecay(
        [int(end) for end in ends], RATES_1998
    )


def drawings_figure(model, images):
    """Images [10, 28, 28], what the 84 outputs of F6 draw of them, what was meant."""
    figure, axes = plots.new_figure(3, 10, width=0.9, height=1.1)
    drawn = keras.Model(model.inputs[0], model.get_layer("F6").output)(images)
    cells = np.reshape([*drawn, *read_drawings()], (20, 12, 7))
    for axis, image in zip(axes.flat, (*images, *cells), strict=True):
        axis.imshow(image, cmap="gray_r")
        axis.axis("off")
    figure.suptitle(
        "1998: a digit, what the network draws of it, and the drawing meant"
    )
    return figure


def error_figure(histories, errors):
    """The training error by pass, and the test error after the last one (percent)."""
    figure, axis = plots.new_figure(width=5.5)
    for (name, history), error in zip(histories.items(), errors, strict=True):
        by_pass = 100 - 100 * np.array(history["accuracy"])
        (line,) = axis.semilogy(range(1, len(by_pass) + 1), by_pass, "--")
        axis.plot(len(by_pass), error, "o", color=line.get_color())
        text = f"  {name}: {error:.2f} %"
        axis.annotate(text, (len(by_pass), error), va="center")
    axis.set(xlabel="passes", ylabel="error (%)", title="training (--), then test (o)")
    axis.set_xticks(range(0, 29, 4))
    return figure


def main(run):
    (x_train, y_train), validation, (x_test, y_test) = datasets.mnist(
        limit=run.pick(None, 1000)
    )
    # LeCun had all 60,000 images and a schedule, and so needs none for validation.
    x_all = np.concatenate([x_train, validation[0]])
    y_all = np.concatenate([y_train, validation[1]])
    epochs, passes = run.length(EPOCHS), run.length(sum(PASSES_1998))
    model = build_model(updates=epochs * (len(x_train) // BATCH_SIZE))
    classic = build_model(True, updates=passes * (len(x_all) // BATCH_SIZE))
    today = run.fit(
        model,
        x_train,
        y_train,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        validation_data=validation,
    )
    in_1998 = run.fit(
        classic, x_all, y_all, batch_size=BATCH_SIZE, epochs=passes, name="1998"
    )
    errors = [
        100 - 100 * network.evaluate(x_test, y_test, batch_size=1000, verbose=0)[1]
        for network in (model, classic)
    ]
    digits = [np.flatnonzero(y_test == digit)[0] for digit in range(10)]
    run.save_figure(error_figure({"today": today, "1998": in_1998}, errors), "errors")
    run.save_figure(drawings_figure(classic, x_test[digits]), "drawings")
    return {
        "classic_error": errors[1],
        "test_error": errors[0],
        "gain": errors[1] - errors[0],
        # Of the trained network: those that the table keeps at 0 are none.
        "parameters_1998": sum(map(np.count_nonzero, classic.trainable_weights)),
        "parameters": model.count_params(),
    }


MEASURES = {
    "classic_error": Measure("%", "error, 1998, 20 passes", "오류율, 1998, 20번"),
    "test_error": Measure("%", "error, today, 8 passes", "오류율, 오늘날, 8번"),
    "gain": Measure("pp", "error, 1998 minus today", "1998 빼기 오늘날", paired=True),
    "parameters_1998": Measure(
        "", "parameters, 1998", "매개변수, 1998", deterministic=True
    ),
    "parameters": Measure(
        "", "parameters, today", "매개변수, 오늘날", deterministic=True
    ),
}


if __name__ == "__main__":
    cli(main)
