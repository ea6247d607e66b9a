"""Makes the pairs with Babel 2.18.0 and num2words 0.5.14 (pip install both first).

python data/dates_and_numbers/make.py
"""

import datetime
import gzip
import hashlib
import re
from pathlib import Path

import numpy as np
from babel.dates import format_date
from num2words import num2words

FIRST_DAY = datetime.date(1950, 1, 1)
DAYS, NUMBERS = 36_525, 1_000  # a century of days, the numbers from 1 to 999
HELD_OUT = 10  # a tenth of the days and of the numbers is in no training sentence
TRAIN, TRAINED = 16_000, (1, 2, 3, 4)  # sentences, and items in a sentence
TEST_EACH, TESTED = 100, (1, 2, 3, 4, 5, 6)


def date(number):
    """A day in words of both languages."""
    day = FIRST_DAY + datetime.timedelta(number)
    korean, english = (format_date(day, "full", locale=code) for code in ("ko", "en"))
    return korean.split(), re.findall(r"\w+", english)


def number_words(number):
    """A number in Korean syllables and in English words."""
    return list(num2words(number, lang="ko")), re.findall(r"\w+", num2words(number))


def sentence(items, count, rng):
    """So many items of either kind: Korean, tab, English, with commas as words."""
    kinds = [items[kind] for kind in rng.integers(len(items), size=count)]
    chosen = [kind[rng.integers(len(kind))] for kind in kinds]
    return "\t".join(" , ".join(" ".join(i[side]) for i in chosen) for side in (0, 1))


def main():
    kinds = [
        [date(n) for n in range(DAYS)],
        [number_words(n) for n in range(1, NUMBERS)],
    ]
    rng, counts = np.random.default_rng(0), np.repeat(TESTED, TEST_EACH)
    mixed = [[kind[n] for n in rng.permutation(len(kind))] for kind in kinds]
    unknown = [kind[: len(kind) // HELD_OUT] for kind in mixed]
    known = [kind[len(kind) // HELD_OUT :] for kind in mixed]
    parts = {
        "train.tsv.gz": [
            sentence(known, rng.choice(TRAINED), rng) for _ in range(TRAIN)
        ],
        "test.tsv.gz": [sentence(unknown, count, rng) for count in counts],
    }
    folder, sums = Path(__file__).parent, ""
    for name, lines in parts.items():
        content = gzip.compress(("\n".join(lines) + "\n").encode(), mtime=0)
        (folder / name).write_bytes(content)
        sums += f"{hashlib.sha256(content).hexdigest()}  {name}\n"
    (folder / "SHA256SUMS").write_text(sums, encoding="utf-8")


if __name__ == "__main__":
    main()
