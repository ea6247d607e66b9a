"""Three kernels detect lines and corners; stride, padding and pooling set the size.

제목: 특징 검출기: 커널, 스트라이드, 패딩, 풀링
Question: What does one kernel respond to, and how large is the map that it makes?
Finding: It responds to its own pattern: each detector answers {own_pattern[0]} on the
    patch that it draws and at most {other_pattern} on the others', and the detector of
    vertical lines answers more than that of horizontal ones on {upright_ones} of the
    handwritten 1s, on {upright_others} of the other digits. A map has
    floor((size + 2 padding - kernel) / stride) + 1 cells on a side, as in Keras in all
    {sizes_agreeing} of {sizes_checked} settings.
결과: 커널은 자기 무늬에 반응합니다. 각 검출기는 자기가 그리는 조각에 {own_pattern[0]},
    다른 조각에는 기껏해야 {other_pattern}로 답합니다. 세로선 검출기가 가로선보다 크게
    답하는 비율은 손글씨 1에서 {upright_ones}, 다른 숫자에서 {upright_others}입니다.
    맵의 한 변은 floor((크기 + 2·패딩 - 커널) / 스트라이드) + 1칸이며, 설정
    {sizes_checked}가지 중 {sizes_agreeing}가지에서 Keras와 같습니다.
Lecture: 001, convolutions as feature detectors; 004, channel, stride, padding, pooling
Changes from: 30_xo_convnet (the same convolution, with stride and padding)
Run: python recipes/31_feature_detectors.py
Try: (1) a detector of diagonals: on which digits does it answer most? (2) show it
    the photographs in red, green and blue alone (3) stride 4: which lines are lost?
"""

import itertools

from common import datasets, plots
from common.running import Measure, cli

import numpy as np
from keras import layers

DETECTORS = {
    "vertical": [[-1, 1, -1], [-1, 1, -1], [-1, 1, -1]],
    "horizontal": [[-1, -1, -1], [1, 1, 1], [-1, -1, -1]],
    "corner": [[-1, -1, -1], [-1, 1, 1], [-1, 1, 1]],
}
PIXELS = [[35, 19, 25, 6], [13, 22, 16, 53], [4, 3, 7, 10], [9, 8, 1, 3]]
PHOTOGRAPHS = ("china.jpg", "flower.jpg")  # they come with scikit-learn
CROP = slice(100, 300), slice(200, 400)  # rows and columns of them


def convolve(images, kernels, stride=1, padding=0):
    """Slide kernels over images, `stride` cells a step, within a frame of zeros.

    images: [n, h, w, channels]; kernels: [k, k, channels, maps].
    A map has (size + 2 padding - k) // stride + 1 cells on a side.
    """
    k = len(kernels)
    frame = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(images, frame), (k, k), axis=(1, 2)
    )  # [n, rows, columns, channels, k, k]
    return np.einsum(
        "nyxcij,ijcm->nyxm", windows[:, ::stride, ::stride], kernels, optimize=True
    )


def map_size(size, kernel, stride, padding):
    """The formula: cells on a side of the map."""
    return (size + 2 * padding - kernel) // stride + 1


def check_sizes(rng):
    """Formula, our convolution and Keras' layer over a grid of settings.

    Returns (settings tried, settings that agree in size, largest difference).
    """
    settings = list(itertools.product((6, 9, 12), (1, 3, 5), (1, 2, 3), (0, 1, 2)))
    agreeing, largest = 0, 0.0
    for size, kernel, stride, padding in settings:
        image = rng.normal(size=(1, size, size, 2)).astype("float32")
        weights = rng.normal(size=(kernel, kernel, 2, 3)).astype("float32")
        conv = layers.Conv2D(3, kernel, stride, use_bias=False)
        conv.build(image.shape)
        conv.set_weights([weights])
        by_keras = conv(layers.ZeroPadding2D(padding)(image)).numpy()
        by_hand = convolve(image, weights, stride, padding)
        side = map_size(size, kernel, stride, padding)
        if by_keras.shape == by_hand.shape == (1, side, side, 3):
            agreeing += 1
            largest = max(largest, np.abs(by_keras - by_hand).max())
    return len(settings), agreeing, largest


