"""A good start: Glorot initialisation.

제목: 가중치를 적절히 초기화한 신경망으로 숫자 인식
Question: Why is the same network three points better when its weights start smaller?
Finding: It starts near knowing nothing, which costs ln 10 = 2.303: its loss before the
    first step is {glorot_first_loss}, while from N(0, 1) the signals grow from layer to
    layer into confident errors, a loss of {normal_first_loss}. After 15 epochs it has
    {test_accuracy} of new digits right, from N(0, 1) {normal_accuracy}: a gain of
    {glorot_gain}.
결과: 아무것도 모르는 상태(손실 ln 10 = 2.303) 가까이에서 시작하기 때문입니다. 첫걸음
    전의 손실은 {glorot_first_loss}이지만, N(0, 1)에서는 신호가 층마다 커져 확신에 찬
    오답이 되고 손실은 {normal_first_loss}입니다. 15에폭 뒤 처음 보는 숫자의 정답률은
    {test_accuracy}, N(0, 1)에서는 {normal_accuracy}이며, 차이는 {glorot_gain}입니다.
Lecture: 003, lab 22.py
Changes from: 21_relu_mnist (weights start Glorot uniform; N(0, 1) is the control)
Run: python recipes/22_initialization_mnist.py
Try: (1) He normal (2) biases at zero: do they matter as much as the weights?
    (3) all weights zero: what do the learning curves look like, and why?
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


def build_model(kernel_initializer=keras.initializers.GlorotUniform):
    def dense(units, activation=None):
        return layers.Dense(
            units,
            activation=activation,
            kernel_initializer=kernel_initializer(),
            bias_initializer=keras.initializers.RandomNormal(stddev=1.0),
        )

    hidden = [dense(units, "relu") for units in HIDDEN_UNITS]
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


def spread_by_layer(model, x, y):
    """Spread of what flows through the network before the first update.

    Returns the loss, the standard deviation of each layer's outputs, and the root
    mean square of the loss's gradient for each layer's weights.
    """
    signal, deviations = tf.constant(x), []
    for layer in model.layers:
        signal = layer(signal)
        if isinstance(layer, layers.Dense):
            deviations.append(float(tf.math.reduce_std(signal)))
    with tf.GradientTape() as tape:
        loss = model.compute_loss(y=y, y_pred=model(x))
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    rms = [float(tf.sqrt(tf.reduce_mean(g**2))) for g in gradients[::2]]
    return float(loss), deviations, rms


def spread_figure(spreads):
    figure, axes = plots.new_figure(1, 2)
    for name, (_, deviations, gradients) in spreads.items():
        for axis, values in zip(axes, (deviations, gradients), strict=True):
            axis.semilogy(np.arange(1, len(values) + 1), values, "o-", label=name)
            axis.set(xlabel="layer", xticks=np.arange(1, len(values) + 1))
    axes[0].set_ylabel("standard deviation of outputs at step 0")
    axes[1].set_ylabel("RMS gradient of weights at step 0")
    axes[0].legend()
    return figure


def main(run):
    (x_train, y_train), validation, (x_test, y_test) = datasets.mnist(
        limit=run.pick(None, 1000)
    )
    models = {
        "normal": build_model(lambda: keras.initializers.RandomNormal(stddev=1.0)),
        "glorot": build_model(),
    }
    histories, accuracy, spreads = {}, {}, {}
    for name, model in models.items():
        spreads[name] = spread_by_layer(model, x_train[:1000], y_train[:1000])
        histories[name] = run.fit(
            model,
            x_train,
            y_train,
            batch_size=BATCH_SIZE,
            epochs=run.length(EPOCHS),
            validation_data=validation,
            name="model" if name == "glorot" else name,
        )
        accuracy[name] = 100 * model.evaluate(x_test, y_test, verbose=0)[1]

    probabilities = tf.nn.softmax(models["glorot"].predict(x_test, verbose=0)).numpy()
    answers = probabilities.argmax(axis=1)
    run.save_figure(spread_figure(spreads), "spread_by_layer")
    run.save_figure(plots.learning_curves(histories), "learning_curves")
    run.save_figure(plots.confusion_matrix(y_test, answers), "confusion_matrix")
    run.save_figure(
        plots.confident_mistakes(x_test, y_test, probabilities), "confident_mistakes"
    )
    return {
        "test_accuracy": accuracy["glorot"],
        "normal_accuracy": accuracy["normal"],
        "glorot_gain": accuracy["glorot"] - accuracy["normal"],
        "glorot_first_loss": spreads["glorot"][0],
        "normal_first_loss": spreads["normal"][0],
        "parameters": models["glorot"].count_params(),
    }


MEASURES = {
    "test_accuracy": Measure("%", "Glorot, 784-256-256-10", "Glorot, 784-256-256-10"),
    "normal_accuracy": Measure(
        "%", "control: weights start N(0, 1)", "대조: N(0, 1)로 시작"
    ),
    "glorot_gain": Measure(
        "pp", "gain of Glorot over N(0, 1)", "Glorot 빼기 N(0, 1)", paired=True
    ),
    "glorot_first_loss": Measure(
        "", "loss before training, Glorot", "학습 전 손실, Glorot"
    ),
    "normal_first_loss": Measure(
        "", "loss before training, N(0, 1)", "학습 전 손실, N(0, 1)"
    ),
    "parameters": Measure("", "weights and biases", "가중치와 편향의 수"),
}


if __name__ == "__main__":
    cli(main)
