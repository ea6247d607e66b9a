"""Parameter sharing: a convolution is a dense layer with few weights, used often.

제목: 파라미터 공유: 왜 합성곱 계층인가
Question: How many weights and multiplications does a convolution save, and how?
Lecture: 001, convolutional neural network; 004, why a convolutional layer
Changes from: 08_fully_connected (each neuron sees a patch, all share its weights)
Run: python recipes/16_parameter_sharing.py
Try: (1) 3x3 and 7x7 kernels: which of the counts change? (2) 12 maps in place of 6
    (3) stride 2 in `convolve` and `as_dense_matrix`, and in Keras' Conv2D
"""

from common import datasets, plots
from common.running import Claim, cli

import numpy as np
from keras import layers

CLAIMS = [
    Claim(
        "kernel_weights",
        (9, 25, 49),
        source="004, formula of convolution: 3x3, 5x5, 7x7",
        kind="exact",
        text="weights of the usual kernels",
    ),
    Claim(
        "channel_convolutions",
        18,
        source="004, formula of convolution: C(in) x C(out)",
        kind="exact",
        text="convolutions from 3 channels to 6",
    ),
    Claim(
        "maps",
        18,
        source="004, formula of convolution: Y_ij = a(W_ij * X_i + b_j)",
        kind="exact",
        text="maps that a layer from 3 channels to 6 gives",
        erratum="the slide leaves out the sum over the input channels i: with it, "
        "Y_j = a(sum of W_ij * X_i + b_j), there is one map for each output channel",
    ),
    Claim("dense_parameters", None, text="32x32 pixels to 6 maps of 28x28: dense"),
    Claim("local_parameters", None, text="each neuron a 5x5 patch, weights of its own"),
    Claim("conv_parameters", None, text="the weights of a map shared: convolution"),
    Claim("dense_multiplications", None, text="multiplications per image, dense"),
    Claim("conv_multiplications", None, text="multiplications per image, convolution"),
    Claim("difference", None, text="by hand, as dense layer, by Keras: largest"),
    Claim("shift_difference", None, text="shift then convolve, convolve then shift"),
    Claim("dense_shift_difference", None, text="control: the same for a dense layer"),
    Claim("photo_dense_weights", None, text="224x224x3 to 64 maps: dense"),
    Claim("photo_conv_weights", None, text="224x224x3 to 64 maps: 3x3 convolution"),
]

SIZE = 32  # pixels: a digit of 28x28 within a frame of 2, as in LeNet-5
KERNEL = 5
MAPS = 6


def convolve(image, kernels, biases):
    """The maps that kernels find in an image, and how many convolutions it took.

    image: [size, size, channels]; kernels: [k, k, channels, maps]; biases: [maps].
    Returns ([size - k + 1, size - k + 1, maps], channels x maps).
    """
    k, _, channels, maps = kernels.shape
    size = len(image) - k + 1
    output = np.zeros((size, size, maps)) + biases
    convolutions = 0
    for channel in range(channels):
        for index in range(maps):
            convolutions += 1
            for row in range(k):
                for column in range(k):
                    # One weight meets every place of the image: this is the sharing.
                    places = image[row : row + size, column : column + size, channel]
                    output[:, :, index] += kernels[row, column, channel, index] * places
    return output, convolutions


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


def shift_test(layer, image):
    """How far a layer's answer to a digit moved down by 1 is from its moved answer.

    layer: a function from images to maps. Rows at the edge are left out.
    """
    moved = np.roll(image, 1, axis=0)
    return np.abs(layer(moved)[2:-2] - np.roll(layer(image), 1, axis=0)[2:-2]).max()


def sharing_figure(counts):
    """The weights of a small dense layer and of a convolution; counts by image size.

    counts: {name: [number of weights by image size]}, the sizes under "size".
    """
    figure, axes = plots.new_figure(1, 3, width=4)
    # A number, shown as a colour, for every weight that is different from the others.
    shared = as_dense_matrix(np.arange(1, 10).reshape(3, 3, 1, 1), size=6)
    own = np.random.default_rng(0).permutation(shared.size).reshape(shared.shape) + 1
    for axis, weights in zip(axes, (own, shared), strict=False):
        used = np.ma.masked_equal(weights, 0)
        axis.imshow(used.T, cmap="turbo", aspect="auto", interpolation="none")
        axis.set(
            title=f"{used.count()} connections, {used.max():.0f} weights",
            xlabel="pixel of a 6x6 image",
            ylabel="neuron of a 4x4 map",
        )
        axis.grid(False)
    for name, values in counts.items():
        if name != "size":
            axes[2].loglog(counts["size"], values, "o-", label=name)
    axes[2].set(
        title=f"{KERNEL}x{KERNEL} patches, {MAPS} maps",
        xlabel="image size in pixels",
        ylabel="weights",
    )
    axes[2].set_xticks(counts["size"], counts["size"], fontsize="small")
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
    by_hand, _ = convolve(image, kernels, biases)
    matrix = as_dense_matrix(kernels, SIZE)
    as_dense = (image.reshape(-1) @ matrix).reshape(places, places, MAPS) + biases

    own = rng.normal(size=(SIZE * SIZE, neurons)).astype("float32") / SIZE
    maps, channel_convolutions = convolve(
        rng.random((8, 8, 3)), rng.normal(size=(3, 3, 3, MAPS)), np.zeros(MAPS)
    )
    sizes = [8, 16, 32, 64, 128, 224]
    counts = {
        "size": sizes,
        "dense": [s**2 * (s - KERNEL + 1) ** 2 * MAPS for s in sizes],
        "patches, own weights": [
            (s - KERNEL + 1) ** 2 * MAPS * KERNEL**2 for s in sizes
        ],
        "convolution": [MAPS * KERNEL**2 for _ in sizes],
    }
    run.save_figure(sharing_figure(counts), "sharing")
    return {
        "kernel_weights": [
            count(layers.Conv2D(1, k, use_bias=False), SIZE, SIZE, 1) for k in (3, 5, 7)
        ],
        "channel_convolutions": channel_convolutions,
        "maps": maps.shape[-1],
        "dense_parameters": count(layers.Dense(neurons), SIZE * SIZE),
        "local_parameters": np.count_nonzero(matrix) + neurons,
        "conv_parameters": conv_parameters,
        "dense_multiplications": matrix.size,
        "conv_multiplications": np.count_nonzero(matrix),
        "difference": max(
            np.abs(by_hand - other).max() for other in (as_dense, by_keras)
        ),
        "shift_difference": shift_test(
            lambda x: convolve(x, kernels, biases)[0], image
        ),
        "dense_shift_difference": shift_test(
            lambda x: (x.reshape(-1) @ own).reshape(places, places, MAPS), image
        ),
        "photo_dense_weights": 224 * 224 * 3 * 224 * 224 * 64,
        "photo_conv_weights": count(
            layers.Conv2D(64, 3, padding="same", use_bias=False), 224, 224, 3
        ),
    }


if __name__ == "__main__":
    cli(main)
