"""The operations that training cannot do without: those of its matrix products."""

import math


def multiply_adds(layers: list[dict]) -> list[int]:
    """Of one image's way through a network: one number per layer with weights.

    layers: as contestants.description gives them, for images of 28 x 28.
    """
    counts, shape = [], (28, 28)  # of the signal: [rows, columns, maps]
    for layer in layers:
        match layer["kind"]:
            case "image":
                shape = (*shape, 1)
            case "flatten":
                shape = (math.prod(shape),)
            case "dense":
                counts.append(shape[0] * layer["units"])
                shape = (layer["units"],)
            case "conv":
                kernel, maps = layer["kernel"], layer["maps"]
                lost = kernel - 1 if layer["padding"] == "valid" else 0
                rows, columns = shape[0] - lost, shape[1] - lost
                counts.append(rows * columns * kernel**2 * shape[2] * maps)
                shape = (rows, columns, maps)
            case "pool":
                shape = (shape[0] // layer["size"], shape[1] // layer["size"], shape[2])
            case "lstm":
                steps, inputs = shape
                units = layer["units"]
                # Four gates, each from the row and from the state.
                counts += [steps * 4 * inputs * units, steps * 4 * units**2]
                shape = (units,)
    return counts


def training_flops(layers: list[dict]) -> int:
    """Floating-point operations of matrix products, for one image in one epoch.

    A product forward makes two backward, for the weights and for what is below;
    below the first layer there is nothing to learn. CD-1 has five products. XOR's
    networks count as nothing: their work is no matrix products of any size.
    """
    if layers[0]["kind"] == "rbm":
        return 5 * 2 * layers[0]["visible"] * layers[0]["hidden"]
    if layers[0]["kind"] == "xor":
        return 0
    counts = multiply_adds(layers)
    return 2 * (3 * sum(counts) - counts[0])
