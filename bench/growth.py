"""How time and memory grow with images, width and networks; writes growth.json.

Every point is a process of its own, as the peak of memory belongs to a process. The
slopes and the figure follow from growth.json (publish.py).
"""

import contextlib
import sys
import tempfile
import time
from pathlib import Path

from common import devices, files
from common.command_line import Parser, whole_number

import labs
import measure
import publish

IMAGES_WHILE_WIDENING = 20_000
STEPS_WHILE_ADDING_NETWORKS = 2_000
SERIES = [
    # title, lab, the flag of the size, sizes, other flags
    ("images, 784-256-256-10", "22", "images", (1, 2, 5, 10, 20, 40, 60), []),
    (
        "hidden units in each of two layers",
        "22",
        "units",
        (64, 128, 256, 512, 1024, 2048),
        [f"--images={IMAGES_WHILE_WIDENING}"],
    ),
    (
        "XOR networks",
        "18",
        "networks",
        (1, 3, 10, 30, 100, 300, 1000),
        [f"--steps={STEPS_WHILE_ADDING_NETWORKS}"],
    ),
]


def measured(lab: str, flags: list[list[str]], args) -> tuple[list, list]:
    """Seconds of the fastest epoch after the first, and peak memory in MB, by size.

    flags: what each size's process is started with. They train in turn, as the bench's
    contestants do, so that a slow minute of the machine meets all sizes.
    """
    with contextlib.ExitStack() as stack:
        processes = []
        for own in flags:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
            process = measure.Process(
                labs.CONTESTANTS["ours"], lab, Path(folder), args, *own
            )
            stack.callback(process.end)
            processes.append(process)
        _, *rounds = [
            [process.tell("epoch")["seconds"] for process in processes]
            for _ in range(args.epochs + 1)
        ]
        seconds = [min(epochs) for epochs in zip(*rounds, strict=True)]
        return seconds, [process.tell("score")["peak_mb"] for process in processes]


def main() -> None:
    parser = Parser(prog="growth.py", description=__doc__)
    parser.add_argument("--epochs", type=whole_number(1), default=10, metavar="N")
    parser.add_argument("--out", type=Path, default=publish.HERE, metavar="DIR")
    args = parser.parse_args()
    args.device, args.peers = "cpu", sys.executable
    series = []
    for title, lab, flag, sizes, others in SERIES:
        sizes = [1000 * size for size in sizes] if flag == "images" else list(sizes)
        flags = [[f"--{flag}={size}", *others] for size in sizes]
        seconds, peaks = measured(lab, flags, args)
        for size, fastest in zip(sizes, seconds, strict=True):
            print(f"{title}: {size}: {fastest:.3f} s", flush=True)
        series.append(
            {"title": title, "sizes": sizes, "seconds": seconds, "peak_mb": peaks}
        )
    record = {
        "machine": devices.processor_name(),
        "date": time.strftime("%Y-%m-%d"),
        "epochs": args.epochs,
        "series": series,
    }
    files.write_record(args.out / "growth.json", record)
    publish.write_all(args.out)


if __name__ == "__main__":
    main()
