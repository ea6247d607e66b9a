"""How time and memory grow with images, width and networks; writes growth.json.

Every point is a process of its own, as the peak of memory belongs to a process. The
slopes and the figure follow from growth.json (publish.py).
"""

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
        (64, 128, 256, 512, 1024),
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


def point(lab: str, flags: list[str], args) -> tuple[float, float]:
    """Seconds of the fastest epoch after the first, and the peak memory in MB."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        process = measure.Process(
            labs.CONTESTANTS["ours"], lab, Path(folder), args, *flags
        )
        try:
            process.tell("epoch")
            times = [process.tell("epoch")["seconds"] for _ in range(args.epochs)]
            return min(times), process.tell("score")["peak_mb"]
        finally:
            process.end()


def main() -> None:
    parser = Parser(prog="growth.py", description=__doc__)
    parser.add_argument("--epochs", type=whole_number(1), default=5, metavar="N")
    parser.add_argument("--out", type=Path, default=publish.HERE, metavar="DIR")
    args = parser.parse_args()
    args.device, args.peers = "cpu", sys.executable
    series = []
    for title, lab, flag, sizes, others in SERIES:
        sizes = [1000 * size for size in sizes] if flag == "images" else list(sizes)
        points = []
        for size in sizes:
            points.append(point(lab, [f"--{flag}={size}", *others], args))
            print(f"{title}: {size}: {points[-1][0]:.3f} s", flush=True)
        seconds, peaks = zip(*points, strict=True)
        series.append(
            {
                "title": title,
                "sizes": sizes,
                "seconds": list(seconds),
                "peak_mb": list(peaks),
            }
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
