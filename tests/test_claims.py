"""The verdicts, against intervals computed by an independent program."""

from common import claims, results
from common.claims import Claim, Measure, agrees, judge, mean_and_deviation
from common.files import Problem
from common.results import measured, number, told

import numpy as np
import pytest
from scipy import stats


def claim(kind, reported, **more):
    return Claim("003", "a figure", kind, "24_dropout_mnist", reported=reported, **more)


def run_claim(reported):
    return claim("run", reported, unit="%")


def test_prediction_interval_is_students():
    values = [97.6, 97.9, 98.0, 98.1, 98.4]
    verdict = judge(run_claim(98.0), values)
    low, high = stats.t.interval(
        0.95, 4, np.mean(values), np.std(values, ddof=1) * np.sqrt(1 + 1 / 5)
    )
    assert verdict.low == pytest.approx(low)
    assert verdict.high == pytest.approx(high)


def test_a_new_run_falls_into_the_interval_95_times_in_100():
    draws = np.random.default_rng(0).normal(98, 0.2, size=(4000, 6))
    inside = [judge(run_claim(0), list(d[:5])) for d in draws]
    hits = [v.low <= d[5] <= v.high for v, d in zip(inside, draws, strict=True)]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.012)


def test_words():
    values = [97.9, 98.0, 98.1]
    assert judge(run_claim(98.13), values).word == "reproduced"
    assert judge(run_claim(90.0), values).word == "above"
    assert judge(run_claim(99.9), values).word == "below"
    assert judge(run_claim(98.13), values[:2]).word == "unjudged"
    assert judge(run_claim(98.13), []).word == "not yet"


def test_an_interval_of_everything_decides_nothing():
    assert judge(run_claim(50), [25.0, 100.0, 50.0]).word == "undecided"


def test_cited_figures_are_held_against_their_publication():
    assert judge(claim("cited", 3.5), []).word == "unchecked"
    assert judge(claim("cited", 3.57, published=3.57), []).word == "as published"
    assert judge(claim("cited", 3.5, published=3.57), []).word == "erratum"


def test_a_papers_figure_stands_beside_its_own_configuration():
    values = [97.9, 98.0, 98.1]
    assert judge(claim("published", 98.05), values).word == "reproduced"
    other = claim("published", 98.05, other_budget="100 epochs, not 10")
    assert judge(other, values).word == "other budget"


