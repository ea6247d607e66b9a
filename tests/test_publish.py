"""Tables, ledger, Markdown pages and the command line that makes them."""

import re

from common import claims, files, recipes, results
from common.claims import Claim, Measure, Verdict
from common.results import Row
from publish import entries, ledger, readme, tables, words
from publish.__main__ import main, parse

import pytest


@pytest.fixture(scope="module")
def every():
    return entries.lessons()


def row(kind, word, document="003", **more):
    """A judged entry of lectures/."""
    claim = Claim(document, "what it is", kind, "24_dropout_mnist", **more)
    return Row(None, claim, [], Verdict(word))


# What `make readme` writes


@pytest.mark.parametrize("name", readme.READMES)
def test_the_tables_of_readme_are_up_to_date(name, every):
    text = (files.ROOT / name).read_text(encoding="utf-8")
    assert text == readme.filled(text, every, readme.READMES[name]), "make readme"


def test_the_page_of_all_results_is_up_to_date(every):
    text = (results.RESULTS / "README.md").read_text(encoding="utf-8")
    assert text == readme.all_results(every), "make readme"


def test_the_index_of_recipes_is_up_to_date(every):
    text = (recipes.FOLDER / "README.md").read_text(encoding="utf-8")
    assert text == readme.index(every), "make readme"


def test_readme_without_marks_is_refused(every):
    with pytest.raises(files.Problem, match="results: begin"):
        readme.filled("# No marks", every[:1], korean=False)


def test_the_index_says_what_was_asked_and_found(every):
    text = readme.index(every)
    lines = [line for line in text.splitlines() if re.match(r"\| \d\d ", line)]
    assert len(lines) == len(every)
    for line, lesson in zip(lines, every, strict=True):
        assert len(re.findall(r"(?<!\\)\|", line)) == 6  # five cells
        assert f"({lesson.recipe.name})" in line
        assert lesson.fields["제목"] in line
        assert "{" not in line


def test_a_figure_table_has_what_is_asked_for_in_its_language(every):
    (lesson,) = [each for each in every if each.stem.startswith("24")]
    english = readme.figure_table([lesson], entries.is_of_a_run)
    korean = readme.figure_table([lesson], entries.is_of_a_run, korean=True)
    assert "| 98.13 % |" in english and "| 98.13 % |" in korean
    assert lesson.module.MEASURES["test_accuracy"].korean in korean
    assert "레시피" in korean and "recipe" not in korean.splitlines()[0]
    everything = readme.figure_table([lesson], lambda row: True)
    assert everything.count("\n") > english.count("\n")


def test_pictures_of_runs_are_brought_up_to_date(tmp_path, monkeypatch, every):
    """README shows docs/STEM-FIGURE.png: that of the default run, if there is one."""
    root, runs = tmp_path / "root", tmp_path / "runs"
    monkeypatch.setattr(readme, "ROOT", root)
    monkeypatch.setattr(results, "RESULTS", root / "results")
    shown = "docs/24_dropout_mnist-learning_curves.png docs/20_softmax_mnist-none.png"
    for name in readme.READMES:
        text = f"{shown}\n{readme.MARKS[0]}\noutdated\n{readme.MARKS[1]}\n"
        files.write_whole(root / name, text.encode())
    drawn = runs / "24_dropout_mnist" / "seed-0" / "learning_curves.png"
    files.write_whole(drawn, b"picture")
    readme.write(every[:1], runs)
    (picture,) = (root / "docs").iterdir()
    assert picture.name == "24_dropout_mnist-learning_curves.png"
    assert picture.read_bytes() == b"picture"
    assert (root / "recipes" / "README.md").exists()
    assert "outdated" not in (root / "README.md").read_text()


# Counting


def test_headlines_count_kinds_apart():
    rows = [
        row("run", "reproduced"),
        row("run", "above"),
        row("run", "not yet"),
        row("exact", "reproduced"),
        row("exact", "erratum"),
        row("exact", "reproduced", formula=True),
        row("conclusion", "holds"),
        row("conclusion", "undecided"),
        row("cited", "unchecked"),
        row("cited", "erratum"),
        row("published", "other budget", "published"),
        row("system", "not yet"),
        Row(Measure("%", "a control", "대조"), None, [1.0], Verdict("control")),
    ]
    found = {h.kind: (h.good, h.judged) for h in entries.headlines(rows)}
    assert found == {
        "run": (1, 2),
        "conclusion": (1, 2),
        "exact": (1, 2),
        "formula": (1, 1),
        "cited": (0, 1),
        "published": (0, 0),
        "system": (0, 1),
    }
    assert entries.errata(rows) == 2
    assert len(entries.waiting(rows)) == 2
    (run, *_) = entries.headlines(rows)
    assert tables.headline_text(run) == (
        "training runs",
        "1 of 2 reproduced",
        "1 above, 1 not yet",
    )
    assert tables.headline_text(run, korean=True)[1] == "2개 중 1개 재현됨"


