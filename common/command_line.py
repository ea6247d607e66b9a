"""The flags that every recipe understands, checked before TensorFlow loads."""

import argparse
import ast
import os
import re
import signal
import sys
from pathlib import Path

from common.files import ROOT

LARGEST_SEED = 2**32 - 1  # NumPy's and Keras' limit


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line and exit status 2."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (--help lists the flags)\n")


def whole_number(least: int, most: int = sys.maxsize):
    """A parser of whole numbers from `least` to `most`."""

    def parse(text: str) -> int:
        # int() would also take '1_000', ' 5 ' and digits of other scripts.
        if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= most:
            limit = f"at least {least}" if most == sys.maxsize else f"{least} to {most}"
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, {limit}")
        return int(text)

    return parse


def device(text: str) -> str:
    """A device by name: auto, cpu, gpu, cpu:N or gpu:N."""
    if not re.fullmatch(r"auto|(cpu|gpu)(:[0-9]{1,3})?", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a device: auto, cpu, gpu or gpu:N"
        )
    return text


def output_folder(text: str) -> Path:
    """A folder that can be made and written to."""
    try:
        folder = Path(text).expanduser().absolute()
        existing = folder
        while not existing.exists():
            existing = existing.parent
    except (OSError, ValueError, RuntimeError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no folder: {error}") from None
    if not existing.is_dir():
        raise argparse.ArgumentTypeError(f"{str(existing)!r} is not a folder")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f"{str(existing)!r} cannot be written to")
    return folder


def recipe_options(source: Path) -> dict:
    """The flags of one recipe's own: its literal `OPTIONS = {"--flag": {...}}`.

    The settings are argparse's, and "reproduce": the value that measured results have,
    where the default depends on the machine.
    """
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if getattr(target, "id", "") == "OPTIONS":
            return ast.literal_eval(node.value)
    return {}


def _by_name(source: Path, setting: str) -> dict:
    return {
        flag.lstrip("-").replace("-", "_"): settings.get(setting)
        for flag, settings in recipe_options(source).items()
    }


def option_defaults(source: Path) -> dict:
    """The default of each of a recipe's own flags, by its name ("weights")."""
    return _by_name(source, "default")


def reproduced_options(source: Path) -> dict:
    """The recipe's own flags as `make reproduce` sets them, so that every machine
    measures the same."""
    pinned = _by_name(source, "reproduce")
    return {name: value for name, value in pinned.items() if value is not None}


def parse(source: Path, docstring: str, arguments=None) -> argparse.Namespace:
    """Parse the command line of the recipe in `source`.

    Exits with status 2 and one line for a bad flag, with status 0 after --help.
    """
    parser = Parser(
        prog=source.name,
        description=docstring,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_run_flags(parser)
    group = parser.add_mutually_exclusive_group()
    seed = whole_number(0, LARGEST_SEED)
    group.add_argument("--seed", type=seed, default=0, metavar="N", help="default 0")
    group.add_argument(
        "--seeds",
        type=whole_number(1, 1000),
        metavar="N",
        help="seeds 0 to N-1, mean and deviation; finished seeds are taken over",
    )
    parser.add_argument(
        "--show", action="store_true", help="open the figures in windows"
    )
    for flag, settings in recipe_options(source).items():
        known = {key: value for key, value in settings.items() if key != "reproduce"}
        parser.add_argument(flag, **known)
    return parser.parse_args(arguments)


def add_run_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that are the same for one recipe and for many."""
    add = parser.add_argument
    add(
        "--epochs",
        type=whole_number(1, 10**9),
        metavar="N",
        help="train N epochs (or steps, where the recipe counts steps)",
    )
    add("--quick", action="store_true", help="seconds, on a little of the data")
    add("--device", type=device, default="auto", help="auto, cpu, gpu or gpu:N")
    add(
        "--out",
        type=output_folder,
        default=ROOT / "runs",
        metavar="DIR",
        help="where run folders go (default: runs/ beside recipes/)",
    )
    add("--fresh", action="store_true", help="ignore earlier runs, start over")


def running_recipe() -> Path | None:
    """The recipe that Python was started with, if it was started with one."""
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    if not file:
        return None
    path = Path(file).resolve()
    return path if path.parent == ROOT / "recipes" else None


def check_first() -> None:
    """If Python was started with a recipe, check its flags, then load TensorFlow.

    Importing `common` calls this, and recipes import it before anything slow, so that
    --help and a mistyped flag are answered at once, not after TensorFlow's seconds.
    """
    source = running_recipe()
    if source is None:
        return
    args = parse(source, sys.modules["__main__"].__doc__)
    if not args.show:
        os.environ.setdefault("MPLBACKEND", "Agg")  # no window system needed
    from common import devices

    # Nothing has begun, so Ctrl-C has nothing to say (130: ended by Ctrl-C).
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    if sys.stdout.isatty():
        print("loading TensorFlow ...", end="\r", flush=True)
    devices.load_tensorflow()
    signal.signal(signal.SIGINT, signal.default_int_handler)
