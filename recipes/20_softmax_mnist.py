"""Softmax regression reads handwritten digits.

제목: 소프트맥스 회귀로 손글씨 숫자 인식
Question: How far does one layer of ten neurons, with no hidden layer, get on MNIST?
Finding: After 15 epochs from the lab's start, N(0, 1), it names {test_accuracy} of new
    digits, and from zero {zero_accuracy}, a gain of {zero_gain}: the lab's figure tells
    of its start as well. One epoch from zero gives {zero_first_epoch}. What the neurons
    weigh the pixels by, one template a class, shows only from zero; 15 epochs do not
    wear off the noise of N(0, 1).
결과: 실습처럼 N(0, 1)에서 시작해 15에폭을 배우면 처음 보는 숫자의 {test_accuracy}를,
    0에서 시작하면 {zero_accuracy}를 맞힙니다(차이 {zero_gain}). 실습의 값에는 시작의
    탓도 들어 있는 셈입니다. 0에서 시작하면 한 에폭만 배워도 {zero_first_epoch}입니다.
    클래스마다 하나씩인 본도 0에서 시작해야 눈에 보이며, N(0, 1)의 잡음은 15에폭으로는
    지워지지 않습니다.
Lecture: 003, lab 20.py
Changes from: nothing, this is the first MNIST lab; 21 adds hidden layers
Run: python recipes/20_softmax_mnist.py
Try: (1) 50 epochs: does N(0, 1) catch up with zero? (2) N(0, 0.01): is it the noise
    that costs, or its size? (3) the weight image of 3: which pixels speak against it?
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import tensorflow as tf
from keras import layers

BATCH_SIZE = 100  # 550 updates per epoch on 55,000 images
EPOCHS = 15
LEARNING_RATE = 1e-3
EPSILON = 1e-8  # Adam's in TensorFlow 1, which the lab used; Keras' is 1e-7
START_DEVIATION = 1.0  # of the first weights and biases; the control starts at 0


def build_model(start_deviation=START_DEVIATION):
    def dense(units):
        return layers.Dense(
            units,
            kernel_initializer=keras.initializers.RandomNormal(stddev=start_deviation),
            bias_initializer=keras.initializers.RandomNormal(stddev=start_deviation),
        )

    model = keras.Sequential([keras.Input((28, 28)), layers.Flatten(), dense(10)])
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=True,
        steps_per_execution=110,
    )
    return model


def weight_images(models):
    """The 784 weights of each output neuron as an image; blue speaks for its class."""
    figure, axes = plots.new_figure(len(models), 10, width=1.1, height=1.4)
    for row, (name, model) in zip(axes, models.items(), strict=True):
        kernel = model.layers[-1].get_weights()[0]  # [784, 10]
        limit = 2 * kernel.std()
        for digit, axis in enumerate(row):
            image = kernel[:, digit].reshape(model.input_shape[1:])
            axis.imshow(image, cmap="RdBu", vmin=-limit, vmax=limit)
            axis.set(title=digit, xticks=[], yticks=[])
            axis.grid(False)
        row[0].set_ylabel(name)
    return figure


def main(run):
    (x_train, y_train), validation, (x_test, y_test) = datasets.mnist(
        limit=run.pick(None, 1000)
    )
    models = {"N(0, 1)": build_model(), "zero": build_model(start_deviation=0.0)}
    histories, probabilities, accuracy = {}, {}, {}
    for name, model in models.items():
        histories[name] = run.fit(
            model,
            x_train,
            y_train,
            batch_size=BATCH_SIZE,
            epochs=run.length(EPOCHS),
            validation_data=validation,
            name="zero" if name == "zero" else "model",
        )
        logits = model.predict(x_test, batch_size=1000, verbose=0)
        probabilities[name] = tf.nn.softmax(logits).numpy()
        accuracy[name] = 100 * (probabilities[name].argmax(axis=1) == y_test).mean()

    answers = probabilities["N(0, 1)"].argmax(axis=1)
    run.save_figure(weight_images(models), "weight_images")
    run.save_figure(plots.learning_curves(histories), "learning_curves")
    run.save_figure(plots.confusion_matrix(y_test, answers), "confusion_matrix")
    run.save_figure(
        plots.confident_mistakes(x_test, y_test, probabilities["N(0, 1)"]),
        "confident_mistakes",
    )
    return {
        "test_accuracy": accuracy["N(0, 1)"],
        "zero_accuracy": accuracy["zero"],
        "zero_gain": accuracy["zero"] - accuracy["N(0, 1)"],
        "zero_first_epoch": 100 * histories["zero"]["val_accuracy"][0],
        "parameters": models["zero"].count_params(),
        "training_images": len(x_train) + len(validation[0]),
        "test_images": len(x_test),
        "pixels": x_train[0].size,
        "classes": len(set(y_train)),
    }


MEASURES = {
    "test_accuracy": Measure("%", "softmax, 784-10, from N(0, 1)", "N(0, 1)에서 시작"),
    "zero_accuracy": Measure("%", "control: from zero", "대조: 0에서 시작"),
    "zero_gain": Measure(
        "pp", "from zero minus from N(0, 1)", "0 빼기 N(0, 1)", paired=True
    ),
    "zero_first_epoch": Measure(
        "%", "from zero, one epoch, validation", "0에서 시작, 한 에폭 뒤 검증"
    ),
    "parameters": Measure(
        "", "weights and biases", "가중치와 편향의 수", deterministic=True
    ),
    "training_images": Measure(
        "",
        "training images, held-out included",
        "학습 이미지, 검증용 포함",
        deterministic=True,
    ),
    "test_images": Measure("", "test images", "시험 이미지", deterministic=True),
    "pixels": Measure("", "inputs, 28 * 28", "입력, 28 * 28", deterministic=True),
    "classes": Measure("", "classes", "클래스", deterministic=True),
}


if __name__ == "__main__":
    cli(main)
