"""DenseNet: every layer sees the maps of all layers before it in its block.

제목: DenseNet: 앞의 모든 맵을 이어 붙이기
Question: What does it bring to keep all maps beside each other in place of adding them?
Finding: After 400 updates it brings {parameters_gain} of accuracy at equal weights and
    {products_gain} at equal multiplications; 12 new maps a layer in place of 4 bring
    {growth_gain}. DenseNet-121's 1x1 bottleneck saves {parameters_saved} of weights and
    {multiplications_saved} of multiplications: it pays from {pays_from} maps on.
결과: 갱신 400번 뒤, 더하는 망에 견준 정답률의 차이는 가중치 수가 같으면
    {parameters_gain}, 곱셈 수가 같으면 {products_gain}입니다. 층마다 맵을 4개 대신
    12개씩 늘리면 {growth_gain} 달라집니다. DenseNet-121의 1x1 병목은 가중치를
    {parameters_saved}, 곱셈을 {multiplications_saved} 줄이는데, 들어오는 맵이
    {pays_from}개는 되어야 이득입니다.
Lecture: 004, advanced CNN: DenseNet
Changes from: 37_resnet (maps are concatenated, not added)
Run: python recipes/38_densenet.py (--dataset cifar10: the small ones on photographs)
Try: (1) GROWTH = 64: from which maps on does the bottleneck pay now? (2) deeper blocks
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers

OPTIONS = {
    "--dataset": {
        "choices": ["fashion_mnist", "cifar10"],
        "default": "fashion_mnist",
        "reproduce": "fashion_mnist",
        "help": "what the small networks learn: fashion_mnist (default) or cifar10",
    }
}
DEPTHS, GROWTH = (6, 12, 24, 16), 32  # of DenseNet-121: layers in a block, new maps
SLIDE = (5, 4)  # the same of the block in the slide's figure 1
# Small networks: maps at first, new ones a layer (0: it adds to those there are).
NETWORKS = {
    "grows_4": (16, 4),
    "grows_8": (16, 8),
    "grows_12": (16, 12),
    "adds_parameters": (9, 0),  # as many weights as "grows_8"
    "adds_products": (13, 0),  # as many multiplications
}
IMAGES = 10_000  # to learn from, and as many for the test
BATCH_SIZE = 50
EPOCHS = 2  # 400 updates
LEARNING_RATE = 0.1  # falls to 0; of 0.1 and 0.03 the better for both kinds


def conv(x, maps, kernel=3, stride=1):
    x = layers.ZeroPadding2D(kernel // 2)(x)  # "same" is one-sided where stride is 2
    how = {"use_bias": False, "kernel_initializer": "he_uniform"}
    return layers.Conv2D(maps, kernel, stride, **how)(x)


def norm(x):
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9, epsilon=1.001e-5)(x))


def block(x, depth, growth, bottleneck=False):
    """Layers that put `growth` maps beside all before them; 0: that add to them."""
    for _ in range(depth):
        new = norm(x)
        if bottleneck:
            new = norm(conv(new, 4 * growth, 1))
        new = conv(new, growth or x.shape[-1])
        x = layers.concatenate([x, new]) if growth else layers.add([x, new])
    return x


def stack(x, depths, growth, share, bottleneck=False):
    """Blocks; between them 1x1 leaves a share of the maps, and pooling halves them."""
    for index, depth in enumerate(depths):
        if index:
            x = conv(norm(x), int(share * x.shape[-1]), 1)
            x = layers.AveragePooling2D(2)(x)
        x = block(x, depth, growth, bottleneck)
    return layers.GlobalAveragePooling2D()(norm(x))


def full_size_model(bottleneck=True):
    """DenseNet-121 as in the paper, for 224 x 224 pixels and 1,000 classes."""
    image = keras.Input((224, 224, 3))
    x = layers.ZeroPadding2D(1)(norm(conv(image, 2 * GROWTH, 7, stride=2)))
    x = stack(layers.MaxPooling2D(3, 2)(x), DEPTHS, GROWTH, 0.5, bottleneck)
    return keras.Model(image, layers.Dense(1000, activation="softmax")(x))


def build_model(maps=16, growth=8, shape=(28, 28, 1), updates=400):
    image = keras.Input(shape)
    x = stack(conv(image, maps, 3, 2), (4, 4, 4), growth, 1 if growth else 2)
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
    found = {"multiplications": products, "depth": depth, "receptive_field": seen}
    return found | {"parameters": model.count_params()}


def layer_weights(model, bottleneck=False):
    """Maps that come into each layer of the blocks, and its weights: [2, layers]."""
    shapes = [x.kernel.shape for x in model.layers if isinstance(x, layers.Conv2D)]
    pairs = zip([shapes[0], *shapes], shapes, strict=False)
    found = [[*pair][not bottleneck :] for pair in pairs if pair[1][0] == 3]
    return np.transpose([(each[0][2], sum(map(np.prod, each))) for each in found])


def architecture_figure(model):
    figure, axis = plots.new_figure(width=7, height=3)
    sums = [x.output.shape for x in model.layers if isinstance(x, layers.Concatenate)]
    size, maps = np.transpose([shape[2:] for shape in sums])
    axis.bar(np.cumsum(maps), size, -maps, align="edge", ec="white")
    axis.set(xlabel="maps after each layer of DenseNet-121", ylabel="pixels on a side")
    return figure


def findings_figure(costs, right, maps, direct, narrow):
    """Accuracy (right, %) by multiplications (costs); a layer's weights by its maps."""
    figure, (left, middle) = plots.new_figure(1, 2)
    for kind, label in (("grows", "concatenation"), ("adds", "addition")):
        names = [name for name in costs if name.startswith(kind)]
        millions = [costs[name] / 1e6 for name in names]
        left.plot(millions, [right[name] for name in names], "o-", label=label)
    left.set(xlabel="million multiplications an image", ylabel="test accuracy (%)")
    left.legend()
    middle.plot(maps, direct / 1e3, ".", label="3x3 at once")
    middle.plot(maps, narrow / 1e3, ".", label="1x1, then 3x3")
    middle.set(xlabel="maps that come into a layer", ylabel="thousand weights")
    middle.legend()
    return figure


