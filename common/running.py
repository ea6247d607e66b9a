"""Running a recipe from the command line: its seeds, its closing table, its status."""

import contextlib
import signal
import sys
from pathlib import Path

from common import command_line
from common.claims import Measure
from common.executing import Request, Run, execute, finished
from common.files import Problem

__all__ = ["Measure", "Problem", "cli", "guarded", "run_seeds"]

INTERRUPTED, TERMINATED = 130, 143
GO_ON = "run the same command again to go on after the last finished epoch"


def cli(main) -> None:
    """The command line around a recipe's `main`; ends the process with its status.

    0 done, 1 a broken environment, 2 a wrong request, 130 Ctrl-C, 143 SIGTERM.
    """
    module = sys.modules[main.__module__]
    source = Path(module.__file__).resolve()
    args = command_line.parse(source, module.__doc__)
    names = command_line.option_defaults(source)
    seeds = range(args.seeds) if args.seeds else [args.seed]
    requests = [
        Request(
            stem=source.stem,
            seed=seed,
            quick=args.quick,
            epochs=args.epochs,
            options={name: getattr(args, name) for name in names},
            device=args.device,
            out=args.out,
            fresh=args.fresh,
            show=args.show,
        )
        for seed in seeds
    ]
    taken_over = bool(args.seeds) and not args.fresh
    status = guarded(lambda: run_seeds(requests, taken_over, module), source.name)
    sys.exit(status)


def run_seeds(requests: list[Request], taken_over: bool, lesson=None) -> None:
    """Run the seeds that were asked for and print the closing table.

    taken_over: whether seeds that were finished before are not run again. lesson: the
    recipe where it is loaded already.
    """
    from common import recipes, results

    lesson = lesson or recipes.load(recipes.find(requests[0].stem))
    records = []
    for request in requests:
        record = finished(request) if taken_over else None
        if record:
            print(f"{request.stem} seed {request.seed}: finished before, taken over")
        records.append(record or execute(request, lesson))
    results.print_table(lesson.MEASURES, records)
    folder = Run(requests[0]).folder
    place = folder if len(requests) == 1 else folder.parent
    print(f"Figures and metrics.json are in {place}")
    if requests[0].show:
        from matplotlib import pyplot

        pyplot.show()


def guarded(action, program: str, hint: str = GO_ON) -> int:
    """Call `action`; turn what a user can meet into one line and an exit status.

    hint: what to do after an interruption.
    """

    def terminate(*_):
        raise SystemExit(TERMINATED)

    signal.signal(signal.SIGTERM, terminate)
    try:
        action()
    except Problem as problem:
        print(f"{program}: {problem}", file=sys.stderr)
        return problem.status
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        print(
            f"{program}: {error.strerror or error}{place}; "
            "what was finished before is kept; mend this and run again",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):
            print(f"\n{program}: interrupted; {hint}", file=sys.stderr)
        return INTERRUPTED
    except SystemExit as stop:
        if stop.code == TERMINATED:
            print(f"\n{program}: terminated; {hint}", file=sys.stderr)
        return stop.code
    return 0
