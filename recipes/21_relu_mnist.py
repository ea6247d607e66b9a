"""Hidden layers with ReLU read handwritten digits.

제목: ReLU 은닉층을 가진 심층 신경망으로 숫자 인식
Question: What do hidden layers, ReLU, and a new order in every epoch each add?
Finding: With two hidden layers of 256 it names {test_accuracy} of new digits. Without
    them, from the same kind of start in as many epochs, {softmax_accuracy}: they add
    {hidden_gain}, and ReLU in place of sigmoid adds {relu_gain}. Under a global seed
    Keras' own fit takes {orders_of_fit} order in three epochs, the same batches again
    and again; with an order of its own for every epoch, as run.fit takes: {order_gain}.
결과: 256개짜리 은닉층 둘로 처음 보는 숫자의 {test_accuracy}를 맞힙니다. 같은 방식으로
    시작해 같은 에폭만큼 배워도 은닉층이 없으면 {softmax_accuracy}이므로 은닉층이 더하는
    것은 {hidden_gain}이고, 시그모이드 대신 ReLU를 써서 더하는 것은 {relu_gain}입니다.
    전역 시드가 있으면 Keras의 fit은 세 에폭에 {orders_of_fit}가지 순서로 늘 같은 배치를
    되풀이합니다. run.fit처럼 에폭마다 새로 섞을 때의 차이는 {order_gain}입니다.
Lecture: 003, lab 21.py
Changes from: 20_softmax_mnist (two hidden layers; three controls, one change in each)
Run: python recipes/21_relu_mnist.py
Try: (1) one hidden layer (2) divide the start weights by 28, the root of 784: which
    activation gains more? (3) print what told() sees without a global seed
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf
from keras import layers

HIDDEN_UNITS = (256, 256)
BATCH_SIZE = 100  # 550 updates per epoch on 55,000 images
EPOCHS = 15
LEARNING_RATE = 1e-3
EPSILON = 1e-8  # Adam's in TensorFlow 1, which the lab used; Keras' is 1e-7


def build_model(activation="relu", hidden_units=HIDDEN_UNITS):
    def dense(units, activation=None):
        return layers.Dense(
            units,
            activation=activation,
            kernel_initializer=keras.initializers.RandomNormal(stddev=1.0),
            bias_initializer=keras.initializers.RandomNormal(stddev=1.0),
        )

    hidden = [dense(units, activation) for units in hidden_units]
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


def orders_of_fit(epochs=3):
    """How many different orders Keras' own fit(shuffle=True) takes in as many epochs.

    Each epoch reads a tf.data pipeline anew, in which the order is drawn; with a global
    seed (keras.utils.set_random_seed, as every run here has) that draw starts over.
    """
    seen = []

    def told(y_true, y_pred):
        seen.extend(y_true.numpy().ravel())
        return y_pred

    samples = np.arange(8.0)  # each sample says which one it is
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    model.compile(loss=told, run_eagerly=True)
    model.fit(samples, samples, batch_size=4, epochs=epochs, shuffle=True, verbose=0)
    return len(np.unique(np.reshape(seen, (epochs, -1)), axis=0))


def main(run):
    (x_train, y_train), validation, (x_test, y_test) = datasets.mnist(
        limit=run.pick(None, 1000)
    )
    epochs = run.length(EPOCHS)
    models = {
        "ReLU": build_model(),
        "sigmoid": build_model("sigmoid"),
        "one order": build_model(),
        "no hidden layers": build_model(hidden_units=()),
    }
    for name in ("sigmoid", "one order"):  # the same start
        models[name].set_weights(models["ReLU"].get_weights())
    histories, accuracy = {}, {}
    for name, model in models.items():
        if name == "one order":
            run.say("trained by Keras' own fit, which tells no progress here")
            model.fit(x_train, y_train, batch_size=BATCH_SIZE, epochs=epochs, verbose=0)
        else:
            histories[name] = run.fit(
                model,
                x_train,
                y_train,
                batch_size=BATCH_SIZE,
                epochs=epochs,
                validation_data=validation,
                name="model" if name == "ReLU" else name.replace(" ", "_"),
            )
        accuracy[name] = 100 * model.evaluate(x_test, y_test, 1000, verbose=0)[1]

    logits = models["ReLU"].predict(x_test, batch_size=1000, verbose=0)
    probabilities = tf.nn.softmax(logits).numpy()
    answers = probabilities.argmax(axis=1)
    run.save_figure(plots.learning_curves(histories), "learning_curves")
    run.save_figure(plots.confusion_matrix(y_test, answers), "confusion_matrix")
    run.save_figure(
        plots.confident_mistakes(x_test, y_test, probabilities), "confident_mistakes"
    )
    return {
        "test_accuracy": accuracy["ReLU"],
        "softmax_accuracy": accuracy["no hidden layers"],
        "hidden_gain": accuracy["ReLU"] - accuracy["no hidden layers"],
        "sigmoid_accuracy": accuracy["sigmoid"],
        "relu_gain": accuracy["ReLU"] - accuracy["sigmoid"],
        "one_order_accuracy": accuracy["one order"],
        "order_gain": accuracy["ReLU"] - accuracy["one order"],
        "orders_of_fit": orders_of_fit(),
        "parameters": models["ReLU"].count_params(),
    }


MEASURES = {
    "test_accuracy": Measure("%", "ReLU, 784-256-256-10", "ReLU, 784-256-256-10"),
    "softmax_accuracy": Measure("%", "control: no hidden layers", "대조: 은닉층 없음"),
    "hidden_gain": Measure("pp", "with minus without", "은닉층의 이득", paired=True),
    "sigmoid_accuracy": Measure("%", "control: sigmoid", "대조: 시그모이드"),
    "relu_gain": Measure(
        "pp", "ReLU minus sigmoid", "ReLU 빼기 시그모이드", paired=True
    ),
    "one_order_accuracy": Measure(
        "%", "control: Keras' fit, one order", "대조: Keras의 fit, 늘 같은 순서"
    ),
    "order_gain": Measure("pp", "reshuffled minus one order", "섞는 이득", paired=True),
    "orders_of_fit": Measure(
        "", "orders of Keras' fit in 3 epochs", "세 에폭의 순서", deterministic=True
    ),
    "parameters": Measure("", "weights, biases", "매개변수의 수", deterministic=True),
}


if __name__ == "__main__":
    cli(main)
