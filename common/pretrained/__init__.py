"""Trained weights as assets: where those of a known network come from (`--weights`)."""

import os
from pathlib import Path

from common import datasets
from common.files import Problem
from common.images import shown


def load(run, build, imagenet_file: str):
    """Build a network with the weights that `--weights` asks for.

    build(weights): makes the network, with weights None, "imagenet" or a path, as
        in keras.applications. imagenet_file: how Keras names the ImageNet weights in
        its cache.
    Returns (network, origin), origin being "imagenet", "file", "digits" (random
    still: the recipe pre-trains it) or "none" (random, and to stay so). Raises
    Problem where what was asked for cannot be had.
    """
    wanted = run.options["weights"]
    if wanted not in ("auto", "imagenet", "digits", "none"):
        return _from_file(build, wanted), "file"
    if wanted in ("digits", "none"):
        return build(None), wanted

    home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    cached = Path(home) / "models" / imagenet_file
    # A quick look downloads nothing unless it was told to.
    may_download = wanted == "imagenet" or not run.quick
    if cached.exists() or (may_download and datasets.reachable()):
        try:
            network = build("imagenet")
        # Keras raises a bare Exception where a download fails, h5py an OSError for
        # a damaged file, and loading a ValueError for weights of another network.
        except Exception as error:
            reason = " ".join(str(error).split())[:120]
            trouble = f"ImageNet weights cannot be loaded from {cached} ({reason})"
        else:
            run.say(f"weights: ImageNet, {imagenet_file}")
            return network, "imagenet"
    else:
        trouble = f"no ImageNet weights in {cached} and {datasets.DATA_HOST} is away"
    if wanted == "imagenet":
        network = imagenet_file.split("_")[0]
        raise Problem(
            f"{trouble}; bring https://{datasets.DATA_HOST}/tensorflow/"
            f"keras-applications/{network}/{imagenet_file} there, or use --weights "
            "digits, which needs no network"
        )
    run.say(f"{trouble}; as with --weights digits: pre-training on the digits 0 to 4")
    return build(None), "digits"


def _from_file(build, wanted: str):
    """The network with the weights of a user's file."""
    path = Path(wanted)
    if not path.is_file():
        raise Problem(
            f"--weights {shown(wanted)}: neither auto, imagenet, digits or none nor a "
            "file with weights",
            2,
        )
    try:
        return build(str(path))
    except Exception as error:  # whatever h5py and Keras raise for another content
        reason = " ".join(str(error).split())[:120]
        raise Problem(
            f"--weights {shown(wanted)}: not the weights of this network without its "
            f"top, as keras.applications saves them ({shown(reason)})",
            2,
        ) from None
