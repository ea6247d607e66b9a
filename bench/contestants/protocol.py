"""One contestant: a process that trains one epoch whenever it is told to.

It reads a word a line on its standard input and answers each with a line of JSON:
`epoch` trains one epoch and gives its times, `score` gives the score on the test
images and the peak memory so far. Its first line says what it is. While it waits it
uses no processor time, so all contestants of a lab live side by side and are told in
turn, A B C A B C.

What the first contestant has built goes to the others through a folder that all share.
"""

import argparse
import json
import os
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.labs import LABS
from common.files import Problem

import numpy as np

BEGAN = time.perf_counter()  # imported before the framework


@dataclass(frozen=True)
class Job:
    """What a contestant is started for.

    lab: of labs.LABS. variant: which of the file's ways to train. shared: the folder of
    all contestants of this lab. settings: of the recipe, by name, that have other
    values here.
    """

    lab: str
    variant: str
    shared: Path
    device: str = "cpu"
    images: int = 55_000
    settings: dict = field(default_factory=dict)


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
        """Answer with a line of JSON."""
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
    """The command line of a contestant; `enter(job, gate)` trains for ever."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lab", choices=LABS)
    parser.add_argument("variant", choices=variants)
    parser.add_argument("--shared", type=Path, required=True, metavar="DIR")
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--images", type=int, default=Job.images)
    # For the figure of growth, which changes one size at a time.
    parser.add_argument(
        "--settings",
        type=json.loads,
        default={},
        metavar="JSON",
        help="other values for settings of the recipe, by name",
    )
    job = Job(**vars(parser.parse_args()))
    # What frameworks print must not fall between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    gate = Gate(answers)
    try:
        enter(job, gate)
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
