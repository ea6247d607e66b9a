"""One run of one recipe: what is asked for, what `main` is given, what is left behind.

`execute(Request(...))` is the one door: for the command line, tests, notebooks, the
bench and whatever starts many runs.
"""

import errno
import io
import os
import platform
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from common import command_line, files, recipes
from common.files import ROOT, Problem

PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "scikit-learn")


@dataclass(frozen=True)
class Request:
    """One run of a recipe, in plain values that can travel to another process.

    stem: the recipe, by the stem of its file or by its number.
    options: values of the recipe's own flags by name ("weights"); what is not named has
        its default.
    out: the folder that run folders go into. The rest is as on the command line.
    """

    stem: str
    seed: int = 0
    quick: bool = False
    epochs: int | None = None
    options: dict = field(default_factory=dict)
    device: str = "auto"
    out: Path = ROOT / "runs"
    fresh: bool = False
    show: bool = False


class Run:
    """What a recipe's `main` is given: one seed, one folder, one device.

    seed: every random number of the run follows from it.
    quick: whether to take seconds instead of the full length.
    options: values of the recipe's own flags (its `OPTIONS`), by name.
    folder: where everything of this run is kept.
    """

    def __init__(self, request: Request):
        self.recipe = recipes.find(request.stem)
        self.seed, self.quick, self.show = request.seed, request.quick, request.show
        self._epochs = request.epochs
        defaults = command_line.option_defaults(self.recipe)
        self.options = {**defaults, **request.options}
        unknown = sorted(set(request.options) - set(defaults))
        if unknown:
            raise Problem(f"{self.recipe.stem} has no option {unknown[0]!r}", status=2)
        name = f"seed-{self.seed}"
        if self.quick:
            name += "-quick"
        if self._epochs:
            name += f"-epochs-{self._epochs}"
        if self.options != defaults:
            name += "-" + files.digest(repr(self.options).encode())[:8]
        self.folder = Path(request.out) / self.recipe.stem / name
        self.title = f"{self.recipe.stem} seed {self.seed}"
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

    def fit(self, model, x, y=None, **arguments) -> dict[str, list[float]]:
        """`model.fit` for a compiled Keras model, fast, repeatable and resumable.

        x, y: arrays, [n, ...], or nested tuples and dictionaries of them for several
        inputs and outputs. Keywords as in Keras: batch_size, epochs, initial_epoch,
        sample_weight, validation_data=(x, y) or (x, y, weights), callbacks that act by
        epoch (EarlyStopping and the like, also after an interruption); and name, for
        recipes that train several networks: the recipe's own is "model". Whatever else
        Keras' fit takes is refused in one line.

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


def execute(request: Request, lesson=None) -> dict:
    """Run a recipe's `main` for one seed and write its metrics.json.

    lesson: the recipe where it is loaded already, or whatever else has a `main` to be
        run in its place (a notebook's cells); by default the file is loaded.
    Returns the record written. Raises Problem for what a user can mend.
    """
    from common import devices

    import keras
    import tensorflow as tf
    from filelock import FileLock, Timeout

    run = Run(request)
    lesson = lesson or recipes.load(run.recipe)
    device, described = devices.choose(request.device)
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise Problem(f"--out {request.out}: {error.strerror}", status=2) from error
    try:
        held = FileLock(run.folder / ".lock").acquire(timeout=0)
    except Timeout:
        raise Problem(
            f"{run.title} is running in another process, in {run.folder}; "
            "wait for it, or use another --seed or --out"
        ) from None
    with held:
        files.remove_leftovers(run.folder)
        if request.fresh:
            for checkpoint in run.folder.glob("*.checkpoint"):
                checkpoint.unlink()
        run.settings = {
            **provenance(run.recipe),
            "seed": run.seed,
            "quick": run.quick,
            "epochs": request.epochs,
            "options": run.options,
            "device": device,
        }
        run.say(f"on {described}")
        keras.utils.clear_session()
        keras.utils.set_random_seed(run.seed)
        started = time.monotonic()
        with tf.device(device):
            values = lesson.main(run)
        seconds = run.earlier_seconds + time.monotonic() - started
        record = {
            "recipe": run.recipe.stem,
            **run.settings,
            "constants": recipes.settings_of(lesson),
            "values": {name: _plain(value) for name, value in values.items()},
            "seconds": round(seconds, 1),
            "machine": described.removesuffix(devices.NO_GPU),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
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


def provenance(recipe: Path) -> dict:
    """What a figure follows from besides its seed: hashes of code, and versions."""
    return {
        "recipe_hash": recipes.recipe_hash(recipe),
        "plumbing": recipes.plumbing_hashes(recipe),
        "versions": {package: version(package) for package in PACKAGES},
    }


def differing(record: dict, recipe: Path) -> list[str]:
    """In what the recipe as it is now differs from that of a record or a result."""
    now = provenance(recipe)
    words = {"recipe_hash": "recipe", "plumbing": "plumbing", "versions": "versions"}
    return [word for key, word in words.items() if record.get(key) != now[key]]


def finished(request: Request) -> dict | None:
    """The record of an earlier, finished run that is still valid, or None.

    Valid: same recipe, plumbing, versions and settings, every file beside it undamaged.
    """
    run = Run(request)
    path = run.folder / "metrics.json"
    try:
        record = files.read_record(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        run.say(f"{error}; kept as {files.set_aside(path).name}, running again")
        return None
    if differing(record, run.recipe):
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


def _plain(value):
    """A measured value as JSON holds it: numbers, and lists of them for arrays."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return float(f"{float(value):.12g}")


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
