"""A network completes a word from its first letters.

제목: 자동완성: 첫 글자들로 빈출 단어 예측하기
Question: Can a network that reads letters offer the word you mean to type?
Finding: Often: after four letters the English word meant is among its five offers for
    {network_en_4} of words as they are used ({network_ko_4} in Korean, by jamo). The
    list it learned from does better, {lookup_en_4} ({lookup_ko_4}), but of words on no
    list, which it never read, the network completes {unseen_en_4} ({unseen_ko_4}).
결과: 대개 그렇습니다. 쓰이는 빈도대로 뽑은 영어 낱말의 {network_en_4}가 네 글자 뒤에
    제안 다섯 개 안에 듭니다(자모로 친 한국어는 {network_ko_4}). 학습한 목록에서 찾으면
    {lookup_en_4}({lookup_ko_4})로 더 낫지만, 신경망은 목록에 없어 읽은 적 없는 낱말도
    {unseen_en_4}({unseen_ko_4}) 완성합니다.
Lecture: 000, Recurrent Neural Network (he -> her, height, hello)
Changes from: 43_rnn_mnist (letters instead of rows, an answer after every letter)
Run: python recipes/44_autocomplete.py --ask he
Try: (1) --ask 안, --ask zu (2) an LSTM in the GRU's place: is it worth its weights?
"""

import unicodedata
from collections import Counter
from functools import partial

from common import plots
from common.executing import Request, Run, execute, finished
from common.running import Measure, Problem, cli

import keras
import numpy as np
import wordfreq
from keras import layers

OPTIONS = {"--ask": {"metavar": "LETTERS", "help": "complete LETTERS (he, 안)"}}
LANGUAGES = {"en": "English", "ko": "Korean"}
WORDS = 5_000  # the most frequent ones of each language
LONGEST = 12  # letters in a word; a Korean syllable is two or three
HELD_OUT = 20  # every 20th word is kept from the network and from the look-up
SLIDE = {"her", "height", "hello", "held", "help"}
# Korean goes by jamo, so that 하 is a beginning of 한.
RANGES = ("az", "\u1100\u1112", "\u1161\u1175", "\u11a8\u11c2")
LETTERS = [chr(c) for first, last in RANGES for c in range(ord(first), ord(last) + 1)]
ALPHABET = [" ", *LETTERS]  # the blank stands before and after every word
END = 0
HIDDEN_UNITS = 128
DRAWN_WORDS = 30_000  # training words of each language and epoch
BATCH_SIZE = 100
EPOCHS = 10
LEARNING_RATE = 3e-3
WRITTEN = 200  # words that the network writes on from a beginning
OFFERED = 5  # of them: those that it writes most often
MEANT_WORDS = 300  # words that a user is taken to mean, for each language
TYPED = (1, 2, 3, 4)  # letters
WAYS = {"lookup": "목록", "network": "신경망", "unseen": "신경망, 못 읽은 낱말"}


def build_model():
    """Logits of the next letter after each letter: [letters so far, alphabet]."""
    inputs = keras.Input((None,), dtype="int32")
    embedding = layers.Embedding(len(ALPHABET), 32)
    gru = layers.GRU(HIDDEN_UNITS, return_sequences=True)
    model = keras.Sequential([inputs, embedding, gru, layers.Dense(len(ALPHABET))])
    # Words differ in length: where nothing is asked for, the class is -1.
    loss = keras.losses.SparseCategoricalCrossentropy(True, ignore_class=-1)
    adam = keras.optimizers.Adam(LEARNING_RATE)
    model.compile(adam, loss, jit_compile=False, steps_per_execution=50)
    return model


def spelled(word):
    """A word as the letters that are typed, 한 as three; "" where one is foreign."""
    letters = unicodedata.normalize("NFKD", word.lower())
    return letters if set(letters) <= set(LETTERS) else ""


def word_list(code, length):
    """The most frequent words of a language, in order, with their frequencies."""
    found = {}
    for word, frequency in wordfreq.get_frequency_dict(code).items():
        # Whole words: single Korean syllables are mostly particles and endings.
        own = {letter.isascii() for letter in word} == {code == "en"}  # no "tv" in ko
        if own and len(word) >= 2 and 0 < len(spelled(word)) <= LONGEST:
            found.setdefault(spelled(word), frequency)
        if len(found) == length:
            return found


def draw(words, size, rng, power=1.0):
    """Draw `size` words, each as likely as its frequency to the given power."""
    weights = np.array(list(words.values())) ** power
    return list(rng.choice(list(words), size, p=weights / weights.sum()))


def letters_and_next(words):
    """Words as numbers of letters, and what follows each: both [n, LONGEST + 1]."""
    numbers = [[ALPHABET.index(letter) for letter in f" {word} "] for word in words]
    padded = keras.utils.pad_sequences(numbers, LONGEST + 2, padding="post", value=-1)
    return np.maximum(padded[:, :-1], END), padded[:, 1:]


