"""Three kernels detect lines and corners; stride, padding and pooling set the size.

제목: 특징 검출기: 커널, 스트라이드, 패딩, 풀링
Question: What does one kernel respond to, and how large is the map that it makes?
Finding: To its own pattern, at its own size: each detector answers {own_pattern[0]} to
    the patch that it draws, at most {other_pattern} to the others'. The vertical one
    beats the horizontal one on {upright_ones} of handwritten 1s, {upright_others} of
    other digits, and {thick_ones} of 1s twice as large, with thicker strokes; the
    corner's, whose weights add up to -1, answers any thick one. A map's side is
    floor((size + 2 padding - kernel) / stride) + 1, as in Keras.
결과: 자기 크기의 자기 무늬에 반응합니다. 각 검출기는 자기가 그리는 조각에
    {own_pattern[0]}, 다른 검출기의 조각에 대한 답은 많아야 {other_pattern}입니다.
    세로선 검출기의 답이 가로선보다 큰 비율은 손글씨 1에서 {upright_ones}, 다른 숫자에서
    {upright_others}이고, 두 배로 커서 획이 두꺼운 1에서는 {thick_ones}입니다. 맵의 한
    변은 floor((크기 + 2·패딩 - 커널) / 스트라이드) + 1칸으로, 설정 {sizes_checked}가지
    중 {sizes_agreeing}가지에서 Keras와 같습니다.
Lecture: 001, convolutions as feature detectors; 004, channel, stride, padding, pooling
Changes from: 30_xo_convnet (the same convolution, with stride and padding)
Run: python recipes/31_feature_detectors.py
Try: (1) a detector of diagonals: on which digits does it answer most? (2) show it
    the photographs in red, green and blue alone (3) stride 4: which lines are lost?
"""

import functools
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
KERNELS = (3, 5, 7)  # sizes, for which the padding is found that keeps 28x28 pixels
PHOTOGRAPHS = ("china.jpg", "flower.jpg")  # they come with scikit-learn
CROP = slice(100, 300), slice(200, 400)  # rows and columns of them
# Sizes of images and of kernels, strides, paddings, each with each.
SETTINGS = list(itertools.product((6, 9, 12), (1, 3, 5), (1, 2, 3), (0, 1, 2)))


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


def check_sizes():
    """In how many SETTINGS formula, convolution by hand and Keras' layer agree."""
    rng, agreeing = np.random.default_rng(0), 0
    for size, kernel, stride, padding in SETTINGS:
        image = rng.normal(size=(1, size, size, 2)).astype("float32")
        weights = rng.normal(size=(kernel, kernel, 2, 3)).astype("float32")
        conv = layers.Conv2D(3, kernel, stride, use_bias=False)
        conv.build(image.shape)
        conv.set_weights([weights])
        by_keras = conv(layers.ZeroPadding2D(padding)(image)).numpy()
        by_hand = convolve(image, weights, stride, padding)
        side = map_size(size, kernel, stride, padding)
        if by_keras.shape == by_hand.shape == (1, side, side, 3):
            agreeing += np.allclose(by_keras, by_hand, atol=1e-4)
    return agreeing


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


def draw_answers(axes, picture, kernels, title):
    """A column of a figure: a picture [h, w], and what each kernel answers (ReLU)."""
    maps = np.maximum(convolve(picture[None, :, :, None], kernels)[0], 0)
    axes[0].imshow(picture, cmap="gray")
    axes[0].set_title(title)
    for axis, answer in zip(axes[1:], np.moveaxis(maps, 2, 0), strict=True):
        axis.imshow(answer, cmap="magma", vmax=np.quantile(answer, 0.998))


def draw_kernels(axes, kernels, title):
    """A column of a figure: the kernels, as applied to the pictures to the right."""
    axes[0].text(0.5, 0.5, title, ha="center", va="center", transform=axes[0].transAxes)
    for axis, kernel, name in zip(axes[1:], kernels.T, DETECTORS, strict=True):
        axis.imshow(kernel[0].T, cmap="coolwarm", vmin=-2, vmax=2)
        axis.set_title(name)
        for (y, x), weight in np.ndenumerate(kernel[0].T):
            axis.text(x, y, f"{weight:.2g}", ha="center", va="center")


def detector_figure(digits, kernels):
    """The detectors' answers, negative ones cut off, to digits and photographs."""
    from sklearn.datasets import load_sample_image

    figure, axes = plots.new_figure(4, 7, width=1.7, height=1.7)
    draw_kernels(axes[:, 0], kernels, "kernels\nof the slide")
    for column, digit in zip(axes.T[1:4], digits, strict=True):
        draw_answers(column, digit[:, :, 0], kernels, "")
    # A photograph has no black ground: less their mean, the kernels are blind to how
    # bright an even surface is.
    blind = kernels - kernels.mean(axis=(0, 1))
    draw_kernels(axes[:, 4], blind, "less their mean,\nfor photographs")
    for column, name in zip(axes.T[5:], PHOTOGRAPHS, strict=True):
        draw_answers(
            column, load_sample_image(name)[CROP].mean(axis=2) / 255, blind, ""
        )
    for axis in axes.flat:
        axis.axis("off")
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

    def conv():
        return layers.Conv2D(1, 3, use_bias=False, kernel_initializer="ones")

    # The first image of each of these digits.
    digits = [halved[np.flatnonzero(labels == digit)[0]] for digit in (1, 7, 4)]
    run.save_figure(detector_figure(digits, kernels), "detectors")
    return {
        "own_pattern": np.diag(answers),
        "other_pattern": answers[~np.eye(3, dtype=bool)].max(),
        "upright_ones": 100 * upright[labels == 1].mean(),
        "upright_others": 100 * upright[labels != 1].mean(),
        "thick_ones": 100 * vertical_more(images[labels == 1], kernels).mean(),
        "zero_padded": np.asarray(zero_padded)[0, :, :, 0],
        "padding_that_keeps_size": [
            [map_size(28, k, 1, padding) for padding in range(9)].index(28)
            for k in KERNELS
        ],
        "sizes_checked": len(SETTINGS),
        "sizes_agreeing": check_sizes(),
        "receptive_field": receptive_field([conv(), layers.MaxPooling2D(2), conv()]),
        "plain_receptive_field": receptive_field([conv(), conv()]),
    }


fixed = functools.partial(Measure, deterministic=True)  # no seed changes these
MEASURES = {
    "own_pattern": fixed("", "each detector on its own patch", "자기 무늬에 대한 답"),
    "other_pattern": fixed("", "control: others', at most", "대조: 다른 무늬, 최대"),
    "upright_ones": fixed("%", "1s, 14x14: vertical wins", "14x14의 1: 세로 > 가로"),
    "upright_others": fixed("%", "control: the other digits", "대조: 다른 숫자"),
    "thick_ones": fixed("%", "control: 1s of 28x28, too thick", "대조: 28x28의 1"),
    "zero_padded": fixed("", "4x4 pixels, zero-padded", "제로 패딩한 4x4 화소"),
    "padding_that_keeps_size": fixed("", "for kernels 3, 5, 7", "커널 3, 5, 7의 패딩"),
    "sizes_checked": fixed("", "settings of the map's size", "크기 설정의 수"),
    "sizes_agreeing": fixed("", "of these, as Keras", "그중 Keras와 같은 것"),
    "receptive_field": fixed("pixels", "3x3, pooling, 3x3: seen", "3x3, 풀링, 3x3"),
    "plain_receptive_field": fixed("pixels", "control: no pooling", "대조: 풀링 없이"),
}


if __name__ == "__main__":
    cli(main)
