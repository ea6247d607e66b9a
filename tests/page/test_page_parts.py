"""What the report page is made from: whole files of runs, texts, curves, networks."""

import re
import shutil

from common import files, recipes, results
from common.claims import Claim, Measure, Verdict
from common.results import Row
from publish import entries
from publish.page import browser, build, charts, digits, fields, runs, strips

import keras
import pytest
from keras import layers
from markupsafe import escape


def test_page_is_one_small_file_with_alt_texts(built):
    content = built[0].read_text(encoding="utf-8")
    assert len(content) < 15e6
    assert not re.search(r'(?:src|href)="(?!data:|#)', content)
    images = re.findall(r"<img[^>]*>", content)
    assert len(images) >= 4
    assert all(re.search(r'alt="[^"]{15,}"', image) for image in images)
    for lesson in entries.lessons():
        assert f'id="{lesson.stem}"' in content
        assert lesson.fields["제목"] in content
        for row in lesson.rows:
            if row.measure:
                assert str(escape(row.measure.korean)) in content


def test_without_any_run_the_page_says_how_to_get_one(tmp_path):
    lesson = entries.lesson(recipes.find("24"))
    content = build.build([lesson], tmp_path / "none").decode()
    assert "<img" not in content
    assert "make 24 report" in content
    assert 'id="weights-' not in content


def test_only_whole_files_of_the_run_folder_are_read(tmp_path, capsys, write_run):
    recipe = recipes.find("20")
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    write_run(recipe.stem, tmp_path, {"one.png": b"one", "two.png": b"two"})
    folder = tmp_path / recipe.stem / "seed-0"
    (folder / "two.png").write_bytes(b"other")
    (folder / "link.png").symlink_to(secret)
    record = results.own_run(recipe, tmp_path)
    record["files"] |= {
        name: files.digest(b"secret") for name in ("link.png", "../../secret.png")
    }
    assert runs.run_file(recipe, tmp_path, "one.png", record) == b"one"
    for name in ("two.png", "link.png", "../../secret.png", "missing.png"):
        assert runs.run_file(recipe, tmp_path, name, record) is None
    assert runs.figures(recipe, tmp_path, record) == []  # one.png is no picture
    assert capsys.readouterr().out.count("left out") == 8
    (folder / "metrics.json").write_text("{}")
    assert results.own_run(recipe, tmp_path) is None


def test_texts_of_others_stay_texts(tmp_path):
    """Markup in a recipe, an entry or a name is shown, not obeyed."""
    evil = "</script><img src=x onerror=alert(1)>"
    lesson = entries.lesson(recipes.find("20"))
    measure = Measure("%", evil, evil)
    claim = Claim("003", evil, "run", lesson.stem, "accuracy", evil, reported=90.0)
    row = Row(measure, claim, [90.0], Verdict("reproduced", note=evil), "accuracy")
    lesson = lesson._replace(
        fields=dict.fromkeys(("Title", *recipes.FIELDS), evil) | {"Notes": [evil]},
        result={
            **lesson.result,
            "machine": evil,
            "history": [{evil: [{"epoch": e, evil: e} for e in range(4)]}],
        },
        rows=[row],
    )
    content = build.build([lesson], tmp_path).decode()
    assert "onerror" in content
    assert "<img" not in content
    assert content.count("<script") == content.count("</script>")


def test_a_result_that_is_missing_is_said(tmp_path):
    lesson = entries.lesson(recipes.find("20"))
    rows = results.rows(lesson.stem, lesson.module.MEASURES, {})
    content = build.build([lesson._replace(result=None, rows=rows)], tmp_path).decode()
    assert "make reproduce-20" in content
    assert 'class="finding"' not in content


def test_a_result_of_an_earlier_version_is_said(tmp_path):
    lesson = entries.lesson(recipes.find("20"))
    result = {**lesson.result, "plumbing": {"training": "of another version"}}
    said = "changed: plumbing;"
    assert said not in build.build([lesson], tmp_path).decode()
    changed = lesson._replace(result=result)
    assert said in build.build([changed], tmp_path).decode()


