"""A network completes a word from its first letters.

제목: 자동완성: 첫 글자들로 빈출 단어 예측하기
Question: Can a network that reads letters offer the word you mean to type?
Finding: Often: after four letters of an English word {network_en_4} are among its five
    offers ({network_ko_4} in Korean), from its word list {lookup_en_4}
    ({lookup_ko_4}); of words that it never read, {unseen_en_4} ({unseen_ko_4}).
결과: 네 글자 뒤에 제안 다섯 개 안에 드는 영어 낱말은 {network_en_4}(한국어
    {network_ko_4}), 목록에서 찾으면 {lookup_en_4}({lookup_ko_4}), 한 번도 읽지 못한
    낱말은 {unseen_en_4}({unseen_ko_4})입니다.
Lecture: 000, Recurrent Neural Network (he -> her, height, hello)
Changes from: 43_rnn_mnist (letters instead of rows, an answer after every letter)
Run: python recipes/44_autocomplete.py --ask he
Try: (1) --ask 안, --ask zu (2) an LSTM (3) draw words by frequency, without the root
"""

import contextlib
import unicodedata
from functools import partial

from common import files, plots
from common.running import Measure, Problem, cli

import keras
import numpy as np
import tensorflow as tf
import wordfreq
from keras import layers

OPTIONS = {"--ask": {"metavar": "LETTERS", "help": "complete LETTERS (he, 안)"}}
WAYS = {"lookup": "목록", "network": "신경망", "unseen": "신경망, 못 본 낱말"}
WORDS = 10_000  # the most frequent ones of each language
LONGEST = 15  # letters in a word; a Korean syllable is two or three
HELD_OUT = 20  # every 20th word is kept from the network and from the look-up
SLIDE = {"her", "height", "hello", "held", "help"}

# One alphabet for both; Korean goes by jamo, so that 하 is the beginning of 한.
RANGES = ("az", "\u1100\u1112", "\u1161\u1175", "\u11a8\u11c2")
LETTERS = [chr(c) for first, last in RANGES for c in range(ord(first), ord(last) + 1)]
ALPHABET = [" ", *LETTERS]  # the blank stands before and after every word
END = 0

HIDDEN_UNITS = 192
DRAWN_WORDS = 40_000  # training words of each language and epoch
BATCH_SIZE = 200
EPOCHS = 10
LEARNING_RATE = 3e-3
BEAMS = 10  # beginnings followed at a time in the search for the likeliest words
OFFERED = 5  # words at a time
MEANT_WORDS = 300  # words that a user is taken to mean, for each language
PREFIXES = (1, 2, 3, 4, 5)  # letters typed


def build_model():
    embedding = layers.Embedding(len(ALPHABET), 32)
    reader = layers.GRU(HIDDEN_UNITS, return_sequences=True)
    inputs, answer = keras.Input((None,), dtype="int32"), layers.Dense(len(ALPHABET))
    model = keras.Sequential([inputs, embedding, reader, answer])
    loss = keras.losses.SparseCategoricalCrossentropy(True, ignore_class=-1)
    adam = keras.optimizers.Adam(LEARNING_RATE)
    model.compile(adam, loss, jit_compile=False, steps_per_execution=25)
    return model


def spelled(word):
    letters = unicodedata.normalize("NFKD", word.lower())  # 한 as three
    return letters if set(letters) <= set(LETTERS) else ""


def numbers(words, before="", after=""):
    return [[ALPHABET.index(c) for c in before + word + after] for word in words]


def word_list(code, length):
    frequencies = wordfreq.get_frequency_dict(code)
    found = {}
    for word in wordfreq.iter_wordlist(code):
        if len(word) >= 2 and 0 < len(spelled(word)) <= LONGEST:
            found.setdefault(spelled(word), frequencies[word])
        if len(found) == length:
            return found


def draw(words, size, rng, power=1.0):
    spellings, frequencies = zip(*words.items(), strict=True)
    weights = np.array(frequencies) ** power
    return list(rng.choice(spellings, size, p=weights / weights.sum()))


