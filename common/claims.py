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
KINDS = ("run", "chance", "conclusion", "exact", "cited", "published", "system")
CONFIDENCE = 0.95
RARE = 5.0  # percent: what fewer of our networks do, one run is unlikely to have done
EXACTLY = 1e-4  # relative; room for a difference quotient, none for another number
FEWEST_SEEDS = 3  # a prediction interval from fewer runs says nothing


@dataclass(frozen=True)
class Measure:
    """One value that a recipe's `main` returns: what it is, in words.

    unit: printed behind the number ("%", "pp" for a difference of percentages); "rate"
        for a value [count, of], how many of so many networks.
    english, korean: what it is, for tables. paired: a difference of two networks
        trained on the same seed, shown with its interval. deterministic: the same
        whatever the seed.
    """

    unit: str
    english: str
    korean: str
    paired: bool = False
    deterministic: bool = False


@dataclass(frozen=True)
class Claim:
    """A figure that a document reports, or a system that it names.

    document: "000" to "004", or "published" for a paper's figure.
    says: what it is, in a few words of our own.
    kind: "run", one training run of unknown seed; "chance", one run that can end in few
        ways; "conclusion", what the lecture concludes; "exact", follows from
        arithmetic; "cited", cannot be recomputed here; "published", a paper's figure;
        "system", a system named without a number.
    recipe, measure: what answers it, the stem and the name of a measured value.
    topic, line, printed: where it stands: the slide's topic, the line of the document's
        text, and what is printed there. also: further places, as document and line.
    source, configuration: of a paper's figure, and what was trained how for it.
    reported: the number, or nested lists of numbers; None for a system.
    digits: decimals printed, where `reported` does not show them (0.50); by default
        those of `reported`, and whole numbers are meant exactly.
    holds_if: for a conclusion, what the interval of the measure has to lie in, stated
        beforehand: "> 0", "< 5".
    formula: the slide prints the formula of an exact figure, and not its value.
    erratum: for an exact figure that the slide has wrong, the reason.
    published: for a cited figure, the value in the original publication, if known;
        `source` names it.
    other_budget: for a paper's figure, in what our run is not its configuration.
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
    holds_if: str = ""
    formula: bool = False
    erratum: str = ""
    published: float | list | None = None
    other_budget: str = ""


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

    word: of a run (and of a paper's figure) reproduced, above, below, undecided; of a
        single chance typical, rare, undecided; of a conclusion holds, does not hold,
        undecided; of arithmetic reproduced, erratum, mismatch; of a cited figure as
        published, erratum, unchecked; of a paper's figure other budget. Besides:
        unjudged (too few seeds), control (not reported), "not yet" where the recipe or
        its result is still to come.
    low, high: the interval that decided, where there is one.
    note: a finding in words.
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


def judge(claim: Claim, values: list, deterministic: bool = False) -> Verdict:
    """Judge `claim` by the values measured over the seeds, one value per seed.

    deterministic: whether the values do not depend on the seed, so that one is enough.
    """
    if claim.kind == "cited":
        return _judge_cited(claim)
    if not values:
        return Verdict("not yet")
    if claim.kind == "exact":
        return _judge_exact(claim, values)
    if claim.kind == "chance":
        low, high = rate_interval(values)
        word = "undecided" if low <= RARE <= high else "typical"
        return Verdict("rare" if high < RARE else word, low, high)
    if claim.kind == "conclusion":
        return _judge_conclusion(claim, values, deterministic)
    if claim.other_budget:
        return Verdict("other budget", note=claim.other_budget)
    if deterministic:
        return _judge_exact(claim, values)
    return _judge_run(claim, values)


def _judge_cited(claim: Claim) -> Verdict:
    """Against the original publication, where its figure is known."""
    if claim.published is None:
        return Verdict("unchecked")
    if agrees(claim.reported, claim.published, claim.digits):
        return Verdict("as published")
    return Verdict("erratum", note=f"published: {claim.published}")


def _judge_exact(claim: Claim, values: list) -> Verdict:
    """Every seed's value, to the digits printed."""
    if all(agrees(claim.reported, value, claim.digits) for value in values):
        # A slide that is right needs no erratum: a stale note is a mismatch.
        word = "mismatch" if claim.erratum else "reproduced"
    else:
        word = "erratum" if claim.erratum else "mismatch"
    return Verdict(word, note=claim.erratum)


def _judge_run(claim: Claim, values: list) -> Verdict:
    """Reproduced when the figure, to the digits printed, lies in the 95 % prediction
    interval for one more run: mean +- t(n-1) s sqrt(1 + 1/n)."""
    if len(values) < FEWEST_SEEDS:
        return Verdict("unjudged")
    mean, deviation = mean_and_deviation(values)
    n = len(values)
    margin = _student_t(n - 1) * deviation * (1 + 1 / n) ** 0.5
    low, high = mean - margin, mean + margin
    slack = _half_last_digit(claim.reported)
    if claim.unit == "%" and low <= 0 and high >= 100:
        word = "undecided"  # no figure could have been another
    elif claim.reported < low - slack:
        word = "above"
    elif claim.reported > high + slack:
        word = "below"
    else:
        word = "reproduced"
    return Verdict(word, low, high)


def comparison(holds_if: str) -> tuple[str, float]:
    """The sign and the bound of "> 0" or "< 5"; raises ValueError for other words."""
    sign, _, bound = holds_if.partition(" ")
    if sign not in ("<", ">"):
        raise ValueError(f"holds_if = {holds_if!r} is no comparison such as '> 0'")
    return sign, float(bound)


def _judge_conclusion(claim: Claim, values: list, deterministic: bool) -> Verdict:
    """Holds, or does not, where the whole interval says so."""
    sign, bound = comparison(claim.holds_if)
    if deterministic:
        low = high = values[0]
    elif isinstance(values[0], list):
        low, high = rate_interval(values)
    elif len(values) < FEWEST_SEEDS:
        return Verdict("unjudged")
    else:
        low, high = mean_interval(values)
    inside, outside = (low > bound, high <= bound)
    if sign == "<":
        inside, outside = (high < bound, low >= bound)
    word = "holds" if inside else "does not hold" if outside else "undecided"
    return Verdict(word, low, high, f"holds if {claim.holds_if}")


def rate(values: list) -> tuple[int, int]:
    """Count and total of the seeds' [count, of] taken together."""
    return int(sum(count for count, _ in values)), int(sum(of for _, of in values))


def rate_interval(values: list) -> tuple[float, float]:
    """The exact 95 % interval of a share, in percent (Clopper and Pearson, 1934).

    values: [count, of] per seed, taken together.
    """
    from scipy.special import betaincinv

    count, of = rate(values)
    tail = (1 - CONFIDENCE) / 2
    low = betaincinv(count, of - count + 1, tail) if count else 0.0
    high = betaincinv(count + 1, of - count, 1 - tail) if count < of else 1.0
    return 100 * float(low), 100 * float(high)


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