def complete(model, prefixes):
    """What the network writes most often from beginnings of one length: {prefix: words}

    It goes on letter by letter, each drawn by its probability, WRITTEN times from each.
    """
    (embedding, gru, dense), noise = model.layers, keras.random.SeedGenerator(0)
    state, length = np.zeros((len(prefixes), HIDDEN_UNITS), "float32"), len(prefixes[0])
    for letter in letters_and_next(prefixes)[0].T[: length + 1]:
        state, _ = gru.cell(embedding(letter), [state])
    state, drawn = np.repeat(state, WRITTEN, axis=0), []
    for _ in range(LONGEST - length):
        logits = dense(state).numpy()
        logits[:, END] -= 0 if drawn else np.inf  # at least one letter
        drawn.append(keras.random.categorical(logits, 1, seed=noise)[:, 0].numpy())
        state, _ = gru.cell(embedding(drawn[-1]), [state])
    ends = ["".join(row).split(" ")[0] for row in np.array(ALPHABET)[np.array(drawn).T]]
    written = zip(prefixes, np.reshape(ends, (-1, WRITTEN)), strict=True)
    often = {prefix: Counter(row).most_common(OFFERED) for prefix, row in written}
    return {prefix: [prefix + end for end, _ in often[prefix]] for prefix in often}


def look_up(words, prefixes):
    """The control: the most frequent words of the list that begin with each prefix."""
    longer = {p: [w for w in words if w.startswith(p) and w != p] for p in prefixes}
    return {prefix: found[:OFFERED] for prefix, found in longer.items()}


def hit_rate(meant, letters, offer):
    """How often, in percent, a word is offered after its first letters."""
    meant = [word for word in meant if len(word) > letters]
    offered = offer(sorted({word[:letters] for word in meant}))
    return 100 * np.mean([word in offered[word[:letters]] for word in meant])


def say_completions(run, model, letters):
    (words,) = complete(model, [spelled(letters)]).values()
    run.say(f"{letters} -> {unicodedata.normalize('NFC', ', '.join(words))}")
    return set(words)


def answer(run, letters):
    """What --ask does: after one run without it (done first if need be), at once."""
    if not 0 < len(spelled(letters)) < LONGEST:
        wanted = f"expected 1 to {LONGEST - 1} letters, English (he) or Korean (안)"
        raise Problem(f"--ask {letters!a}: {wanted}", status=2)
    epochs, out = run.settings["epochs"], run.folder.parents[1]
    plain = Request("44", run.seed, run.quick, epochs, out=out)
    finished(plain) or execute(plain)
    model = keras.models.load_model(Run(plain).folder / "model.keras", safe_mode=True)
    say_completions(run, model, letters)
    raise SystemExit(0)


def rates_figure(values):
    figure, axes = plots.new_figure(1, 2)
    for axis, (code, title) in zip(axes, LANGUAGES.items(), strict=True):
        rates = [[values[f"{way}_{code}_{n}"] for way in WAYS] for n in TYPED]
        axis.plot(TYPED, rates, "o-", label=["list", "network", "unread words"])
        axis.set(xticks=TYPED, xlabel="letters typed", ylim=(-2, 101), title=title)
        axis.set_ylabel(f"meant word among {OFFERED} offered (%)")
    axes[0].legend(loc="upper left")
    return figure


def main(run):
    if run.options["ask"] is not None:
        answer(run, run.options["ask"])
    rng = np.random.default_rng(run.seed)
    known, unseen, drawn, values = {}, {}, [], {}
    for code in LANGUAGES:
        words = word_list(code, run.pick(WORDS, 400))
        unseen[code] = list(words)[HELD_OUT::HELD_OUT]
        known[code] = {w: words[w] for w in words if w not in unseen[code]}
        # By the root of the frequency: the order stays, the rare are met more often.
        drawn += draw(known[code], run.pick(DRAWN_WORDS, 400), rng, power=0.5)
    model = build_model()
    x, y = letters_and_next(drawn)
    run.fit(model, x, y, batch_size=BATCH_SIZE, epochs=run.length(EPOCHS))
    for code, words in known.items():
        meant = draw(words, run.pick(MEANT_WORDS, 10), rng)
        offers = (partial(look_up, words), *[partial(complete, model)] * 2)
        for way, offer in zip(WAYS, offers, strict=True):
            asked = unseen[code] if way == "unseen" else meant  # unseen: each once
            for n in TYPED:
                values[f"{way}_{code}_{n}"] = hit_rate(asked, n, offer)
    run.save_figure(rates_figure(values), "hit_rates")
    said = [say_completions(run, model, letters) for letters in ("he", "hel", "안녕")]
    return {**values, "slide_words": len(SLIDE & set().union(*said))}


MEASURES = {
    f"{way}_{code}_{n}": Measure(
        "%", f"{LANGUAGES[code]}, {n} typed: {way}", f"{korean} {n}글자: {WAYS[way]}"
    )
    for code, korean in {"en": "영어", "ko": "한국어 자모"}.items()
    for way in WAYS
    for n in TYPED
} | {"slide_words": Measure("of 5", "slide's words offered", "강의의 낱말")}


if __name__ == "__main__":
    cli(main)
