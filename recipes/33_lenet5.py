"""LeNet-5, the network that began the convolutional ones.

제목: LeNet-5 (1998), 합성곱 신경망의 기본 구조
Question: Does LeNet-5 still reach 99 %, and what do 25 years add to the same weights?
Finding: With ReLU and maximum it does: after 8 epochs LeNet-5 errs on {test_error} of
    new digits, with tanh and average pooling as in 1998 on {classic_error}. From the
    same start and with the same {parameters} parameters the difference is {gain}.
결과: ReLU와 최대 풀링을 쓰면 그렇습니다. 8에폭 뒤 처음 보는 숫자의 오류율은
    {test_error}, 1998년처럼 tanh와 평균 풀링을 쓰면 {classic_error}입니다. 시작
    가중치와 매개변수 {parameters}개가 같은 두 망의 차이는 {gain}입니다.
Lecture: 004, advanced CNN: LeNet-5
Changes from: 32_cnn_mnist (5x5 kernels, fewer maps, three dense layers)
Run: python recipes/33_lenet5.py
Try: (1) ReLU with average pooling, tanh with the maximum: which of the two changes
    helps? (2) a constant learning rate (3) draw C1's maps of your own handwriting

The network of 1998 had 60,000 parameters: its pooling had a weight and a bias per map,
each map of C3 saw only some of the maps below (C3_INPUTS), and its output was compared
with drawn digits. Today's form, built here, connects all maps and ends in a softmax.
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf
from keras import layers

BATCH_SIZE = 100
UPDATES = 550  # per epoch, on 55,000 images
EPOCHS = 8
LEARNING_RATE = 2e-3  # at the start; falls to 0 along half a cosine
# How many of the 6 maps below each of C3's 16 maps saw in 1998.
C3_INPUTS = (3,) * 6 + (4,) * 9 + (6,)


def build_model(
    activation="relu", pooling=layers.MaxPooling2D, updates=EPOCHS * UPDATES
):
    """LeNet-5 for 28x28 images; the 1998 input of 32x32 is the same with its frame."""
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(6, 5, padding="same", activation=activation, name="C1"),
            pooling(2, name="S2"),  # [n, 14, 14, 6]
            layers.Conv2D(16, 5, activation=activation, name="C3"),
            pooling(2, name="S4"),  # [n, 5, 5, 16]
            layers.Flatten(),
            layers.Dense(120, activation=activation, name="C5"),
            layers.Dense(84, activation=activation, name="F6"),
            layers.Dense(10, name="output"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(LEARNING_RATE, updates)
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
        steps_per_execution=110,
    )
    return model


def count_1998():
    """Trainable parameters and connections of the network as published."""
    c1, s2 = 6 * (25 + 1), 6 * 2
    c3, s4 = sum(25 * maps + 1 for maps in C3_INPUTS), 16 * 2
    c5, f6 = 120 * (16 * 25 + 1), 84 * (120 + 1)
    output = 10 * 84  # to fixed drawings of the digits: connections, not parameters
    # Shared weights count once as parameters, at every place as connections; a cell
    # of pooling has 4 inputs and a bias.
    s2_connections, s4_connections = 14 * 14 * 6 * 5, 5 * 5 * 16 * 5
    connections = 28 * 28 * c1 + s2_connections + 10 * 10 * c3 + s4_connections
    return c1 + s2 + c3 + s4 + c5 + f6, connections + c5 + f6 + output


def maps_figure(model, image):
    """What each stage makes of one digit."""
    stages = {}
    values = image[None]
    for layer in model.layers[:5]:
        values = layer(values)
        stages[layer.name] = values[0].numpy()
    figure, axes = plots.new_figure(4, 16, width=0.75, height=0.85)
    for row, name in zip(axes, ("C1", "S2", "C3", "S4"), strict=True):
        maps = stages[name]
        row[0].set_title(f"{name}: {' x '.join(map(str, maps.shape))}", loc="left")
        for axis, values in zip(row, np.moveaxis(maps, 2, 0), strict=False):
            axis.imshow(values, cmap="magma")
        for axis in row:
            axis.axis("off")
    return figure


def main(run):
    (x_train, y_train), validation, (x_test, y_test) = datasets.mnist(
        limit=run.pick(None, 1000)
    )
    epochs = run.length(EPOCHS)
    updates = epochs * (len(x_train) // BATCH_SIZE)
    models = {
        "modern": build_model(updates=updates),
        "1998": build_model("tanh", layers.AveragePooling2D, updates),
    }
    models["1998"].set_weights(models["modern"].get_weights())  # the same start
    histories, probabilities, error = {}, {}, {}
    for name, model in models.items():
        histories[name] = run.fit(
            model,
            x_train,
            y_train,
            batch_size=BATCH_SIZE,
            epochs=epochs,
            validation_data=validation,
            name="model" if name == "modern" else name,
        )
        probabilities[name] = tf.nn.softmax(model.predict(x_test, verbose=0)).numpy()
        error[name] = 100 * (probabilities[name].argmax(axis=1) != y_test).mean()

    run.save_figure(plots.learning_curves(histories), "learning_curves")
    run.save_figure(maps_figure(models["modern"], x_test[0]), "maps")
    run.save_figure(
        plots.confident_mistakes(x_test, y_test, probabilities["modern"]),
        "confident_mistakes",
    )
    parameters_1998, connections_1998 = count_1998()
    return {
        "test_accuracy": 100 - error["modern"],
        "test_error": error["modern"],
        "classic_error": error["1998"],
        "gain": error["1998"] - error["modern"],
        "first_maps": tuple(models["modern"].get_layer("C1").output.shape[1:]),
        "parameters": models["modern"].count_params(),
        "parameters_1998": parameters_1998,
        "connections_1998": connections_1998,
    }


MEASURES = {
    "test_accuracy": Measure("%", "ReLU and maximum", "ReLU와 최대"),
    "test_error": Measure("%", "the same as error", "같은 것을 오류율로"),
    "classic_error": Measure(
        "%", "control: tanh and average, as in 1998", "대조: 1998년처럼 tanh와 평균"
    ),
    "gain": Measure(
        "pp", "error, 1998 minus modern", "오류율, 1998 빼기 현대", paired=True
    ),
    "first_maps": Measure("", "first feature map", "첫 특징 맵"),
    "parameters": Measure("", "weights and biases", "가중치와 편향의 수"),
    "parameters_1998": Measure("", "parameters of the original", "원래 망의 매개변수"),
    "connections_1998": Measure("", "connections of the original", "원래 망의 연결"),
}


if __name__ == "__main__":
    cli(main)
