"""What a lecture reported, and the verdict on it from our own runs."""

from dataclasses import dataclass, field
from decimal import Decimal

CONFIDENCE = 0.95
EXACTLY = 1e-4  # relative; room for a difference quotient, none for another number
FEWEST_SEEDS = 3  # a prediction interval from fewer runs says nothing


@dataclass(frozen=True)
class Claim:
    """A figure of a lecture, or a measured figure that stands beside one.

    name: the key in the dict that the recipe's `main` returns.
    reported: the lecture's number, a (nested) tuple of numbers for a matrix, or
        None for a control that the lecture does not report.
    unit: printed behind the number.
    source: where the lecture says it.
    kind: "run", one training run of unknown seed; "exact", follows from arithmetic;
        "cited", cannot be recomputed here.
    text: what the lecture concludes, or what the control is, in a few words.
    erratum: for an exact figure that the slide has wrong, the reason.
    published: for a cited figure, the value in the original publication.
    paired: a difference of two networks trained on the same seed, tested against 0.
    digits: decimals that the slide prints, where `reported` does not show them
        (0.50); by default those of `reported`, and whole numbers are meant exactly.
    """

    name: str
    reported: float | tuple | None
    unit: str = ""
    source: str = ""
    kind: str = "run"
    text: str = ""
    erratum: str = ""
    published: float | None = None
    paired: bool = False
    digits: int | None = None


@dataclass(frozen=True)
class Verdict:
    """The judgement on one claim.

    word: reproduced, above, below, erratum, mismatch, cited, unjudged or control.
    low, high: 95 % prediction interval for one more run, where there is one.
    note: a finding in words, such as whether a paired difference is significant.
    """

    word: str
    low: float | None = None
    high: float | None = None
    note: str = ""
    values: list = field(default_factory=list)


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
        return Verdict("cited", values=values)
    if claim.kind == "exact" and claim.reported is not None:
        if all(agrees(claim.reported, value, claim.digits) for value in values):
            # A slide that is right needs no erratum: a stale note is a mismatch.
            word = "mismatch" if claim.erratum else "reproduced"
        else:
            word = "erratum" if claim.erratum else "mismatch"
        return Verdict(word, note=claim.erratum, values=values)
    note = _paired_note(values) if claim.paired else ""
    if claim.reported is None:
        return Verdict("control", note=note, values=values)
    if len(values) < FEWEST_SEEDS:
        return Verdict("unjudged", note=note, values=values)
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
    return Verdict(word, low, high, note, values)


def _paired_note(values: list[float]) -> str:
    """Whether the mean of paired differences is other than 0 (paired t-test, 95 %)."""
    n = len(values)
    if n < FEWEST_SEEDS:
        return ""
    mean, deviation = mean_and_deviation(values)
    margin = _student_t(n - 1) * deviation / n**0.5
    significant = abs(mean) > margin
    return (
        f"mean difference {mean:+.2f}, 95 % interval {mean - margin:+.2f} to "
        f"{mean + margin:+.2f} over {n} seeds: "
        f"{'significant' if significant else 'not significant'}"
    )
