"""Which run goes to which node, what is done when one is lost, what comes back."""

import shutil
import time
from collections import Counter, deque
from pathlib import Path

from cluster import node
from cluster.node import Outcome
from common import executing, files
from common.executing import Request, Run
from common.files import Problem

import ray
from filelock import FileLock, Timeout
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

ATTEMPTS = 4  # of a run whose worker or node was lost; then it counts as failed
RUN_MEMORY = 2_000_000_000  # bytes that a run is given room for
LOOK_AROUND = 2.0  # seconds between looks at which nodes there are


class Driver:
    """Runs requests on the nodes of the Ray cluster that this process is connected to.

    requests: in the order in which they are to be started. gpus_per_run: the share of a
    GPU that each is given, 0 for none. done(request) is called after each whose folder
    has been written, and returns further requests, or None. failed: (request, what is
    to be said of it).
    """

    def __init__(self, requests: list[Request], gpus_per_run: float, done):
        self.queue, self.total = deque(requests), len(requests)
        self.gpus_per_run, self.done = gpus_per_run, done
        self.stems = sorted({request.stem for request in requests})
        self.wanted = node.installed(self.stems)
        self.checks = {}  # {reference: node id}
        self.running = {}  # {reference: (request, node id, when it was started)}
        self.slots = {}  # {node id: runs at a time}, of nodes that may run something
        self.names = {}  # {node id: host name}, of all that were ever seen
        self.losses = Counter()  # of each run's attempts, by its title
        self.failed, self.finished = [], 0

    def run(self) -> None:
        """Run everything; raises Problem at the end where some runs failed."""
        try:
            while self.queue or self.running:
                self._look_around()
                self._place()
                waiting = [*self.running, *self.checks]
                if not waiting:
                    raise Problem(
                        f"{len(self.queue)} runs wait and no node may run them; the "
                        "lines above say why; put the nodes right and run again"
                    )
                for reference in ray.wait(waiting, timeout=LOOK_AROUND)[0]:
                    if reference in self.checks:
                        self._admit(reference)
                    else:
                        self._finish(reference)
        finally:
            for reference in self.running:
                ray.cancel(reference, force=True)
        if self.failed:
            told = "; ".join(f"{_title(r)}: {said}" for r, said in self.failed)
            raise Problem(
                f"{len(self.failed)} of {self.total} runs failed: {told}; the others "
                "are done, and the same command runs only these again"
            )

    def _look_around(self) -> None:
        """Ask nodes that have come what they have installed; forget those that left."""
        alive = {n["NodeID"]: n for n in ray.nodes() if n["Alive"]}
        for gone in set(self.slots) - set(alive):
            print(f"{self.names[gone]}: left the cluster", flush=True)
            del self.slots[gone]
        for identity, found in alive.items():
            if identity in self.names:
                continue
            self.names[identity] = found["NodeManagerHostname"]
            room = found["Resources"]
            count = min(room.get("CPU", 0), room.get("memory", 0) // RUN_MEMORY)
            if self.gpus_per_run:
                count = min(count, room.get("GPU", 0) / self.gpus_per_run)
            if count < 1:
                print(f"{self.names[identity]}: no room for a run", flush=True)
                continue
            self.slots[identity] = 0  # until it is known what it has installed
            ask = ray.remote(num_cpus=0, max_retries=0)(node.installed)
            placed = ask.options(scheduling_strategy=_only(identity))
            asked = placed.remote(self.stems)
            self.checks[asked] = identity, int(count)

    def _admit(self, reference) -> None:
        """Let a node have runs, if it has installed what this machine has."""
        identity, count = self.checks.pop(reference)
        try:
            found = ray.get(reference)
        except ray.exceptions.RayError as error:
            found, other = {}, [_in_a_line(error)]
        else:
            other = [
                f"{what} is {has}, here {self.wanted[what]}"
                for what, has in found.items()
                if has != self.wanted[what]
            ]
        if other:
            name, more = self.names[identity], len(other) - 1
            rest = f" (and {more} more)" if more else ""
            print(f"{name} is refused: {other[0]}{rest}", flush=True)
            self.slots.pop(identity, None)
        elif identity in self.slots:
            self.slots[identity] = count

    def _place(self) -> None:
        """Start runs on nodes with room, on the one with most room first."""
        while self.queue:
            used = [identity for _, identity, _ in self.running.values()]
            free = {i: count - used.count(i) for i, count in self.slots.items()}
            if max(free.values(), default=0) < 1:
                return
            identity = max(free, key=free.get)
            request = self.queue.popleft()
            # A worker sees the GPUs that it was started with, so each run has its own.
            start = ray.remote(
                num_cpus=1,
                num_gpus=self.gpus_per_run,
                memory=RUN_MEMORY,
                max_retries=0,  # counted and said here
                max_calls=1 if self.gpus_per_run else 0,
            )(node.run)
            placed = start.options(scheduling_strategy=_only(identity))
            self.running[placed.remote(request)] = request, identity, time.monotonic()

    def _finish(self, reference) -> None:
        """Take in a run that has ended, in one way or another."""
        request, identity, began = self.running.pop(reference)
        where = self.names[identity]
        try:
            outcome = ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            self._fail(request, f"{_in_a_line(error)} on {where}")
        except ray.exceptions.RayError as error:
            self._lost(request, f"{type(error).__name__} on {where}")
        else:
            if outcome.status < 0:
                self._lost(request, f"ended by signal {-outcome.status} on {where}")
            elif outcome.status:
                last = outcome.printed.strip().splitlines()[-2:]
                self._fail(request, f"{' '.join(last)} on {where}")
            else:
                take_in(request, outcome)
                self.finished += 1
                seconds = time.monotonic() - began
                self._say(request, f"done in {seconds:.0f} s on {where}")
                further = self.done(request) or []
                self.queue.extend(further)
                self.total += len(further)

    def _lost(self, request: Request, how: str) -> None:
        """Start a lost run again, before all others, unless that was done too often."""
        self.losses[_title(request)] += 1
        count = self.losses[_title(request)]
        if count == ATTEMPTS:
            self._fail(request, f"lost {count} times, the last time: {how}")
        else:
            self.queue.appendleft(request)
            self._say(request, f"lost ({how}), attempt {count + 1} of {ATTEMPTS}")

    def _fail(self, request: Request, said: str) -> None:
        self.failed.append((request, said))
        self._say(request, f"failed: {said}")

    def _say(self, request: Request, what: str) -> None:
        counts = f"{self.finished} of {self.total} done, {len(self.running)} running"
        counts += f", {len(self.failed)} failed, {len(self.queue)} to come"
        print(f"[{counts}] {_title(request)}: {what}", flush=True)


def take_in(request: Request, outcome: Outcome) -> None:
    """Write the files of a run to its folder here, its metrics.json last.

    A folder that holds a valid run already, or in which one is at work, is left alone.
    Raises OSError where there is no room.
    """
    folder = Run(request).folder
    folder.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(folder / ".lock").acquire(timeout=0)
    except Timeout:
        print(f"{_title(request)}: also at work in {folder}, which is left alone")
        return
    with held:
        if executing.finished(request):
            return
        for checkpoint in folder.glob("*.checkpoint"):
            checkpoint.unlink()  # of an attempt without the cluster
        shutil.rmtree(folder / "tensorboard", ignore_errors=True)
        for name in sorted(outcome.files, key=lambda name: name == "metrics.json"):
            files.write_whole(folder / Path(name), outcome.files[name])


def _title(request: Request) -> str:
    return f"{request.stem} seed {request.seed}"


def _only(identity: str) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(identity, soft=False)


def _in_a_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1]
