"""Two convolutions read digits better than as many weights in a dense net.

제목: 합성곱 신경망으로 MNIST 분류
Question: With 50,090 weights to spend, is it better to spend them on convolutions?
Lecture: 000 and 004, CNN; the lab set that labs 18 to 24 belong to goes on with it
Changes from: 22_initialization_mnist (convolution and pooling in place of dense layers)
Run: python recipes/32_cnn_mnist.py
Try: (1) a third convolution of 128 maps and its pooling: 4x4x128 values stay (2)
    no pooling: what grows? (3) test on images moved by 2 pixels: which net suffers?
"""

from common import datasets, plots
from common.running import Claim, cli

import keras
import tensorflow as tf
from keras import layers

CLAIMS = [
    Claim("test_accuracy", 98.85, "%", "the lab set's CNN code", text="CNN, 15 epochs"),
    Claim("dense_accuracy", None, "%", text="control: dense 784-63-10, 15 epochs"),
    Claim("gain", None, "pp", text="convolutional minus dense", paired=True),
    Claim(
        "parameters",
        50_090,
        source="the lab set's CNN code",
        kind="exact",
        text="288 + 18,432 in convolutions, 31,370 dense",
    ),
    Claim("dense_parameters", None, text="weights and biases of the control"),
]

MAPS = (32, 64)
DENSE_UNITS = 63  # makes the control as large as the convolutional net, to 5 weights
BATCH_SIZE = 100  # 550 updates per epoch on 55,000 images
EPOCHS = 15
LEARNING_RATE = 1e-3
EPSILON = 1e-8  # Adam's in TensorFlow 1, which the lab used; Keras' is 1e-7


def dense(units, activation=None):
    return layers.Dense(
        units,
        activation=activation,
        kernel_initializer=keras.initializers.GlorotUniform(),
        bias_initializer=keras.initializers.RandomNormal(stddev=1.0),
    )


def conv(maps):
    return layers.Conv2D(
        maps,
        3,
        padding="same",
        activation="relu",
        use_bias=False,  # as in the lab
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
    )


def build_cnn():
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Reshape((28, 28, 1)),
            conv(MAPS[0]),  # [n, 28, 28, 32]
            layers.MaxPooling2D(2),
            conv(MAPS[1]),  # [n, 14, 14, 64]
            layers.MaxPooling2D(2),
            layers.Flatten(),  # 7 x 7 x 64 = 3,136 values
            dense(10),
        ]
    )


def build_dense():
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            dense(DENSE_UNITS, "relu"),
            dense(10),
        ]
    )


def filter_figure(model, image):
    """The filters of the first convolution and the maps that they make of a digit."""
    first = model.layers[1]
    kernels = first.get_weights()[0][:, :, 0]  # [3, 3, 32]
    maps = first(image[None, :, :, None])[0]  # [28, 28, 32]
    figure, axes = plots.new_figure(4, 16, width=0.8, height=0.8)
    limit = abs(kernels).max()
    for index in range(MAPS[0]):
        row, column = 2 * (index // 16), index % 16
        axes[row, column].imshow(
            kernels[:, :, index], cmap="RdBu", vmin=-limit, vmax=limit
        )
        axes[row + 1, column].imshow(maps[:, :, index], cmap="magma")
    for axis in axes.flat:
        axis.axis("off")
    return figure


def main(run):
    (x_train, y_train), validation, (x_test, y_test) = datasets.mnist(
        limit=run.pick(None, 1000)
    )
    models = {"convolutional": build_cnn(), "dense": build_dense()}
    histories, probabilities, accuracy = {}, {}, {}
    for name, model in models.items():
        model.compile(
            optimizer=keras.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=name == "dense",  # XLA slows convolutions on the CPU
            steps_per_execution=110 if name == "dense" else 25,
        )
        histories[name] = run.fit(
            model,
            x_train,
            y_train,
            batch_size=BATCH_SIZE,
            epochs=run.length(EPOCHS),
            validation_data=validation,
            name=name,
        )
        scores = model.predict(x_test, verbose=0)
        probabilities[name] = tf.nn.softmax(scores).numpy()
        accuracy[name] = 100 * (scores.argmax(axis=1) == y_test).mean()

    answers = probabilities["convolutional"].argmax(axis=1)
    run.save_figure(plots.learning_curves(histories), "learning_curves")
    run.save_figure(filter_figure(models["convolutional"], x_test[0]), "filters")
    run.save_figure(plots.confusion_matrix(y_test, answers), "confusion_matrix")
    run.save_figure(
        plots.confident_mistakes(x_test, y_test, probabilities["convolutional"]),
        "confident_mistakes",
    )
    return {
        "test_accuracy": accuracy["convolutional"],
        "dense_accuracy": accuracy["dense"],
        "gain": accuracy["convolutional"] - accuracy["dense"],
        "parameters": models["convolutional"].count_params(),
        "dense_parameters": models["dense"].count_params(),
    }


if __name__ == "__main__":
    cli(main)
