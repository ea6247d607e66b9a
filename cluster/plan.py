"""How long recipes x seeds take on so many machines, before anything is started.

python -m cluster.plan --machines 50 --seeds 100
python -m cluster.plan --machines 50 --seeds 100 --hours-between-failures 20

From the seconds in results/: the longest first, each to the machine that is free first,
which is what `python -m cluster` does. Beside it the lower bound that no order beats:
all seconds shared out evenly, and no less than the longest run.
"""

import argparse
import heapq
import sys
from collections import deque

from common import batch, recipes
from common.command_line import Parser, whole_number
from common.running import guarded

import numpy as np

NOTICED = 15.0  # seconds until Ray notices that a machine is gone
REPEATS = 100  # simulated nights with failures


def makespan(seconds, machines: int, failures=None) -> float:
    """Seconds until the last of the runs is done.

    seconds: of each run, in the order in which they start. failures: of each machine
    the second in which it is lost, with the run that it has, which starts again before
    all others once that is noticed; it does not come back. Raises ValueError where no
    machine is left.
    """
    failures = np.full(machines, np.inf) if failures is None else failures
    free = [(0.0, machine) for machine in range(machines)]
    runs, lost, last = deque(seconds), [], 0.0
    while runs or lost:
        if not free:
            raise ValueError("every machine failed")
        now, machine = heapq.heappop(free)
        if lost and lost[0][0] <= now:
            _, run = heapq.heappop(lost)
        elif runs:
            run = runs.popleft()
        else:  # all that is left was lost, and that is not noticed yet
            heapq.heappush(free, (lost[0][0], machine))
            continue
        if failures[machine] < now + run:
            heapq.heappush(lost, (max(now, failures[machine]) + NOTICED, run))
        else:
            last = max(last, now + run)
            heapq.heappush(free, (now + run, machine))
    return last


def lower_bound(seconds, machines: int) -> float:
    """No order of the runs is done sooner."""
    return max(sum(seconds) / machines, max(seconds))


def main(arguments=None) -> int:
    """The command line of this module; see its docstring."""
    parser = Parser(
        prog="plan",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recipe", nargs="*", help="numbers; all without one")
    many = whole_number(1, 100_000)
    parser.add_argument("--seeds", type=many, default=100, metavar="N")
    parser.add_argument("--machines", type=many, default=50, metavar="N")
    parser.add_argument(
        "--hours-between-failures",
        type=many,
        metavar="H",
        help="of one machine, on average; without it none fails",
    )
    args = parser.parse_args(arguments)

    def act():
        chosen = [recipes.find(name) for name in args.recipe] or recipes.all_recipes()
        seconds = sorted(
            (
                batch.median_seconds(recipe)
                for recipe in chosen
                for _ in range(args.seeds)
            ),
            reverse=True,
        )
        bound = lower_bound(seconds, args.machines)
        planned = makespan(seconds, args.machines)
        print(
            f"{len(seconds)} runs, {sum(seconds) / 3600:.1f} hours of work, on "
            f"{args.machines} machines, one run at a time on each: {planned / 60:.1f} "
            f"minutes, {planned / bound:.3f} of the lower bound of {bound / 60:.1f}"
        )
        if args.hours_between_failures:
            rng = np.random.default_rng(0)
            mean = 3600 * args.hours_between_failures
            nights = [
                makespan(seconds, args.machines, rng.exponential(mean, args.machines))
                for _ in range(REPEATS)
            ]
            print(
                f"each lost once in {args.hours_between_failures} hours, none coming "
                f"back: {np.mean(nights) / 60:.1f} minutes on average, at most "
                f"{np.max(nights) / 60:.1f} in {REPEATS} simulated nights"
            )

    return guarded(act, "plan")


if __name__ == "__main__":
    sys.exit(main())
