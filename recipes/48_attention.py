"""Attention looks back at the source: what that changes, by the length of a sentence.

제목: 어텐션: 원문을 되돌아보면 문장 길이에 따라 무엇이 달라지는가
Question: What does looking back at the source change, and for which lengths?
Finding: The longer, the more. Translated from one last state, {none[0]} of single dates
    and numbers are right and {none[3]} of four in a row; with additive attention and at
    most 3 % more weights {additive[0]} and {additive[3]}, and of six, longer than any
    in training, {additive[5]} against {none[5]}. Dot-product attention, with no weights
    of its own, has {dot[3]} of four right (all at one rate, tuned for none).
결과: 길수록 크게 달라집니다. 마지막 상태 하나만 보고 옮기면 하나짜리 날짜와 수는
    {none[0]}, 넷을 이은 문장은 {none[3]} 맞습니다. 가중치가 많아야 3 % 더 많은 덧셈
    어텐션은 {additive[0]}와 {additive[3]}이고, 학습 때보다 긴 여섯 개에서는
    {additive[5]} 대 {none[5]}입니다. 가중치를 따로 두지 않는 내적 어텐션은 넷에서
    {dot[3]}입니다(학습률은 모두 하나이며 조정하지 않음).
Lecture: 002, Deep Learning Advances (attention network); 000, long-term dependency
Changes from: 44_autocomplete (a second network reads first; the answer is a sentence)
Run: python recipes/48_attention.py
Try: (1) UNITS = 256: does a larger state hold four items? (2) an encoder that reads
    both ways: what does reversing change then? (3) EPOCHS = 12: who is only late?
"""

import gzip
import re

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from matplotlib import font_manager

UNITS = 128  # of both GRUs
EMBEDDING = 64
ADDITIVE_UNITS = 24  # so few that its network is no more than 3 % larger
TESTED = (1, 2, 3, 4, 5, 6)  # items in a sentence
LONGEST_TRAINED = 4
BATCH_SIZE = 64
EPOCHS = 3
LEARNING_RATE = 3e-3
PAD, START, END, COMMA = range(4)  # the first words of both languages
KINDS = {
    "dot": ("dot-product attention", "내적 어텐션"),
    "additive": ("additive attention", "덧셈 어텐션"),
    "none": ("no attention", "어텐션 없음"),
    "reversed": ("no attention, source reversed", "어텐션 없음, 원문 뒤집음"),
}
FONTS = r"NanumGothic\.|NotoSans(CJK|KR)-Regular|malgun\.|AppleSDGothic"  # with Hangul


def read(part):
    """Sentences of dates and numbers, as lists of words: [(Korean, English)]."""
    lines = gzip.decompress(datasets.embedded("dates_and_numbers", f"{part}.tsv.gz"))
    rows = [line.split("\t") for line in lines.decode().splitlines()]
    return [(korean.split(), english.split()) for korean, english in rows]


def numbers_of(texts):
    """The words of a language, each with its number."""
    known = sorted({word for text in texts for word in text} - {","})
    return {word: n for n, word in enumerate(["", "<", ">", ",", *known])}


def numbered(texts, words):
    rows = [[words[word] for word in text] for text in texts]
    return keras.utils.pad_sequences(rows, padding="post")


class Attention(layers.Layer):
    """For each query [n, t, units] a mean of the keys [n, s, units], weighted by how
    well they fit: by their product (Luong et al., 2015) or by a small network
    (Bahdanau et al., 2015); seen [n, s] is 1 where the source has a word. With kind
    "none" the last word has all the weight, as its state is all that there is to
    translate without attention. Returns the means, and the weights [n, t, s].
    """

    def __init__(self, kind, **name):
        super().__init__(**name)
        self.kind = kind
        if kind == "additive":
            self.w = layers.Dense(ADDITIVE_UNITS, use_bias=False)
            self.u = layers.Dense(ADDITIVE_UNITS)
            self.v = self.add_weight((ADDITIVE_UNITS,), "glorot_uniform", name="v")

    def call(self, queries, keys, seen):
        if self.kind == "additive":
            hidden = ops.tanh(self.w(queries)[:, :, None] + self.u(keys)[:, None])
            scores = ops.sum(self.v * hidden, axis=-1)
        else:
            scores = queries @ ops.swapaxes(keys, 1, 2)
        if self.kind == "none":
            seen = seen - ops.pad(seen[:, 1:], ((0, 0), (0, 1)))
        weights = ops.softmax(ops.where(seen[:, None] > 0, scores, -1e9))
        return weights @ keys, weights


