"""The bench: this project's training beside its peers, epoch by epoch in turn.

Every contestant is a process of its own. All of a lab are started, one after the
other, and then told in rounds to train one epoch each, A B C A B C, so that a slow
minute of the machine meets them all. Writes results.json, then README.md and
bench.png from it.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import devices, files
from common.command_line import Parser, whole_number
from common.files import ROOT, Problem

import labs
import publish

HERE = Path(__file__).resolve().parent


class Process:
    """A contestant that runs and waits.

    Raises Refused where it cannot use the device, Failed where it ended by itself.
    """

    def __init__(self, contestant, lab, shared, args, *flags):
        python = sys.executable if contestant.framework == "tensorflow" else args.peers
        self.used = 0.0
        self.errors = tempfile.TemporaryFile(dir=shared)  # noqa: SIM115
        self.process = subprocess.Popen(  # noqa: S603  (files of this folder)
            [
                str(python),
                str(HERE / f"contestants_{contestant.framework}.py"),
                lab,
                contestant.variant,
                f"--shared={shared}",
                f"--device={args.device}",
                *flags,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            # Without it, a second bench would find the compiler's work done.
            env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(shared / "inductor")},
        )
        try:
            self.about = self.answer()
            if "refused" in self.about:
                raise Refused(self.about["refused"])
        except BaseException:
            self.end()
            raise

    def answer(self) -> dict:
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace").strip().splitlines()
        status = f"status {self.process.returncode}"
        raise Failed(said[-1] if said else status)

    def tell(self, word: str) -> dict:
        """Send `epoch` or `score` and wait for the answer."""
        with contextlib.suppress(BrokenPipeError):
            print(word, file=self.process.stdin, flush=True)
        return self.answer()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def processor_seconds(self) -> float:
        """What this process has used so far, on all cores."""
        if self.process.poll() is None:
            stat = Path(f"/proc/{self.process.pid}/stat").read_text()
            ticks = stat.rpartition(")")[2].split()[11:13]
            self.used = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
        return self.used


class Refused(Exception):
    """A contestant's framework does not see the device, or has no use for it."""


class Failed(Exception):
    """A contestant ended by itself; the message is the last line that it printed."""


