"""Deeper: four hidden layers of 512, after 3 epochs and after 15.

제목: 더 깊은 신경망으로 숫자 인식: 3 에폭과 15 에폭
Question: Did the deeper network really get worse, as 97.23 % after 97.83 % suggests?
Finding: The two figures cannot tell, as they were read at different epochs: after 3 the
    deeper network is {mixed_gain} against the shallower one after 15, and 12 more
    epochs bring it {epochs_gain}. With 15 each it is {deeper_gain}, which five seeds do
    not tell from 0 (depth alone, 256x2 to 256x4: {depth_gain}; width alone, 256x4 to
    512x4: {width_gain}).
결과: 두 값만으로는 알 수 없습니다. 서로 다른 에폭에 읽은 값이기 때문입니다. 깊은 망을
    3에폭 뒤에, 얕은 망을 15에폭 뒤에 읽으면 차이가 {mixed_gain}인데, 깊은 망은 12에폭을
    더 배우면 {epochs_gain} 좋아집니다. 둘 다 15에폭 뒤에 읽으면 {deeper_gain}로, 시드
    다섯으로는 0과 구별되지 않습니다(깊이만 256x2에서 256x4로: {depth_gain}, 너비만
    256x4에서 512x4로: {width_gain}).
Lecture: 003, lab 23.py
Changes from: 22_initialization_mnist (four hidden layers of 512; read at two epochs)
Run: python recipes/23_deeper_mnist.py
Try: (1) eight hidden layers (2) the validation loss after epoch 5: what sets in?
    (3) 512x2: does width alone do more for two layers than for four?
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
from keras import layers

HIDDEN_UNITS = (512, 512, 512, 512)
CONTROLS = {"256x4": (256,) * 4, "256x2": (256,) * 2}  # narrower; and shallower, as 22
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


def readings_figure(histories, accuracy, early_epochs, epochs):
    """Right answers on the test at two readings; the lecture compares along the arrow.

    accuracy: by (network, epochs).
    """
    figure, axis = plots.new_figure(width=6, height=4)
    for index, (name, history) in enumerate(histories.items()):
        percent = [100 * value for value in history["val_accuracy"]]
        axis.plot(range(1, epochs + 1), percent, color=f"C{index}", alpha=0.3)
        read = accuracy[name, early_epochs], accuracy[name, epochs]
        axis.plot((early_epochs, epochs), read, f"C{index}o", markersize=9, label=name)
    ends = (early_epochs, accuracy["512x4", early_epochs]), (epochs, read[1])
    axis.annotate("", *ends, arrowprops={"arrowstyle": "->"})
    axis.set(xlabel="epoch", ylabel="% right, test (lines: validation)")
    axis.set_title("the lecture compares along the arrow")
    axis.legend()
    return figure


def main(run):
    (x_train, y_train), validation, (x_test, y_test) = datasets.mnist(
        limit=run.pick(None, 1000)
    )
    epochs = run.length(EPOCHS, quick=2)
    early_epochs = min(EARLY_EPOCHS, max(1, epochs - 1))
    models = {"512x4": build_model()}
    models |= {name: build_model(units) for name, units in CONTROLS.items()}
    histories, accuracy = {}, {}
    for name, model in models.items():
        histories[name], first = {}, 0
        for last in sorted({early_epochs, epochs}):
            history = run.fit(
                model,
                x_train,
                y_train,
                batch_size=BATCH_SIZE,
                initial_epoch=first,
                epochs=last,
                validation_data=validation,
                # The lesson's own in the end, and of each other state another file.
                name="model" if (name, last) == ("512x4", epochs) else f"{name}_{last}",
            )
            for metric, by_epoch in history.items():
                histories[name].setdefault(metric, []).extend(by_epoch)
            test = model.evaluate(x_test, y_test, batch_size=1000, verbose=0)
            accuracy[name, last], first = 100 * test[1], last

    run.save_figure(
        readings_figure(histories, accuracy, early_epochs, epochs), "two_readings"
    )
    run.save_figure(plots.learning_curves(histories), "learning_curves")
    early = {name: accuracy[name, early_epochs] for name in models}
    late = {name: accuracy[name, epochs] for name in models}
    return {
        "deep_accuracy_3": early["512x4"],
        "deep_accuracy_15": late["512x4"],
        "shallow_accuracy_3": early["256x2"],
        "shallow_accuracy_15": late["256x2"],
        "narrow_accuracy_15": late["256x4"],
        "mixed_gain": early["512x4"] - late["256x2"],
        "deeper_gain": late["512x4"] - late["256x2"],
        "depth_gain": late["256x4"] - late["256x2"],
        "width_gain": late["512x4"] - late["256x4"],
        "epochs_gain": late["512x4"] - early["512x4"],
        "parameters": models["512x4"].count_params(),
    }


MEASURES = {
    "deep_accuracy_3": Measure("%", "512x4, 3 epochs", "512x4, 3에폭"),
    "deep_accuracy_15": Measure("%", "512x4, 15 epochs", "512x4, 15에폭"),
    "shallow_accuracy_3": Measure("%", "256x2, 3 epochs", "256x2, 3에폭"),
    "shallow_accuracy_15": Measure("%", "256x2, 15 epochs", "256x2, 15에폭"),
    "narrow_accuracy_15": Measure("%", "256x4, 15 epochs", "256x4, 15에폭"),
    "mixed_gain": Measure(
        "pp",
        "512x4 after 3 minus 256x2 after 15",
        "512x4 3에폭 빼기 256x2 15에폭",
        paired=True,
    ),
    "deeper_gain": Measure("pp", "512x4 minus 256x2", "512x4 빼기 256x2", paired=True),
    "depth_gain": Measure("pp", "256x4 minus 256x2", "256x4 빼기 256x2", paired=True),
    "width_gain": Measure("pp", "512x4 minus 256x4", "512x4 빼기 256x4", paired=True),
    "epochs_gain": Measure("pp", "512x4, 15 minus 3", "15 빼기 3에폭", paired=True),
    "parameters": Measure("", "weights, biases", "매개변수의 수", deterministic=True),
}


if __name__ == "__main__":
    cli(main)
