"""Set-up of all tests: TensorFlow loaded quietly, figures drawn without a screen."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")

from common import devices


def pytest_collection():
    """Not when this file is read: who only hands out the tests needs no TensorFlow."""
    devices.load_tensorflow()
