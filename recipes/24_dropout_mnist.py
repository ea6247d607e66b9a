"""Dropout: leaving neurons out while learning.

제목: 드롭아웃을 적용한 깊은 신경망으로 숫자 인식
Question: Does dropout help the deep network, and by more than chance?
Lecture: 003, lab 24.py
Changes from: 23_deeper_mnist (dropout after every hidden layer; without is the control)
Run: python recipes/24_dropout_mnist.py
Try: (1) rate 0.5 (2) 30 epochs: which of the two networks still gains?
    (3) 5,000 training images: does dropout matter more with fewer?
"""

from common import datasets, plots
from common.running import Claim, cli

import keras
import tensorflow as tf
from keras import layers

CLAIMS = [
    Claim("test_accuracy", 98.13, "%", "003, lab 24.py", text="with dropout 0.3"),
    Claim("plain_accuracy", None, "%", text="control: without dropout"),
    Claim(
        "dropout_gain",
        0.90,
        "pp",
        "003, labs 24 and 23; compares 15 epochs with 3",
        text="with minus without, both 15 epochs",
        paired=True,
    ),
    Claim("plain_gap", None, "pp", text="training minus validation, without"),
    Claim("dropout_gap", None, "pp", text="training minus validation, with"),
    Claim("parameters", None, text="weights and biases"),
    Claim(
        "dropout_year",
        2014,
        "year",
        "003, Dropout",
        "cited",
        "Srivastava et al.; first shown in 2012, used by AlexNet then",
        published=2014,
    ),
]

HIDDEN_UNITS = (512, 512, 512, 512)
DROPOUT_RATE = 0.3  # the lab keeps 0.7 of each hidden layer's neurons
BATCH_SIZE = 100  # 550 updates per epoch on 55,000 images
EPOCHS = 15
LEARNING_RATE = 1e-3
EPSILON = 1e-8  # Adam's in TensorFlow 1, which the lab used; Keras' is 1e-7


class Dropout(layers.Dropout):
    """Keras' layer with its arithmetic written out (Srivastava et al., 2014).

    While learning, each value is 0 with probability `rate` and 1 / (1 - rate) times
    itself otherwise: its mean stays, so that nothing is to be scaled afterwards. Draws
    come from ThreeFry, as XLA's own choice on a CPU, Philox, slows the whole training.
    """

    __module__ = "keras.layers"  # a saved network opens without this file

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        return drop(inputs, self.rate, self.seed_generator.next())


@tf.function(jit_compile=True)  # ThreeFry needs XLA also where the rest runs without
def drop(values, rate, seed):
    uniform = tf.random.stateless_uniform(tf.shape(values), seed, alg="threefry")
    return tf.where(uniform < rate, 0.0, values / (1 - rate))


def build_model(dropout_rate):
    def dense(units, activation=None):
        return layers.Dense(
            units,
            activation=activation,
            kernel_initializer=keras.initializers.GlorotUniform(),
            bias_initializer=keras.initializers.RandomNormal(stddev=1.0),
        )

    hidden = []
    for units in HIDDEN_UNITS:
        hidden += [dense(units, "relu"), Dropout(dropout_rate)]
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
    models = {"plain": build_model(0.0), "dropout": build_model(DROPOUT_RATE)}
    models["dropout"].set_weights(models["plain"].get_weights())  # the same start
    histories, accuracy, gap = {}, {}, {}
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
        # Measured without dropout in both; the curves' training half is with it.
        on_training = 100 * model.evaluate(x_train, y_train, 1000, verbose=0)[1]
        gap[name] = on_training - 100 * histories[name]["val_accuracy"][-1]

    probabilities = tf.nn.softmax(models["dropout"].predict(x_test, verbose=0)).numpy()
    answers = probabilities.argmax(axis=1)
    run.save_figure(plots.learning_curves(histories), "learning_curves")
    run.save_figure(plots.confusion_matrix(y_test, answers), "confusion_matrix")
    run.save_figure(
        plots.confident_mistakes(x_test, y_test, probabilities), "confident_mistakes"
    )
    return {
        "test_accuracy": accuracy["dropout"],
        "plain_accuracy": accuracy["plain"],
        "dropout_gain": accuracy["dropout"] - accuracy["plain"],
        "plain_gap": gap["plain"],
        "dropout_gap": gap["dropout"],
        "parameters": models["dropout"].count_params(),
    }


if __name__ == "__main__":
    cli(main)
