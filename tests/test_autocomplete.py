"""44: letters, look-up, beam search, and the lesson."""

import itertools
import subprocess
import sys
from types import SimpleNamespace

from common import recipes, reporting
from common.files import Problem

import keras
import numpy as np
import pytest
import tensorflow as tf

PATH = recipes.find("44")
MODULE = recipes.load(PATH)


def test_a_syllable_begins_with_its_parts():
    assert MODULE.spelled("He") == "he"
    assert MODULE.spelled("한").startswith(MODULE.spelled("하"))
    assert MODULE.spelled("하").startswith(MODULE.spelled("ㅎ"))
    assert len(MODULE.spelled("한")) == 3 and len(MODULE.ALPHABET) == 1 + 26 + 67
    for foreign in ("", "it's", "naïve 2", "a b", "ж"):
        assert MODULE.spelled(foreign) == ""


def test_numbers_tell_blank_from_letters():
    assert MODULE.numbers(["az"], before=" ") == [[MODULE.END, 1, 26]]
    assert MODULE.numbers(["b"], after=" ") == [[2, MODULE.END]]


@pytest.mark.parametrize("code", ["en", "ko"])
def test_the_word_list_is_in_order_of_frequency(code):
    words = MODULE.word_list(code, 300)
    assert len(words) == 300
    frequencies = list(words.values())
    assert all(a >= b for a, b in itertools.pairwise(frequencies))
    assert all(2 <= len(word) <= MODULE.LONGEST for word in words)
    assert ("the" if code == "en" else MODULE.spelled("우리")) in words


def test_words_are_drawn_as_often_as_they_are_used():
    words = {"often": 0.09, "seldom": 0.01}
    for power, share in ((1.0, 0.9), (0.5, 0.75)):
        drawn = MODULE.draw(words, 4000, np.random.default_rng(0), power)
        assert drawn.count("often") / 4000 == pytest.approx(share, abs=0.03)


def test_look_up_against_a_plain_search():
    rng = np.random.default_rng(0)
    words = {
        "".join(rng.choice(list("abc"), rng.integers(1, 6))): 1 for _ in range(200)
    }
    for length in (1, 2, 3):
        prefixes = ["".join(p) for p in itertools.product("abc", repeat=length)]
        found = MODULE.look_up(words, prefixes)
        for prefix in prefixes:
            matching = [w for w in words if w.startswith(prefix) and len(w) > length]
            assert found[prefix] == matching[: MODULE.OFFERED]


def test_a_wide_beam_finds_the_likeliest_words(monkeypatch):
    """All words of up to 3 letters, each by its own probability."""
    monkeypatch.setattr(MODULE, "LONGEST", 3)
    monkeypatch.setattr(MODULE, "BEAMS", len(MODULE.ALPHABET) ** 2)
    keras.utils.set_random_seed(0)
    model = MODULE.build_model()
    for weight in model.weights:  # far from uniform
        weight.assign(2.5 * weight)
    scores = {}
    for rest in (1, 2):
        words = [
            "k" + "".join(letters)
            for letters in itertools.product(MODULE.LETTERS, repeat=rest)
        ]
        read = np.array(MODULE.numbers(words, before=" "))
        answers = np.array(MODULE.numbers(words, after=" "))
        log_p = tf.nn.log_softmax(model.predict(read, batch_size=1000, verbose=0))
        chosen = np.take_along_axis(log_p.numpy(), answers[..., None], axis=2)[..., 0]
        scores.update(zip(words, chosen[:, 1:].sum(axis=1), strict=True))
    best = sorted(scores, key=scores.get, reverse=True)[: MODULE.OFFERED]
    assert MODULE.complete(model, ["k"])["k"] == best
    # Prefixes beside each other do not disturb one another.
    assert MODULE.complete(model, ["a", "k"])["k"] == best


def test_hit_rate_counts_only_words_that_go_on():
    def offer(prefixes):
        assert prefixes == ["he", "wo"]
        return {"he": ["help", "hers"], "wo": ["work"]}

    assert MODULE.hit_rate(["help", "help", "he", "word", "work"], 2, offer) == 75


@pytest.mark.parametrize("letters", ["", "h3", "a\n", "a" * 15])
def test_what_cannot_be_asked(letters):
    run = SimpleNamespace(options={"ask": letters})
    with pytest.raises(Problem, match="1 to 14 letters") as caught:
        MODULE.main(run)
    assert caught.value.status == 2 and "\n" not in str(caught.value)


def test_asking_trains_once_and_then_answers_at_once(tmp_path):
    command = [sys.executable, str(PATH), "--quick", "--out", str(tmp_path), "--ask"]
    first = subprocess.run([*command, "he"], capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    assert "epoch 1/1" in first.stdout
    (line,) = {line for line in first.stdout.splitlines() if " he -> " in line}
    offered = line.split(" -> ")[1].split(", ")
    assert len(offered) == 5 and all(word.startswith("he") for word in offered)
    second = subprocess.run([*command, "he"], capture_output=True, text=True)
    assert second.returncode == 0
    assert line in second.stdout and "epoch" not in second.stdout

    settings = {"recipe_hash": recipes.recipe_hash(PATH), "seed": 0, "quick": True}
    run = SimpleNamespace(seed=0, settings={**settings, "epochs": None})
    run.folder = tmp_path / PATH.stem / "another run"
    assert MODULE.finished_model(run)
    for name in ("model.keras", "metrics.json"):
        (path,) = run.folder.parent.glob(f"*/{name}")
        path.write_bytes(path.read_bytes()[:-7])
        assert MODULE.finished_model(run) is None


def test_the_network_knows_its_list_and_guesses_words_beyond_it():
    """The lesson, in the committed result; a look-up offers only what it holds."""
    values = reporting.read_result(PATH)["values"]
    rate = {name: np.mean(found) for name, found in values.items()}
    for code in ("en", "ko"):
        assert rate[f"lookup_{code}_4"] > rate[f"network_{code}_4"] > 70
        assert rate[f"unseen_{code}_5"] > rate[f"unseen_{code}_2"] + 20
