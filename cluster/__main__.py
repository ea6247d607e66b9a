"""Run recipes over many seeds on a Ray cluster, or on all cores of this machine.

python -m cluster 24 30 73 --seeds 100                            on this machine
python -m cluster 24 30 73 --seeds 100 --address HOST:6379        on a running cluster
python -m cluster --reproduce --address auto                      into results/

Each run is a process of its own. Its folder comes to this machine's runs/ as soon as it
has finished, whole; what is there already is not run again. A run whose worker or node
is lost starts again elsewhere.
"""

import argparse
import os
import socket
import sys

from common import batch, recipes
from common.command_line import Parser, add_run_flags, whole_number
from common.files import Problem
from common.running import guarded

ANSWER = 5.0  # seconds that a cluster is given to answer
STORE = 200_000_000  # bytes of shared memory for folders on their way, on one machine
HINT = "what is finished is in runs/; run the same command again to go on"


def share(text: str) -> float:
    """A share of one GPU, or a whole number of GPUs."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not (0 < value <= 1 or (value.is_integer() and value > 0)):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no share of a GPU (0.25: four runs on each) and no number"
        )
    return value


def place(text: str) -> str:
    """HOST:PORT of a cluster's head, or auto: the cluster that this machine is in."""
    host, _, port = text.rpartition(":")
    if text != "auto" and not (host and port.isdigit() and int(port) < 2**16):
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, and not auto")
    return text


def connect(address: str | None) -> None:
    """Join the cluster at `address`, or start one of all cores of this machine.

    Raises Problem (status 1) where Ray is missing or the cluster does not answer.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_AUTH_MODE", "token")  # else anyone could run code here
    try:
        import ray
    except ImportError:
        raise Problem(
            "Ray is not installed; run: .venv/bin/pip install -r "
            "requirements-cluster.txt"
        ) from None
    quiet = {"log_to_driver": False, "logging_level": "error"}
    try:
        if address and address != "auto":  # Ray itself would wait without end
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port)), timeout=ANSWER).close()
        if address:
            ray.init(address=address, **quiet)
        else:
            ray.init(include_dashboard=False, object_store_memory=STORE, **quiet)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        reason = str(error).strip().splitlines()[0]
        raise Problem(
            f"no cluster at {address or 'this machine'}: {reason}; start one with "
            "`ray start --head`, with the same token on every machine (cluster/README)"
        ) from error


def main(arguments=None) -> int:
    """The command line of this package; see its docstring."""
    parser = Parser(
        prog="cluster",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recipe", nargs="*", help="numbers; all without one")
    parser.add_argument(
        "--seeds",
        type=whole_number(1, 100_000),
        default=3,
        metavar="N",
        help="0 to N-1",
    )
    parser.add_argument(
        "--address", type=place, metavar="HOST:PORT", help="of a cluster, or auto"
    )
    parser.add_argument(
        "--gpus-per-run",
        type=share,
        default=0.0,
        metavar="N",
        help="0.25: four on each",
    )
    parser.add_argument(
        "--reproduce", action="store_true", help="as make reproduce, into results/"
    )
    add_run_flags(parser)
    args = parser.parse_args(arguments)

    def act():
        chosen = [recipes.find(name) for name in args.recipe] or recipes.all_recipes()
        chosen.sort(key=batch.median_seconds, reverse=True)  # the longest first
        done = lambda request: None  # noqa: E731
        if args.reproduce:
            requests, done = batch.measuring(chosen, args.out, args.device)
        else:
            requests = batch.asked_for(args, chosen, args.seeds)
            asked = len(chosen) * args.seeds
            if asked > len(requests):
                print(f"{asked - len(requests)} of {asked} runs: finished before")
        if not requests:
            return
        connect(args.address)
        from cluster.driver import Driver

        import ray

        try:
            Driver(requests, args.gpus_per_run, done).run()
        finally:
            ray.shutdown()

    return guarded(act, "cluster", HINT)


if __name__ == "__main__":
    sys.exit(main())
