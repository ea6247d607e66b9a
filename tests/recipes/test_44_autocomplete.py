"""44: letters, look-up, what is written from a beginning, and the lesson."""

import itertools
import unicodedata
from types import SimpleNamespace

from common.executing import Request, Run, execute
from common.files import Problem

import keras
import numpy as np
import pytest
import tensorflow as tf

CHANGED_INPUTS = [({"OFFERED": 1}, {"lookup_en_2", "lookup_ko_2"})]


def test_a_syllable_begins_with_its_parts(lesson):
    assert lesson.spelled("He") == "he"
    assert lesson.spelled("한").startswith(lesson.spelled("하"))
    assert lesson.spelled("하").startswith(lesson.spelled("ㅎ"))
    assert len(lesson.spelled("한")) == 3 and len(lesson.ALPHABET) == 1 + 26 + 67
    for foreign in ("", "it's", "naïve 2", "a b", "ж"):
        assert lesson.spelled(foreign) == ""


def test_every_letter_is_answered_by_the_next(lesson, monkeypatch):
    monkeypatch.setattr(lesson, "LONGEST", 3)
    read, answers = lesson.letters_and_next(["abc", "z"])
    end, nothing = lesson.END, -1
    assert read.tolist() == [[end, 1, 2, 3], [end, 26, end, end]]
    assert answers.tolist() == [[1, 2, 3, end], [26, end, nothing, nothing]]


@pytest.mark.parametrize("code", ["en", "ko"])
def test_the_word_list_is_in_order_of_frequency(lesson, code):
    words = lesson.word_list(code, 300)
    assert len(words) == 300
    frequencies = list(words.values())
    assert all(a >= b for a, b in itertools.pairwise(frequencies))
    assert all(2 <= len(word) <= lesson.LONGEST for word in words)
    assert ("the" if code == "en" else lesson.spelled("우리")) in words


def test_words_are_drawn_as_often_as_they_are_used(lesson):
    words = {"often": 0.09, "seldom": 0.01}
    for power, share in ((1.0, 0.9), (0.5, 0.75)):
        drawn = lesson.draw(words, 4000, np.random.default_rng(0), power)
        assert drawn.count("often") / 4000 == pytest.approx(share, abs=0.03)


def test_look_up_against_a_plain_search(lesson):
    rng = np.random.default_rng(0)
    words = {
        "".join(rng.choice(list("abc"), rng.integers(1, 6))): 1 for _ in range(200)
    }
    for length in (1, 2, 3):
        prefixes = ["".join(p) for p in itertools.product("abc", repeat=length)]
        found = lesson.look_up(words, prefixes)
        for prefix in prefixes:
            matching = [w for w in words if w.startswith(prefix) and len(w) > length]
            assert found[prefix] == matching[: lesson.OFFERED]


def test_what_is_written_most_often_is_what_is_likeliest(lesson, monkeypatch):
    """Beside the probability of every word of up to 3 letters, by the whole network."""
    monkeypatch.setattr(lesson, "LONGEST", 3)
    monkeypatch.setattr(lesson, "WRITTEN", 5000)
    keras.utils.set_random_seed(0)
    model = lesson.build_model()
    for weight in model.weights:  # far from uniform
        weight.assign(8 * weight)
    offered = lesson.complete(model, ["a", "k"])
    for first in "ak":
        words = [
            first + "".join(letters)
            for rest in (1, 2)
            for letters in itertools.product(lesson.LETTERS, repeat=rest)
        ]
        read, answers = lesson.letters_and_next(words)
        log_p = tf.nn.log_softmax(model.predict(read, batch_size=1000, verbose=0))
        log_p = log_p.numpy()
        log_p[:, 1] -= np.log1p(-np.exp(log_p[:, 1, :1]))  # it does not end at once
        at = np.maximum(answers, 0)[..., None]
        chosen = np.where(answers < 0, 0, np.take_along_axis(log_p, at, 2)[..., 0])
        # The third letter is the last one: nothing asks whether the word ends.
        p = dict(zip(words, np.exp(chosen[:, 1:3].sum(axis=1)), strict=True))
        best = sorted(p.values(), reverse=True)[: lesson.OFFERED]
        assert best[0] > 1.5 * best[-1]  # an order that chance does not make
        assert len(set(offered[first])) == lesson.OFFERED
        for word, likeliest in zip(offered[first], best, strict=True):
            assert p[word] > 0.8 * likeliest


