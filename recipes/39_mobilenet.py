"""MobileNet: one kernel for each map, then 1x1, in place of kernels over all maps.

제목: MobileNet: 깊이별 분리 합성곱
Question: What do separable convolutions save, and what do they cost?
Finding: In a small network {product_ratio} times fewer multiplications change the
    accuracy after 400 updates by {full_gain}; against full convolutions that have as
    few, and as few weights, it is {budget_gain}. But they are not seconds: separable
    layers write {written_ratio} times as many values; a run prints what that takes.
결과: 작은 망에서 곱셈이 {product_ratio}분의 1로 줄고, 갱신 400번 뒤의 정답률은
    {full_gain} 달라집니다. 곱셈과 가중치의 수를 맞춘 일반 합성곱과 견주면
    {budget_gain}입니다. 그러나 곱셈이 곧 시간은 아닙니다. 분리 합성곱은 값을
    {written_ratio}배 많이 쓰며, 걸리는 시간의 비는 실행할 때 나옵니다.
Lecture: 001, Common Architectures: MobileNets
Changes from: 37_resnet (no shortcuts; depthwise convolutions)
Run: python recipes/39_mobilenet.py (--dataset cifar10: the small ones on photographs)
Try: (1) WIDTHS with 2: is the gain worth four times the work? (2) only the first four
    UNITS separable: which half of the network saves more, in multiplications and time?
"""

import time

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
# A first convolution, then units, maps and stride of each: MobileNet, and a small one.
FULL_SIZE = [(32, 2), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
FULL_SIZE += [(512, 1)] * 5 + [(1024, 2), (1024, 1)]
SMALL = [(16, 1), (32, 2), (32, 1), (64, 2), *[(64, 1)] * 3, (128, 2), (128, 1)]
NETWORKS = {  # small ones: whether separable, and the share of the maps that is left
    "separable": (True, 1),
    "separable_half": (True, 0.5),
    "separable_quarter": (True, 0.25),
    "full": (False, 1),
    "full_narrow": (False, 0.36),  # which multiplies as much as "separable"
}
IMAGES = 10_000  # to learn from, and as many for the test
BATCH_SIZE = 50
EPOCHS = 2  # 400 updates
# Adam's at the start, falling to 0, of separable and of full convolutions: the best of
# each on held-out images, of rates three times apart.
RATES = {True: 1e-2, False: 3e-3}


def norm(x):
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9, epsilon=1e-3)(x))


def unit(x, maps, stride, separable):
    """A full 3x3 convolution, or one kernel for each map and then 1x1 across them."""
    how = {"padding": "same", "use_bias": False}
    if not separable:
        return norm(layers.Conv2D(maps, 3, stride, **how)(x))
    x = norm(layers.DepthwiseConv2D(3, stride, **how)(x))
    return norm(layers.Conv2D(maps, 1, **how)(x))


def network(shape, units, classes, separable=True, width=1):
    x = image = keras.Input(shape)
    for index, (maps, stride) in enumerate(units):
        x = unit(x, int(maps * width), stride, separable and index > 0)
    return keras.Model(image, layers.Dense(classes)(layers.GlobalAveragePooling2D()(x)))


def full_size_model(separable=True, width=1):
    """MobileNet as in the paper, for 224 x 224 pixels and 1,000 classes."""
    return network((224, 224, 3), FULL_SIZE, 1000, separable, width)


def build_model(separable=True, width=1, shape=(28, 28, 1), updates=400):
    """A small network; width: the share of the maps that is left."""
    model = network(shape, SMALL, 10, separable, width)
    rate = keras.optimizers.schedules.CosineDecay(RATES[separable], updates)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    how = {"metrics": ["accuracy"], "jit_compile": False, "steps_per_execution": 25}
    model.compile(keras.optimizers.Adam(rate), loss, **how)
    return model


def count(model):
    """What a network has and does for an image; seen: pixels, by a last cell."""
    products = written = depth = 0
    seen = step = 1  # step: pixels from one cell to the next
    for layer in model.layers[1:]:
        written += np.prod(layer.output.shape[1:])
        if hasattr(layer, "kernel"):  # each of its weights is used once at each place
            products += np.prod((*layer.output.shape[1:-1], *layer.kernel.shape))
            depth += 1
            seen += (getattr(layer, "kernel_size", (1,))[0] - 1) * step
            step *= getattr(layer, "strides", (1,))[0]
    found = {"multiplications": products, "values written": written, "depth": depth}
    parameters = sum(np.prod(weight.shape) for weight in model.trainable_weights)
    return {**found, "receptive_field": seen, "parameters": parameters}


