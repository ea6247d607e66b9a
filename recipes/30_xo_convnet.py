"""A small convolutional network tells X from O.

제목: 합성곱 신경망은 X와 O를 어떻게 구별하는가
Question: Why compare small patches and not whole images, and what is left to learn?
Finding: A filter finds its stroke wherever it lies, so as many weights get further:
    with {parameters} parameters, learned filters have {model_accuracy} of varied
    letters right, a dense network {dense_accuracy} ({gain}). Filters and votes are to
    be learned: given, they get {filter_accuracy} (two templates: {template_accuracy}),
    learned {learned_accuracy} (a linear reader of pixels: {linear_accuracy}).
결과: 필터는 획이 어디에 있든 찾으므로 같은 수의 가중치로 더 맞힙니다. 매개변수가
    {parameters}개일 때 변형한 글자의 정답률은 학습한 필터의 망이 {model_accuracy}, 완전
    연결 망이 {dense_accuracy}입니다({gain}). 배울 것은 필터와 투표입니다. 슬라이드의
    필터로는 {filter_accuracy}(템플릿 둘은 {template_accuracy})이지만, 같은 층을
    학습시키면 {learned_accuracy}(화소의 선형 분류기는 {linear_accuracy})입니다.
Lecture: 000, How ConvNet Works
Changes from: 16_parameter_sharing (its convolution, now with ReLU, pooling and dense)
Run: python recipes/30_xo_convnet.py
Try: (1) draw a tricky X of your own (2) DENSE_UNITS = 300: do whole images catch up?
"""

from common import plots
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers

