"""Dropout: leaving neurons out while learning.

제목: 드롭아웃을 적용한 깊은 신경망으로 숫자 인식
Question: Does dropout help the deep network, and where does it matter?
Finding: Accuracy hardly shows it. From the same start, after 15 epochs, the network
    with dropout has {test_accuracy} right and the one without {plain_accuracy}:
    {dropout_gain}; on 5,000 images, after 45 epochs, {few_accuracy} against
    {few_plain_accuracy}: {few_gain}. The loss on validation images does where images
    are few, {few_loss_change} (on all of them {loss_change}). Its lead on the training
    images is {plain_gap} without dropout and {dropout_gap} with it.
결과: 정답률로는 거의 드러나지 않습니다. 같은 가중치에서 시작해 15에폭 학습하면
    드롭아웃을 쓴 망이 {test_accuracy}, 쓰지 않은 망이 {plain_accuracy}로 차이는
    {dropout_gain}이고, 이미지 5,000장으로 45에폭 학습해도 {few_accuracy} 대
    {few_plain_accuracy}로 {few_gain}입니다. 이미지가 적을 때 달라지는 것은 검증
    손실이며, 그 차이는 {few_loss_change}입니다(전체 이미지에서는 {loss_change}). 학습
    이미지에서 앞서는 폭은 드롭아웃이 없으면 {plain_gap}, 있으면 {dropout_gap}입니다.
Lecture: 003, lab 24.py; 004, dropout
Changes from: 23_deeper_mnist (dropout after every hidden layer; without is the control)
Run: python recipes/24_dropout_mnist.py
Try: (1) rate 0.5 (2) 15 epochs on 5,000 images: is dropout worth less learning time?
    (3) 500 images
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers

HIDDEN_UNITS = (512, 512, 512, 512)
DROPOUT_RATE = 0.3  # the lab keeps 0.7 of each hidden layer's neurons
BATCH_SIZE = 100  # 550 updates per epoch on 55,000 images
EPOCHS = 15
FEW_IMAGES = 5_000
FEW_EPOCHS = 45  # with dropout a network learns more slowly
LEARNING_RATE = 1e-3
EPSILON = 1e-8  # Adam's in TensorFlow 1, which the lab used; Keras' is 1e-7


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
        hidden += [dense(units, "relu"), layers.Dropout(dropout_rate)]
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


def dropped_share(model):
    """Percent of ones that the network's first dropout layer sets to 0."""
    layer = next(layer for layer in model.layers if isinstance(layer, layers.Dropout))
    ones = np.ones((1000, *layer.output.shape[1:]), "float32")
    return 100 * np.mean(layer(ones, training=True) == 0)


def loss_figure(histories):
    """Loss on validation images by epoch: all training images, and few of them."""
    figure, axes = plots.new_figure(1, 2)
    for name, history in histories.items():
        axis, loss = axes[int(name.startswith("few_"))], history["val_loss"]
        axis.plot(range(1, len(loss) + 1), loss, label=name.removeprefix("few_"))
    axes[0].set(title="all images", xlabel="epoch", ylabel="validation loss")
    axes[1].set(title=f"{FEW_IMAGES:,} images", xlabel="epoch")
    axes[0].legend()
    return figure


def main(run):
    (x_train, y_train), validation, (x_test, y_test) = datasets.mnist(
        limit=run.pick(None, 1000)
    )
    amounts = {"": (len(x_train), EPOCHS), "few_": (FEW_IMAGES, FEW_EPOCHS)}
    histories, accuracy, gap = {}, {}, {}
    for prefix, (images, epochs) in amounts.items():
        x, y = x_train[:images], y_train[:images]
        plain, dropout = build_model(0.0), build_model(DROPOUT_RATE)
        dropout.set_weights(plain.get_weights())  # the same start
        pair = {f"{prefix}plain": plain, f"{prefix}dropout": dropout}
        for name, model in pair.items():
            histories[name] = run.fit(
                model,
                x,
                y,
                batch_size=BATCH_SIZE,
                epochs=run.length(epochs),
                validation_data=validation,
                name="model" if name == "dropout" else name,
            )
            accuracy[name] = 100 * model.evaluate(x_test, y_test, 1000, verbose=0)[1]
            # Measured without dropout in both; the curves' training half is with it.
            on_training = 100 * model.evaluate(x, y, 1000, verbose=0)[1]
            gap[name] = on_training - 100 * histories[name]["val_accuracy"][-1]
    loss = {name: history["val_loss"][-1] for name, history in histories.items()}
    run.save_figure(loss_figure(histories), "validation_loss")
    return {
        "test_accuracy": accuracy["dropout"],
        "plain_accuracy": accuracy["plain"],
        "dropout_gain": accuracy["dropout"] - accuracy["plain"],
        "few_accuracy": accuracy["few_dropout"],
        "few_plain_accuracy": accuracy["few_plain"],
        "few_gain": accuracy["few_dropout"] - accuracy["few_plain"],
        "loss": loss["dropout"],
        "plain_loss": loss["plain"],
        "loss_change": loss["dropout"] - loss["plain"],
        "few_loss_change": loss["few_dropout"] - loss["few_plain"],
        "plain_gap": gap["plain"],
        "dropout_gap": gap["dropout"],
        "dropped_share": dropped_share(dropout),
        "parameters": dropout.count_params(),
    }


MEASURES = {
    "test_accuracy": Measure("%", "with dropout 0.3", "드롭아웃 0.3을 쓴 정확도"),
    "plain_accuracy": Measure("%", "control: without dropout", "대조: 드롭아웃 없음"),
    "dropout_gain": Measure("pp", "gain of dropout", "드롭아웃의 이득", paired=True),
    "few_accuracy": Measure("%", "5,000 images, with", "5,000장, 드롭아웃"),
    "few_plain_accuracy": Measure("%", "5,000 images, without", "5,000장, 없음"),
    "few_gain": Measure("pp", "gain, 5,000 images", "5,000장에서의 이득", paired=True),
    "loss": Measure("", "validation loss, with", "검증 손실, 드롭아웃"),
    "plain_loss": Measure("", "validation loss, without", "검증 손실, 없음"),
    "loss_change": Measure("", "loss: with - without", "검증 손실의 변화", paired=True),
    "few_loss_change": Measure("", "loss, 5,000 images", "변화, 5,000장", paired=True),
    "plain_gap": Measure("pp", "training minus validation", "학습 빼기 검증, 없음"),
    "dropout_gap": Measure("pp", "the same, with", "학습 빼기 검증, 드롭아웃"),
    "dropped_share": Measure("%", "neurons left out", "빠진 신경 세포의 비율"),
    "parameters": Measure("", "weights, biases", "매개변수의 수", deterministic=True),
}


if __name__ == "__main__":
    cli(main)
