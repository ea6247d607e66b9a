"""Importing this loads TensorFlow: for the process whose children run recipes."""

from common import devices

devices.load_tensorflow()
