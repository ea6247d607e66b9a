"""Running a recipe: its command line, its run folder, its seeds, its closing table."""

import contextlib
import errno
import io
import os
import signal
import sys
import time
from pathlib import Path

from common import command_line, files, recipes
from common.claims import Claim
from common.files import Problem

__all__ = ["Claim", "Problem", "Run", "cli"]

INTERRUPTED, TERMINATED = 130, 143


class Run:
    """What a recipe's `main` is given: one seed, one folder, one device.

    seed: every random number of the run follows from it.
    quick: whether to take seconds instead of the full length.
    options: values of the recipe's own flags (its `OPTIONS`), by name.
    folder: where everything of this run is kept.
    """

    def __init__(self, module, args, seed: int):
        self.recipe = Path(module.__file__).resolve()
        self.seed, self.quick, self.show = seed, args.quick, args.show
        self._epochs = args.epochs
        flags = command_line.recipe_options(self.recipe)
        names = [flag.lstrip("-").replace("-", "_") for flag in flags]
        self.options = {name: getattr(args, name) for name in names}
        defaults = dict(
            zip(names, (flags[f].get("default") for f in flags), strict=True)
        )
        name = f"seed-{seed}"
        if self.quick:
            name += "-quick"
        if self._epochs:
            name += f"-epochs-{self._epochs}"
        if self.options != defaults:
            name += "-" + files.digest(repr(self.options).encode())[:8]
        self.folder = args.out / self.recipe.stem / name
        self.title = f"{self.recipe.stem} seed {seed}"
        self.history, self.earlier_seconds, self.compiled = {}, 0.0, {}
        self.progress = None
        self.settings = {}
        self.files = []

    def length(self, full: int, quick: int = 1) -> int:
        """How long to train: `--epochs` if given, else `full`, or `quick` if quick."""
        return self._epochs or self.pick(full, quick)

    def pick(self, full, quick):
        """`full`, or `quick` under --quick."""
        return quick if self.quick else full

    def say(self, text: str) -> None:
        """Print one line about this run."""
        print(f"{self.title}: {text}", flush=True)

    def fit(self, model, x, y, **arguments) -> dict[str, list[float]]:
        """`model.fit` for a compiled Keras model, fast, repeatable and resumable.

        x, y: arrays, [n, ...]. Keywords as in Keras: batch_size, epochs,
        initial_epoch, validation_data=(x, y), callbacks (told of epochs, not of
        batches); and name, for recipes that train several networks.

        As `model.fit`, but: `steps_per_execution` batches run as one compiled call
        (by XLA where compiled with jit_compile); order and dropout follow from
        (seed, epoch); after every epoch a checkpoint is written, from which the next
        run goes on; samples that do not fill a last batch sit the epoch out.
        Returns {metric: [one value per epoch]}; writes NAME.keras.
        """
        from common import training

        return training.fit(self, model, x, y, **arguments)

    def train(self, step, variables, epochs: int, name: str = "model") -> list[dict]:
        """A training loop of your own, epoch by epoch, resumable like `fit`.

        step(epoch) trains one epoch (from 0) and returns {metric: number}; its random
        numbers follow from (run.seed, epoch). variables: all that it changes.
        Returns one {"epoch": from 1, metric: number} per epoch.
        """
        from common import training

        return training.train(self, step, variables, epochs, name)

    def order(self, epoch: int, num_samples: int, batch_size: int):
        """The shuffled batches of an epoch: int32 [steps, batch_size]."""
        from common import training

        return training.batch_order(self.seed, epoch, num_samples, batch_size)

    def save_figure(self, figure, name: str) -> None:
        """Write a matplotlib figure to NAME.png in the run folder."""
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=150)
        self.save_bytes(buffer.getvalue(), f"{name}.png")
        if not self.show:
            from matplotlib import pyplot

            pyplot.close(figure)

    def save_bytes(self, content: bytes, filename: str) -> None:
        """Write a file to the run folder."""
        files.write_whole(self.folder / filename, content)
        self.files.append(filename)

    def save_model(self, model, name: str) -> None:
        """Write a Keras model to NAME.keras in the run folder."""
        temporary = self.folder / f"{files.TEMPORARY_PREFIX}{name}.keras"
        try:
            model.save(temporary)
            os.replace(temporary, self.folder / f"{name}.keras")
        finally:
            temporary.unlink(missing_ok=True)
        self.files.append(f"{name}.keras")


