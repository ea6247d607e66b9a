"""Parameter sharing: a convolution is a dense layer with few weights, used often.

제목: 파라미터 공유: 왜 합성곱 계층인가
Question: How many weights and multiplications does a convolution save, and how?
Finding: From 32x32 pixels to 6 maps of 28x28, a dense layer has {dense_parameters}
    parameters and takes {dense_multiplications} multiplications, a convolution
    {conv_parameters} and {conv_multiplications}. To see only a patch saves the
    multiplications and leaves {local_parameters} parameters, to share these saves the
    rest; a digit's maps then move along with it (they differ by {shift_difference}),
    those of patches with weights of their own do not ({own_shift_difference}).
결과: 32x32 픽셀에서 28x28 특징 맵 6장을 만드는 완전 연결 계층은 매개변수가
    {dense_parameters}개, 곱셈이 {dense_multiplications}번이고, 합성곱은
    {conv_parameters}개와 {conv_multiplications}번입니다. 작은 영역만 보아 곱셈을
    줄이고, 그때의 매개변수 {local_parameters}개를 공유해 나머지를 줄입니다. 숫자를
    옮기면 합성곱의 맵도 따라 옮겨 가지만(차이 {shift_difference}) 영역마다 가중치가
    따로면 그렇지 않습니다(차이 {own_shift_difference}).
Lecture: 001, convolutional neural network; 004, why a convolutional layer
Changes from: 08_fully_connected (each neuron sees a patch, all share its weights)
Run: python recipes/16_parameter_sharing.py
Try: (1) 3x3 and 7x7 kernels: which of the counts change? (2) 12 maps in place of 6
    (3) stride 2 in `convolve` and `as_dense_matrix`, and in Keras' Conv2D
"""

from common import datasets, plots
from common.running import Measure, cli

import numpy as np
from keras import layers

SIZE = 32  # pixels: a digit of 28x28 within a frame of 2, as in LeNet-5
KERNEL = 5
MAPS = 6
KERNELS = (3, 5, 7)  # sizes that the lecture calls usual
CHANNELS = 3  # of a colour image


def convolve(image, kernels, biases):
    """The maps that kernels find in an image: [size - k + 1, size - k + 1, maps].

    image: [size, size, channels]; kernels: [k, k, channels, maps]; biases: [maps].
    """
    k, _, channels, maps = kernels.shape
    size = len(image) - k + 1
    output = np.zeros((size, size, maps)) + biases
    for channel in range(channels):
        for index in range(maps):
            for row in range(k):
                for column in range(k):
                    # One weight meets every place of the image: this is the sharing.
                    places = image[row : row + size, column : column + size, channel]
                    output[:, :, index] += kernels[row, column, channel, index] * places
    return output


def as_dense_matrix(kernels, size):
    """The same as weights of a dense layer: [size x size pixels, neurons].

    A neuron is connected to its patch and to nothing else, so most weights are 0.
    kernels: [k, k, 1, maps].
    """
    k, maps = len(kernels), kernels.shape[-1]
    places = size - k + 1
    matrix = np.zeros((size, size, places, places, maps), "float32")
    for row in range(places):
        for column in range(places):
            patch = matrix[row : row + k, column : column + k, row, column]
            patch[:] = kernels[:, :, 0]
    return matrix.reshape(size * size, -1)


def count(layer, *shape):
    """Weights and biases of a Keras layer on inputs of this shape."""
    layer.build((None, *shape))
    return layer.count_params()


