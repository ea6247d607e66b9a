"""Hidden layers with ReLU read handwritten digits.

제목: ReLU 은닉층을 가진 심층 신경망으로 숫자 인식
Question: What do two hidden layers of 256 neurons add to softmax regression?
Finding: They name {test_accuracy} of new digits, several points more than the softmax
    of 20 after as many epochs from the same kind of start, with {parameters}
    parameters. Most of that is the layers' doing, not ReLU's: with sigmoids in place of
    ReLU it is {sigmoid_accuracy}, and ReLU adds {relu_gain}.
결과: 처음 보는 숫자의 {test_accuracy}를 맞힙니다. 매개변수는 {parameters}개이고, 같은
    방식으로 시작해 같은 에폭만큼 학습한 20의 소프트맥스보다 몇 퍼센트포인트 높습니다.
    대부분은 ReLU보다 은닉층 덕분입니다. ReLU 대신 시그모이드를 써도
    {sigmoid_accuracy}이고, ReLU가 더하는 것은 {relu_gain}입니다.
Lecture: 003, lab 21.py
Changes from: 20_softmax_mnist (two hidden layers; sigmoid as the control for ReLU)
Run: python recipes/21_relu_mnist.py
Try: (1) one hidden layer (2) divide the start weights by 28, the root of 784: which
    activation gains more? (3) learning rate 1e-2
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import tensorflow as tf
from keras import layers

HIDDEN_UNITS = (256, 256)
BATCH_SIZE = 100  # 550 updates per epoch on 55,000 images
EPOCHS = 15
LEARNING_RATE = 1e-3
EPSILON = 1e-8  # Adam's in TensorFlow 1, which the lab used; Keras' is 1e-7


def build_model(activation="relu"):
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
    models = {"relu": build_model(), "sigmoid": build_model("sigmoid")}
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
            name="model" if name == "relu" else name,
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


MEASURES = {
    "test_accuracy": Measure("%", "ReLU, 784-256-256-10", "ReLU, 784-256-256-10"),
    "sigmoid_accuracy": Measure(
        "%", "control: sigmoid, all else equal", "대조: 시그모이드, 나머지는 같음"
    ),
    "relu_gain": Measure(
        "pp", "ReLU minus sigmoid", "ReLU 빼기 시그모이드", paired=True
    ),
    "parameters": Measure("", "weights and biases", "가중치와 편향의 수"),
}


if __name__ == "__main__":
    cli(main)
