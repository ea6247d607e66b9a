"""The parts of the Transformer against Keras and their identities; what it needs."""

from common.executing import Request, Run

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

CHANGED_INPUTS = [
    ({"VOCABULARY": 1000}, {"base_and_big"}),
    ({"TABLE_VOCABULARY": 1000}, {"table"}),
    ({"WIDTH": 32}, {"parameters"}),
]


def drawn(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), tf.float32)


def test_sinusoids(lesson):
    four = lesson.sinusoids(3, 4)
    np.testing.assert_allclose(four[0], [0, 1, 0, 1])
    np.testing.assert_allclose(four[1], [0.841471, 0.540302, 0.01, 0.99995], atol=1e-6)
    expected = [0.909297, -0.416147, 0.019999, 0.9998]
    np.testing.assert_allclose(four[2], expected, atol=1e-6)
    wide = lesson.sinusoids(60, 512)
    expected = [0.841471, 0.540302, 0.821856, 0.569695]
    np.testing.assert_allclose(wide[1, :4], expected, atol=1e-6)
    np.testing.assert_allclose((wide**2).sum(axis=1), 256, rtol=1e-5)
    # A shift is one linear map, the same from every position.
    shift = np.linalg.lstsq(wide[:-7].astype(float), wide[7:].astype(float), rcond=None)
    np.testing.assert_allclose(wide[:-7] @ shift[0], wide[7:], atol=1e-4)


def test_the_root_keeps_the_scores_at_variance_one(lesson):
    """Without it they would have 64, and the weights would be nearly all or nothing."""
    queries, keys = drawn(200, 64), drawn(200, 64, seed=1)
    assert np.var(queries @ tf.transpose(keys)) == pytest.approx(64, rel=0.05)
    found = lesson.attention(queries, keys, tf.eye(200), tf.ones((200, 200), bool))
    scores = queries @ tf.transpose(keys) / 8
    np.testing.assert_allclose(found, tf.nn.softmax(scores), atol=1e-6)


def test_heads_are_keras_multi_head_attention(lesson):
    x, memory = drawn(2, 3, 8), drawn(2, 5, 8, seed=1)
    allowed = np.random.default_rng(0).random((2, 3, 5)) < 0.7
    allowed[..., 0] = True
    theirs = layers.MultiHeadAttention(num_heads=2, key_dim=4)
    expected = theirs(x, memory, attention_mask=allowed)
    assert theirs.count_params() == 288 == 4 * (8 * 8 + 8)
    ours = lesson.MultiHead(8, 2)
    ours(x, memory, allowed[:, None])
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=w.shape) for w in theirs.weights]  # biases, too
    theirs.set_weights(weights)
    own = [w.shape for w in ours.weights]  # of a bias [2, 1, 4] in place of [2, 4]
    ours.set_weights([w.reshape(s) for w, s in zip(weights, own, strict=True)])
    expected = theirs(x, memory, attention_mask=allowed)
    np.testing.assert_allclose(ours(x, memory, allowed[:, None]), expected, atol=1e-5)


def test_parameters_of_a_layer_of_each_kind(lesson):
    assert lesson.layer_sizes(512, 2048) == 3_152_384 + 4_204_032
    attention, inner, norm = 4 * (32 * 32 + 32), 2 * 32 * 64 + 64 + 32, 2 * 32
    assert lesson.layer_sizes(32, 64) == 3 * attention + 2 * inner + 5 * norm


def test_the_table_fits_41000_words_and_not_37000(lesson, quick):
    """The rows of table 3 in millions, as printed."""
    printed = [65, 36, 50, 80, 28, 168, 53, 90]
    values = quick["values"]
    assert [round(value) for value in values["table"]] == printed
    apart = (lesson.TABLE_VOCABULARY - lesson.VOCABULARY) / 1e6
    text = [
        value - apart * width
        for value, (_, width, _) in zip(values["table"], lesson.TABLE, strict=True)
    ]
    assert not any(round(a) == b for a, b in zip(text, printed, strict=True))
    assert values["base_and_big"] == pytest.approx([63.082496, 214.245376], abs=1e-9)


def inputs(lesson, number=3, seed=0):
    rng = np.random.default_rng(seed)
    source = rng.integers(3, 165, (number, lesson.SOURCE)).astype("int32")
    source[:, 20:] = lesson.PAD
    return source, rng.integers(3, 183, (number, lesson.TARGET)).astype("int32")


