"""Depth harms a plain network, on what it trains on too; shortcuts repair most of it.

제목: ResNet: 깊어지면 나빠지는 망과 지름길 연결
Question: Why do 56 layers learn worse than 20, and what do shortcuts change?
Finding: After 500 updates 36 more layers change a plain network's error in training by
    {plain_cost_training} and in the test by {plain_cost_test}: it does not overfit, it
    learns worse. With shortcuts: {residual_cost_training} and {residual_cost_test}. No
    gradient vanishes: untrained, the deep plain network has {gradient_plain} times the
    gradient of the shallow one at its first layer.
결과: 갱신 500번 뒤, 36층을 더하면 일반 망의 오류율은 학습에서 {plain_cost_training},
    시험에서 {plain_cost_test} 달라집니다. 과적합이 아니라 학습이 덜 되는 것입니다.
    지름길이 있으면 {residual_cost_training}와 {residual_cost_test}입니다. 기울기도
    사라지지 않고, 학습 전 첫 층에서 깊은 일반 망이 얕은 망의 {gradient_plain}배입니다.
Lecture: 000 and 002, ResNet; 004, advanced CNN: ResNet
Changes from: 32_cnn_mnist (depth, batch normalization, shortcuts)
Run: python recipes/37_resnet.py (--dataset cifar10: the small ones on photographs)
Try: (1) --epochs 20: how far does plain-56 catch up? (2) train "pre-activation", too
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

OPTIONS = {
    "--dataset": {
        "choices": ["fashion_mnist", "cifar10"],
        "default": "fashion_mnist",
        "reproduce": "fashion_mnist",
        "help": "what the small networks learn: fashion_mnist (default) or cifar10",
    }
}
STAGES = (3, 8, 36, 3)  # blocks of ResNet-152, of 64, 128, 256 and 512 maps
MAPS = (8, 16, 32)  # of the small networks' stages, 14, 7 and 4 pixels wide
DEPTHS = (20, 56)  # layers of the small networks: 2, and 2 a block
IMAGES = 5_000  # to learn from
BATCH_SIZE = 50
EPOCHS = 5  # 500 updates
LEARNING_RATE = 0.03  # falls to 0; of 0.1 and 0.03 the better for each, to a point
COLORS = {"plain": "C3", "residual": "C0", "pre-activation": "C2"}


def conv(x, maps, kernel=3, stride=1):
    x = layers.ZeroPadding2D(kernel // 2)(x)  # "same" is one-sided where stride is 2
    how = {"use_bias": False, "kernel_initializer": "he_uniform"}
    return layers.Conv2D(maps, kernel, stride, **how)(x)


def norm(x, relu=True):
    x = layers.BatchNormalization(momentum=0.9, epsilon=1.001e-5)(x)  # 0.99: too slow
    return layers.ReLU()(x) if relu else x


def block(x, maps, stride, kind):
    """What its layers find, added to what came in (unless "plain")."""
    kept = x
    if kind == "bottleneck":  # of ResNet-152: 1x1, 3x3, and 1x1 with four times as many
        if x.shape[-1] != 4 * maps:
            kept = norm(conv(x, 4 * maps, 1, stride), relu=False)
        x = norm(conv(norm(conv(x, maps, 1, stride)), maps))
        return layers.ReLU()(layers.add([kept, norm(conv(x, 4 * maps, 1), False)]))
    if stride > 1:  # without weights: every second pixel, zeros for the new maps
        kept = layers.MaxPooling2D(1, stride)(x)
        kept = layers.Concatenate()([kept, ops.zeros_like(kept)])
    if kind == "pre-activation":
        return layers.add([kept, conv(norm(conv(norm(x), maps, 3, stride)), maps)])
    x = norm(conv(norm(conv(x, maps, 3, stride)), maps), relu=False)
    return layers.ReLU()(x if kind == "plain" else layers.add([kept, x]))


def stack(x, blocks, maps, kind):
    """Stages of blocks; from the second on, each halves height and width."""
    for stage, count in enumerate(blocks):
        for index in range(count):
            x = block(x, maps[stage], 2 if stage and not index else 1, kind)
    return layers.GlobalAveragePooling2D()(norm(x) if kind == "pre-activation" else x)


def full_size_model():
    """ResNet-152 as in the paper, for 224 x 224 pixels and 1,000 classes."""
    image = keras.Input((224, 224, 3))
    x = layers.ZeroPadding2D(1)(norm(conv(image, 64, 7, stride=2)))
    x = stack(layers.MaxPooling2D(3, 2)(x), STAGES, (64, 128, 256, 512), "bottleneck")
    return keras.Model(image, layers.Dense(1000, activation="softmax")(x))


def build_model(kind="residual", depth=DEPTHS[1], shape=(28, 28, 1), updates=500):
    """A small network: "plain", "residual" (2015) or "pre-activation" (2016)."""
    image = keras.Input(shape)
    x = stack(norm(conv(image, MAPS[0], 3, 2)), [(depth - 2) // 6] * 3, MAPS, kind)
    model = keras.Model(image, layers.Dense(10)(x))
    falling = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, updates)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    how = {"metrics": ["accuracy"], "jit_compile": False, "steps_per_execution": 25}
    model.compile(keras.optimizers.SGD(falling, momentum=0.9), loss, **how)
    return model


def count(model):
    """Multiplications for an image, layers in a row, pixels that a last cell sees."""
    products, reached = 0, {}  # by tensor: layers, pixels seen, pixels between cells
    for layer in model.layers[1:]:
        inputs = keras.tree.flatten(layer.input)
        depth, seen, step = np.max([reached.get(id(x), (0, 1, 1)) for x in inputs], 0)
        if hasattr(layer, "kernel"):  # each weight is used once at each place
            products += np.prod((*layer.output.shape[1:-1], *layer.kernel.shape))
            depth += 1
        window = getattr(layer, "kernel_size", getattr(layer, "pool_size", (1,)))
        seen += (window[0] - 1) * step
        step *= getattr(layer, "strides", (1,))[0]
        reached[id(layer.output)] = depth, seen, step
    return {"multiplications": products, "depth": depth, "receptive_field": seen}


def gradients(model, x, y):
    """Root mean square gradient of each convolution's weights, from first to last."""
    kernels = [part.kernel for part in model.layers if isinstance(part, layers.Conv2D)]
    with tf.GradientTape() as tape:
        loss = model.compute_loss(y=y, y_pred=model(x, training=True))
    return [np.sqrt(np.mean(np.square(g))) for g in tape.gradient(loss, kernels)]


