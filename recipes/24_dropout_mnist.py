"""Dropout: leaving neurons out while learning.

제목: 드롭아웃을 적용한 깊은 신경망으로 숫자 인식
Question: Does dropout help the deep network, and by more than chance?
Finding: Yes, a little: after 15 epochs from the same start the network with dropout has
    {test_accuracy} right and the one without {plain_accuracy}, a difference of
    {dropout_gain} with 0 outside its interval. Dropout narrows the gap between training
    and validation from {plain_gap} to {dropout_gap} and does not close it.
결과: 조금 도움이 됩니다. 같은 가중치에서 시작해 15에폭 학습하면 정답률은 드롭아웃을 쓴
    망이 {test_accuracy}, 쓰지 않은 망이 {plain_accuracy}이고, 그 차이의 구간은 0을
    포함하지 않습니다({dropout_gain}). 학습과 검증 정답률의 간격은 {plain_gap}에서
    {dropout_gap}까지 좁아지지만 없어지지는 않습니다.
Lecture: 003, lab 24.py
Changes from: 23_deeper_mnist (dropout after every hidden layer; without is the control)
Run: python recipes/24_dropout_mnist.py
Try: (1) rate 0.5 (2) 30 epochs: which of the two networks still gains?
    (3) 5,000 training images: does dropout matter more with fewer?
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import tensorflow as tf
from keras import layers

HIDDEN_UNITS = (512, 512, 512, 512)
DROPOUT_RATE = 0.3  # the lab keeps 0.7 of each hidden layer's neurons
BATCH_SIZE = 100  # 550 updates per epoch on 55,000 images
EPOCHS = 15
LEARNING_RATE = 1e-3
EPSILON = 1e-8  # Adam's in TensorFlow 1, which the lab used; Keras' is 1e-7


class Dropout(layers.Dropout):
    """Keras' layer with its arithmetic written out.

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


def build_model(dropout_rate=DROPOUT_RATE):
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
    models = {"plain": build_model(0.0), "dropout": build_model()}
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
            name="model" if name == "dropout" else name,
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


MEASURES = {
    "test_accuracy": Measure("%", "with dropout 0.3", "드롭아웃 0.3을 쓴 정확도"),
    "plain_accuracy": Measure("%", "control: without dropout", "대조: 드롭아웃 없음"),
    "dropout_gain": Measure(
        "pp",
        "with minus without, both 15 epochs",
        "쓴 망 빼기 쓰지 않은 망, 둘 다 15에폭",
        paired=True,
    ),
    "plain_gap": Measure(
        "pp", "training minus validation, without", "학습 빼기 검증, 없을 때"
    ),
    "dropout_gap": Measure(
        "pp", "training minus validation, with", "학습 빼기 검증, 쓸 때"
    ),
    "parameters": Measure("", "weights and biases", "가중치와 편향의 수"),
}


if __name__ == "__main__":
    cli(main)
