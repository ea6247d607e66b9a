"""Two convolutions read digits better than as many weights in a dense net.

제목: 합성곱 신경망으로 MNIST 분류
Question: With 50,090 weights to spend, is it better to spend them on convolutions?
Finding: On convolutions: after 15 epochs {parameters} parameters, most of them behind
    two convolutions, name {test_accuracy} of new digits, and {dense_parameters} in a
    dense network {dense_accuracy}, a difference of {gain}. But each weight of a filter
    is used at up to 784 places: it multiplies far more often.
결과: 합성곱에 쓰는 것이 낫습니다. 15에폭 뒤 처음 보는 숫자의 정답률은 합성곱 두 층을 둔
    망(매개변수 {parameters}개)이 {test_accuracy}, 완전 연결 망({dense_parameters}개)이
    {dense_accuracy}이고, 차이는 {gain}입니다. 다만 필터의 가중치 하나가 많으면 784곳에
    쓰이므로 곱셈은 훨씬 많습니다.
Lecture: 000 and 004, CNN; the lab set that labs 18 to 24 belong to goes on with it
Changes from: 22_initialization_mnist (convolution and pooling in place of dense layers)
Run: python recipes/32_cnn_mnist.py
Try: (1) a third convolution of 128 maps and its pooling: 4x4x128 values stay (2)
    no pooling: what grows? (3) test on images moved by 2 pixels: which net suffers?
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf
from keras import layers

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


def build_model(convolutional=True):
    """The lab's network, or its control: dense layers with as many weights."""
    if convolutional:
        hidden = [
            layers.Reshape((28, 28, 1)),
            conv(MAPS[0]),  # [n, 28, 28, 32]
            layers.MaxPooling2D(2),
            conv(MAPS[1]),  # [n, 14, 14, 64]
            layers.MaxPooling2D(2),
            layers.Flatten(),  # 7 x 7 x 64 = 3,136 values
        ]
    else:
        hidden = [layers.Flatten(), dense(DENSE_UNITS, "relu")]
    model = keras.Sequential([keras.Input((28, 28)), *hidden, dense(10)])
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=not convolutional,  # XLA slows convolutions on the CPU
        steps_per_execution=25 if convolutional else 110,
    )
    return model


def filter_figure(model, image):
    """The filters of the first convolution that vary most, and what they find."""
    first = model.layers[1]
    kernels = first.get_weights()[0][:, :, 0]  # [3, 3, 32]
    maps = first(image[None, :, :, None])[0].numpy()  # [28, 28, 32]
    figure, axes = plots.new_figure(2, 8, width=1.4, height=1.4)
    limit = abs(kernels).max()
    most = np.argsort(-kernels.std(axis=(0, 1)))[: axes.shape[1]]
    for index, (above, below) in zip(most, axes.T, strict=True):
        above.imshow(kernels[:, :, index], cmap="RdBu", vmin=-limit, vmax=limit)
        below.imshow(maps[:, :, index], cmap="magma")
    for axis in axes.flat:
        axis.axis("off")
    figure.suptitle(
        "Learned filters (blue: positive, red: negative), and what they find"
    )
    return figure


def main(run):
    (x_train, y_train), validation, (x_test, y_test) = datasets.mnist(
        limit=run.pick(None, 1000)
    )
    models = {"convolutional": build_model(), "dense": build_model(False)}
    histories, probabilities, accuracy = {}, {}, {}
    for name, model in models.items():
        histories[name] = run.fit(
            model,
            x_train,
            y_train,
            batch_size=BATCH_SIZE,
            epochs=run.length(EPOCHS),
            validation_data=validation,
            name="model" if name == "convolutional" else name,
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


MEASURES = {
    "test_accuracy": Measure("%", "CNN, 15 epochs", "합성곱 신경망, 15에폭"),
    "dense_accuracy": Measure(
        "%", "control: dense 784-63-10, 15 epochs", "대조: 완전 연결 784-63-10, 15에폭"
    ),
    "gain": Measure(
        "pp", "convolutional minus dense", "합성곱 빼기 완전 연결", paired=True
    ),
    "parameters": Measure("", "its parameters", "매개변수", deterministic=True),
    "dense_parameters": Measure(
        "", "control: parameters", "대조: 매개변수", deterministic=True
    ),
}


if __name__ == "__main__":
    cli(main)