def test_every_entry_of_the_lectures_is_counted_once_in_known_words(every):
    rows = entries.every_entry(every)
    assert [row.claim for row in rows] == list(claims.said())
    counted = sum(sum(h.counts.values()) for h in entries.headlines(rows))
    assert counted == len(rows)
    assert {row.verdict.word for row in rows} <= set(words.VERDICTS)
    assert set(results.VERDICT_STYLE) <= set(words.VERDICTS)
    assert set(claims.KINDS) | {"formula"} == set(words.KINDS)
    for kind in words.KINDS.values():
        assert set(kind.judged) <= set(words.VERDICTS)


def test_a_system_runs_when_its_recipe_has_a_result(every):
    rows = entries.every_entry(every[:0])
    assert {r.verdict.word for r in rows if r.claim.kind == "system"} == {"not yet"}
    rows = entries.every_entry(every)
    measured = {lesson.stem for lesson in every if lesson.result}
    for each in rows:
        if each.claim.kind == "system":
            assert (each.verdict.word == "runs") == (each.claim.recipe in measured)


def test_a_conclusion_shows_its_bound_where_others_show_a_figure():
    measure = Measure("rate", "", "")
    claim = Claim("003", "", "conclusion", "17_xor", "rate", holds_if="< 5")
    assert entries.shown_reported(Row(measure, claim, [], Verdict("holds"))) == "< 5 %"
    reported = row("exact", "reproduced", reported=881)
    assert entries.shown_reported(reported) == "881"


def test_figures_in_korean():
    assert words.in_korean("354 of 500 (70.8 %)") == "500개 중 354개 (70.8 %)"
    assert words.in_korean("2 x 3 values") == "값 2 x 3개"
    assert words.in_korean("98.13 %") == "98.13 %"


# In the terminal


def test_the_ledger_is_in_slide_order(every, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    rows = entries.every_entry(every)
    ledger.print_ledger(rows, "003")
    printed = capsys.readouterr().out
    assert "Lecture 003" in printed and "Lecture 002" not in printed
    accuracies = ("90.23 %", "94.55 %", "97.83 %", "97.23 %", "98.13 %")
    places = [printed.index(text) for text in accuracies]
    assert places == sorted(places)
    assert "training runs" in printed
    ledger.print_ledger(rows)
    printed = capsys.readouterr().out
    assert "Papers' figures" in printed and "not yet" in printed
    with pytest.raises(files.Problem, match="'007'") as raised:
        ledger.print_ledger(rows, "007")
    assert raised.value.status == 2


def test_a_figure_that_two_documents_print_names_both():
    shared = row("exact", "reproduced", also=[{"document": "000", "line": 3}])
    assert ledger.also(shared) == " (also 000)"
    assert ledger.also(row("exact", "reproduced")) == ""


def test_the_overview_shows_your_run_beside_the_result(every, tmp_path, capsys):
    (lesson,) = [each for each in every if each.stem.startswith("24")]
    record = {
        "recipe_hash": recipes.recipe_hash(lesson.recipe),
        "options": results.reproduced_options(lesson.recipe),
        "values": {"test_accuracy": 97.77},
        "files": {},
    }
    folder = tmp_path / lesson.stem / "seed-0"
    files.write_record(folder / "metrics.json", record)
    tables.print_overview([lesson], tmp_path)
    printed = capsys.readouterr().out
    assert "97.77 %" in printed and "98.13 %" in printed
    tables.print_overview([lesson._replace(result=None)], tmp_path / "none")
    assert "not measured" in capsys.readouterr().out


# The command line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "ACTION"),
        (["paint"], "invalid choice"),
        (["collect"], "recipe"),
        (["table", "--nonsense"], "unrecognized"),
        (["confirm", "--device", "tpu"], "not a device"),
        (["confirm", "--base-runs", "runs"], "--base-runs needs --against"),
    ],
)
def test_a_wrong_command_is_one_line(arguments, said, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_a_wrong_recipe_is_a_wrong_request(tmp_path, capsys):
    assert main(["table", "99"]) == 2
    assert capsys.readouterr().err.startswith("publish: there is no recipe '99'")
    assert main(["collect", "24", "--out", str(tmp_path)]) == 1
    assert "make reproduce-24" in capsys.readouterr().err


def test_the_ledger_by_the_command_line(capsys):
    assert main(["ledger", "002"]) == 0
    assert "Lecture 002" in capsys.readouterr().out
