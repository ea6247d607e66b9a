"""Hidden layers with ReLU read handwritten digits.

제목: ReLU 은닉층을 가진 심층 신경망으로 숫자 인식
Question: What do two hidden layers of 256 neurons add to softmax regression?
Lecture: 003, lab 21.py
Changes from: 20_softmax_mnist (two hidden layers; sigmoid as the control for ReLU)
Run: python recipes/21_relu_mnist.py
Try: (1) one hidden layer (2) divide the start weights by 28, the root of 784: which
    activation gains more? (3) learning rate 1e-2
"""

from common import datasets, plots
from common.running import Claim, cli

import keras
import tensorflow as tf
from keras import layers

CLAIMS = [
    Claim("test_accuracy", 94.55, "%", "003, lab 21.py", text="ReLU, 784-256-256-10"),
    Claim("sigmoid_accuracy", None, "%", text="control: sigmoid, all else equal"),
    Claim("relu_gain", None, "pp", text="ReLU minus sigmoid", paired=True),
    Claim("parameters", None, text="weights and biases"),
]

HIDDEN_UNITS = (256, 256)
BATCH_SIZE = 100  # 550 updates per epoch on 55,000 images
EPOCHS = 15
LEARNING_RATE = 1e-3
EPSILON = 1e-8  # Adam's in TensorFlow 1, which the lab used; Keras' is 1e-7


def build_model(activation):
    def dense(units, activation=None):
        return layers.Dense(
            units,
            activation=activation,
            kernel_initializer=keras.initializers.RandomNormal(stddev=1.0),
            bias_initializer=keras.initializers.RandomNormal(stddev=1.0),
        )

    hidden = [dense(units, activation) for units in HIDDEN_UNITS]
    model = keras.Sequential(
        [keras.Input((28, 28)), layers.Flatten(), *hidden, dense(10)]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=True,
        steps_per_execution=110,
    )
    return model


def main(run):
    (x_train, y_train), validation, (x_test, y_test) = datasets.mnist(
        limit=run.pick(None, 1000)
    )
    models = {name: build_model(name) for name in ("relu", "sigmoid")}
    models["sigmoid"].set_weights(models["relu"].get_weights())  # the same start
    histories, accuracy = {}, {}
    for name, model in models.items():
        histories[name] = run.fit(
            model,
            x_train,
            y_train,
            batch_size=BATCH_SIZE,
            epochs=run.length(EPOCHS),
            validation_data=validation,
            name=name,
        )
        accuracy[name] = 100 * model.evaluate(x_test, y_test, verbose=0)[1]

    probabilities = tf.nn.softmax(models["relu"].predict(x_test, verbose=0)).numpy()
    answers = probabilities.argmax(axis=1)
    run.save_figure(plots.learning_curves(histories), "learning_curves")
    run.save_figure(plots.confusion_matrix(y_test, answers), "confusion_matrix")
    run.save_figure(
        plots.confident_mistakes(x_test, y_test, probabilities), "confident_mistakes"
    )
    return {
        "test_accuracy": accuracy["relu"],
        "sigmoid_accuracy": accuracy["sigmoid"],
        "relu_gain": accuracy["relu"] - accuracy["sigmoid"],
        "parameters": models["relu"].count_params(),
    }


if __name__ == "__main__":
    cli(main)