def least_seconds(models, x, y, rounds):
    """What one more update takes: the least of several rounds, in turns, by name."""
    taken = {name: [] for name in models}
    for name, model in [*models.items()] * rounds:
        started = time.perf_counter()
        model.train_on_batch(x, y)
        taken[name].append(time.perf_counter() - started)
    return {name: min(seconds) for name, seconds in taken.items()}


def architecture_figure(model):
    figure, axis = plots.new_figure(width=7, height=3)
    convs = [part for part in model.layers if isinstance(part, layers.Conv2D)]
    size, maps = np.transpose([part.output.shape[2:] for part in convs])
    axis.bar(np.cumsum(maps), size, -maps, align="edge", ec="white")
    axis.set(xlabel="maps of each of MobileNet's units", ylabel="pixels on a side")
    return figure


def savings_figure(counts, right, ratios):
    """Accuracy (right, %) by multiplications; full over separable (ratios)."""
    figure, (left, bars) = plots.new_figure(1, 2)
    for kind in ("separable", "full"):
        names = [name for name in counts if name.startswith(kind)]
        millions = [counts[name]["multiplications"] / 1e6 for name in names]
        left.semilogx(millions, [right[name] for name in names], "o-", label=kind)
    left.set(xlabel="million multiplications an image", ylabel="test accuracy (%)")
    left.legend()
    drawn = bars.bar(ratios.keys(), ratios.values(), color="C1")
    bars.bar_label(drawn, fmt="%.1f", label_type="center")
    bars.axhline(1, color="black", linestyle=":")
    bars.set(ylabel="full over separable, equal maps")
    return figure


def main(run):
    model = full_size_model()
    run.save_figure(architecture_figure(model), "architecture")
    values, full = count(model), count(full_size_model(separable=False))
    (x, y), _, test = datasets.pictures(run.options["dataset"], run.pick(IMAGES, 100))
    epochs, models, counts, right = run.length(EPOCHS), {}, {}, {}
    for name, (separable, width) in NETWORKS.items():
        updates = epochs * len(x) // BATCH_SIZE
        models[name] = model = build_model(separable, width, x.shape[1:], updates)
        model.run_eagerly = run.quick  # which would take longer to compile
        file = "model" if name == "separable" else name
        run.fit(model, x, y, batch_size=BATCH_SIZE, epochs=epochs, name=file)
        right[name] = 100 * model.evaluate(*test, batch_size=1000, verbose=0)[1]
        counts[name] = count(model)
    both = {name: models[name] for name in ("full", "separable")}
    seconds = least_seconds(both, x[:100], y[:100], rounds=run.pick(10, 1))
    more = {"seconds": seconds["full"] / seconds["separable"]}
    run.say(f"full convolutions take {more['seconds']:.1f} times the seconds here")
    for key in ("values written", "multiplications"):
        more[key] = counts["full"][key] / counts["separable"][key]
    run.save_figure(savings_figure(counts, right, more), "savings")
    values["written_ratio"] = 1 / more["values written"]
    del values["values written"]
    return values | {
        "full_parameters": full["parameters"],
        "full_multiplications": full["multiplications"],
        "product_ratio": more["multiplications"],
        **right,
        "full_gain": right["separable"] - right["full"],
        "budget_gain": right["separable"] - right["full_narrow"],
        "width_gain": right["separable"] - right["separable_quarter"],
    }


MEASURES = {
    "multiplications": Measure("", "MobileNet: products", "곱셈", deterministic=True),
    "depth": Measure("", "layers with weights", "층", deterministic=True),
    "receptive_field": Measure("pixels", "seen by an end cell", "보는 폭", False, True),
    "parameters": Measure("", "parameters", "매개변수", deterministic=True),
    "full_parameters": Measure("", "full: parameters", "일반: 매개변수", False, True),
    "full_multiplications": Measure("", "full: products", "일반: 곱셈", False, True),
    "product_ratio": Measure("", "small: products saved", "곱셈 비", False, True),
    "written_ratio": Measure("", "values written, more", "쓰는 값", deterministic=True),
    "separable": Measure("%", "separable: test accuracy", "분리: 정답률"),
    "separable_half": Measure("%", "half of the maps", "맵 절반"),
    "separable_quarter": Measure("%", "a quarter", "맵 4분의 1"),
    "full": Measure("%", "full convolutions, equal maps", "일반 합성곱, 같은 맵"),
    "full_narrow": Measure("%", "full, equal multiplications", "일반, 같은 곱셈 수"),
    "full_gain": Measure("pp", "separable - full, equal maps", "분리 - 일반", True),
    "budget_gain": Measure("pp", "separable - full, equal work", "같은 곱셈 수", True),
    "width_gain": Measure("pp", "all maps - a quarter", "전부 - 4분의 1", paired=True),
}


if __name__ == "__main__":
    cli(main)
