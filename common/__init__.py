"""Plumbing that the recipes share: never layers, models, losses or lessons."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# TensorFlow's start-up notes would drown the table a user came for.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from common import command_line

command_line.check_first()
