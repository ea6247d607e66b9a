"""Many runs in one go, in processes that share a loaded TensorFlow.

python -m common.batch                 every recipe that has no valid run, seed 0
python -m common.batch 20 24           these recipes
python -m common.batch --reproduce     measure over all seeds, write results/

Each run is a process of its own, two at a time: what ends one, ends no other. Runs that
were finished before are taken over, unfinished ones go on after their last epoch.
"""

import argparse
import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path

from common import devices, executing, recipes, results
from common.command_line import Parser, add_run_flags, whole_number
from common.executing import Request
from common.files import Problem
from common.running import guarded, run_seeds

UNKNOWN_SECONDS = 60.0  # of a recipe without a result: in the middle of the queue


def median_seconds(recipe: Path) -> float:
    """What a run of a recipe took when it was measured."""
    result = results.read_result(recipe)
    if result is None:
        return UNKNOWN_SECONDS
    return sorted(result["seconds"])[len(result["seconds"]) // 2]


def _follow_parent() -> None:
    """End this process where the one that started it has been killed."""
    multiprocessing.parent_process().join()
    os.kill(os.getpid(), signal.SIGTERM)


def _work(request: Request, log: str) -> None:
    """The process of one run: what it prints goes into the file `log`."""
    with open(log, "wb", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    threading.Thread(target=_follow_parent, daemon=True).start()
    status = guarded(lambda: run_seeds([request], taken_over=True), request.stem)
    sys.stdout.flush()
    sys.exit(status)


def _title(request: Request) -> str:
    return f"{request.stem} seed {request.seed}"


def _ended(status: int) -> str:
    return f"ended by signal {-status}" if status < 0 else f"exit status {status}"


class Batch:
    """Runs requests, some at a time, the longest first.

    jobs: how many at once. done(request) is called after each that came to its end, and
        returns further requests, or None.
    failed: the others, as (request, exit status, below 0 the signal that ended it).
    """

    def __init__(self, requests, jobs: int, done=lambda request: None):
        self.queue = deque(requests)
        self.total, self.jobs, self.done = len(self.queue), jobs, done
        self.running = {}  # {process: (request, log, when it started)}
        self.failed = []
        # A child of the fork server finds TensorFlow loaded; elsewhere forking a
        # process that holds it is not safe, and each child loads its own.
        forks = sys.platform == "linux"
        self.context = multiprocessing.get_context("forkserver" if forks else "spawn")
        if forks:
            self.context.set_forkserver_preload(["common.preloaded"])

    def run(self) -> None:
        """Run everything; raises Problem at the end where some runs failed."""
        with tempfile.TemporaryDirectory(prefix="labs-") as folder:
            try:
                while self.queue or self.running:
                    while self.queue and len(self.running) < self.jobs:
                        self._start(self.queue.popleft(), Path(folder))
                    wait([process.sentinel for process in self.running])
                    for process in [p for p in self.running if not p.is_alive()]:
                        self._finish(process)
            finally:
                self._end()
        if self.failed:
            named = (f"{_title(r)} ({_ended(status)})" for r, status in self.failed)
            raise Problem(
                f"{len(self.failed)} of {self.total} runs failed: {', '.join(named)}; "
                "the others are done, and the same command runs only these again"
            )

    def _start(self, request: Request, folder: Path) -> None:
        log = folder / f"{request.stem}-{request.seed}.log"
        process = self.context.Process(target=_work, args=(request, str(log)))
        process.start()
        self.running[process] = request, log, time.monotonic()

    def _finish(self, process) -> None:
        request, log, began = self.running.pop(process)
        process.join()
        with contextlib.suppress(FileNotFoundError):
            sys.stdout.write(log.read_text(encoding="utf-8", errors="replace"))
            log.unlink()
        finished = self.total - len(self.queue) - len(self.running)
        word = f"done in {time.monotonic() - began:.0f} s"
        if process.exitcode:
            word = _ended(process.exitcode)
            self.failed.append((request, process.exitcode))
        print(f"[{finished} of {self.total}] {_title(request)}: {word}", flush=True)
        if not process.exitcode:
            further = self.done(request) or []
            self.queue.extend(further)
            self.total += len(further)

    def _end(self) -> None:
        """End what still runs, as Ctrl-C or an error in this process asks for."""
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.join()


def measuring(chosen: list[Path], out: Path, device: str):
    """The runs that measure recipes over their seeds, and what to do after each.

    Returns (requests, done): seed 0 of a recipe without a result says how many seeds
    follow; after the last one the result is written.
    """
    devices.load_tensorflow()  # quietly; the recipes import it
    waiting = {}

    def seeds(recipe, count):
        """The runs of these seeds that are not finished yet."""
        wanted = [results.reproducing(recipe, seed, out) for seed in range(count)]
        wanted = [replace(request, device=device) for request in wanted]
        unfinished = [r for r in wanted if executing.finished(r) is None]
        waiting[recipe.stem] = {request.seed for request in unfinished}
        return unfinished

    def next_of(recipe):
        """What is still to be run of a recipe; its result is written if nothing is."""
        first = executing.finished(results.reproducing(recipe, 0, out))
        seconds = median_seconds(recipe)
        if first and results.read_result(recipe) is None:
            seconds = first["seconds"]
        known = first or results.read_result(recipe)
        further = seeds(recipe, results.seeds_of(recipe, seconds) if known else 1)
        if not further:
            results.collect(recipe, out)
            print(f"{recipe.stem}: measured, results/{recipe.stem}.json", flush=True)
        return further

    def done(request):
        waiting[request.stem].discard(request.seed)
        if not waiting[request.stem]:
            return next_of(recipes.find(request.stem))

    return [request for recipe in chosen for request in next_of(recipe)], done


def asked_for(args, chosen: list[Path], seeds: int = 1) -> list[Request]:
    """The runs that a command line asks for, less those that are finished already."""
    requests = [
        Request(
            stem=recipe.stem,
            seed=seed,
            quick=args.quick,
            epochs=args.epochs,
            device=args.device,
            out=args.out,
            fresh=args.fresh,
        )
        for recipe in chosen
        for seed in range(seeds)
    ]
    if args.fresh:
        return requests
    return [request for request in requests if executing.finished(request) is None]


def main(arguments=None) -> int:
    """The command line of this module; see its docstring."""
    parser = Parser(
        prog="batch",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recipe", nargs="*", help="numbers; all without one")
    add_run_flags(parser)
    jobs = min(2, os.cpu_count() or 1)
    parser.add_argument(
        "--jobs",
        type=whole_number(1, 1000),
        metavar="N",
        help=f"runs at a time (default {jobs}; 1 for --reproduce, whose seconds count)",
    )
    parser.add_argument(
        "--reproduce", action="store_true", help="over all seeds, into results/"
    )
    args = parser.parse_args(arguments)
    os.environ.setdefault("MPLBACKEND", "Agg")  # no window system needed

    def act():
        chosen = [recipes.find(name) for name in args.recipe] or recipes.all_recipes()
        chosen.sort(key=median_seconds, reverse=True)
        done = lambda request: None  # noqa: E731
        if args.reproduce:
            requests, done = measuring(chosen, args.out, args.device)
        else:
            requests = asked_for(args, chosen)
        taken_over = len(chosen) - len({request.stem for request in requests})
        if taken_over:
            print(f"{taken_over} of {len(chosen)} recipes: finished before, taken over")
        at_once = args.jobs or (1 if args.reproduce else jobs)
        Batch(requests, at_once, done).run()

    return guarded(act, "batch")


if __name__ == "__main__":
    sys.exit(main())