def main(run):
    model, without = full_size_model(), full_size_model(bottleneck=False)
    run.save_figure(architecture_figure(model), "architecture")
    values, other = count(model), count(without)
    for name in ("multiplications", "parameters"):
        values[f"{name}_saved"] = 100 * (1 - values[name] / other[name])
    maps, narrow = layer_weights(model, bottleneck=True)
    _, direct = layer_weights(without)
    values["pays_from"] = maps[narrow < direct].min()
    image = keras.Input((8, 8, SLIDE[1]))
    sources, _ = layer_weights(keras.Model(image, block(image, *SLIDE)))
    values["connections"] = sources.sum() / SLIDE[1]
    (x, y), _, test = datasets.pictures(run.options["dataset"], run.pick(IMAGES, 100))
    epochs, costs, right = run.length(EPOCHS), {}, {}
    for name, how in NETWORKS.items():
        model = build_model(*how, x.shape[1:], epochs * len(x) // BATCH_SIZE)
        model.run_eagerly = run.quick  # which would take longer to compile
        file = "model" if name == "grows_8" else name
        run.fit(model, x, y, batch_size=BATCH_SIZE, epochs=epochs, name=file)
        right[name] = 100 * model.evaluate(*test, batch_size=1000, verbose=0)[1]
        costs[name] = count(model)["multiplications"]
    run.save_figure(findings_figure(costs, right, maps, direct, narrow), "findings")
    values["growth_gain"] = right["grows_12"] - right["grows_4"]
    values["parameters_gain"] = right["grows_8"] - right["adds_parameters"]
    values["products_gain"] = right["grows_8"] - right["adds_products"]
    return values | right


MEASURES = {
    "multiplications": Measure("", "DenseNet-121: products", "곱셈", False, True),
    "depth": Measure("", "layers with weights", "층", deterministic=True),
    "receptive_field": Measure("pixels", "seen by an end cell", "보는 폭", False, True),
    "parameters": Measure("", "parameters", "매개변수", deterministic=True),
    "multiplications_saved": Measure("%", "1x1 saves: products", "곱셈", False, True),
    "parameters_saved": Measure("%", "1x1 saves: weights", "1x1: 가중치", False, True),
    "pays_from": Measure("", "maps for 1x1 to pay", "이득 보는 맵 수", False, True),
    "connections": Measure("", "connections, figure 1", "그림 1의 연결", False, True),
    "grows_4": Measure("%", "small: 4 maps a layer, test", "층마다 맵 4개: 정답률"),
    "grows_8": Measure("%", "8 maps a layer", "맵 8개"),
    "grows_12": Measure("%", "12 maps a layer", "맵 12개"),
    "adds_parameters": Measure("%", "adds, weights as with 8", "더하기, 같은 가중치"),
    "adds_products": Measure("%", "adds, products as with 8", "더하기, 같은 곱셈 수"),
    "growth_gain": Measure("pp", "12 maps - 4", "맵 12개 - 4개", paired=True),
    "parameters_gain": Measure("pp", "8 - adding, equal weights", "같은 가중치", True),
    "products_gain": Measure("pp", "8 - adding, equal products", "같은 곱셈 수", True),
}


if __name__ == "__main__":
    cli(main)
