"""A small convolutional network tells X from O.

제목: 합성곱 신경망은 X와 O를 어떻게 구별하는가
Question: Why compare small patches and not whole images, and what is left to learn?
Finding: A tricky X agrees with the X in only {pixel_match} of a possible 1 as a whole
    image, but patch by patch it holds one of three strokes in full and the others to
    {best_patch[0]}. On varied letters two templates are right in {template_accuracy},
    and the slides' filters, taken as they are, in {filter_accuracy}; a small network
    that learns its filters and its votes from examples is right in {net_accuracy}.
결과: 변형된 X는 이미지 전체로 보면 X와 {pixel_match}(최대 1)밖에 일치하지 않지만, 작은
    조각으로 비교하면 세 특징 중 하나는 그대로, 나머지는 {best_patch[0]}까지
    나타납니다. 다양하게 변형한 글자에서 두 템플릿의 정답률은 {template_accuracy},
    슬라이드의 필터를 그대로 쓰면 {filter_accuracy}이고, 필터와 투표를 예제에서
    배우는 작은 신경망은 {net_accuracy}입니다.
Lecture: 000, How ConvNet Works
Changes from: 16_parameter_sharing (its convolution, now with ReLU, pooling and dense)
Run: python recipes/30_xo_convnet.py
Try: (1) draw a tricky X of your own (2) in `walk_through` leave out the ReLU: which
    score moves? (3) train with MOST_TURN = 0, test as before: what was never seen?
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
FILTERS = np.array(  # [filter, 3, 3]: the strokes and the crossing of an X
    [
        [[1, -1, -1], [-1, 1, -1], [-1, -1, 1]],
        [[1, -1, 1], [-1, 1, -1], [1, -1, 1]],
        [[-1, -1, 1], [-1, 1, -1], [1, -1, -1]],
    ]
)

NUM_IMAGES = 4000  # drawn for training, and as many for the test
MOST_TURN = 40  # degrees, to either side
MOST_SHIFT = 1.5  # pixels, in each direction
RADII = (2.0, 4.5)  # pixels from the centre to the end of a stroke
MAPS = 8  # filters to be learned
BATCH_SIZE = 100
EPOCHS = 12
LEARNING_RATE = 5e-3


def read_drawings():
    """The three images as numbers: [3, 9, 9] of -1 and 1."""
    rows = [line.split() for line in DRAWINGS.split("\n") if line.strip()]
    cells = np.array([[list(part) for part in row] for row in rows])  # [9, 3, 9]
    return np.where(cells == "#", 1, -1).swapaxes(0, 1)


def convolve(image, filters):
    """Mean product of each patch with each filter, at best 1: [h-2, w-2, filter]."""
    patches = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
    return (patches[:, :, None] * filters).mean(axis=(3, 4))


def pool(maps):
    """The largest of every 2x2 cells: [h, w, filter] to half the size, rounded up."""
    height, width, num_filters = maps.shape
    edge = ((0, height % 2), (0, width % 2), (0, 0))
    maps = np.pad(maps, edge, constant_values=-np.inf)
    cells = maps.reshape(-(-height // 2), 2, -(-width // 2), 2, num_filters)
    return cells.max(axis=(1, 3))


def walk_through(image):
    """What each layer of the slides makes of an image [9, 9], by name."""
    maps = convolve(image, FILTERS)
    stages = {"convolution": maps, "ReLU": np.maximum(maps, 0)}
    stages["pooling"] = pool(stages["ReLU"])
    return {**stages, "stacked": pool(stages["pooling"])}


def votes(image):
    """A dense layer's scores of X and O: its weights are what clean ones give."""
    weights = [walk_through(t)["stacked"].ravel() for t in read_drawings()[:2]]
    values = walk_through(image)["stacked"].ravel()  # [12]
    return [w @ values / np.linalg.norm(w) for w in weights]


