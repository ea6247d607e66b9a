"""The labs of the bench: who trains what, what is asked for, what it costs at least."""

from typing import NamedTuple


class Contestant(NamedTuple):
    """One way to train: the file and variant that do it, and its name in tables."""

    framework: str
    variant: str
    label: str


CONTESTANTS = {
    "ours": Contestant("tensorflow", "ours", "**ours**"),
    "keras": Contestant("tensorflow", "keras", "Keras, default `fit`"),
    "torch": Contestant("torch", "memory", "PyTorch, tensors in memory"),
    "torch-last": Contestant("torch", "last", "PyTorch, same, channels last"),
    "torch-loader": Contestant("torch", "loader", "PyTorch, DataLoader"),
    "torch-compile": Contestant("torch", "compile", "PyTorch, torch.compile"),
    "jax-step": Contestant("jax", "step", "JAX, jitted step"),
    "jax-scan": Contestant("jax", "scan", "JAX, scan over the epoch"),
    "sklearn": Contestant("sklearn", "fit", "scikit-learn"),
    "numpy": Contestant("numpy", "hand", "NumPy"),
}
RATE = Contestant("tensorflow", "matmul", "matrix products")  # for the floor


class Lab(NamedTuple):
    """What is trained. Goals are ratios: our seconds over the other's, at most."""

    title: str
    contestants: tuple[str, ...]
    goals: dict[str, float]  # by contestant, or "peer" (the best of all), or "floor"
    images: int = 55_000
    score: str = "test accuracy, %"


TORCH = ("torch", "torch-loader", "torch-compile")
JAX = ("jax-step", "jax-scan")
DENSE = ("ours", "keras", *TORCH, *JAX, "sklearn")
# No scan: XLA takes minutes for a few convolutions inside a loop on the CPU.
CONVOLUTIONAL = ("ours", "keras", "torch-last", *TORCH, "jax-step")
LABS = {
    "20": Lab("784-10", DENSE, {"peer": 1.0, "keras": 0.4, "floor": 3}),
    "22": Lab("21/22: 784-256-256-10", DENSE, {"peer": 1.0, "keras": 0.4, "floor": 3}),
    # scikit-learn's network knows no dropout.
    "24": Lab(
        "23/24: 784-512x4-10, dropout",
        DENSE[:-1],
        {"peer": 1.0, "keras": 0.65, "floor": 3.2},
    ),
    "32": Lab(
        "two convolutions",
        CONVOLUTIONAL,
        {"peer": 1.1, "keras": 0.75, "floor": 2.2},
    ),
    "33": Lab(
        "LeNet-5, modern", CONVOLUTIONAL, {"peer": 1.1, "keras": 0.75, "floor": 2.2}
    ),
    # torch.compile leaves PyTorch's LSTM as it is.
    "43": Lab(
        "LSTM over 28 rows",
        ("ours", "keras", "torch", "torch-loader", *JAX),
        {"peer": 1.2, "keras": 0.6, "floor": 3.5},
    ),
    "51": Lab(
        "RBM, CD-1",
        ("ours", "torch", *JAX, "sklearn", "numpy"),
        {"peer": 0.9, "floor": 4},
        score="reconstruction error",
    ),
    "18": Lab(
        "XOR, 100 networks",
        ("ours", "keras", "torch", "jax-scan", "numpy"),
        {"numpy": 0.5, "keras": 0.001},
        images=0,
        score="networks that learn, %",
    ),
}


def multiply_adds(layers: list[dict]) -> list[int]:
    """Of one image's way through a network: one number per layer with weights.

    layers: as contestants_tensorflow.describe gives them, for images of 28 x 28.
    """
    counts, shape = [], (28, 28)  # of the signal: [rows, columns, maps]
    for layer in layers:
        match layer["kind"]:
            case "image":
                shape = (*shape, 1)
            case "flatten":
                size = 1
                for side in shape:
                    size *= side
                shape = (size,)
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
    below the first layer there is nothing to learn. CD-1 has five products.
    """
    if layers[0]["kind"] == "rbm":
        return 5 * 2 * layers[0]["visible"] * layers[0]["hidden"]
    if layers[0]["kind"] == "xor":
        return 0
    counts = multiply_adds(layers)
    return 2 * (3 * sum(counts) - counts[0])
