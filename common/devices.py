"""TensorFlow device placement: which device a run uses, and under what name."""

import contextlib
import gc
import os
import platform
import sys
import tempfile
from pathlib import Path

from common.files import Problem

NO_GPU = ", as no GPU is visible"


@contextlib.contextmanager
def quiet_stderr():
    """Hold back what C++ libraries print on stderr; show it all if the block fails."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(stderr, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def load_tensorflow() -> None:
    """Import TensorFlow, without the notes that it prints.

    No device is looked for, so that a process that did this can still be forked.
    """
    with quiet_stderr():
        # None of what is imported is garbage: looking for it takes a third of the time.
        gc.disable()
        # Keras would import scikit-learn too, for wrappers that no recipe uses: a
        # quarter of the time. As long as it is None, an import of it fails.
        hidden = sys.modules.setdefault("sklearn", None) is None
        import tensorflow as tf

        if hidden:
            del sys.modules["sklearn"]
        gc.freeze()
        gc.enable()
        # Networks of one recipe share the code that trains them, which TensorFlow
        # takes for needless retracing.
        tf.get_logger().setLevel("ERROR")


def choose(wanted: str) -> tuple[str, str]:
    """Resolve `--device` to TensorFlow's name, and say how it was chosen.

    wanted: auto, cpu, gpu, or one of several: gpu:N, cpu:N.
    Returns, for instance, ("/device:GPU:0", "GPU:0 (NVIDIA H200)").
    Raises Problem (status 2) for a device that is not there.
    """
    import tensorflow as tf

    with quiet_stderr():
        for gpu in tf.config.list_physical_devices("GPU"):
            # The whole card is not ours: take memory as it is needed.
            with contextlib.suppress(RuntimeError):  # the device is already in use
                tf.config.experimental.set_memory_growth(gpu, True)
    logical = tf.config.list_logical_devices
    kind, _, number = wanted.partition(":")
    gpus = len(logical("GPU"))
    fallback = ""
    if kind == "auto":
        kind = "gpu" if gpus else "cpu"
        fallback = "" if gpus else NO_GPU
    available = gpus if kind == "gpu" else len(logical("CPU"))
    index = int(number or 0)
    if index >= available:
        found = f"{available} {kind.upper()} device{'s' * (available != 1)}"
        raise Problem(
            f"--device {wanted}: TensorFlow sees {found} here; "
            "use --device cpu, or see 'Using a GPU' in README.md",
            status=2,
        )
    if kind == "gpu":
        # Some GPU kernels add in any order; the same seed must give the same bits.
        tf.config.experimental.enable_op_determinism()
        details = tf.config.experimental.get_device_details(
            tf.config.list_physical_devices("GPU")[index]
        )
        model = details.get("device_name", "GPU")
    else:
        model = processor_name()
    name = f"{kind.upper()}:{index}"
    return f"/device:{name}", f"{name} ({model}){fallback}"


def processor_name() -> str:
    """The processor as the system gives it: "AMD EPYC, family 25 model 17".

    Two processors of one name may compute other last digits, hence family and model.
    """
    found = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            found.setdefault(key.strip(), value.strip())
    if "model name" not in found:
        return platform.processor() or platform.machine()
    if "cpu family" not in found:
        return found["model name"]
    return f"{found['model name']}, family {found['cpu family']} model {found['model']}"
