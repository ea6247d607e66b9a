"""Packs the two text files of PyPI's aeon 1.6.0 into one file of arrays.

pip download --no-deps aeon==1.6.0
python data/japanese_vowels/make.py aeon-1.6.0-py3-none-any.whl
"""

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import numpy as np

MEMBER = "aeon/datasets/data/JapaneseVowels/JapaneseVowels_{}.ts"


def utterances(text):
    """Coefficients [frames, 12] and the speaker, from 0, of every utterance."""
    _, _, rows = text.partition("@data\n")
    for row in rows.splitlines():
        *coefficients, speaker = row.split(":")
        values = np.array([c.split(",") for c in coefficients], "float32").T
        yield values, int(speaker) - 1


def main(wheel):
    x, y, lengths, test = [], [], [], []
    for part in ("TRAIN", "TEST"):
        text = zipfile.ZipFile(wheel).read(MEMBER.format(part)).decode()
        for values, speaker in utterances(text.replace("\r\n", "\n")):
            x.append(values)
            y.append(speaker)
            lengths.append(len(values))
            test.append(part == "TEST")
    content = io.BytesIO()
    arrays = {"y": np.array(y), "lengths": np.array(lengths), "test": np.array(test)}
    np.savez_compressed(content, X=np.concatenate(x), **arrays)
    folder, name = Path(__file__).parent, "vowels.npz"
    (folder / name).write_bytes(content.getvalue())
    digest = hashlib.sha256(content.getvalue()).hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  {name}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