def architecture_figure(model):
    figure, axis = plots.new_figure(width=7, height=3)
    sums = [x.output.shape[1:] for x in model.layers if isinstance(x, layers.Add)]
    size, _, maps = np.transpose(sums)
    axis.bar(np.cumsum(maps), size, -maps, align="edge", ec="white")
    axis.set(xlabel="maps of each of ResNet-152's blocks", ylabel="pixels on a side")
    return figure


def degradation_figure(errors, slopes):
    figure, (left, right) = plots.new_figure(1, 2)
    for (kind, part), pair in errors.items():
        left.plot(DEPTHS, pair, COLORS[kind] + ("o-" if part == "test" else "o:"))
    left.set(xlabel="layers", ylabel="error (%), training dotted", xticks=DEPTHS)
    for kind, (_, deep) in slopes.items():
        right.semilogy(deep, COLORS[kind], label=kind)
    right.set(xlabel="layer of 56", ylabel="gradient (rms) before training")
    right.legend()
    return figure


def main(run):
    model = full_size_model()
    run.save_figure(architecture_figure(model), "architecture")
    values = count(model)
    biases = sum(x.filters for x in model.layers if isinstance(x, layers.Conv2D))
    values["parameters"] = model.count_params() + biases
    parts = datasets.pictures(run.options["dataset"], run.pick(None, 100))
    (x, y), test = (part[:IMAGES] for part in parts[0]), parts[2]
    epochs, errors, slopes = run.length(EPOCHS), {}, {}
    for kind in COLORS:
        for depth in run.pick(DEPTHS, (8, 14)):
            model = build_model(kind, depth, x.shape[1:], epochs * len(x) // BATCH_SIZE)
            slopes.setdefault(kind, []).append(gradients(model, x[:100], y[:100]))
            if kind != "pre-activation":
                model.run_eagerly = run.quick  # which would take longer to compile
                name = f"{kind}_{depth}".replace("residual_56", "model")
                run.fit(model, x, y, batch_size=BATCH_SIZE, epochs=epochs, name=name)
                for part, data in (("training", (x, y)), ("test", test)):
                    right = model.evaluate(*data, batch_size=1000, verbose=0)[1]
                    errors.setdefault((kind, part), []).append(100 - 100 * right)
    run.save_figure(degradation_figure(errors, slopes), "degradation")
    for (kind, part), (shallow, deep) in errors.items():
        values |= {f"{kind}_20_{part}": shallow, f"{kind}_56_{part}": deep}
        values[f"{kind}_cost_{part}"] = deep - shallow
    for kind, (shallow, deep) in slopes.items():
        values["gradient_" + kind.replace("-", "")] = deep[0] / shallow[0]
    return values


MEASURES = {
    "multiplications": Measure("", "ResNet-152: products", "곱셈", deterministic=True),
    "depth": Measure("", "layers with weights", "층", deterministic=True),
    "receptive_field": Measure("pixels", "seen by an end cell", "보는 폭", False, True),
    "parameters": Measure("", "parameters as in Keras", "매개변수", False, True),
    "plain_20_training": Measure("%", "plain-20: error, training", "일반 20: 학습"),
    "plain_20_test": Measure("%", "plain-20: error, test", "일반 20: 시험 오류율"),
    "plain_56_training": Measure("%", "plain-56: error, training", "일반 56: 학습"),
    "plain_56_test": Measure("%", "plain-56: error, test", "일반 56: 시험 오류율"),
    "residual_20_training": Measure("%", "ResNet-20: training", "잔차 20: 학습"),
    "residual_20_test": Measure("%", "ResNet-20: test", "잔차 20: 시험 오류율"),
    "residual_56_training": Measure("%", "ResNet-56: training", "잔차 56: 학습"),
    "residual_56_test": Measure("%", "ResNet-56: test", "잔차 56: 시험 오류율"),
    "plain_cost_training": Measure("pp", "plain, 56 - 20: training", "일반 학습", True),
    "plain_cost_test": Measure("pp", "plain, 56 - 20: test", "일반: 시험", paired=True),
    "residual_cost_training": Measure("pp", "ResNet, 56 - 20", "잔차: 학습", True),
    "residual_cost_test": Measure("pp", "ResNet, 56 - 20: test", "잔차: 시험", True),
    "gradient_plain": Measure("", "first gradient, 56 / 20: plain", "첫 기울기: 일반"),
    "gradient_residual": Measure("", "first gradient: residual", "첫 기울기: 잔차"),
    "gradient_preactivation": Measure("", "first gradient: pre-activation", "선활성화"),
}


if __name__ == "__main__":
    cli(main)
