"""Set-up of all tests: TensorFlow loaded quietly, figures drawn without a screen."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")

from common import devices

devices.load_tensorflow()
