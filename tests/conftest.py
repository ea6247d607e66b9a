"""Set-up of all tests: TensorFlow loaded quietly, figures drawn without a screen."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")

from pathlib import Path

from common import devices, files, recipes
from common.executing import Request, execute

import pytest
from filelock import FileLock


def pytest_collection():
    """Not when this file is read: who only hands out the tests needs no TensorFlow."""
    devices.load_tensorflow()


@pytest.fixture(scope="session")
def shared(tmp_path_factory, worker_id):
    """A folder that all test processes share."""
    folder = tmp_path_factory.getbasetemp()
    return folder if worker_id == "master" else folder.parent


@pytest.fixture(scope="module")
def lesson(request):
    """The recipe that a test file is named after, test_24_dropout_mnist.py, loaded."""
    return recipes.load(recipes.find(Path(request.path).stem.removeprefix("test_")))


@pytest.fixture(scope="session")
def quick_run(shared):
    """A function (stem) that gives (record, folder) of the recipe's quick run, seed 0.

    Each is run once in a session, by whichever test process asks first.
    """

    def give(stem):
        request = Request(stem=stem, quick=True, out=shared / "quick-runs")
        folder = request.out / stem / "seed-0-quick"
        with FileLock(shared / f"quick-{stem}.lock"):
            if not (folder / "metrics.json").exists():
                execute(request)
        return files.read_record(folder / "metrics.json"), folder

    return give


@pytest.fixture(scope="module")
def quick(request, quick_run):
    """The record of the quick run of the recipe that a test file is named after."""
    stem = Path(request.path).stem.removeprefix("test_")
    return quick_run(stem)[0]
