"""The Transformer from its paper: attention in place of recurrence, and its parts.

제목: 트랜스포머: 순환 없이 어텐션만으로 번역하기
Question: Can attention do without recurrence, and which of its parts does it need?
Finding: It can: of four dates and numbers in a row it has {transformer[3]} right, GRUs
    with attention and as many weights {gru[3]}; of five, longer than any in training,
    {transformer[4]} and {gru[4]}. Of four it has {unordered[3]} without positions, and
    {leaking[3]} without the causal mask, which lets training read the answer.
결과: 할 수 있습니다. 날짜와 수 네 개를 이은 문장의 정답률은 {transformer[3]}, 가중치가
    똑같이 많은 어텐션 GRU는 {gru[3]}이고, 학습 때보다 긴 다섯 개는 {transformer[4]}와
    {gru[4]}입니다. 네 개에서 위치를 빼면 {unordered[3]}, 인과 마스크를 빼서 답을 미리
    보며 배우면 {leaking[3]}입니다.
Lecture: 002, Deep Learning Advances (Transformer network)
Changes from: 48_attention (no recurrence: attention within each sentence, too)
Run: python recipes/49_transformer.py
Try: (1) HEADS = 1 (2) WARM_UP = 1 (3) positions that are learned: what of five items?
"""

import gzip

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers, ops
from keras.optimizers import schedules

LAYERS, WIDTH, HEADS, INNER = 2, 64, 4, 256  # the paper's base: 6, 512, 8, 2,048
GRU_UNITS = 142  # as many parameters as the Transformer has, to 1 %
PEAK, WARM_UP = 3e-3, 400  # highest learning rate, and updates until then
EPOCHS, BATCH_SIZE = 3, 64
TESTED = (1, 2, 3, 4, 5)  # items in a sentence; there are one to four in training
PAD, START, SOURCE, TARGET = 0, 1, 28, 30  # lengths of five items, one with a mark
TABLE = [  # layers, width, inner width: rows of the paper's table 3, "base" first
    *((6, 512, 2048), (2, 512, 2048), (4, 512, 2048), (8, 512, 2048)),
    *((6, 256, 2048), (6, 1024, 2048), (6, 512, 1024), (6, 512, 4096)),
]
BIG = (6, 1024, 4096)
VOCABULARY, TABLE_VOCABULARY = 37_000, 41_000  # its text's, and what its table needs


def sinusoids(length, width):
    """A code for each position, [length, width]: sines and cosines in turn."""
    angles = np.arange(length)[:, None] / 10_000 ** (np.arange(0, width, 2) / width)
    waves = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    return waves.reshape(length, width).astype("float32")


def attention(queries, keys, values, allowed):
    """Means of values [.., s, d], weighted by how keys fit queries [.., t, d]."""
    scores = queries @ ops.swapaxes(keys, -1, -2) / keys.shape[-1] ** 0.5
    return ops.softmax(ops.where(allowed, scores, -1e9)) @ values


