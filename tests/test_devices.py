"""Device placement, on two logical CPU devices in a process of their own."""

import subprocess
import sys

from common import devices
from common.files import Problem

import pytest

TWO_DEVICES = """
import sys
from pathlib import Path
from common import devices, recipes
from common.executing import Request, execute
devices.load_tensorflow()
import keras, numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
module = recipes.load(recipes.find("20"))
build, models = module.build_model, []
module.build_model = lambda **how: models.append(build(**how)) or models[-1]
for wanted in ("cpu:1", "auto"):
    request = Request("20", quick=True, out=Path(sys.argv[1]), device=wanted)
    record = execute(request, module)
    variables = models[-1].variables + models[-1].optimizer.variables
    places = {v.value.device.rsplit("/", 1)[-1] for v in variables}
    print("PLACES", wanted, sorted(places), record["device"])
"""


def test_variables_land_where_asked(tmp_path):
    command = [sys.executable, "-c", TWO_DEVICES, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [x for x in done.stdout.splitlines() if x.startswith("PLACES")]
    places = {line.split()[1]: line for line in lines}
    for wanted, found in (("cpu:1", "CPU:1"), ("auto", "CPU:0")):
        assert f"['device:{found}'] /device:{found}" in places[wanted]


def test_a_device_that_is_not_there():
    with pytest.raises(Problem, match="TensorFlow sees") as raised:
        devices.choose("cpu:7")
    assert raised.value.status == 2


def test_auto_says_what_it_chose():
    import tensorflow as tf

    name, described = devices.choose("auto")
    if tf.config.list_physical_devices("GPU"):
        assert name == "/device:GPU:0"
    else:
        assert name == "/device:CPU:0" and "no GPU is visible" in described


def test_held_back_notes_are_shown_when_loading_fails():
    code = (
        "import os\nfrom common.devices import quiet_stderr\n"
        "with quiet_stderr():\n    os.write(2, b'a note\\n')\n"
        "with quiet_stderr():\n    os.write(2, b'the cause\\n'); raise OSError('no')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "the cause" in done.stderr and "OSError: no" in done.stderr
    assert "a note" not in done.stderr


def test_tensorflow_is_loaded_without_scikit_learn_which_still_can_be():
    code = (
        "import sys\nfrom common import devices\ndevices.load_tensorflow()\n"
        "assert 'keras' in sys.modules and 'sklearn' not in sys.modules\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "devices.load_tensorflow()\nassert 'sklearn' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
