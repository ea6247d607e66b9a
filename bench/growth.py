"""How time and memory grow with images, width and networks.

Every point is a process of its own, as the peak of memory belongs to a process.
"""

import contextlib
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench import labs
from bench.processes import Process
from common import devices, files

IMAGES_WHILE_WIDENING = 20_000
STEPS_WHILE_ADDING_NETWORKS = 2_000


class Series(NamedTuple):
    """One line of the figure: a lab at several sizes, all else being equal."""

    title: str
    lab: str
    sizes: tuple[int, ...]
    flags: Callable[[int], list[str]]  # of the process of a size


def settings(**values) -> str:
    """The flag that gives settings of a recipe other values."""
    return f"--settings={json.dumps(values)}"


SERIES = (
    Series(
        "images, 784-256-256-10",
        "22",
        (1000, 2000, 5000, 10_000, 20_000, 40_000, 60_000),
        lambda size: [f"--images={size}"],
    ),
    Series(
        "hidden units in each of two layers",
        "22",
        (64, 128, 256, 512, 1024, 2048),
        lambda size: [
            f"--images={IMAGES_WHILE_WIDENING}",
            settings(HIDDEN_UNITS=[size, size]),
        ],
    ),
    Series(
        "XOR networks",
        "18",
        (1, 3, 10, 30, 100, 300, 1000),
        lambda size: [settings(NETWORKS=size, LAB_STEPS=STEPS_WHILE_ADDING_NETWORKS)],
    ),
)


def measure_series(series: Series, epochs: int) -> dict:
    """Seconds of the fastest epoch after the first, and peak memory in MB, by size.

    The sizes train in turn, as the bench's contestants do, so that a slow minute of the
    machine meets all of them.
    """
    with contextlib.ExitStack() as stack:
        processes = []
        for size in series.sizes:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
            process = Process(
                labs.CONTESTANTS["ours"],
                series.lab,
                Path(folder),
                series.flags(size),
            )
            stack.callback(process.end)
            processes.append(process)
        _, *rounds = [
            [process.tell("epoch")["seconds"] for process in processes]
            for _ in range(epochs + 1)
        ]
        return {
            "title": series.title,
            "sizes": list(series.sizes),
            "seconds": [min(of_size) for of_size in zip(*rounds, strict=True)],
            "peak_mb": [process.tell("score")["peak_mb"] for process in processes],
        }


def measure(epochs: int, out: Path, every=SERIES) -> Path:
    """Measure all series and write growth.json into `out`. Returns its path."""
    measured = []
    for series in every:
        found = measure_series(series, epochs)
        for size, fastest in zip(found["sizes"], found["seconds"], strict=True):
            print(f"{series.title}: {size}: {fastest:.3f} s", flush=True)
        measured.append(found)
    record = {
        "machine": devices.processor_name(),
        "date": time.strftime("%Y-%m-%d"),
        "epochs": epochs,
        "series": measured,
    }
    files.write_record(out / "growth.json", record)
    return out / "growth.json"
