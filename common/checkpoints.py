"""What a training has come to, in a file: the state after the last finished epoch."""

import io
import json
from pathlib import Path

from common import files

import numpy as np


def save(path: Path, settings: dict, variables, progress: dict, arrays: dict) -> None:
    """Write a checkpoint.

    settings: what it belongs to. variables: TensorFlow or Keras variables, by position.
    progress: JSON values, among them "history"; arrays: further {name: array}.
    """
    record = json.dumps({"settings": settings, **progress})
    content = {f"variable {i}": np.asarray(v) for i, v in enumerate(variables)}
    content |= {f"array {name}": array for name, array in arrays.items()}
    buffer = io.BytesIO()
    np.savez(buffer, record=np.frombuffer(record.encode(), np.uint8), **content)
    files.write_sealed(path, buffer.getvalue())


def restore(path: Path, settings: dict, variables, say) -> tuple[dict, dict]:
    """Load a checkpoint into `variables`; returns its progress and its arrays.

    Both are empty where there is none to go on from: one that is damaged is set aside,
    one of other settings or another recipe is not used; `say` is told of both.
    """
    try:
        content = files.read_sealed(path)
    except FileNotFoundError:
        return {}, {}
    except ValueError as error:
        say(f"{error}; kept as {files.set_aside(path).name}, starting over")
        return {}, {}
    with np.load(io.BytesIO(content), allow_pickle=False) as saved:
        progress = json.loads(saved["record"].tobytes())
        earlier = progress.pop("settings")
        differing = [key for key in settings if earlier.get(key) != settings[key]]
        if differing:
            say(
                f"an unfinished run is in {path.parent}, but with another "
                f"{' and '.join(differing)}: starting over"
            )
            return {}, {}
        for i, variable in enumerate(variables):
            variable.assign(saved[f"variable {i}"])
        names = [name for name in saved.files if name.startswith("array ")]
        arrays = {name.removeprefix("array "): saved[name] for name in names}
    say(f"going on after epoch {progress['history'][-1]['epoch']} ({path.name})")
    return progress, arrays