def receptive_field(network, size=32):
    """How many pixels on a side can change the middle cell of a network's map.

    network: layers. In each sample one pixel is nudged; weights are all 1, so that no
    change cancels another.
    """
    images = np.zeros((size, size, size, 1), "float32")
    pixels = np.arange(size)
    images[pixels, pixels, size // 2] = 1
    for layer in network:
        images = layer(images)
    side = images.shape[1]
    return np.count_nonzero(images[:, side // 2, side // 2, 0])


def vertical_more(images, kernels):
    """Whether the vertical detector answers an image more than the horizontal: [n]."""
    strength = np.maximum(convolve(images, kernels), 0).sum(axis=(1, 2))
    return strength[:, 0] > strength[:, 1]


def detector_figure(digits, kernels):
    """The detectors' answers, negative ones cut off, to digits and photographs."""
    from sklearn.datasets import load_sample_image

    figure, axes = plots.new_figure(5, 4, width=2.2, height=2.2)
    pictures = [image[:, :, 0] for image in digits]
    for name in PHOTOGRAPHS:
        pictures.append(load_sample_image(name)[CROP].mean(axis=2) / 255)
    # A photograph has no black ground: less their mean, the kernels are blind to how
    # bright an even surface is.
    blind = kernels - kernels.mean(axis=(0, 1))
    for row, picture in zip(axes, pictures, strict=True):
        maps = convolve(picture[None, :, :, None], blind)[0]
        row[0].imshow(picture, cmap="gray")
        for index, axis in enumerate(row[1:]):
            answer = np.maximum(maps[:, :, index], 0)
            axis.imshow(answer, cmap="magma", vmax=np.quantile(answer, 0.998))
        for axis in row:
            axis.axis("off")
    axes[0, 0].set_title("image")
    for axis, (name, kernel) in zip(axes[0, 1:], DETECTORS.items(), strict=True):
        drawn = "\n".join(" ".join(f"{weight:2d}" for weight in row) for row in kernel)
        axis.set_title(f"{name}\n{drawn}", family="monospace", fontsize="small")
    return figure


def main(run):
    _, _, (images, labels) = datasets.mnist(limit=run.pick(None, 1000))
    images = images[..., None]
    kernels = np.stack(list(DETECTORS.values()), axis=-1)[:, :, None]  # [3, 3, 1, 3]

    # Each detector's patch, in black (-1) and white (1) as in the X and O lesson.
    patches = np.moveaxis(kernels, -1, 0)  # [3, 3, 3, 1]
    answers = convolve(patches, kernels).reshape(3, 3)  # [patch, detector]
    # The strokes of a digit are two or three pixels thick, the detectors' lines one.
    halved = layers.AveragePooling2D(2)(images).numpy()
    upright = vertical_more(halved, kernels)

    zero_padded = layers.ZeroPadding2D(1)(np.array(PIXELS)[None, :, :, None])
    keeping = [[map_size(28, k, 1, p) for p in range(9)].index(28) for k in (3, 5, 7)]
    pooling = layers.MaxPooling2D(2)
    pooled = pooling(np.zeros((1, 28, 28, 6), "float32"))
    tried, agreeing, difference = check_sizes(np.random.default_rng(run.seed))

    def conv():
        return layers.Conv2D(1, 3, use_bias=False, kernel_initializer="ones")

    # The first image of each of these digits.
    digits = [halved[np.flatnonzero(labels == digit)[0]] for digit in (1, 7, 4)]
    run.save_figure(detector_figure(digits, kernels), "detectors")
    return {
        "own_pattern": np.diag(answers),
        "other_pattern": answers[~np.eye(3, dtype=bool)].max(),
        "zero_padded": np.asarray(zero_padded)[0, :, :, 0],
        "padding_that_keeps_size": keeping,
        "pooling_parameters": pooling.count_params(),
        "pooled_shape": tuple(pooled.shape[1:]),
        "sizes_checked": tried,
        "sizes_agreeing": agreeing,
        "difference": difference,
        "receptive_field": receptive_field([conv(), pooling, conv()]),
        "plain_receptive_field": receptive_field([conv(), conv()]),
        "upright_ones": 100 * upright[labels == 1].mean(),
        "upright_others": 100 * upright[labels != 1].mean(),
        "thick_ones": 100 * vertical_more(images[labels == 1], kernels).mean(),
    }


MEASURES = {
    "own_pattern": Measure("", "each detector on its own patch", "자기 무늬에 대한 답"),
    "other_pattern": Measure("", "control: others', at most", "대조: 다른 무늬, 최대"),
    "zero_padded": Measure("", "4x4 pixels, zero-padded", "제로 패딩한 4x4 화소"),
    "padding_that_keeps_size": Measure(
        "", "for kernels 3, 5, 7", "커널 3, 5, 7의 패딩"
    ),
    "pooling_parameters": Measure("", "parameters of pooling", "풀링의 매개변수"),
    "pooled_shape": Measure("", "28x28x6 after 2x2 pooling", "28x28x6을 2x2 풀링"),
    "sizes_checked": Measure("", "settings of the map's size", "크기 설정의 수"),
    "sizes_agreeing": Measure("", "of these, as Keras", "그중 Keras와 같은 것"),
    "difference": Measure(
        "", "by hand and Keras: largest difference", "Keras와의 차이"
    ),
    "receptive_field": Measure("pixels", "3x3, pooling, 3x3: seen", "3x3, 풀링, 3x3"),
    "plain_receptive_field": Measure(
        "pixels", "control: no pooling", "대조: 풀링 없이"
    ),
    "upright_ones": Measure(
        "%", "1s of 14x14: vertical beats horizontal", "14x14의 1: 세로 > 가로"
    ),
    "upright_others": Measure("%", "control: the other digits", "대조: 다른 숫자"),
    "thick_ones": Measure("%", "control: 1s of 28x28, too thick", "대조: 28x28의 1"),
}


if __name__ == "__main__":
    cli(main)