SIZE = 9  # pixels
# X, O, and an X that does not match the template; black is -1 and white (#) 1.
DRAWINGS = """
    ......... ......... .........
    .#.....#. ...###... ......#..
    ..#...#.. ..#...#.. .#...#...
    ...#.#... .#.....#. ..##.#...
    ....#.... .#.....#. ....#....
    ...#.#... .#.....#. ...#.##..
    ..#...#.. ..#...#.. ...#...#.
    .#.....#. ...###... ..#......
    ......... ......... .........
"""
STROKE = [[1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
CROSSING = [[1, -1, 1], [-1, 1, -1], [1, -1, 1]]
FILTERS = np.array([STROKE, CROSSING, STROKE[::-1]])  # [filter, 3, 3]
NUM_IMAGES = 4000  # drawn for training, and as many for the test
MOST_TURN = 40  # degrees, to either side
MOST_SHIFT = 1.5  # pixels, in each direction
RADII = (2.0, 4.5)  # pixels from the centre to the end of a stroke
MAPS, POOLINGS = 8, 1  # filters to be learned and poolings after them,
DENSE_UNITS = 4  # and a dense network that has as many weights and biases: 338
BATCH_SIZE = 100
EPOCHS = 24
LEARNING_RATE = 1e-2  # of four tried the best for the dense control; for all alike


def read_drawings():
    """The three images as numbers: [3, 9, 9] of -1 and 1."""
    rows = [line.split() for line in DRAWINGS.split("\n") if line.strip()]
    cells = np.array([[list(part) for part in row] for row in rows])  # [9, 3, 9]
    return np.where(cells == "#", 1, -1).swapaxes(0, 1)


def convolve(image, filters):
    """Mean product of each patch with each filter, at best 1: [h-2, w-2, filter]."""
    patches = np.lib.stride_tricks.sliding_window_view(image, filters.shape[1:])
    return (patches[:, :, None] * filters).mean(axis=(3, 4))


def pool(maps):
    """The largest of every 2x2 cells: [h, w, filter] to half the size, rounded up."""
    rows = np.maximum.reduceat(maps, range(0, maps.shape[0], 2), axis=0)
    return np.maximum.reduceat(rows, range(0, maps.shape[1], 2), axis=1)


def walk_through(image):
    """What each layer of the slides makes of an image [9, 9], by name."""
    maps = convolve(image, FILTERS)
    positive = np.maximum(maps, 0)
    stages = {"convolution": maps, "ReLU": positive, "pooling": pool(positive)}
    return stages | {"pooling again": pool(stages["pooling"])}


def votes(image):
    """A dense layer's scores of X and O: its weights are what clean ones give."""
    weights = [walk_through(t)["pooling again"].ravel() for t in read_drawings()[:2]]
    values = walk_through(image)["pooling again"].ravel()  # [12]
    return [w @ values / np.linalg.norm(w) for w in weights]


def draw(rng, number):
    """X (label 0) and O (1), shifted, scaled, rotated: [n, 9, 9, 1], int [n]."""
    labels, shape = rng.integers(2, size=number), (number, 1, 1)
    angle = np.radians(45 + rng.uniform(-MOST_TURN, MOST_TURN, shape))
    radius = rng.uniform(*RADII, shape)
    pixels = np.arange(SIZE) - SIZE // 2
    shift = rng.uniform(-MOST_SHIFT, MOST_SHIFT, (2, *shape))
    y, x = pixels[:, None] - shift[0], pixels - shift[1]
    cos, sin = np.cos(angle), np.sin(angle)
    from_lines = np.abs([y * cos - x * sin, x * cos + y * sin])  # [2, n, 9, 9]
    is_x = (from_lines.min(axis=0) < 0.6) & (from_lines.max(axis=0) < radius)
    is_o = np.abs(np.hypot(x, y) - 0.8 * radius) < 0.55
    images = np.where(np.where(labels[:, None, None], is_o, is_x), 1, -1)
    return images[..., None].astype("float32"), labels.astype("int32")


def build_model(maps=MAPS, poolings=POOLINGS, dense_units=0):
    """Filters, poolings, hidden units and votes to be learned; maps 0: no filters."""
    hidden = [layers.Conv2D(maps, 3, activation="relu")] if maps else []
    hidden += [layers.MaxPooling2D(2, padding="same") for _ in range(poolings)]
    hidden += [layers.Flatten()]
    hidden += [layers.Dense(dense_units, activation="relu")] if dense_units else []
    model = keras.Sequential([keras.Input((SIZE, SIZE, 1)), *hidden, layers.Dense(2)])
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
        steps_per_execution=40,
    )
    return model


def walk_through_figure(image):
    """What becomes of an image: a row for each filter, layer by layer."""
    stages = {"filter": np.moveaxis(FILTERS, 0, 2), **walk_through(image)}
    figure, axes = plots.new_figure(len(FILTERS), 6, width=2, height=2.1)
    axes[1, 0].imshow(image, cmap="gray")
    axes[1, 0].set_title("tricky X\nscores: X {:.2f}, O {:.2f}".format(*votes(image)))
    for row, row_axes in enumerate(axes):
        for axis, (stage, maps) in zip(row_axes[1:], stages.items(), strict=True):
            axis.imshow(maps[:, :, row], cmap="coolwarm", vmin=-1.2, vmax=1.2)
            axis.set_title(stage)
            for (y, x), value in np.ndenumerate(maps[:, :, row]):
                axis.text(x, y, f"{value:.2g}", ha="center", va="center", size=6.5)
    for axis in axes.flat:
        axis.axis("off")
    figure.suptitle("Red: here the filter's pattern was found; 1 is all of it")
    return figure


def accuracy_figure(accuracy, images):
    """What each reader has right (percent, by measure), and letters [n, 9, 9, 1]."""
    figure, axes = plots.new_figure(1, 4, width=2.8, height=2.3)
    names = [name for name in MEASURES if name in accuracy]
    labels = [MEASURES[name].english for name in names]
    colors = ["C1" if "patches" in label else "C0" for label in labels]
    bars = axes[0].barh(labels, [accuracy[name] for name in names], color=colors)
    axes[0].bar_label(bars, fmt="%.1f")
    axes[0].set(xlim=(50, 125), xlabel="letters right (%)")
    for axis, image in zip(axes[1:], images, strict=False):
        axis.imshow(image, cmap="gray")
        axis.axis("off")
    axes[2].set_title("learned filters right, templates and dense wrong")
    return figure


def main(run):
    x_template, o_template, tricky = read_drawings()
    rng, number = np.random.default_rng(run.seed), run.pick(NUM_IMAGES, 500)
    train, (x_test, y_test) = draw(rng, number), draw(rng, number)
    # Less their mean: else the whiter of the templates, the O, has the worse of it.
    templates = [t - t.mean() for t in (x_template, o_template)]
    scores = {
        "filter": np.array([votes(image[:, :, 0]) for image in x_test]),
        "template": np.einsum("nhwc,thw->nt", x_test, templates),
    }
    models = {"model": build_model(), "learned": build_model(len(FILTERS), poolings=2)}
    models |= {"dense": build_model(0, 0, DENSE_UNITS), "linear": build_model(0, 0)}
    for name, model in models.items():
        epochs = run.length(EPOCHS, 2)
        run.fit(model, *train, batch_size=BATCH_SIZE, epochs=epochs, name=name)
        scores[name] = model.predict(x_test, batch_size=1000, verbose=0)
    right = {name: s.argmax(axis=1) == y_test for name, s in scores.items()}
    accuracy = {f"{name}_accuracy": 100 * r.mean() for name, r in right.items()}
    missed = x_test[~right["template"] & ~right["dense"] & right["model"]]
    run.save_figure(accuracy_figure(accuracy, missed), "accuracy")
    run.save_figure(walk_through_figure(tricky), "walk_through")
    return {
        "differing": np.where(tricky == x_template, tricky, 0),
        "feature_map_shape": convolve(tricky, FILTERS).shape,
        **accuracy,
        "gain": accuracy["model_accuracy"] - accuracy["dense_accuracy"],
        "parameters": models["model"].count_params(),
    }


MEASURES = {
    "differing": Measure("", "tricky X, 0 where not X", "변형된 X", deterministic=True),
    "feature_map_shape": Measure("", "its maps", "특징 맵", deterministic=True),
    "model_accuracy": Measure("%", "patches: 8 filters, learned", "조각: 필터 8, 학습"),
    "learned_accuracy": Measure("%", "patches: 3, learned", "조각: 필터 3, 학습"),
    "filter_accuracy": Measure("%", "patches: 3, given", "조각: 필터 3, 주어짐"),
    "dense_accuracy": Measure("%", "whole: dense, learned", "전체: 완전 연결, 학습"),
    "linear_accuracy": Measure("%", "whole: linear, learned", "전체: 선형, 학습"),
    "template_accuracy": Measure("%", "whole: two templates", "전체: 템플릿 둘"),
    "gain": Measure("pp", "filters minus dense", "필터 빼기 완전 연결", paired=True),
    "parameters": Measure("", "weights and biases", "매개변수", deterministic=True),
}


if __name__ == "__main__":
    cli(main)
