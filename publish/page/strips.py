"""Strips: what a lecture says of a training beside the distribution of our networks."""

from common import claims, results
from common.results import Row

REACH = 4  # half the width of a scaled strip, in half intervals


def strip(row: Row) -> dict | None:
    """Where things lie on the strip of a row, in percent of its width; None without.

    low, high: the 95 % interval. seeds: one per seed. at: the reported figure of a run,
    or, where is_bound, what decides on a single outcome (5 %) or a conclusion. beyond:
    whether that lies outside of the strip. And all of them as texts.
    """
    verdict, claim = row.verdict, row.claim
    if claim is None or verdict.low is None or verdict.low == verdict.high:
        return None
    shown = claim.reported
    if claim.kind == "chance":
        shown = claims.RARE
    elif claim.kind == "conclusion":
        _, shown = claims.comparison(claim.holds_if)
    values, unit, low, high = row.values, row.unit, verdict.low, verdict.high
    middle, half = (low + high) / 2, (high - low) / 2
    if unit == "rate":  # on the whole scale, as every share can be compared
        values, unit = [100 * count / of for count, of in values], "%"
        middle, half = 50, 50 / REACH
    # An interval of shares ends where shares end; other percentages go beyond.
    if unit == "%" and all(0 <= value <= 100 for value in values):
        low, high = max(low, 0), min(high, 100)

    def place(value):
        """Strips of very different units are scaled alike: to their interval."""
        at = (value - middle) / half
        return 50 + 50 * max(-REACH, min(REACH, at)) / (REACH + 0.5)

    def text(value):
        return results.number(value, unit, digits=3).removesuffix(f" {unit}")

    return {
        "low": place(low),
        "high": place(high),
        "low_text": text(low),
        "high_text": text(high),
        "seeds": [place(value) for value in values],
        "seeds_text": ", ".join(text(value) for value in values),
        "at": place(shown),
        "is_bound": claim.kind in ("chance", "conclusion"),
        "text": results.number(shown, unit),
        "beyond": abs(shown - middle) > REACH * half,
    }
