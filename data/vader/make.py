"""Makes lexicon.tsv from the wheel of vaderSentiment 3.3.2 (pip download --no-deps).

python data/vader/make.py vaderSentiment-3.3.2-py2.py3-none-any.whl
"""

import hashlib
import sys
import zipfile
from pathlib import Path

SOURCE = "vaderSentiment/vader_lexicon.txt"


def main(wheel):
    with zipfile.ZipFile(wheel) as archive:
        rows = archive.read(SOURCE).decode("utf-8").splitlines()
    # word, mean of ten ratings, their deviation, the ratings: the first two are kept.
    lines = ["\t".join(row.split("\t")[:2]) for row in rows if row.strip()]
    content = ("\n".join(lines) + "\n").encode()
    folder = Path(__file__).parent
    (folder / "lexicon.tsv").write_bytes(content)
    line = f"{hashlib.sha256(content).hexdigest()}  lexicon.tsv\n"
    (folder / "SHA256SUMS").write_text(line, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
