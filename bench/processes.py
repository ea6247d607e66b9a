"""Contestants as processes: started, told in turn, ended; and who else was busy."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common.files import ROOT, Problem


class Refused(Problem):
    """A contestant's framework does not see the device, or has no use for it."""

    def __init__(self, reason: str):
        super().__init__(reason, status=2)


class Failed(Problem):
    """A contestant ended by itself; the message is the last line that it printed."""


class Process:
    """A contestant that runs and waits.

    contestant: of labs.CONTESTANTS. shared: the folder of all contestants of this lab.
    flags: more of contestants.protocol's. peers: the Python of what is not TensorFlow.
    Raises Refused where it cannot use the device, Failed where it ended by itself.
    """

    def __init__(
        self, contestant, lab, shared, flags=(), device="cpu", peers=sys.executable
    ):
        python = sys.executable if contestant.framework == "tensorflow" else peers
        self.used = 0.0
        self.errors = tempfile.TemporaryFile(dir=shared)  # noqa: SIM115
        self.process = subprocess.Popen(  # noqa: S603  (modules of this package)
            [
                # Not resolved: a virtual environment is known by its own link.
                str(Path(python).absolute()),
                "-m",
                f"bench.contestants.{contestant.framework}",
                lab,
                contestant.variant,
                f"--shared={shared}",
                f"--device={device}",
                *flags,
            ],
            # There `bench` and `common` are found, installed or not.
            cwd=ROOT,
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
        """The next line of the contestant's."""
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
        """End the process, whatever it does."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def processor_seconds(self) -> float:
        """What this process has used so far, on all cores (Linux)."""
        if self.process.poll() is None:
            stat = Path(f"/proc/{self.process.pid}/stat").read_text()
            ticks = stat.rpartition(")")[2].split()[11:13]
            self.used = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
        return self.used


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

    def now(self) -> tuple[float, float, float]:
        """The clock; processor seconds so far of everything, and of the contestants."""
        own = [process.processor_seconds() for process in self.processes]
        return time.monotonic(), busy_seconds(), sum(own)

    def percent(self) -> float:
        """What others used, of all cores' time since the beginning."""
        ended, busy, own = self.now()
        others = (busy - self.busy) - (own - self.own)
        return 100 * max(0.0, others) / (ended - self.began) / os.cpu_count()