def build_model(kind="additive", sizes=(165, 183)):
    """Korean [n, s], English so far [n, t] to logits of the next word [n, t, words]."""
    source, target = (keras.Input((None,), dtype="int32") for _ in range(2))
    korean = layers.Embedding(sizes[0], EMBEDDING, mask_zero=True, name="korean")
    english = layers.Embedding(sizes[1], EMBEDDING, name="english")
    both = {"return_sequences": True, "return_state": True}
    keys, last = layers.GRU(UNITS, **both, name="encoder")(korean(source))
    decoder = layers.GRU(UNITS, **both, name="decoder")
    queries, _ = decoder(english(target), initial_state=last)
    seen = ops.cast(source != PAD, "int32")
    context, _ = Attention(kind, name="attention")(queries, keys, seen)
    both = ops.concatenate([queries, context], -1)
    hidden = layers.Dense(UNITS, activation="tanh", name="hidden")(both)
    logits = layers.Dense(sizes[1], name="logits")(hidden)
    model = keras.Model([source, target], logits)
    adam = keras.optimizers.Adam(LEARNING_RATE, clipnorm=1.0)
    loss = keras.losses.SparseCategoricalCrossentropy(True, ignore_class=PAD)
    model.compile(adam, loss, jit_compile=False, steps_per_execution=50)
    return model


def translate(model, source, length):
    """The likeliest word after word: numbers [n, length]; weights [n, length, s]."""
    part = {layer.name: layer for layer in model.layers}
    seen = tf.cast(source != PAD, tf.int32)
    keys, state = part["encoder"](part["korean"](source))
    word, written, looks = tf.fill([len(source)], START), [], []
    for _ in range(length):
        state, _ = part["decoder"].cell(part["english"](word), [state])
        context, weights = part["attention"](state[:, None], keys, seen)
        hidden = part["hidden"](tf.concat([state, context[:, 0]], -1))
        word = tf.argmax(part["logits"](hidden), -1, output_type=tf.int32)
        written.append(word.numpy()), looks.append(weights[:, 0].numpy())
    return np.stack(written, 1), np.stack(looks, 1)


def items_right(written, test, words):
    """The share of dates and numbers, in %, that are right at their place."""
    names, right = list(words), []
    for row, (_, english) in zip(written, test, strict=True):
        text = " ".join(names[number] for number in row).split(" >")[0].split(" , ")
        wanted = " ".join(english).split(" , ")
        right += [text[n : n + 1] == [item] for n, item in enumerate(wanted)]
    return 100 * np.mean(right)


def figure_of(values, looks, korean, english):
    """Items right by length, and where the network looks (columns) as it writes."""
    figure, (left, right) = plots.new_figure(1, 2, width=4.6, height=4)
    for kind, (label, _) in KINDS.items():
        left.plot(TESTED, values[kind], "o-", label=label)
    left.axvspan(LONGEST_TRAINED + 0.5, max(TESTED) + 0.3, color="grey", alpha=0.15)
    left.set(xlabel="items in a sentence (grey: never trained on)", ylim=(-3, 103))
    left.set_ylabel("items translated right (%)"), left.legend(fontsize="small")
    looks = looks[: len(english), : len(korean)]
    right.imshow(looks, cmap="Blues", vmin=0, vmax=1), right.grid(False)
    found = [f for f in sorted(font_manager.findSystemFonts()) if re.search(FONTS, f)]
    font = font_manager.FontProperties(fname=found[0] if found else None)
    right.set_xticks(range(len(korean)), korean, rotation=90, fontproperties=font)
    right.set_yticks(range(len(english)), english)
    return figure


def main(run):
    train, test = read("train"), read("test")[:: run.pick(1, 50)]
    words = [numbers_of(texts) for texts in zip(*train, strict=True)]
    train = train[: run.pick(None, 64)]
    many = len(test) // len(TESTED)  # of each length
    longest = 1 + max(len(english) for _, english in test)
    target = numbered([["<", *english, ">"] for _, english in train], words[1])
    fitting = {"batch_size": BATCH_SIZE, "epochs": run.length(EPOCHS)}
    values, looks, parameters = {}, {}, []
    for kind in KINDS:
        way = -1 if kind == "reversed" else 1
        model = build_model("none" if way < 0 else kind, [*map(len, words)])
        parameters.append(model.count_params())
        source = numbered([korean[::way] for korean, _ in train], words[0])
        data = (source, target[:, :-1]), target[:, 1:]
        run.fit(model, *data, name="model" if kind == "additive" else kind, **fitting)
        asked = numbered([korean[::way] for korean, _ in test], words[0])
        written, looks[kind] = translate(model, asked, longest)
        parts = [slice(n, n + many) for n in range(0, len(test), many)]
        values[kind] = [items_right(written[p], test[p], words[1]) for p in parts]
    run.save_figure(
        figure_of(values, looks["additive"][many], *test[many]), "by_length"
    )
    gains = np.subtract(values["additive"], values["none"])
    values |= {"gain_1": gains[0], "gain_4": gains[3], "gain_6": gains[5]}
    return values | {"parameters": parameters}


MEASURES = {
    **{k: Measure("%", f"1 to 6, {a}", f"1-6개, {b}") for k, (a, b) in KINDS.items()},
    "gain_1": Measure("pp", "one: additive - none", "하나: 덧셈 - 없음", paired=True),
    "gain_4": Measure("pp", "four: additive - none", "넷: 덧셈 - 없음", paired=True),
    "gain_6": Measure("pp", "six: additive - none", "여섯: 덧셈 - 없음", paired=True),
    "parameters": Measure("", "parameters of the four", "매개변수", deterministic=True),
}


if __name__ == "__main__":
    cli(main)