def execute(module, args, seed: int) -> dict:
    """Run a recipe's `main` for one seed and write its metrics.json.

    Returns the record written. Raises Problem for what a user can mend.
    """
    from common import devices

    import keras
    import tensorflow as tf
    from filelock import FileLock, Timeout

    device, described = devices.choose(args.device)
    run = Run(module, args, seed)
    stem = run.recipe.stem
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Problem(f"--out {args.out}: {error.strerror}", status=2) from error
    try:
        held = FileLock(run.folder / ".lock").acquire(timeout=0)
    except Timeout:
        raise Problem(
            f"{run.title} is running in another process, in {run.folder}; "
            "wait for it, or use another --seed or --out"
        ) from None
    with held:
        files.remove_leftovers(run.folder)
        if args.fresh:
            for checkpoint in run.folder.glob("*.checkpoint"):
                checkpoint.unlink()
        run.settings = {
            "recipe_hash": recipes.recipe_hash(run.recipe),
            "seed": seed,
            "quick": run.quick,
            "epochs": args.epochs,
            "options": run.options,
            "device": device,
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
        }
        run.say(f"on {described}")
        keras.utils.clear_session()
        keras.utils.set_random_seed(seed)
        started = time.monotonic()
        with tf.device(device):
            values = module.main(run)
        seconds = run.earlier_seconds + time.monotonic() - started
        record = {
            "recipe": stem,
            **run.settings,
            "constants": recipes.settings_of(module),
            "values": {name: _plain(value) for name, value in values.items()},
            "seconds": round(seconds, 1),
            "machine": described.removesuffix(devices.NO_GPU),
            "cores": os.cpu_count(),
            "versions": _versions(),
            "date": time.strftime("%Y-%m-%d"),
            "history": run.history,
        }
        _write_history(run)
        record["files"] = {
            name: files.digest((run.folder / name).read_bytes())
            for name in sorted(set(run.files))
        }
        files.write_record(run.folder / "metrics.json", record)
        for checkpoint in run.folder.glob("*.checkpoint"):
            checkpoint.unlink()
    return record


def _plain(value):
    """A measured value as JSON holds it: numbers, and lists of them for arrays."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return float(f"{float(value):.12g}")


def _versions() -> dict[str, str]:
    import platform
    from importlib.metadata import version

    packages = ("tensorflow", "keras", "numpy")
    return {"python": platform.python_version(), **{p: version(p) for p in packages}}


def _write_history(run: Run) -> None:
    """Write the learning curves as history.csv and as TensorBoard events."""
    if not run.history:
        return
    rows = ["model,epoch,metric,value"]
    for name, epochs in run.history.items():
        for logs in epochs:
            for metric, value in logs.items():
                if metric != "epoch":
                    rows.append(f"{name},{logs['epoch']},{metric},{value!r}")
    run.save_bytes(("\n".join(rows) + "\n").encode(), "history.csv")
    import tensorflow as tf

    for name, epochs in run.history.items():
        folder = run.folder / "tensorboard" / name
        for old in folder.glob("events.*"):
            old.unlink()
        with tf.summary.create_file_writer(str(folder)).as_default():
            for logs in epochs:
                for metric, value in logs.items():
                    if metric != "epoch":
                        tf.summary.scalar(metric, value, step=logs["epoch"])


def finished_record(module, args, seed: int) -> dict | None:
    """The record of an earlier, finished run that is still valid, or None.

    Valid: same recipe, same settings, metrics and every file beside it undamaged.
    """
    run = Run(module, args, seed)
    path = run.folder / "metrics.json"
    try:
        record = files.read_record(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        run.say(f"{error}; kept as {files.set_aside(path).name}, running again")
        return None
    if record["recipe_hash"] != recipes.recipe_hash(run.recipe):
        return None
    for name, expected in record["files"].items():
        file = run.folder / name
        if not file.exists():
            run.say(f"{file} is missing, running again")
            return None
        if files.digest(file.read_bytes()) != expected:
            run.say(f"{file} is damaged; kept as {files.set_aside(file).name}")
            return None
    return record


def _run_seeds(module, args) -> None:
    """Run the seeds that were asked for and print the closing table."""
    from common import reporting

    seeds = range(args.seeds) if args.seeds else [args.seed]
    records = []
    for seed in seeds:
        record = None
        if args.seeds and not args.fresh:
            record = finished_record(module, args, seed)
            if record:
                print(f"{record['recipe']} seed {seed}: finished before, taken over")
        records.append(record or execute(module, args, seed))
    reporting.print_table(module.CLAIMS, records)
    folder = Run(module, args, seeds[0]).folder
    print(f"Figures and metrics.json are in {folder.parent if args.seeds else folder}")
    if args.show:
        from matplotlib import pyplot

        pyplot.show()


def cli(main) -> None:
    """The command line around a recipe's `main`; ends the process with its status.

    0 done, 1 a broken environment, 2 a wrong request, 130 Ctrl-C, 143 SIGTERM.
    """
    module = sys.modules[main.__module__]
    source = Path(module.__file__).resolve()
    args = command_line.parse(source, module.__doc__)
    sys.exit(guarded(lambda: _run_seeds(module, args), source.name))


def guarded(action, program: str) -> int:
    """Call `action`; turn what a user can meet into one line and an exit status."""

    def terminate(*_):
        raise SystemExit(TERMINATED)

    signal.signal(signal.SIGTERM, terminate)
    hint = "run the same command again to go on after the last finished epoch"
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
