"""One contestant: a process that trains one epoch whenever it is told to.

It reads a word a line on its standard input and answers each with a line of JSON:
`epoch` trains one epoch and gives its times, `score` gives the score on the test
images and the peak memory so far. Its first line says what it is. While it waits it
uses no processor time, so all contestants of a lab live side by side and are told in
turn, A B C A B C.
"""

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path

from common.files import Problem

import numpy as np

BEGAN = time.perf_counter()  # imported before the framework


class Gate:
    """Lets a training loop through, epoch by epoch.

    score: a function without arguments, set before the first epoch.
    about: what the first line says: device, version, parameters.
    extra: more to say of the next epoch, beside its times.
    """

    def __init__(self, answers):
        self.answers = answers
        self.about = {"import_seconds": time.perf_counter() - BEGAN}
        self.extra = {}
        self.score = lambda: None
        self.before = None

    def say(self, **answer) -> None:
        print(json.dumps(answer), file=self.answers, flush=True)

    def wait(self) -> None:
        """An epoch is about to begin: report the one before, wait to be told."""
        if self.before is None:
            self.say(**self.about)
        else:
            spent = {key: value - self.before[key] for key, value in counters().items()}
            self.say(**spent, **self.extra)
        for line in sys.stdin:
            if line.strip() == "epoch":
                self.before = counters()
                return
            # Memory first: scoring may need more of it than training.
            kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            self.say(peak_mb=kilobytes / 1024, score=self.score())
        # The loop is inside a framework: leave without its closing ceremonies.
        self.answers.flush()
        os._exit(0)


def counters() -> dict:
    """Seconds by the clock and on the processor; how often a thread had to wait."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": time.perf_counter(),
        "processor_seconds": usage.ru_utime + usage.ru_stime,
        "waits": usage.ru_nvcsw,
    }


def main(enter, variants) -> None:
    """The command line of a contestant; `enter(args, gate)` trains for ever."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lab")
    parser.add_argument("variant", choices=variants)
    parser.add_argument("--shared", type=Path, required=True, metavar="DIR")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--images", type=int, default=55_000)
    # For the figure of growth, which changes one size at a time.
    parser.add_argument("--units", type=int)
    parser.add_argument("--networks", type=int)
    parser.add_argument("--steps", type=int)
    args = parser.parse_args()
    # What frameworks print must not fall between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    gate = Gate(answers)
    try:
        enter(args, gate)
    except Problem as problem:
        gate.say(refused=str(problem))


def write_network(folder: Path, network: dict, weights) -> None:
    """What the first contestant built: the others build the same, from its start."""
    (folder / "network.json").write_text(json.dumps(network))
    np.savez(folder / "start.npz", *weights)


def read_network(folder: Path) -> tuple[dict, list[np.ndarray]]:
    """The network and the weights it starts from, in Keras' order and shapes."""
    with np.load(folder / "start.npz") as saved:
        weights = [saved[f"arr_{index}"] for index in range(len(saved.files))]
    return json.loads((folder / "network.json").read_text()), weights


def mnist(images: int):
    """(x_train, y_train), (x_test, y_test): the lecture's split, `images` of 55,000.

    With more than 55,000 the held-out images count as training images.
    """
    from common import datasets

    (x, y), (x_held, y_held), test = datasets.mnist()
    if images > len(x):
        x, y = np.concatenate((x, x_held)), np.concatenate((y, y_held))
    return (x[:images], y[:images]), test


def percent(answers, labels) -> float:
    """How many of the answers are right, in percent."""
    return 100 * float(np.mean(np.asarray(answers) == labels))


def reconstruction_error(v, w, b, c) -> float:
    """Of a Boltzmann machine: mean squared difference of pixels and their echo."""

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    echo = sigmoid(sigmoid(v @ w + c) @ w.T + b)
    return float(np.mean((v - echo) ** 2))


def learned_xor(weights) -> float:
    """Percent of the networks that have all four right; weights as in recipe 18."""
    signal = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])[:, :, None]
    for layer in range(0, len(weights), 2):
        if layer:
            signal = 1 / (1 + np.exp(-signal))
        signal = (signal[:, :, None] * weights[layer]).sum(axis=1) + weights[layer + 1]
    right = (signal[:, 0] > 0) == np.array([[False], [True], [True], [False]])
    return 100 * float(right.all(axis=0).mean())
