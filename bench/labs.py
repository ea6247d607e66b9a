"""The labs of the bench: who trains what, and what is asked for."""

from typing import NamedTuple


class Contestant(NamedTuple):
    """One way to train: a file in contestants/, its variant, its name in tables."""

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
    """What is trained. Goals are ratios: our seconds over the other's, at most.

    The labs are known by the numbers of their recipes, whose networks are built by the
    recipes themselves. loop: how every contestant trains it: "network", "rbm", "xor".
    """

    title: str
    contestants: tuple[str, ...]
    goals: dict[str, float]  # by contestant, or "peer" (the best of all), or "floor"
    loop: str = "network"
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
        loop="rbm",
        score="reconstruction error",
    ),
    "18": Lab(
        "XOR, 100 networks",
        ("ours", "keras", "torch", "jax-scan", "numpy"),
        {"numpy": 0.5, "keras": 0.001},
        loop="xor",
        images=0,
        score="networks that learn, %",
    ),
}


def in_order(record: dict) -> list[tuple[str, dict]]:
    """(key, lab) of the labs that results.json holds, in the order of LABS."""
    return [(key, record["labs"][key]) for key in LABS if key in record["labs"]]
