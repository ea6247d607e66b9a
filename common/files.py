"""Files that appear whole or not at all, and that show when they were damaged."""

import hashlib
import json
import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]  # the checkout: recipes/, data/, results/
TEMPORARY_PREFIX = ".writing-"


class Problem(Exception):
    """A failure told to the user in one line; `status` becomes the exit status.

    Status 2 is a wrong request, status 1 a broken environment.
    """

    def __init__(self, message: str, status: int = 1):
        super().__init__(message)
        self.status = status


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` at `path` by write, flush to disk and rename.

    A reader sees the old file or the new one, never a part. Raises OSError (no
    room, no right) with the old file untouched and nothing left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=TEMPORARY_PREFIX, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; a result is as readable as any other file.
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def remove_leftovers(folder: Path) -> None:
    """Delete what a killed process was still writing in `folder`."""
    for leftover in folder.glob(f"{TEMPORARY_PREFIX}*"):
        leftover.unlink(missing_ok=True)


def digest(content: bytes) -> str:
    """The sha256 of `content` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _canonical(record: dict) -> bytes:
    return json.dumps(record, sort_keys=True, ensure_ascii=False).encode()


def write_record(path: Path, record: dict) -> None:
    """Write `record` as JSON with a `sha256` field over everything else in it.

    Raises ValueError for values JSON cannot hold (NaN included).
    """
    record = json.loads(json.dumps(record, allow_nan=False))
    record["sha256"] = digest(_canonical(record))
    text = json.dumps(record, indent=1, ensure_ascii=False)
    write_whole(path, (text + "\n").encode())


def read_record(path: Path) -> dict:
    """Read what `write_record` wrote.

    Raises FileNotFoundError where there is none, and ValueError where the content
    is not what was written (a cut file, a flipped bit, an edit by hand).
    """
    try:
        record = json.loads(path.read_bytes())
        expected = record.pop("sha256")
        actual = digest(_canonical(record))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: not a whole record") from error
    if expected != actual:
        raise ValueError(f"{path} is damaged: its content does not match its sha256")
    return record


def write_sealed(path: Path, content: bytes) -> None:
    """Write binary `content` behind a line with its sha256."""
    write_whole(path, digest(content).encode() + b"\n" + content)


def read_sealed(path: Path) -> bytes:
    """Read what `write_sealed` wrote; raises ValueError where it was damaged."""
    seal, _, content = path.read_bytes().partition(b"\n")
    if seal != digest(content).encode():
        raise ValueError(f"{path} is damaged: its content does not match its sha256")
    return content


def set_aside(path: Path) -> Path:
    """Rename a damaged file so that nothing is lost and nothing reads it again."""
    kept = path.with_name(path.name + ".damaged")
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.damaged-{number}")
    os.replace(path, kept)
    return kept