def test_hit_rate_counts_only_words_that_go_on(lesson):
    def offer(prefixes):
        assert prefixes == ["he", "wo"]
        return {"he": ["help", "hers"], "wo": ["work"]}

    assert lesson.hit_rate(["help", "help", "he", "word", "work"], 2, offer) == 75


@pytest.mark.parametrize("letters", ["", "h3", "a\n", "a" * 12])
def test_what_cannot_be_asked(lesson, letters):
    run = SimpleNamespace(options={"ask": letters})
    with pytest.raises(Problem, match="1 to 11 letters") as caught:
        lesson.main(run)
    assert caught.value.status == 2 and "\n" not in str(caught.value)


def test_asking_trains_once_and_then_answers_at_once(lesson, tmp_path, capsys):
    def ask(letters):
        options = {"ask": letters}
        request = Request(stem="44", quick=True, options=options, out=tmp_path)
        with pytest.raises(SystemExit) as caught:
            execute(request, lesson)
        assert caught.value.code == 0
        said = capsys.readouterr().out
        (line,) = {line for line in said.splitlines() if f" {letters} -> " in line}
        return line, "epoch" in said

    first, trained = ask("he")
    assert trained
    offered = first.split(" -> ")[1].split(", ")
    assert 1 <= len(offered) <= lesson.OFFERED
    assert all(word.startswith("he") for word in offered)
    assert ask("he") == (first, False)
    line, trained = ask("안")
    assert not trained
    assert unicodedata.normalize("NFC", line) == line  # syllables again, not jamo


def test_held_out_words_are_neither_read_nor_on_the_list(lesson, monkeypatch, tmp_path):
    read, asked, to_numbers = [], [], lesson.letters_and_next

    def spied_numbers(words):
        read.append(set(words))
        return to_numbers(words)

    def spied_rate(meant, letters, offer):
        asked.append((list(meant), offer.args[0]))
        return 0.0

    monkeypatch.setattr(lesson, "letters_and_next", spied_numbers)
    monkeypatch.setattr(lesson, "hit_rate", spied_rate)
    execute(Request(stem="44", quick=True, out=tmp_path), lesson)
    times = len(lesson.TYPED)
    for code in range(2):
        (meant, listed), (same, _), (unseen, _) = asked[3 * times * code :: times][:3]
        assert meant == same and set(meant) <= set(listed)
        assert len(unseen) == 19 and len(listed) == 400 - 19
        assert not set(unseen) & (set(listed) | read[0])


def test_the_network_learns_words_and_guesses_some_that_it_never_read(
    lesson, monkeypatch, tmp_path
):
    """The lesson, by 400 English words: a look-up offers only what it holds."""
    monkeypatch.setattr(lesson, "LONGEST", 6)
    monkeypatch.setattr(lesson, "HIDDEN_UNITS", 96)
    words = lesson.word_list("en", 400)
    unseen = {word: words.pop(word) for word in list(words)[9::10]}
    drawn = lesson.draw(words, 8000, np.random.default_rng(0), power=0.5)
    keras.utils.set_random_seed(0)
    model = lesson.build_model()
    x, y = lesson.letters_and_next(drawn)
    Run(Request(stem="44", out=tmp_path)).fit(model, x, y, batch_size=100, epochs=6)
    known = lesson.hit_rate(list(words), 3, lambda p: lesson.complete(model, p))
    never_read = lesson.hit_rate(list(unseen), 3, lambda p: lesson.complete(model, p))
    looked_up = lesson.hit_rate(list(unseen), 3, lambda p: lesson.look_up(words, p))
    assert known > 80 and never_read > 20 and looked_up == 0
