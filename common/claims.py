"""What the lectures said (lectures/*.toml), and the verdict on it from our own runs."""

import sys
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from common.files import ROOT, Problem

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LECTURES = ROOT / "lectures"
KINDS = ("run", "exact", "cited", "system")
CONFIDENCE = 0.95
EXACTLY = 1e-4  # relative; room for a difference quotient, none for another number
FEWEST_SEEDS = 3  # a prediction interval from fewer runs says nothing


@dataclass(frozen=True)
class Measure:
    """One value that a recipe's `main` returns: what it is, in words.

    unit: printed behind the number ("%", "pp" for a difference of percentages).
    english, korean: what it is, for tables. paired: a difference of two networks
    trained on the same seed, tested against 0.
    """

    unit: str
    english: str
    korean: str
    paired: bool = False


@dataclass(frozen=True)
class Claim:
    """A figure that a document reports, or a system that it names.

    document: "000" to "004", or "published" for a paper's figure.
    says: what it is, in a few words of our own.
    kind: "run", one training run of unknown seed; "exact", follows from arithmetic;
        "cited", cannot be recomputed here; "system", a system named without a number.
    recipe, measure: what answers it, the stem and the name of a measured value.
    topic, line, printed: where it stands: the slide's topic, the line of the document's
        text, and what is printed there. also: further places, as document and line.
    source, configuration: of a paper's figure, and what was trained how for it.
    reported: the number, or nested lists of numbers; None for a system.
    digits: decimals printed, where `reported` does not show them (0.50); by default
        those of `reported`, and whole numbers are meant exactly.
    erratum: for an exact figure that the slide has wrong, the reason.
    published: for a cited figure, the value in the original publication.
    """

    document: str
    says: str
    kind: str
    recipe: str
    measure: str = ""
    topic: str = ""
    line: int = 0
    printed: str = ""
    also: list = field(default_factory=list)
    source: str = ""
    configuration: str = ""
    reported: float | list | None = None
    unit: str = ""
    digits: int | None = None
    erratum: str = ""
    published: float | None = None


@lru_cache
def said() -> tuple[Claim, ...]:
    """Every entry of lectures/, by document and in the order of its text.

    Raises Problem (status 1) where a file cannot be read as what it should be.
    """
    found = []
    for path in sorted(LECTURES.glob("*.toml")):
        try:
            entries = tomllib.loads(path.read_text(encoding="utf-8"))["entry"]
            found += [Claim(document=path.stem, **entry) for entry in entries]
        except (ValueError, KeyError, TypeError) as error:
            raise Problem(f"{path}: {error}; see lectures/README.md") from None
    return tuple(found)


def about(stem: str) -> list[Claim]:
    """What the documents said that this recipe answers."""
    return [claim for claim in said() if claim.recipe == stem]


@dataclass(frozen=True)
class Verdict:
    """The judgement on one claim, or on a value that no document reports.

    word: reproduced, above, below, erratum, mismatch, cited, runs, unjudged, control,
        or "not yet" where the recipe or its result is still to come.
    low, high: 95 % prediction interval for one more run, where there is one.
    note: a finding in words, such as whether a paired difference is significant.
    """

    word: str
    low: float | None = None
    high: float | None = None
    note: str = ""


def _half_last_digit(reported: float) -> float:
    """Half a unit of the last digit printed: 98.13 gives 0.005, 20 gives 0.5."""
    exponent = Decimal(str(reported)).as_tuple().exponent
    if isinstance(reported, float) and reported.is_integer():
        exponent = 0
    return 0.5 * 10.0 ** min(exponent, 0)


def agrees(reported, measured, digits: int | None = None) -> bool:
    """Whether `measured` rounds to every digit of `reported`, element by element.

    digits: decimals printed; without it, a whole number is met only by itself.
    """
    if isinstance(reported, (tuple, list)):
        return (
            isinstance(measured, (tuple, list))
            and len(reported) == len(measured)
            and all(
                agrees(r, m, digits) for r, m in zip(reported, measured, strict=True)
            )
        )
    if digits is not None:
        tolerance = 0.5 * 10.0**-digits
    elif float(reported).is_integer():
        tolerance = EXACTLY * max(1.0, abs(reported))
    else:
        tolerance = _half_last_digit(reported)
    return abs(measured - reported) <= tolerance + 1e-9


def mean_and_deviation(values: list[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation (None for a single value)."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, None
    squares = sum((value - mean) ** 2 for value in values)
    return mean, (squares / (len(values) - 1)) ** 0.5


def _student_t(degrees: int) -> float:
    """Two-sided 95 % quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + CONFIDENCE / 2))


def judge(claim: Claim, values: list) -> Verdict:
    """Judge `claim` by the values measured over the seeds, one value per seed.

    A run is reproduced when the reported figure, to the digits printed, lies in the
    95 % prediction interval for one more run: mean +- t(n-1) s sqrt(1 + 1/n).
    """
    if claim.kind == "cited":
        return Verdict("cited")
    if not values:
        return Verdict("not yet")
    if claim.kind == "exact":
        if all(agrees(claim.reported, value, claim.digits) for value in values):
            # A slide that is right needs no erratum: a stale note is a mismatch.
            word = "mismatch" if claim.erratum else "reproduced"
        else:
            word = "erratum" if claim.erratum else "mismatch"
        return Verdict(word, note=claim.erratum)
    if len(values) < FEWEST_SEEDS:
        return Verdict("unjudged")
    mean, deviation = mean_and_deviation(values)
    n = len(values)
    margin = _student_t(n - 1) * deviation * (1 + 1 / n) ** 0.5
    low, high = mean - margin, mean + margin
    slack = _half_last_digit(claim.reported)
    if claim.reported < low - slack:
        word = "above"
    elif claim.reported > high + slack:
        word = "below"
    else:
        word = "reproduced"
    return Verdict(word, low, high)


def mean_interval(values: list[float]) -> tuple[float, float] | None:
    """The 95 % interval of the mean (Student's t); None for fewer than 3 values."""
    n = len(values)
    if n < FEWEST_SEEDS:
        return None
    mean, deviation = mean_and_deviation(values)
    margin = _student_t(n - 1) * deviation / n**0.5
    return mean - margin, mean + margin


def paired_note(values: list[float]) -> str:
    """Whether the mean of paired differences is other than 0 (paired t-test, 95 %)."""
    interval = mean_interval(values)
    if interval is None:
        return ""
    low, high = interval
    significant = low > 0 or high < 0
    return (
        f"mean difference {(low + high) / 2:+.2f}, 95 % interval {low:+.2f} to "
        f"{high:+.2f} over {len(values)} seeds: "
        f"{'significant' if significant else 'not significant'}"
    )
