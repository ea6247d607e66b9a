"""Deeper: four hidden layers of 512, after 3 epochs and after 15.

제목: 더 깊은 신경망으로 숫자 인식: 3 에폭과 15 에폭
Question: Did the deeper network really get worse, as 97.23 % after 97.83 % suggests?
Finding: No, the two figures were read at different epochs: after 3 the deeper (and
    wider) network has {deep_accuracy_3} right and the shallower one
    {shallow_accuracy_3}, after 15 {deep_accuracy_15} and {shallow_accuracy_15}. The
    difference after 15 epochs, {depth_gain}, is not significant, so that no gain was
    seen, either.
결과: 아닙니다. 두 값은 서로 다른 에폭의 것입니다. 3에폭 뒤에 더 깊은(그리고 더 넓은)
    망은 {deep_accuracy_3}, 얕은 망은 {shallow_accuracy_3}이고, 15에폭 뒤에는
    {deep_accuracy_15}와 {shallow_accuracy_15}입니다. 15에폭 뒤의 차이({depth_gain})는
    유의하지 않으므로, 나아졌다고 할 수도 없습니다.
Lecture: 003, lab 23.py
Changes from: 22_initialization_mnist (four hidden layers of 512; read at two epochs)
Run: python recipes/23_deeper_mnist.py
Try: (1) eight hidden layers (2) the validation loss after epoch 5: what sets in?
    (3) 30 epochs
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import tensorflow as tf
from keras import layers

HIDDEN_UNITS = (512, 512, 512, 512)
SHALLOW_UNITS = (256, 256)  # the control: the network of 22
BATCH_SIZE = 100  # 550 updates per epoch on 55,000 images
EPOCHS = 15
EARLY_EPOCHS = 3  # where the lecture's figure was read, though its labs run 15
LEARNING_RATE = 1e-3
EPSILON = 1e-8  # Adam's in TensorFlow 1, which the lab used; Keras' is 1e-7


def build_model(hidden_units=HIDDEN_UNITS):
    def dense(units, activation=None):
        return layers.Dense(
            units,
            activation=activation,
            kernel_initializer=keras.initializers.GlorotUniform(),
            bias_initializer=keras.initializers.RandomNormal(stddev=1.0),
        )

    hidden = [dense(units, "relu") for units in hidden_units]
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
    epochs = run.length(EPOCHS, quick=4)
    early_epochs = min(EARLY_EPOCHS, epochs)
    models = {"deep": build_model(), "shallow": build_model(SHALLOW_UNITS)}
    # The file of each network after the first part, and after both.
    files = {"deep": ("model_3", "model"), "shallow": ("shallow_3", "shallow_15")}
    parts = (("3", 0, early_epochs), ("15", early_epochs, epochs))
    histories, values = {}, {}
    for name, model in models.items():
        histories[name] = {}
        for (part, first, last), file in zip(parts, files[name], strict=True):
            history = run.fit(
                model,
                x_train,
                y_train,
                batch_size=BATCH_SIZE,
                initial_epoch=first,
                epochs=last,
                validation_data=validation,
                name=file,
            )
            for metric, by_epoch in history.items():
                histories[name].setdefault(metric, []).extend(by_epoch)
            accuracy = 100 * model.evaluate(x_test, y_test, verbose=0)[1]
            values[f"{name}_accuracy_{part}"] = accuracy

    probabilities = tf.nn.softmax(models["deep"].predict(x_test, verbose=0)).numpy()
    answers = probabilities.argmax(axis=1)
    run.save_figure(plots.learning_curves(histories), "learning_curves")
    run.save_figure(plots.confusion_matrix(y_test, answers), "confusion_matrix")
    run.save_figure(
        plots.confident_mistakes(x_test, y_test, probabilities), "confident_mistakes"
    )
    return {
        **values,
        "depth_gain": values["deep_accuracy_15"] - values["shallow_accuracy_15"],
        "parameters": models["deep"].count_params(),
    }


MEASURES = {
    "deep_accuracy_3": Measure("%", "784-512x4-10, 3 epochs", "784-512x4-10, 3에폭"),
    "deep_accuracy_15": Measure("%", "784-512x4-10, 15 epochs", "784-512x4-10, 15에폭"),
    "shallow_accuracy_3": Measure(
        "%", "control: 784-256x2-10, 3 epochs", "대조: 784-256x2-10, 3에폭"
    ),
    "shallow_accuracy_15": Measure(
        "%", "control: 784-256x2-10, 15 epochs", "대조: 784-256x2-10, 15에폭"
    ),
    "depth_gain": Measure(
        "pp",
        "deeper minus shallower, both 15 epochs",
        "깊은 망 빼기 얕은 망, 둘 다 15에폭",
        paired=True,
    ),
    "parameters": Measure("", "weights and biases", "가중치와 편향의 수"),
}


if __name__ == "__main__":
    cli(main)
