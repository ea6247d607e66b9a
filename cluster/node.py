"""What a node of the cluster does: say what it has installed, and run one seed."""

import contextlib
import io
import os
import platform
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from common import executing, recipes
from common.batch import Batch
from common.executing import Request, Run
from common.files import Problem


@dataclass(frozen=True)
class Outcome:
    """What has become of a run: its exit status, what it printed, its folder's files.

    status: as of the command line, below 0 the signal that ended it. files: {name
    relative to the run folder: content}, {} where the run failed.
    """

    status: int
    printed: str
    files: dict[str, bytes]


def installed(stems: list[str]) -> dict[str, str]:
    """What a figure follows from on this machine, in words that can be compared."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for stem in stems:
        try:
            origin = executing.provenance(recipes.find(stem))
        except Problem:
            found[stem] = "missing"
            continue
        found |= origin["versions"] | {stem: origin["recipe_hash"]}
        found |= {f"common/{name}": code for name, code in origin["plumbing"].items()}
    return found


def run(request: Request) -> Outcome:
    """One run through `execute`, in a process that ends with this one.

    Its folder is a temporary one of this attempt: what an attempt that was lost has
    left behind is in nobody's way.
    """
    # Ray limits the threads of its workers; a run here is to give the bits that the
    # same command gives without Ray.
    os.environ.pop("OMP_NUM_THREADS", None)
    printed = io.StringIO()
    with tempfile.TemporaryDirectory(prefix="labs-") as scratch:
        here = replace(request, out=Path(scratch))
        alone = Batch([here], jobs=1)
        with contextlib.redirect_stdout(printed), contextlib.suppress(Problem):
            alone.run()
        status = alone.failed[0][1] if alone.failed else 0
        folder = Run(here).folder
        kept = [] if status else [p for p in folder.rglob("*") if p.is_file()]
        files = {
            str(path.relative_to(folder)): path.read_bytes()
            for path in kept
            if path.name != ".lock"
        }
    return Outcome(status, printed.getvalue(), files)
