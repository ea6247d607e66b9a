"""A good start: Glorot initialisation.

제목: 가중치를 적절히 초기화한 신경망으로 숫자 인식
Question: Why is the same network three points better when its weights start smaller?
Finding: It starts nearer to knowing nothing, which costs ln 10 = 2.303: its loss before
    the first step is {glorot_first_loss}, and {zero_bias_first_loss} if biases are 0
    and not the lab's N(0, 1). From weights N(0, 1) signals grow from layer to layer
    into confident errors, a loss of {normal_first_loss}. After 15 epochs it has
    {test_accuracy} of new digits right, from N(0, 1) {normal_accuracy}, a gain of
    {glorot_gain}. A new order in every epoch (see 21) changes that by {order_gain}.
결과: 아무것도 모를 때의 손실 ln 10 = 2.303에 더 가까이에서 시작하기 때문입니다. 첫걸음
    전의 손실은 {glorot_first_loss}이고, 편향이 실습처럼 N(0, 1)이 아니라 0이면
    {zero_bias_first_loss}입니다. 가중치가 N(0, 1)이면 신호가 층마다 커져 확신에 찬
    오답이 되고 손실은 {normal_first_loss}입니다. 15에폭 뒤 처음 보는 숫자의 정답률은
    {test_accuracy}, N(0, 1)에서는 {normal_accuracy}이며, 차이는 {glorot_gain}입니다.
    에폭마다 새로 섞을 때(21 참고) 이 망의 차이는 {order_gain}입니다.
Lecture: 003, lab 22.py
Changes from: 21_relu_mnist (weights start Glorot uniform; N(0, 1) is the control)
Run: python recipes/22_initialization_mnist.py
Try: (1) He normal (2) biases at zero: do they matter as much as the weights?
    (3) all weights zero: what do the learning curves look like, and why?
"""

from functools import partial

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
    """Loss, deviation of each layer's outputs, RMS gradient of each layer's weights."""
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
    """Before the first step: the loss, and what flows forward and back, by layer."""
    figure, axes = plots.new_figure(1, 3, width=3.6)
    for index, (name, (loss, deviations, gradients)) in enumerate(spreads.items()):
        axes[0].bar(index, loss, color=f"C{index}")
        for axis, values in zip(axes[1:], (deviations, gradients), strict=True):
            axis.semilogy(("1", "2", "3"), values, "o-", label=name)
            axis.set_xlabel("layer")
    axes[0].set(yscale="log", ylim=(1, None), xticks=range(len(spreads)))
    axes[0].set_xticklabels([name.replace(", b", "\nb") for name in spreads])
    axes[0].axhline(np.log(10), color="black", linestyle=":")
    axes[0].set_title("loss (dotted: ln 10, knows nothing)")
    axes[1].set_title("deviation of the outputs")
    axes[2].set_title("gradient of the weights (RMS)")
    axes[1].legend()
    return figure


def main(run):
    (x_train, y_train), validation, (x_test, y_test) = datasets.mnist(
        limit=run.pick(None, 1000)
    )
    training = {"batch_size": BATCH_SIZE, "epochs": run.length(EPOCHS)}
    normal = partial(keras.initializers.RandomNormal, stddev=1.0)
    models = {"N(0, 1)": build_model(normal), "Glorot": build_model()}
    start = models["Glorot"].get_weights()
    unbiased, one_order = build_model(), build_model()
    unbiased.set_weights([weights * (weights.ndim > 1) for weights in start])
    one_order.set_weights(start)
    chosen = {**models, "Glorot, biases 0": unbiased}
    some = x_train[:1000], y_train[:1000]
    spreads = {name: spread_by_layer(model, *some) for name, model in chosen.items()}
    histories, accuracy = {}, {}
    for name, model in models.items():
        histories[name] = run.fit(
            model,
            x_train,
            y_train,
            **training,
            validation_data=validation,
            name="model" if name == "Glorot" else "normal",
        )
        accuracy[name] = 100 * model.evaluate(x_test, y_test, 1000, verbose=0)[1]
    # Keras' own fit, under a global seed: the same batches in every epoch, see 21.
    one_order.fit(x_train, y_train, **training, verbose=0)
    in_one_order = 100 * one_order.evaluate(x_test, y_test, 1000, verbose=0)[1]

    run.save_figure(spread_figure(spreads), "spread_by_layer")
    run.save_figure(plots.learning_curves(histories), "learning_curves")
    return {
        "test_accuracy": accuracy["Glorot"],
        "normal_accuracy": accuracy["N(0, 1)"],
        "glorot_gain": accuracy["Glorot"] - accuracy["N(0, 1)"],
        "glorot_first_loss": spreads["Glorot"][0],
        "zero_bias_first_loss": spreads["Glorot, biases 0"][0],
        "normal_first_loss": spreads["N(0, 1)"][0],
        "order_gain": accuracy["Glorot"] - in_one_order,
    }


MEASURES = {
    "test_accuracy": Measure("%", "Glorot, 784-256-256-10", "Glorot, 784-256-256-10"),
    "normal_accuracy": Measure("%", "control: weights N(0, 1)", "대조: 가중치 N(0, 1)"),
    "glorot_gain": Measure("pp", "Glorot minus N(0, 1)", "Glorot의 이득", paired=True),
    "glorot_first_loss": Measure("", "loss at step 0, Glorot", "학습 전 손실, Glorot"),
    "zero_bias_first_loss": Measure("", "the same, biases 0", "학습 전 손실, 편향 0"),
    "normal_first_loss": Measure("", "the same, N(0, 1)", "학습 전 손실, N(0, 1)"),
    "order_gain": Measure("pp", "reshuffled minus one order", "섞는 이득", paired=True),
}


if __name__ == "__main__":
    cli(main)
