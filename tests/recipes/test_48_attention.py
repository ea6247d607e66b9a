"""Attention against Keras and what it ignores; the data; translating step by step."""

import datetime
import re

from common import datasets
from common.executing import Request, Run
from common.files import Problem

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

CHANGED_INPUTS = [({"UNITS": 8}, {"parameters"})]
KOREAN = {digit: n for n, digit in enumerate("영일이삼사오육칠팔구")}
TENS = {"십": 10, "백": 100}


def drawn(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


SEEN = tf.constant([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])


@pytest.fixture(scope="module")
def states():
    return drawn(2, 4, 6), drawn(2, 5, 6, seed=1)


def test_dot_product_attention_is_keras(lesson, states):
    queries, keys = states
    found, weights = lesson.Attention("dot")(queries, keys, SEEN)
    expected, expected_weights = layers.Attention()(
        [queries, keys], mask=[None, SEEN > 0], return_attention_scores=True
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(weights, expected_weights, atol=1e-6)


def test_additive_attention_is_keras_with_its_two_layers_before_it(lesson, states):
    """Keras' layer holds only v; W and U are Bahdanau's, and stand before it."""
    queries, keys = states
    ours = lesson.Attention("additive")
    found, weights = ours(queries, keys, SEEN)
    theirs = layers.AdditiveAttention()
    inputs = [ours.w(queries), keys, ours.u(keys)]
    theirs.build([value.shape for value in inputs])
    theirs.set_weights([ours.v])
    expected, expected_weights = theirs(
        inputs, mask=[None, SEEN > 0], return_attention_scores=True
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(weights, expected_weights, atol=1e-6)


@pytest.mark.parametrize("kind", ["dot", "additive", "none"])
def test_what_is_no_word_gets_no_weight_and_no_gradient(lesson, states, kind):
    queries, keys = states
    attention = lesson.Attention(kind)
    with tf.GradientTape() as tape:
        tape.watch(keys)
        found, weights = attention(queries, keys, SEEN)
        total = tf.reduce_sum(found**2)
    np.testing.assert_allclose(tf.reduce_sum(weights, -1), 1, atol=1e-6)
    assert not weights.numpy()[1, :, 3:].any()
    gradient = tape.gradient(total, keys).numpy()
    assert not gradient[1, 3:].any() and gradient[1, 2].any()


def test_without_attention_the_last_word_has_all_the_weight(lesson, states):
    queries, keys = states
    found, _ = lesson.Attention("none")(queries, keys, SEEN)
    expected = np.stack([keys.numpy()[0, 4], keys.numpy()[1, 2]])[:, None]
    np.testing.assert_array_equal(found, np.repeat(expected, 4, axis=1))


def test_the_networks_are_equally_large(lesson):
    sizes = {k: lesson.build_model(k).count_params() for k in ("dot", "none")}
    assert sizes["dot"] == sizes["none"]
    assert 1 < lesson.build_model("additive").count_params() / sizes["dot"] < 1.03


@pytest.mark.parametrize("kind", ["dot", "additive", "none"])
def test_step_by_step_is_the_network_fed_with_its_own_words(lesson, kind):
    """And what stands behind the end of the source changes neither."""
    keras.utils.set_random_seed(0)
    model = lesson.build_model(kind)
    for weight in model.weights:  # far from uniform
        weight.assign(3 * weight)
    source = np.random.default_rng(0).integers(4, 165, (6, 9)).astype("int32")
    source[3:, 5:] = lesson.PAD
    written, weights = lesson.translate(model, source, 7)
    assert weights.shape == (6, 7, 9) and len(set(written.ravel())) > 3
    so_far = np.pad(written[:, :-1], ((0, 0), (1, 0)), constant_values=lesson.START)
    logits = model([source, so_far]).numpy()
    np.testing.assert_array_equal(logits.argmax(axis=-1), written)
    longer = np.pad(source, ((0, 0), (0, 4)))
    np.testing.assert_allclose(model([longer, so_far]), logits, atol=1e-4)


def test_the_dates_and_numbers_are_right(lesson):
    """Each item read in either language by rules of our own."""
    spoken = "one two three four five six seven eight nine ten eleven twelve thirteen"
    spoken += " fourteen fifteen sixteen seventeen eighteen nineteen"
    english = {word: n for n, word in enumerate(spoken.split(), start=1)}
    tens = "twenty thirty forty fifty sixty seventy eighty ninety"
    english |= {word: 10 * n for n, word in enumerate(tens.split(), start=2)}
    train, test = lesson.read("train"), lesson.read("test")
    assert (len(train), len(test)) == (16_000, 600)
    counts = [korean.count(",") + 1 for korean, _ in test]
    assert counts == sorted(lesson.TESTED * 100)
    assert {korean.count(",") + 1 for korean, _ in train} == {1, 2, 3, 4}
    for korean, text in [*train[:500], *test]:
        pairs = zip(*("_".join(t).split("_,_") for t in (korean, text)), strict=True)
        for ours, theirs in pairs:
            if "년" in ours:
                numbers = [int(n) for n in re.findall(r"\d+", ours)]
                day = datetime.date(*numbers)
                assert day.strftime("%A_%B_") + f"{day.day}_{day.year}" == theirs
                assert ours.endswith("월화수목금토일"[day.weekday()] + "요일")
                continue
            value, digit = 0, None
            for syllable in ours.split("_"):
                if syllable in KOREAN:
                    digit = KOREAN[syllable]
                else:
                    value += TENS[syllable] * (digit or 1)
                    digit = None
            value += digit or 0
            said = 0
            for word in theirs.split("_"):
                said = said * 100 if word == "hundred" else said + english.get(word, 0)
            assert value == said, (ours, theirs)


def test_no_item_of_a_test_sentence_was_trained_on(lesson):
    def items(part):
        return {
            i for korean, _ in lesson.read(part) for i in " ".join(korean).split(" , ")
        }

    assert not items("train") & items("test")
    words = lesson.numbers_of([english for _, english in lesson.read("train")])
    assert {word for _, english in lesson.read("test") for word in english} <= set(
        words
    )


def test_a_damaged_file_is_refused_by_name(tmp_path):
    folder = tmp_path / "dates_and_numbers"
    folder.mkdir()
    for path in (datasets.DATA / "dates_and_numbers").iterdir():
        content = path.read_bytes()
        (folder / path.name).write_bytes(
            content[:-1] if path.suffix == ".gz" else content
        )
    with pytest.raises(Problem, match=r"train.tsv.gz is damaged"):
        datasets.embedded("dates_and_numbers", "train.tsv.gz", tmp_path)


def test_items_are_right_at_their_place_only(lesson):
    words = {w: n for n, w in enumerate(["", "<", ">", ",", "a", "b", "c"])}
    test = [(["x"], ["a", ",", "b", ",", "c"])]

    def right(text):
        row = [[words[word] for word in text.split()]]
        return lesson.items_right(row, test, words)

    assert right("a , b , c > a") == 100
    assert right("a , b > c") == pytest.approx(200 / 3)
    assert right("b , c >") == 0 and right(">") == 0
    assert right("a b , b , c >") == pytest.approx(200 / 3)


def test_attention_copies_what_one_state_cannot_hold(lesson, monkeypatch, tmp_path):
    """The finding in seconds: ten of 20 words to be written down again."""
    monkeypatch.setattr(lesson, "UNITS", 32)
    monkeypatch.setattr(lesson, "EMBEDDING", 16)
    monkeypatch.setattr(lesson, "LEARNING_RATE", 1e-2)
    texts = np.random.default_rng(0).integers(4, 24, (6400, 10)).astype("int32")
    so_far = np.pad(texts[:, :-1], ((0, 0), (1, 0)), constant_values=lesson.START)
    right = {}
    for kind in ("dot", "none"):
        keras.utils.set_random_seed(0)
        model = lesson.build_model(kind, sizes=(24, 24))
        run = Run(Request(stem="48", out=tmp_path / kind))
        train = (texts[200:], so_far[200:]), texts[200:]
        run.fit(model, *train, batch_size=64, epochs=4, name=kind)
        written, _ = lesson.translate(model, texts[:200], 10)
        right[kind] = (written == texts[:200]).mean()
    print(right)
    assert right["dot"] > 0.9 and right["none"] < 0.6
