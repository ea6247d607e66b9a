"""Plumbing that the recipes share: never layers, models, losses or lessons."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
# TensorFlow's start-up notes would drown the table a user came for.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# oneDNN's convolutions, which TensorFlow takes by itself on some processors only, are
# three times as fast on the others.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from common import command_line

command_line.check_first()