@pytest.mark.parametrize(("count", "of"), [(0, 100), (3, 100), (146, 500), (100, 100)])
def test_the_interval_of_a_rate_is_exact(count, of):
    low, high = claims.rate_interval([[count, of]])
    exact = stats.binomtest(count, of).proportion_ci(0.95, method="exact")
    assert (low, high) == pytest.approx((100 * exact.low, 100 * exact.high))
    halves = [[count // 2, of // 2], [count - count // 2, of - of // 2]]
    assert claims.rate_interval(halves) == (low, high)


def test_one_run_with_few_outcomes_is_typical_or_rare():
    chance = claim("chance", 50, unit="%")
    assert judge(chance, [[29, 100]]).word == "typical"
    assert judge(chance, [[0, 100]]).word == "rare"
    assert judge(chance, [[5, 100]]).word == "undecided"


def test_a_conclusion_holds_where_the_whole_interval_says_so():
    cannot = claim("conclusion", None, holds_if="< 5")
    assert judge(cannot, [[0, 100]]).word == "holds"
    assert judge(cannot, [[71, 100]]).word == "does not hold"
    assert judge(cannot, [[3, 100]]).word == "undecided"
    helps = claim("conclusion", None, holds_if="> 0")
    assert judge(helps, [0.15, 0.25, 0.2]).word == "holds"
    assert judge(helps, [-0.15, -0.25, -0.2]).word == "does not hold"
    assert judge(helps, [-0.1, 0.3, 0.2]).word == "undecided"
    assert judge(helps, [0.1]).word == "unjudged"
    assert judge(helps, [0.1], deterministic=True).word == "holds"
    with pytest.raises(ValueError, match="no comparison"):
        judge(claim("conclusion", None, holds_if="large"), [[1, 2]])


def test_equal_runs_reproduce_only_what_rounds_to_them():
    assert judge(run_claim(100), [100.0] * 3).word == "reproduced"
    assert judge(run_claim(98.13), [98.134] * 3).word == "reproduced"
    assert judge(run_claim(98.13), [98.136] * 3).word == "above"


def test_exact_figures_match_to_the_digits_printed():
    assert agrees(0.665, 0.66524)
    assert not agrees(0.665, 0.6656)
    assert agrees(0.50, 0.504, digits=2)
    assert not agrees(0.50, 0.54, digits=2)
    assert agrees(-2, -1.99999)
    assert not agrees(0, 0.3)
    assert not agrees(1_195_018, 1_195_218)
    assert agrees(((1, 0), (0.5, 2)), [[1, 0], [0.52, 2]])
    assert not agrees(((1, 0), (0.5, 2)), [[1, 0], [0.52, 3]])
    assert not agrees((1, 2), [1, 2, 3])


def test_an_erratum_needs_a_reason_and_a_difference():
    wrong = claim("exact", 0.7, erratum="2 - 2 is 0")
    assert judge(wrong, [0.4]).word == "erratum"
    assert judge(wrong, [0.7]).word == "mismatch"
    assert judge(claim("exact", 0.7), [0.4]).word == "mismatch"


def test_paired_difference_is_the_t_test():
    for differences in ([0.1, 0.3, 0.2, 0.25, 0.15], [0.1, -0.3, 0.2, -0.25, 0.15]):
        significant = stats.ttest_1samp(differences, 0).pvalue < 0.05
        note = claims.paired_note(differences)
        assert note.endswith(": significant" if significant else ": not significant")


def test_mean_and_deviation():
    values = [1.0, 2.0, 4.0]
    assert mean_and_deviation(values) == pytest.approx(
        (np.mean(values), np.std(values, ddof=1))
    )
    assert mean_and_deviation([5.0]) == (5.0, None)


def test_numbers_as_people_write_them():
    assert number(1195018.0) == "1,195,018"
    assert number(98.1, "%") == "98.10 %"
    assert number([[1, 2], [3, 4], [5, 6]]) == "3 x 2 values"
    assert number([71.0, 100.0], "rate") == "71 of 100"


def test_what_the_seeds_gave():
    def shown(values, unit, **more):
        return measured(values, Measure(unit, "figure", "그림", **more))

    assert shown([98.0, 98.2, 98.4], "%") == "98.20 ± 0.20 % (n=3)"
    assert shown([7850.0] * 5, "") == "7,850 (n=5)"
    assert shown([7850.0] * 5, "", deterministic=True) == "7,850"
    assert shown([[70, 100], [71, 100]], "rate") == "141 of 200 (70.5 %)"
    low, high = stats.t.interval(0.95, 2, 0.2, 0.1 / np.sqrt(3))
    found = shown([0.1, 0.3, 0.2], "pp", paired=True)
    assert found == f"+0.20 pp [{low:+.2f}, {high:+.2f}] (n=3)"


def test_a_finding_is_told_in_measured_numbers():
    measures = {
        "accuracy": Measure("%", "accuracy", "정확도"),
        "gain": Measure("pp", "with minus without", "차이", paired=True),
        "curve": Measure("", "by depth", "깊이별"),
        "learned": Measure("rate", "networks that learn", "배운 망"),
    }
    values = {
        "accuracy": [98.0, 98.2, 98.4],
        "gain": [0.1, 0.3, 0.2],
        "curve": [[1.0, [2.0, 3.0]], [3.0, [4.0, 6.0]]],
        "learned": [[0, 50], [0, 50]],
    }
    low, high = stats.t.interval(0.95, 2, 0.2, 0.1 / np.sqrt(3))
    text = "{accuracy}, {gain}, {curve[0]}, {curve[1][1]}, {learned}"
    assert told(text, measures, values) == (
        f"98.20 %, +0.20 pp [{low:+.2f}, {high:+.2f}], 2, 4.5, 0.0 % [0.0, 3.6]"
    )
    with pytest.raises(KeyError):
        told("{nothing}", measures, values)


def test_rows_follow_the_recipe_and_end_with_what_is_cited(monkeypatch):
    said = (
        claim("run", 98.13, measure="accuracy"),
        claim("cited", 2014, unit="year"),
        claim("exact", 7, measure="weights", erratum="it is 8"),
        claim("exact", 8, measure="weights"),
        claim("system", None),
    )
    monkeypatch.setattr(claims, "said", lambda: said)
    values = {"weights": [8.0], "more": [1.0], "accuracy": [98.1, 98.2, 98.0]}
    words = {name: Measure("", name, "이름") for name in values}
    rows = results.rows("24_dropout_mnist", words, values)
    assert [(row.name, row.verdict.word) for row in rows] == [
        ("weights", "erratum"),
        ("weights", "reproduced"),
        ("more", "control"),
        ("accuracy", "reproduced"),
        ("", "unchecked"),
    ]


@pytest.mark.parametrize("text", ["[[entry]]\nkind =", "[entry]\nkind = 'run'", ""])
def test_damaged_entries_are_named(monkeypatch, tmp_path, text):
    (tmp_path / "003.toml").write_text(text)
    monkeypatch.setattr(claims, "LECTURES", tmp_path)
    claims.said.cache_clear()
    with pytest.raises(Problem, match=r"003\.toml: "):
        claims.said()
    claims.said.cache_clear()
