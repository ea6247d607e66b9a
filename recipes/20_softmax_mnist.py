"""Softmax regression reads handwritten digits.

제목: 소프트맥스 회귀로 손글씨 숫자 인식
Question: How far does one layer of ten neurons, with no hidden layer, get on MNIST?
Lecture: 003, lab 20.py
Changes from: nothing, this is the first MNIST lab; 21 adds hidden layers
Run: python recipes/20_softmax_mnist.py
Try: (1) start the weights at zero instead of N(0, 1): is the start worth 15 epochs?
    (2) 50 epochs (3) look at the weight image of 3: which pixels speak against it?
"""

from common import datasets, plots
from common.running import Claim, cli

import keras
import tensorflow as tf
from keras import layers

CLAIMS = [
    Claim("test_accuracy", 90.23, "%", "003, lab 20.py", text="softmax, 784-10"),
    Claim("parameters", None, text="weights and biases"),
    Claim(
        "training_images",
        60_000,
        "",
        "003, lab 20.py",
        "exact",
        "training images, held-out included",
    ),
    Claim("test_images", 10_000, "", "003, lab 20.py", "exact", "test images"),
    Claim("pixels", 784, "", "003, lab 20.py", "exact", "inputs, 28 * 28"),
    Claim("classes", 10, "", "003, lab 20.py", "exact", "classes"),
]

BATCH_SIZE = 100  # 550 updates per epoch on 55,000 images
EPOCHS = 15
LEARNING_RATE = 1e-3
EPSILON = 1e-8  # Adam's in TensorFlow 1, which the lab used; Keras' is 1e-7


def build_model():
    def dense(units):
        return layers.Dense(
            units,
            kernel_initializer=keras.initializers.RandomNormal(stddev=1.0),
            bias_initializer=keras.initializers.RandomNormal(stddev=1.0),
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


def weight_images(model):
    """What each output neuron looks for: its 784 weights drawn as an image."""
    kernel = model.layers[-1].get_weights()[0]  # [784, 10]
    limit = abs(kernel).max()
    figure, axes = plots.new_figure(2, 5, width=1.5, height=1.7)
    for digit, axis in enumerate(axes.flat):
        image = kernel[:, digit].reshape(28, 28)
        axis.imshow(image, cmap="RdBu", vmin=-limit, vmax=limit)
        axis.set_title(digit)
        axis.axis("off")
    return figure


def main(run):
    (x_train, y_train), validation, (x_test, y_test) = datasets.mnist(
        limit=run.pick(None, 1000)
    )
    model = build_model()
    history = run.fit(
        model,
        x_train,
        y_train,
        batch_size=BATCH_SIZE,
        epochs=run.length(EPOCHS),
        validation_data=validation,
    )

    probabilities = tf.nn.softmax(model.predict(x_test, verbose=0)).numpy()
    answers = probabilities.argmax(axis=1)
    run.save_figure(plots.learning_curves({"softmax": history}), "learning_curves")
    run.save_figure(weight_images(model), "weight_images")
    run.save_figure(plots.confusion_matrix(y_test, answers), "confusion_matrix")
    run.save_figure(
        plots.confident_mistakes(x_test, y_test, probabilities), "confident_mistakes"
    )
    return {
        "test_accuracy": 100 * (answers == y_test).mean(),
        "parameters": model.count_params(),
        "training_images": len(x_train) + len(validation[0]),
        "test_images": len(x_test),
        "pixels": x_train[0].size,
        "classes": len(set(y_train)),
    }


if __name__ == "__main__":
    cli(main)