def complete(model, prefixes):
    n, length = len(prefixes), len(prefixes[0])
    beams = np.full((n, BEAMS, LONGEST + 2), END)  # a beam search
    beams[..., 1 : length + 1] = np.array(numbers(prefixes))[:, None]
    scores = np.full((n, BEAMS), -np.inf)
    scores[:, 0] = 0  # at first all beams are the same, so only one counts
    for end in range(length + 1, LONGEST + 2):
        read = beams[..., :-1].reshape(n * BEAMS, -1)  # what comes later has no effect
        logits = model.predict_on_batch(read)[:, end - 1]
        follow = tf.nn.log_softmax(logits).numpy().reshape(n, BEAMS, -1)
        follow[..., END] -= np.inf if end == length + 1 else 0  # at least one letter
        ended = beams[..., end - 1] == END
        follow[ended] = -np.inf  # a word that has ended stays as it is
        follow[ended, END] = 0
        follow[..., 1:] -= np.inf if end == LONGEST + 1 else 0  # time to end
        total = (scores[..., None] + follow).reshape(n, -1)
        best = np.argsort(-total, axis=1, kind="stable")[:, :BEAMS]
        scores = np.take_along_axis(total, best, axis=1)
        parents, letters = np.divmod(best, follow.shape[2])
        beams = np.take_along_axis(beams, parents[..., None], axis=1)
        beams[..., end] = letters
    offered = np.array(ALPHABET)[beams[:, :OFFERED]]
    words = [["".join(word).strip() for word in of_one] for of_one in offered]
    return dict(zip(prefixes, words, strict=True))


def look_up(words, prefixes):
    found = {prefix: [] for prefix in prefixes}
    for word in words:
        found.get(word[: len(prefixes[0])], []).append(word)
    return {p: [word for word in found[p] if word != p][:OFFERED] for p in found}


def hit_rate(meant, letters, offer):
    meant = [word for word in meant if len(word) > letters]
    offered = offer(sorted({word[:letters] for word in meant}))
    return 100 * np.mean([word in offered[word[:letters]] for word in meant])


def finished_model(run):
    same = ("recipe_hash", "seed", "quick", "epochs")
    for path in sorted(run.folder.parent.glob(f"seed-{run.seed}*/metrics.json")):
        with contextlib.suppress(ValueError, FileNotFoundError):
            record, model = files.read_record(path), path.with_name("model.keras")
            sound = files.digest(model.read_bytes()) == record["files"][model.name]
            if sound and all(record[key] == run.settings[key] for key in same):
                return keras.models.load_model(model, safe_mode=True)


def say_completions(run, model, letters):
    (words,) = complete(model, [spelled(letters)]).values()
    run.say(f"{letters} -> {unicodedata.normalize('NFC', ', '.join(words))}")
    return set(words)


def rates_figure(values):
    figure, axes = plots.new_figure(1, 2)
    for axis, code in zip(axes, ("en", "ko"), strict=True):
        for way in WAYS:
            axis.plot(PREFIXES, [values[f"{way}_{code}_{n}"] for n in PREFIXES])
        axis.set(xlabel="letters typed", ylabel="meant word offered (%)", title=code)
    axes[0].legend(WAYS)
    return figure


def main(run):
    asked = run.options["ask"]
    if asked is not None and not 0 < len(spelled(asked)) < LONGEST:
        wanted = f"expected 1 to {LONGEST - 1} letters, English (he) or Korean (안)"
        raise Problem(f"--ask {asked!a}: {wanted}", status=2)
    if asked and (model := finished_model(run)):
        say_completions(run, model, asked)
        raise SystemExit(0)
    rng, known, unseen, drawn = np.random.default_rng(run.seed), {}, {}, []
    for code in ("en", "ko"):
        words = known[code] = word_list(code, run.pick(WORDS, 400))
        held = list(words)[HELD_OUT - 1 :: HELD_OUT]
        unseen[code] = {word: words.pop(word) for word in held}
        drawn += draw(words, run.pick(DRAWN_WORDS, 400), rng, power=0.5)
    pad = keras.utils.pad_sequences
    x = pad(numbers(drawn, before=" "), LONGEST + 1, padding="post")
    y = pad(numbers(drawn, after=" "), LONGEST + 1, padding="post", value=-1)
    model = build_model()
    run.fit(model, x, y, batch_size=BATCH_SIZE, epochs=run.length(EPOCHS))

    values = {}
    for code, words in known.items():
        offers = (partial(look_up, words), *[partial(complete, model)] * 2)
        for who, offer in zip(WAYS, offers, strict=True):
            rng = np.random.default_rng([run.seed, 1])
            source = unseen[code] if who == "unseen" else words
            meant = draw(source, run.pick(MEANT_WORDS, 20), rng)
            for n in PREFIXES:
                values[f"{who}_{code}_{n}"] = hit_rate(meant, n, offer)
    offered = say_completions(run, model, "he") | say_completions(run, model, "hel")
    values["slide_words"] = len(SLIDE & offered)
    say_completions(run, model, asked or "안녕")
    run.save_figure(rates_figure(values), "hit_rates")
    return values


MEASURES = {"slide_words": Measure("of 5", "slide's words offered", "강의의 낱말")} | {
    f"{way}_{code}_{n}": Measure("%", f"{code}, {n}, {way}", f"{code}, {n}글자, {name}")
    for code in ("en", "ko")
    for way, name in WAYS.items()
    for n in PREFIXES
}


if __name__ == "__main__":
    cli(main)
