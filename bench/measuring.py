"""Measuring: this project's training beside its peers, epoch by epoch in turn.

All contestants of a lab are started, one after the other, and then told in rounds to
train one epoch each, A B C A B C, so that a slow minute of the machine meets them all.
"""

import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench import labs
from bench.flops import training_flops
from bench.processes import Bystanders, Failed, Process, Refused
from common import devices, files
from common.files import ROOT, Problem

HERE = Path(__file__).resolve().parent
PEERS = ROOT / ".venv-bench/bin/python"  # set up by `make bench`


@dataclass(frozen=True)
class Plan:
    """What is measured, and how.

    chosen: keys of labs.LABS. only: names of contestants ("ours" among them), or
        nothing for all. epochs: rounds after the first. images: at most so many.
    """

    chosen: tuple[str, ...] = tuple(labs.LABS)
    only: tuple[str, ...] = ()
    epochs: int = 5
    images: int | None = None
    device: str = "cpu"
    peers: Path = PEERS
    out: Path = HERE

    def images_of(self, key: str) -> int:
        """How many images a lab trains on."""
        most = labs.LABS[key].images
        return min(self.images or most, most)

    def contestants_of(self, key: str) -> list[str]:
        """The names of a lab's contestants, ours first."""
        names = labs.LABS[key].contestants
        return [name for name in names if not self.only or name in self.only]


def results_path(device: str, folder: Path = HERE) -> Path:
    """Where the results of a device are; CPU and GPU never share a file."""
    return folder / ("results.json" if device == "cpu" else f"results-{device}.json")


def start(key: str, shared: Path, plan: Plan) -> tuple[dict, dict]:
    """Start a lab's contestants and what measures the rate of matrix products.

    Returns (processes by name, {name: why it is missing}). Raises Refused or Failed
    where it is ours: the others build what it has built.
    """
    flags = [f"--images={plan.images_of(key)}"]
    running, missing = {}, {}
    try:
        for name in plan.contestants_of(key):
            try:
                running[name] = Process(
                    labs.CONTESTANTS[name], key, shared, flags, plan.device, plan.peers
                )
            except (Refused, Failed) as reason:
                if name == "ours":
                    raise
                missing[name] = str(reason)
        running["rate"] = Process(labs.RATE, key, shared, device=plan.device)
    except BaseException:
        end(running)
        raise
    return running, missing


def end(running: dict) -> None:
    """End all processes."""
    for process in running.values():
        process.end()


def rounds(title: str, running: dict, missing: dict, epochs: int) -> tuple[dict, dict]:
    """Tell all in turn to train, one round and then `epochs` more.

    Who ends by itself moves from `running` to `missing`; raises Problem where that is
    ours or the rate's. Returns the answers by name, and how busy others were after the
    first round, where the system tells.
    """
    told = {name: [] for name in running}
    watched = sys.platform == "linux"
    for number in range(epochs + 1):
        if number == 1 and watched:
            bystanders = Bystanders(list(running.values()))
        for name in list(running):
            try:
                told[name].append(running[name].tell("epoch"))
            except Failed as reason:
                if name in ("ours", "rate"):
                    raise Problem(f"{title}: {name} ended: {reason}") from reason
                missing[name] = str(reason)
                running.pop(name).end()
        print(f"{title}: round {number} of {epochs}", flush=True)
    others = {"others_percent": round(bystanders.percent(), 1)} if watched else {}
    return told, others


def summary(about: dict, epochs: list[dict], scored: dict) -> dict:
    """A contestant's record; times of an extrapolated one are for the whole work."""
    scale = about.get("extrapolated", 1)
    record = {**about, "first_seconds": scale * epochs[0]["seconds"]}
    for what in ("seconds", "processor_seconds", "waits"):
        record[what] = [scale * epoch[what] for epoch in epochs[1:]]
    return {**record, **scored}


def measure_lab(key: str, plan: Plan) -> dict:
    """Measure one lab. Returns its part of results.json."""
    images = plan.images_of(key)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        shared = Path(folder)
        running, missing = start(key, shared, plan)
        try:
            known = json.loads((shared / "network.json").read_text())
            title = labs.LABS[key].title
            told, others = rounds(title, running, missing, plan.epochs)
            measured = {
                name: summary(process.about, told[name], process.tell("score"))
                for name, process in running.items()
                if name != "rate"
            }
        finally:
            end(running)
    return {
        "images": images,
        "flops": training_flops(known["layers"]) * images,
        "flops_per_second": max(answer["flops_per_second"] for answer in told["rate"]),
        **others,
        "contestants": measured,
        "missing": missing,
    }


def measure(plan: Plan) -> Path:
    """Measure the labs of a plan; the results are written after each one.

    Returns the path of the results. Raises Problem (status 2) where the peers' Python
    is not there, or TensorFlow does not see the device.
    """
    path = results_path(plan.device, plan.out)
    record = {
        "machine": devices.processor_name(),
        "cores": os.cpu_count(),
        "device": plan.device,
        "epochs": plan.epochs,
    }
    try:
        earlier = files.read_record(path)
    except FileNotFoundError:
        earlier = {}
    # Labs may be measured one by one, but only like with like.
    same = all(earlier.get(key) == value for key, value in record.items())
    record["labs"] = earlier["labs"] if earlier and same else {}
    own = {n for n, c in labs.CONTESTANTS.items() if c.framework == "tensorflow"}
    if not (plan.only and set(plan.only) <= own) and not plan.peers.exists():
        raise Problem(
            f"--peers {plan.peers} is not there; make bench sets it up", status=2
        )
    for key in plan.chosen:
        measured = measure_lab(key, plan)
        record["labs"][key] = {"date": time.strftime("%Y-%m-%d"), **measured}
        files.write_record(path, record)
        for name, reason in measured["missing"].items():
            print(f"{labs.LABS[key].title}: without {name}: {reason}", flush=True)
    return path