def busy_seconds() -> float:
    """Processor seconds that everything on this machine has used since it started."""
    fields = Path("/proc/stat").read_text().split(maxsplit=9)
    user, nice, system = map(int, fields[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


class Bystanders:
    """How much of the machine others use while the contestants train (Linux)."""

    def __init__(self, processes):
        self.processes = processes
        self.began, self.busy, self.own = self.now()

    def now(self):
        own = [process.processor_seconds() for process in self.processes]
        return time.monotonic(), busy_seconds(), sum(own)

    def percent(self) -> float:
        """Of all cores' time since the beginning."""
        ended, busy, own = self.now()
        others = (busy - self.busy) - (own - self.own)
        return 100 * max(0.0, others) / (ended - self.began) / os.cpu_count()


def run_lab(key: str, names, args) -> dict:
    """Measure one lab. Returns its part of results.json."""
    lab = labs.LABS[key]
    images = min(args.images or lab.images, lab.images)
    running, missing = {}, {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        shared = Path(folder)
        try:
            for name in names:
                try:
                    running[name] = Process(
                        labs.CONTESTANTS[name], key, shared, args, f"--images={images}"
                    )
                except (Refused, Failed) as reason:
                    missing[name] = str(reason)
                    if name == "ours":  # the others build what it has built
                        break
            if not running:
                raise Refused("; ".join(dict.fromkeys(missing.values())))
            known = json.loads((shared / "network.json").read_text())
            rate = Process(labs.RATE, key, shared, args)
            running["rate"] = rate
            told = {name: [] for name in running}
            others = {}
            for number in range(args.epochs + 1):
                if number == 1 and sys.platform == "linux":
                    bystanders = Bystanders(list(running.values()))
                for name in list(running):
                    try:
                        told[name].append(running[name].tell("epoch"))
                    except Failed as reason:
                        missing[name] = str(reason)
                        running.pop(name).end()
                print(f"{lab.title}: round {number} of {args.epochs}", flush=True)
            if sys.platform == "linux":
                others = {"others_percent": round(bystanders.percent(), 1)}
            measured = {}
            for name, process in running.items():
                if name != "rate":
                    measured[name] = summary(
                        process.about, told[name], process.tell("score")
                    )
        finally:
            for process in running.values():
                process.end()
    return {
        "images": images,
        "flops": labs.training_flops(known["layers"]) * images,
        "flops_per_second": max(answer["flops_per_second"] for answer in told["rate"]),
        **others,
        "contestants": measured,
        "missing": missing,
    }


def summary(about: dict, epochs: list[dict], scored: dict) -> dict:
    """A contestant's record; times of an extrapolated one are for the whole work."""
    scale = about.get("extrapolated", 1)
    record = {**about, "first_seconds": scale * epochs[0]["seconds"]}
    for what in ("seconds", "processor_seconds", "waits"):
        record[what] = [scale * epoch[what] for epoch in epochs[1:]]
    return {**record, **scored}


def measure(args) -> None:
    """Run the labs that were asked for; results are written after each one."""
    path = publish.results_path(args.device, args.out)
    record = {
        "machine": devices.processor_name(),
        "cores": os.cpu_count(),
        "device": args.device,
        "epochs": args.epochs,
    }
    try:
        earlier = files.read_record(path)
    except FileNotFoundError:
        earlier = {}
    # Labs may be measured one by one, but only like with like.
    same = all(earlier.get(key) == value for key, value in record.items())
    record["labs"] = earlier["labs"] if earlier and same else {}
    if args.only != ["ours"] and not args.peers.exists():
        raise Problem(
            f"--peers {args.peers} is not there; make bench sets it up", status=2
        )
    for key in args.labs:
        names = [
            n for n in labs.LABS[key].contestants if not args.only or n in args.only
        ]
        try:
            measured = run_lab(key, names, args)
        except Refused as reason:
            raise Problem(
                f"--device {args.device}: no contestant can use it: {reason}", status=2
            ) from None
        record["labs"][key] = {"date": time.strftime("%Y-%m-%d"), **measured}
        files.write_record(path, record)
        for name, reason in measured["missing"].items():
            print(f"{labs.LABS[key].title}: without {name}: {reason}", flush=True)
    publish.write_all(args.out)
    print(f"{path}, README.md and the figures beside it are written")


def parse(arguments=None):
    parser = Parser(prog="measure.py", description=__doc__)
    add = parser.add_argument
    add("--device", choices=("cpu", "gpu"), default="cpu")
    add("--labs", type=known(labs.LABS), default=list(labs.LABS), metavar="20,22")
    add(
        "--only",
        type=known(labs.CONTESTANTS),
        metavar="ours,keras",
        help="fewer contestants, for trying; ours must be among them",
    )
    add(
        "--epochs",
        type=whole_number(1),
        default=5,
        metavar="N",
        help="rounds after the first (default 5)",
    )
    add(
        "--images",
        type=whole_number(100, 60_000),
        metavar="N",
        help="fewer training images, for trying",
    )
    add(
        "--peers",
        type=Path,
        default=ROOT / ".venv-bench/bin/python",
        metavar="PYTHON",
        help="the Python that has PyTorch, JAX and scikit-learn",
    )
    add("--out", type=Path, default=HERE, metavar="DIR", help="default bench/")
    return parser.parse_args(arguments)


def known(names):
    """A parser of some of `names`, separated by commas."""

    def split(text):
        chosen = text.split(",")
        for name in chosen:
            if name not in names:
                raise argparse.ArgumentTypeError(
                    f"{name!r} is none of {', '.join(names)}"
                )
        return chosen

    return split


def main(arguments=None) -> int:
    args = parse(arguments)
    try:
        measure(args)
    except Problem as problem:
        print(f"measure.py: {problem}", file=sys.stderr)
        return problem.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
