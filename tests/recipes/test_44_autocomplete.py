"""44: letters, look-up, beam search, and the lesson."""

import itertools
import subprocess
import sys
from types import SimpleNamespace

from common import recipes
from common.executing import Request, Run
from common.files import Problem

import keras
import numpy as np
import pytest
import tensorflow as tf


def test_a_syllable_begins_with_its_parts(lesson):
    assert lesson.spelled("He") == "he"
    assert lesson.spelled("한").startswith(lesson.spelled("하"))
    assert lesson.spelled("하").startswith(lesson.spelled("ㅎ"))
    assert len(lesson.spelled("한")) == 3 and len(lesson.ALPHABET) == 1 + 26 + 67
    for foreign in ("", "it's", "naïve 2", "a b", "ж"):
        assert lesson.spelled(foreign) == ""


def test_numbers_tell_blank_from_letters(lesson):
    assert lesson.numbers(["az"], before=" ") == [[lesson.END, 1, 26]]
    assert lesson.numbers(["b"], after=" ") == [[2, lesson.END]]


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


def test_a_wide_beam_finds_the_likeliest_words(lesson, monkeypatch):
    """All words of up to 3 letters, each by its own probability."""
    monkeypatch.setattr(lesson, "LONGEST", 3)
    monkeypatch.setattr(lesson, "BEAMS", len(lesson.ALPHABET) ** 2)
    keras.utils.set_random_seed(0)
    model = lesson.build_model()
    for weight in model.weights:  # far from uniform
        weight.assign(2.5 * weight)
    scores = {}
    for rest in (1, 2):
        words = [
            "k" + "".join(letters)
            for letters in itertools.product(lesson.LETTERS, repeat=rest)
        ]
        read = np.array(lesson.numbers(words, before=" "))
        answers = np.array(lesson.numbers(words, after=" "))
        log_p = tf.nn.log_softmax(model.predict(read, batch_size=1000, verbose=0))
        chosen = np.take_along_axis(log_p.numpy(), answers[..., None], axis=2)[..., 0]
        scores.update(zip(words, chosen[:, 1:].sum(axis=1), strict=True))
    best = sorted(scores, key=scores.get, reverse=True)[: lesson.OFFERED]
    assert lesson.complete(model, ["k"])["k"] == best
    # Prefixes beside each other do not disturb one another.
    assert lesson.complete(model, ["a", "k"])["k"] == best


def test_hit_rate_counts_only_words_that_go_on(lesson):
    def offer(prefixes):
        assert prefixes == ["he", "wo"]
        return {"he": ["help", "hers"], "wo": ["work"]}

    assert lesson.hit_rate(["help", "help", "he", "word", "work"], 2, offer) == 75


@pytest.mark.parametrize("letters", ["", "h3", "a\n", "a" * 15])
def test_what_cannot_be_asked(lesson, letters):
    run = SimpleNamespace(options={"ask": letters})
    with pytest.raises(Problem, match="1 to 14 letters") as caught:
        lesson.main(run)
    assert caught.value.status == 2 and "\n" not in str(caught.value)


def test_asking_trains_once_and_then_answers_at_once(lesson, tmp_path):
    path = recipes.find("44")
    command = [sys.executable, str(path), "--quick", "--out", str(tmp_path), "--ask"]
    first = subprocess.run([*command, "he"], capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    assert "epoch 1/1" in first.stdout
    (line,) = {line for line in first.stdout.splitlines() if " he -> " in line}
    offered = line.split(" -> ")[1].split(", ")
    assert len(offered) == 5 and all(word.startswith("he") for word in offered)
    second = subprocess.run([*command, "he"], capture_output=True, text=True)
    assert second.returncode == 0
    assert line in second.stdout and "epoch" not in second.stdout

    settings = {"recipe_hash": recipes.recipe_hash(path), "seed": 0, "quick": True}
    run = SimpleNamespace(seed=0, settings={**settings, "epochs": None})
    run.folder = tmp_path / path.stem / "another run"
    assert lesson.finished_model(run)
    for name in ("model.keras", "metrics.json"):
        (file,) = run.folder.parent.glob(f"*/{name}")
        file.write_bytes(file.read_bytes()[:-7])
        assert lesson.finished_model(run) is None


def test_the_network_learns_words_and_guesses_some_that_it_never_read(
    lesson, monkeypatch, tmp_path
):
    """The lesson, by 400 English words: a look-up offers only what it holds."""
    monkeypatch.setattr(lesson, "LONGEST", 6)
    monkeypatch.setattr(lesson, "HIDDEN_UNITS", 96)
    words = lesson.word_list("en", 400)
    unseen = {word: words.pop(word) for word in list(words)[9::10]}
    rng = np.random.default_rng(0)
    drawn = lesson.draw(words, 8000, rng, power=0.5)
    pad = keras.utils.pad_sequences
    x = pad(lesson.numbers(drawn, before=" "), 7, padding="post")
    y = pad(lesson.numbers(drawn, after=" "), 7, padding="post", value=-1)
    keras.utils.set_random_seed(0)
    model = lesson.build_model()
    Run(Request(stem="44", out=tmp_path)).fit(model, x, y, batch_size=100, epochs=6)
    known = lesson.hit_rate(list(words), 3, lambda p: lesson.complete(model, p))
    never_read = lesson.hit_rate(list(unseen), 3, lambda p: lesson.complete(model, p))
    looked_up = lesson.hit_rate(list(unseen), 3, lambda p: lesson.look_up(words, p))
    assert known > 80 and never_read > 20 and looked_up == 0