def draw(rng, number):
    """X (label 0) and O (1), shifted, scaled, rotated: [n, 9, 9, 1], int [n]."""
    labels = rng.integers(2, size=number)
    shape = (number, 1, 1)
    angle = np.radians(45 + rng.uniform(-MOST_TURN, MOST_TURN, shape))
    radius = rng.uniform(*RADII, shape)
    pixels = np.arange(SIZE) - SIZE // 2
    shift = rng.uniform(-MOST_SHIFT, MOST_SHIFT, (2, *shape))
    y, x = pixels[:, None] - shift[0], pixels - shift[1]
    # The distances of each pixel from the two lines of the X: [2, n, 9, 9].
    cos, sin = np.cos(angle), np.sin(angle)
    from_lines = np.abs([y * cos - x * sin, x * cos + y * sin])
    is_x = (from_lines.min(axis=0) < 0.6) & (from_lines.max(axis=0) < radius)
    is_o = np.abs(np.hypot(x, y) - 0.8 * radius) < 0.55
    images = np.where(np.where(labels[:, None, None], is_o, is_x), 1, -1)
    return images[..., None].astype("float32"), labels.astype("int32")


def build_model():
    """The layers of the walk-through, with filters and votes to be learned."""
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 1)),
            layers.Conv2D(MAPS, 3, activation="relu"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
        steps_per_execution=40,
    )
    return model


def walk_through_figure(missed):
    """The tricky X through every layer, and images that the templates mistake."""
    images = read_drawings()
    stages = {"filter": np.moveaxis(FILTERS, 0, 2), **walk_through(images[2])}
    figure, axes = plots.new_figure(4, 6, width=2, height=2.1)
    for row, name in enumerate(("X", "O", "tricky X")):
        axes[row, 0].imshow(images[row], cmap="gray")
        scores = "scores: X {:.2f}, O {:.2f}".format(*votes(images[row]))
        axes[row, 0].set_title(f"{name}\n{scores}")
        for axis, (stage, maps) in zip(axes[row, 1:], stages.items(), strict=True):
            axis.imshow(maps[:, :, row], cmap="coolwarm", vmin=-1.2, vmax=1.2)
            axis.set_title(f"{stage}\n{' x '.join(map(str, maps.shape))}")
            for (y, x), value in np.ndenumerate(maps[:, :, row]):
                axis.text(x, y, f"{value:.2g}", ha="center", va="center", size=6.5)
    for axis, image in zip(axes[3], missed, strict=False):
        axis.imshow(image, cmap="gray")
        axis.set_title("template wrong, net right")
    figure.suptitle("Left: three images and their scores; right: the tricky X")
    for axis in axes.flat:
        axis.axis("off")
        axis.title.set_fontsize("small")
    return figure


def main(run):
    x_template, o_template, tricky = read_drawings()
    stages = walk_through(tricky)
    rng = np.random.default_rng(run.seed)
    number = run.pick(NUM_IMAGES, 500)
    train, (x_test, y_test) = draw(rng, number), draw(rng, number)
    model = build_model()
    run.fit(model, *train, batch_size=BATCH_SIZE, epochs=run.length(EPOCHS, 2))
    # Less their mean: else the whiter of the templates, the O, has the worse of it.
    templates = [t - t.mean() for t in (x_template, o_template)]
    scores = {
        "net": model.predict(x_test, verbose=0),
        "template": np.einsum("nhwc,thw->nt", x_test, templates),
        "filter": np.array([votes(image[:, :, 0]) for image in x_test]),
    }
    right = {name: s.argmax(axis=1) == y_test for name, s in scores.items()}
    missed = x_test[~right["template"] & right["net"]]
    run.save_figure(walk_through_figure(missed), "walk_through")
    return {
        "differing": np.where(tricky == x_template, tricky, 0),
        "feature_map_shape": stages["convolution"].shape,
        "pooled_shape": stages["pooling"].shape,
        "pixel_match": (tricky * x_template).mean(),
        "best_patch": stages["convolution"].max(axis=(0, 1)),
        **{f"{name}_accuracy": 100 * hits.mean() for name, hits in right.items()},
    }


MEASURES = {
    "differing": Measure("", "tricky X, 0 where not as X", "변형된 X, 다르면 0"),
    "feature_map_shape": Measure("", "rows, columns, maps", "행, 열, 맵의 수"),
    "pooled_shape": Measure("", "after pooling 2x2, stride 2", "2x2 풀링 뒤"),
    "pixel_match": Measure("", "whole images: mean product", "이미지 전체의 평균 곱"),
    "best_patch": Measure("", "best patch for each filter", "필터마다 가장 맞는 조각"),
    "net_accuracy": Measure("%", "network on varied X and O", "신경망의 정답률"),
    "template_accuracy": Measure("%", "control: two templates", "대조: 템플릿 둘"),
    "filter_accuracy": Measure("%", "control: untrained", "대조: 학습하지 않은 필터"),
}


if __name__ == "__main__":
    cli(main)