def channels_to_maps(layer, size):
    """Which input channels reach which maps of a Keras layer: bool [channels, maps].

    Each channel in turn is a single bright pixel, the others are black.
    """
    pixels = np.zeros((CHANNELS, size, size, CHANNELS), "float32")
    for channel in range(CHANNELS):
        pixels[channel, size // 2, size // 2, channel] = 1
    return np.any(layer(pixels).numpy() != 0, axis=(1, 2))


def shift_test(layer, image):
    """How far a layer's answer to a digit moved down by 1 is from its moved answer.

    layer: a function from images to maps. Rows at the edge are left out.
    """
    moved = np.roll(image, 1, axis=0)
    return np.abs(layer(moved)[2:-2] - np.roll(layer(image), 1, axis=0)[2:-2]).max()


def sharing_figure():
    """The weights of a small dense layer and of a convolution; counts by image size."""
    figure, axes = plots.new_figure(1, 3, width=4)
    # A number, shown as a colour, for every weight that is different from the others.
    shared = as_dense_matrix(np.arange(1, 10).reshape(3, 3, 1, 1), size=6)
    own = np.random.default_rng(0).permutation(shared.size).reshape(shared.shape) + 1
    for axis, weights in zip(axes, (own, shared), strict=False):
        used = np.ma.masked_equal(weights, 0)
        axis.imshow(used.T, cmap="turbo", aspect="auto", interpolation="none")
        kind = "dense" if weights is own else "convolution"
        axis.set_title(f"{kind}: {used.count()} connections, {used.max():.0f} weights")
        axis.set(xlabel="pixel of a 6x6 image", ylabel="neuron of a 4x4 map")
        axis.grid(False)
    sizes = np.array([8, 16, 32, 64, 128, 224])
    neurons = (sizes - KERNEL + 1) ** 2 * MAPS
    axes[2].loglog(sizes, sizes**2 * neurons, "o-", label="dense")
    axes[2].loglog(sizes, KERNEL**2 * neurons, "o-", label="patches, own weights")
    axes[2].loglog(sizes, 0 * sizes + KERNEL**2 * MAPS, "o-", label="convolution")
    axes[2].set_title(f"{KERNEL}x{KERNEL} patches, {MAPS} maps")
    axes[2].set(xlabel="image size in pixels", ylabel="weights")
    axes[2].set_xticks(sizes, sizes, fontsize="small")
    axes[2].minorticks_off()
    axes[2].legend()
    return figure


def main(run):
    rng = np.random.default_rng(run.seed)
    (images, _), _, _ = datasets.mnist(limit=1)
    image = np.pad(images[0], 2)[:, :, None]  # [32, 32, 1]
    places = SIZE - KERNEL + 1  # 28
    neurons = places * places * MAPS

    kernels = rng.normal(size=(KERNEL, KERNEL, 1, MAPS)).astype("float32")
    biases = rng.normal(size=MAPS).astype("float32")
    conv = layers.Conv2D(MAPS, KERNEL)
    conv_parameters = count(conv, SIZE, SIZE, 1)
    conv.set_weights([kernels, biases])
    by_keras = conv(image[None]).numpy()[0]
    by_hand = convolve(image, kernels, biases)
    matrix = as_dense_matrix(kernels, SIZE)
    as_dense = (image.reshape(-1) @ matrix).reshape(places, places, MAPS) + biases

    own = np.where(matrix != 0, rng.normal(size=matrix.shape), 0).astype("float32")
    reached = channels_to_maps(layers.Conv2D(MAPS, 3), size=8)
    run.save_figure(sharing_figure(), "sharing")
    return {
        "kernel_weights": [
            count(layers.Conv2D(1, k, use_bias=False), SIZE, SIZE, 1) for k in KERNELS
        ],
        "channel_convolutions": np.count_nonzero(reached),
        "channels_per_map": reached.sum(axis=0).mean(),
        "dense_parameters": count(layers.Dense(neurons), SIZE * SIZE),
        "local_parameters": np.count_nonzero(matrix) + neurons,
        "conv_parameters": conv_parameters,
        "dense_multiplications": count(
            layers.Dense(neurons, use_bias=False), SIZE * SIZE
        ),
        "conv_multiplications": np.count_nonzero(matrix),
        "difference": max(
            np.abs(by_hand - other).max() for other in (as_dense, by_keras)
        ),
        "shift_difference": shift_test(lambda x: convolve(x, kernels, biases), image),
        "own_shift_difference": shift_test(
            lambda x: (x.reshape(-1) @ own).reshape(places, places, MAPS), image
        ),
    }


MEASURES = {
    "kernel_weights": Measure(
        "", "weights of 3x3, 5x5, 7x7", "3x3, 5x5, 7x7의 가중치", deterministic=True
    ),
    "channel_convolutions": Measure(
        "", "convolutions, 3 channels to 6", "합성곱, 3채널에서 6", deterministic=True
    ),
    "channels_per_map": Measure(
        "", "channels that each map sums up", "맵마다 더하는 채널", deterministic=True
    ),
    "dense_parameters": Measure(
        "", "32x32 to 6 of 28x28: dense", "32x32에서 28x28 6장", deterministic=True
    ),
    "local_parameters": Measure(
        "", "each neuron its own 5x5 patch", "5x5 영역, 각자", deterministic=True
    ),
    "conv_parameters": Measure(
        "", "shared by a map: convolution", "맵마다 공유: 합성곱", deterministic=True
    ),
    "dense_multiplications": Measure(
        "", "multiplications, dense", "곱셈, 완전 연결", deterministic=True
    ),
    "conv_multiplications": Measure(
        "", "multiplications, convolution", "곱셈, 합성곱", deterministic=True
    ),
    "difference": Measure("", "hand, dense, Keras: apart", "손, 완전 연결, Keras"),
    "shift_difference": Measure(
        "", "shift then convolve, convolve then shift", "옮기고 합성곱, 그 반대"
    ),
    "own_shift_difference": Measure("", "control: own weights", "대조: 각자의 가중치"),
}


if __name__ == "__main__":
    cli(main)
