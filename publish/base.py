"""An earlier revision of the project, run on this machine by its own command line."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common import files
from common.executing import Request
from common.files import ROOT, Problem

AT_ONCE = 2  # runs side by side: nobody looks at their seconds


class Base:
    """A revision in a folder of its own.

    revision: as git names it. folder: its files. runs: where its run folders are, and
    where those that are missing go.
    """

    def __init__(self, revision: str, folder: Path, runs: Path):
        self.revision, self.folder, self.runs = revision, folder, runs
        self.processes = []

    def record(self, request: Request) -> dict | None:
        """Its finished run of the same recipe, seed and options, None without one."""
        for path in sorted(self.runs.glob(f"{request.stem}/seed-*/metrics.json")):
            try:
                record = files.read_record(path)
            except ValueError as error:
                print(f"{error}; run again")
                continue
            whole = not record["quick"] and not record["epochs"]
            options = record["options"]
            same = all(options.get(k) == v for k, v in request.options.items())
            if whole and same and record["seed"] == request.seed:
                return record
        return None

    def run_all(self, requests: list[Request]) -> dict[str, str]:
        """Run the recipes that have not finished; {stem: why not} of those that fail.

        What runs is ended when this process is.
        """
        missing = [request for request in requests if self.record(request) is None]
        failed = {}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                for request, said in zip(
                    missing, pool.map(self._run, missing), strict=True
                ):
                    print(f"{request.stem} of {self.revision}: {said or 'done'}")
                    if said:
                        failed[request.stem] = said
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                for process in self.processes:
                    process.terminate()
                raise
        return failed

    def _run(self, request: Request) -> str:
        """Run one recipe by its command line; "" or the last line that it printed."""
        command = [sys.executable, f"recipes/{request.stem}.py"]
        command += ["--seed", str(request.seed), "--out", str(self.runs)]
        command += ["--device", request.device]
        for name, value in request.options.items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        process = subprocess.Popen(  # noqa: S603 (a revision of this project)
            command,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.processes.append(process)
        said = process.communicate()[0].strip().splitlines()
        if process.returncode == 0:
            return ""
        return f"exit status {process.returncode}: {said[-1] if said else 'no word'}"


@contextlib.contextmanager
def base(revision: str, runs: Path | None = None):
    """A `Base` of a git revision, in a temporary folder.

    runs: a folder of its finished runs; where it is given, it is kept.
    Raises Problem (status 2) for a revision that git does not know.
    """
    command = ["git", "archive", "--format=zip", revision]
    if revision.startswith("-"):
        raise Problem(f"--against {revision}: is no revision of this project", 2)
    with tempfile.TemporaryDirectory(prefix="labs-") as temporary:
        try:
            packed = subprocess.run(  # noqa: S603
                command, cwd=ROOT, capture_output=True, check=True
            ).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", b"").decode().strip().splitlines()
            reason = said[-1] if said else "git is not here"
            raise Problem(f"--against {revision}: {reason}", status=2) from None
        folder = Path(temporary, "files")
        zipfile.ZipFile(io.BytesIO(packed)).extractall(folder)
        yield Base(revision, folder, runs or Path(temporary, "runs"))