class MultiHead(layers.Layer):
    """`attention` from x [n, t, width] to memory, by heads with own projections."""

    def __init__(self, width, heads):
        super().__init__()
        heads_of = {"output_shape": (heads, None, width // heads), "bias_axes": "hd"}
        split = [layers.EinsumDense("ntw,whd->nhtd", **heads_of) for _ in range(3)]
        self.queries, self.keys, self.values = split
        self.joined = layers.EinsumDense("nhtd,hdw->ntw", (None, width), bias_axes="w")

    def call(self, x, memory, allowed):
        keys, values = self.keys(memory), self.values(memory)
        return self.joined(attention(self.queries(x), keys, values, allowed))


class Block(layers.Layer):
    """A layer of the encoder (one attention) or of the decoder (two)."""

    def __init__(self, width, heads, inner, attentions):
        super().__init__()
        self.attentions = [MultiHead(width, heads) for _ in range(attentions)]
        self.norms = [layers.LayerNormalization() for _ in range(attentions + 1)]
        self.inner, self.outer = layers.Dense(inner, "relu"), layers.Dense(width)

    def call(self, x, allowed, memory=None, seen=None):
        own, *to_source = self.attentions
        x = self.norms[0](x + own(x, x, allowed))
        for look in to_source:
            x = self.norms[1](x + look(x, memory, seen))
        return self.norms[-1](x + self.outer(self.inner(x)))


def transformer(x, y, seen, positions=True, causal=True):
    """The decoder's last states; seen [n, SOURCE]: where the source has words."""
    places = positions * sinusoids(TARGET, WIDTH)
    before = np.tril(np.ones((TARGET, TARGET), bool)) | (not causal)
    x, y = x * WIDTH**0.5 + places[:SOURCE], y * WIDTH**0.5 + places
    seen = seen[:, None, None]
    for _ in range(LAYERS):
        x = Block(WIDTH, HEADS, INNER, attentions=1)(x, seen)
    for _ in range(LAYERS):
        y = Block(WIDTH, HEADS, INNER, attentions=2)(y, before, x, seen)
    return y


def grus(x, y, seen):
    """The control, as in 48: two GRUs, and attention from one to the other."""
    both = {"return_sequences": True, "return_state": True}
    keys, state = layers.GRU(GRU_UNITS, **both)(x, mask=seen)
    queries, _ = layers.GRU(GRU_UNITS, **both)(y, initial_state=state)
    found = layers.Attention()([queries, keys], mask=[None, seen])
    return layers.Dense(GRU_UNITS, "tanh")(ops.concatenate([queries, found], -1))


def build_model(middle=transformer, sizes=(165, 183), **parts):
    """Korean [n, SOURCE], English so far [n, TARGET] to logits of each next word."""
    source, target = (keras.Input((n,), dtype="int32") for n in (SOURCE, TARGET))
    start = keras.initializers.RandomNormal(stddev=WIDTH**-0.5)
    korean, english = (layers.Embedding(size, WIDTH, start) for size in sizes)
    found = middle(korean(source), english(target), source != PAD, **parts)
    model = keras.Model([source, target], layers.Dense(sizes[1])(found))
    rate = schedules.CosineDecay(0.0, 10_000, warmup_target=PEAK, warmup_steps=WARM_UP)
    adam = keras.optimizers.Adam(rate, beta_2=0.98, clipnorm=1.0)
    loss = keras.losses.SparseCategoricalCrossentropy(True, ignore_class=PAD)
    model.compile(adam, loss, jit_compile=middle is transformer, steps_per_execution=50)
    return model


def translate(model, source, steps=None):
    """The likeliest word after the other, `steps` of them or all: [n, TARGET]."""
    written = np.full((len(source), TARGET + 1), PAD, "int32")
    written[:, 0] = START
    for n in range(steps or TARGET):
        written[:, n + 1] = np.argmax(model((source, written[:, :-1]))[:, n], -1)
    return written[:, 1:]


def layer_sizes(width, inner):
    """The parameters in one layer of the encoder and one of the decoder."""
    x, mask = keras.Input((2, width)), np.ones((2, 2), bool)
    blocks = [Block(width, 8, inner, attentions) for attentions in (1, 2)]
    for block in blocks:
        block(x, mask, x, mask)
    return sum(block.count_params() for block in blocks)


def read(part):  # [n, 2] sentences, Korean and English
    lines = gzip.decompress(datasets.embedded("dates_and_numbers", f"{part}.tsv.gz"))
    return np.array([line.split("\t") for line in lines.decode().splitlines()])


def numbered(texts, known, length):
    words = {w: n for n, w in enumerate(["", "<", ">", *known])}
    rows = [[words[word] for word in text.split()] for text in texts]
    return keras.utils.pad_sequences(rows, length, padding="post")


def main(run):
    train, test = read("train"), read("test")[: 500 : run.pick(1, 50)]
    known = [sorted({*" ".join(texts).split()}) for texts in train.T]
    korean, english = train[: run.pick(None, 64)].T
    source = numbered(korean, known[0], SOURCE)
    asked = numbered(test[:, 0], known[0], SOURCE)
    target = numbered([f"< {text} >" for text in english], known[1], TARGET + 1)
    expected = numbered([f"{text} >" for text in test[:, 1]], known[1], TARGET)
    size = {"sizes": [len(words) + 3 for words in known]}
    models = {
        "transformer": build_model(**size),
        "gru": build_model(grus, **size),
        "unordered": build_model(**size, positions=False),
        "leaking": build_model(**size, causal=False),
    }
    figure, axis = plots.new_figure(width=5, height=3.6)
    fitting, values = {"batch_size": BATCH_SIZE, "epochs": run.length(EPOCHS)}, {}
    for name, model in models.items():
        file = "model" if name == "transformer" else name
        run.fit(model, (source, target[:, :-1]), target[:, 1:], name=file, **fitting)
        written = translate(model, asked, run.pick(TARGET, 2))
        wrong = ((written != expected) & (expected != PAD)).any(axis=1)
        values[name] = 100 - 100 * wrong.reshape(len(TESTED), -1).mean(axis=1)
        axis.plot(TESTED, values[name], "o-", label=MEASURES[name].english)
    axis.axvspan(4.5, 5.3, color="grey", alpha=0.15), axis.legend(fontsize="small")
    axis.set(xlabel="items (grey: more than in training)", ylabel="sentences right (%)")
    run.save_figure(figure, "by_length")
    layer = {size[1:]: layer_sizes(*size[1:]) for size in (*TABLE, BIG)}
    rows = (VOCABULARY, (TABLE[0], BIG)), (TABLE_VOCABULARY, TABLE)  # shared words
    found = [[(n * layer[w, i] + w * v) / 1e6 for n, w, i in kind] for v, kind in rows]
    sizes = [model.count_params() for model in models.values()]
    return {**values, "parameters": sizes, "base_and_big": found[0], "table": found[1]}


MEASURES = {
    "transformer": Measure("%", "Transformer", "트랜스포머"),
    "gru": Measure("%", "control: GRUs with attention", "대조: 어텐션 GRU"),
    "unordered": Measure("%", "without positions", "위치 없이"),
    "leaking": Measure("%", "without causal mask", "인과 마스크 없이"),
    "parameters": Measure("", "weights of the four", "가중치", deterministic=True),
    "base_and_big": Measure("M", "sizes, 37,000 words", "크기", deterministic=True),
    "table": Measure("M", "table 3, 41,000 words", "논문 표 3", deterministic=True),
}


if __name__ == "__main__":
    cli(main)