def test_fields_of_a_docstring():
    assert fields.topics("000 and 004, CNN; the lab set") == [
        ("000", "CNN"),
        ("004", "CNN"),
        ("000", "the lab set"),
        ("004", "the lab set"),
    ]
    assert fields.topics("002, history; 003, lab 18.py") == [
        ("002", "history"),
        ("003", "lab 18.py"),
    ]
    assert fields.exercises("(1) rate 0.5 (2) 30 epochs: (a) why?") == [
        "rate 0.5",
        "30 epochs: (a) why?",
    ]
    recipe = recipes.find("24")
    base = fields.neighbour(recipes.docstring_fields(recipe))
    assert base == recipes.find("23")
    kinds = [kind for kind, _ in fields.diff(base, recipe)]
    assert kinds.count("add") > 10 < kinds.count("del")


def test_curves_join_the_parts_of_a_training_and_leave_out_what_is_no_curve():
    def logs(first, last):
        return [{"epoch": e, "accuracy": e / 100} for e in range(first, last + 1)]

    seed = {"deep_3": logs(1, 3), "deep_15": logs(4, 15), "flat": logs(1, 15)}
    (chart,) = charts.charts([seed, seed])
    assert chart["epochs"] == list(range(1, 16))
    assert [series["name"] for series in chart["series"]] == ["deep", "flat"]
    assert chart["series"][0]["seeds"] == [[float(e) for e in range(1, 16)]] * 2
    assert charts.charts([{"one": logs(1, 2)}]) == []
    (long,) = charts.charts([{"one": logs(1, 1000)}])
    assert len(long["epochs"]) <= charts.LONGEST_CURVE + 1
    assert long["epochs"][-1] == 1000
    charts.drawn(long)


def test_a_network_that_the_page_cannot_compute_is_refused():
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.BatchNormalization()])
    with pytest.raises(files.Problem, match="BatchNormalization"):
        digits.exported(model)
    strided = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(2, 3, 2)])
    with pytest.raises(files.Problem, match="Conv2D"):
        digits.exported(strided)


def test_a_recurrent_network_of_another_kind_is_refused():
    for layer in (layers.GRU(4), layers.LSTM(4, return_sequences=True)):
        model = keras.Sequential([keras.Input((28, 28)), layer, layers.Flatten()])
        with pytest.raises(files.Problem, match="cannot compute layer"):
            digits.exported(model)
    softmax = keras.Sequential([keras.Input((4,)), layers.Dense(2, "softmax")])
    with pytest.raises(files.Problem, match="Dense"):
        digits.exported(softmax)


def test_networks_are_found_by_what_they_read_not_by_a_list(tmp_path):
    names = ("16", "20", "30")  # weights only; a network of digits; one of letters
    every = [entries.lesson(recipes.find(name)) for name in names]
    (network,) = digits.networks(every, tmp_path)
    assert network["number"] == "20" and network["layers"] is None


def row_of(kind, values, unit="%", **more):
    claim = Claim("003", "", kind, "17_xor", "rate", unit=unit, **more)
    return Row(
        Measure(unit, "", ""),
        claim,
        values,
        results.claims.judge(claim, values),
        "rate",
    )


def test_a_strip_shows_a_run_on_our_distribution():
    values = [97.9, 98.0, 98.1]
    inside = strips.strip(row_of("run", values, reported=98.13))
    assert inside["low"] < inside["seeds"][0] < 50 < inside["at"] < inside["high"]
    assert not inside["beyond"] and not inside["is_bound"]
    assert inside["text"] == "98.13 %"
    outside = strips.strip(row_of("run", values, reported=90.0))
    assert outside["beyond"] and 0 < outside["at"] < 10
    assert strips.strip(row_of("run", values[:2], reported=98.0)) is None  # unjudged


def test_a_strip_shows_shares_on_the_whole_scale():
    values = [[70, 100], [71, 100]]
    of_chance = strips.strip(row_of("chance", values, "rate", reported=50))
    assert of_chance["is_bound"] and of_chance["text"] == "5 %"
    assert of_chance["at"] < 15 < 60 < of_chance["low"] < of_chance["high"]
    assert of_chance["seeds_text"] == "70, 71"
    concluded = strips.strip(row_of("conclusion", values, "rate", holds_if="< 95"))
    assert concluded["text"] == "95 %" and concluded["at"] > concluded["high"]


def test_no_browser_is_said(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(files.Problem, match="apt-get install chromium"):
        browser.launch(None)