@pytest.mark.parametrize("causal", [True, False])
def test_the_causal_mask_hides_what_comes_later(lesson, causal):
    model = lesson.build_model(causal=causal)
    source, target = inputs(lesson)
    before = model((source, target)).numpy()
    target[:, 10:] = 5
    same = (model((source, target)).numpy()[:, :10] == before[:, :10]).all()
    assert same == causal


def test_padding_is_not_looked_at(lesson):
    x, y = drawn(2, lesson.SOURCE, lesson.WIDTH), drawn(2, lesson.TARGET, lesson.WIDTH)
    seen = np.arange(lesson.SOURCE)[None] < [[9], [lesson.SOURCE]]
    block, decoder = lesson.Block(64, 4, 8, 1), lesson.Block(64, 4, 8, 2)
    with tf.GradientTape() as tape:
        tape.watch(x)
        found = block(x, seen[:, None, None])[:, :9]
        answer = decoder(y, np.ones((lesson.TARGET,) * 2, bool), x, seen[:, None, None])
        total = tf.reduce_sum(found**3) + tf.reduce_sum(answer**3)
    gradient = tape.gradient(total, x).numpy()
    assert not gradient[0, 9:].any() and gradient[1, 9:].any()


@pytest.mark.parametrize("positions", [False, True])
def test_order_is_in_the_positions_only(lesson, positions):
    model = lesson.build_model(positions=positions)
    source, target = inputs(lesson)
    mixed = source.copy()
    mixed[:, :20] = source[:, np.random.default_rng(1).permutation(20)]
    apart = np.abs(model((mixed, target)) - model((source, target))).max()
    assert (apart > 1e-2) if positions else (apart < 1e-4)


@pytest.mark.parametrize("middle", ["transformer", "grus"])
def test_step_by_step_is_the_network_fed_with_its_own_words(lesson, middle):
    keras.utils.set_random_seed(0)
    model = lesson.build_model(getattr(lesson, middle))
    model.layers[-1].set_weights([3 * w for w in model.layers[-1].get_weights()])
    source, _ = inputs(lesson)
    written = lesson.translate(model, source)
    so_far = np.pad(written[:, :-1], ((0, 0), (1, 0)), constant_values=lesson.START)
    logits = model((source, so_far)).numpy()
    np.testing.assert_array_equal(logits.argmax(axis=-1), written)


def test_both_networks_are_equally_large(lesson):
    sizes = [
        lesson.build_model(m).count_params() for m in (lesson.transformer, lesson.grus)
    ]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.01)


@pytest.fixture
def trained(lesson, monkeypatch, tmp_path):
    """A function that trains a small network on pairs of five of 15 words."""
    settings = {"LAYERS": 1, "WIDTH": 32, "INNER": 64, "WARM_UP": 100, "PEAK": 1e-2}
    for name, value in {**settings, "SOURCE": 5, "TARGET": 5}.items():
        monkeypatch.setattr(lesson, name, value)

    def train(x, y, epochs, **parts):
        keras.utils.set_random_seed(0)
        model = lesson.build_model(sizes=(18, 18), **parts)
        model.jit_compile = False  # so small, it is not worth the compiling
        so_far = np.pad(y[:, :-1], ((0, 0), (1, 0)), constant_values=lesson.START)
        run = Run(Request(stem="49", out=tmp_path))
        fitting = {"batch_size": 64, "epochs": epochs, "name": repr(parts)}
        return model, run.fit(model, (x, so_far), y, **fitting)["loss"][-1]

    return train


def words(seed):
    return np.random.default_rng(seed).integers(3, 18, (6400, 5)).astype("int32")


def test_without_positions_it_cannot_reverse_five_words(lesson, trained):
    """The finding, in seconds: with them it can."""
    x, right = words(0), {}
    for positions in (True, False):
        model, _ = trained(x[200:], x[200:, ::-1], 4, positions=positions)
        right[positions] = (lesson.translate(model, x[:200]) == x[:200, ::-1]).mean()
    assert right[True] > 0.9 and right[False] < 0.6


def test_without_the_causal_mask_training_reads_the_answer(trained):
    """Shown by words that nobody can foretell: all but the last are learned."""
    _, hidden = trained(words(0), words(1), 3, causal=True)
    _, leaking = trained(words(0), words(1), 3, causal=False)
    assert hidden > np.log(15) - 0.1 and leaking < 1.3
