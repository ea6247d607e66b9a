"""Softmax regression reads handwritten digits.

제목: 소프트맥스 회귀로 손글씨 숫자 인식
Question: How far does one layer of ten neurons, with no hidden layer, get on MNIST?
Finding: After 15 epochs it names {test_accuracy} of {test_images} new digits. Its
    {parameters} parameters are one template of {pixels} weights and a bias for each of
    {classes} classes, and weighing a digit's pixels by them is all it can do.
결과: 15에폭 뒤 처음 보는 숫자 {test_images}개 중 {test_accuracy}를 맞힙니다. 매개변수
    {parameters}개는 클래스 {classes}개마다 가중치 {pixels}개인 본 하나와 편향 하나이며,
    이 망이 할 수 있는 일은 그 본으로 픽셀의 무게를 다는 것뿐입니다.
Lecture: 003, lab 20.py
Changes from: nothing, this is the first MNIST lab; 21 adds hidden layers
Run: python recipes/20_softmax_mnist.py
Try: (1) start the weights at zero instead of N(0, 1): is the start worth 15 epochs?
    (2) 50 epochs (3) look at the weight image of 3: which pixels speak against it?
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


MEASURES = {
    "test_accuracy": Measure("%", "softmax, 784-10", "소프트맥스, 784-10"),
    "parameters": Measure("", "weights and biases", "가중치와 편향의 수"),
    "training_images": Measure(
        "", "training images, held-out included", "학습 이미지, 검증용 포함"
    ),
    "test_images": Measure("", "test images", "시험 이미지"),
    "pixels": Measure("", "inputs, 28 * 28", "입력, 28 * 28"),
    "classes": Measure("", "classes", "클래스"),
}


if __name__ == "__main__":
    cli(main)
