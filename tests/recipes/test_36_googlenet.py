"""GoogLeNet by arithmetic, module by module, and what 1x1 and extra classifiers do."""

from common import datasets
from common.executing import Request, Run

import keras
import numpy as np
import pytest

# Five modules of nine: 3 + 2 x 5 + 1 layers.
SHORT = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
}
CHANGED_INPUTS = [
    ({"MODULES": SHORT, "PRINTED": (128, 304, 73, 88, 119)}, {"layers", "cost_ratio"})
]


def weights_of(channels, widths, reduced):
    """Of a module, without biases, by arithmetic; and how many biases there are."""
    one, to3, three, to5, five, pooled = widths
    weights = channels * (one + pooled)
    if reduced:
        weights += channels * (to3 + to5) + 9 * to3 * three + 25 * to5 * five
        return weights, one + to3 + three + to5 + five + pooled
    return weights + 9 * channels * three + 25 * channels * five, sum(
        (one, three, five, pooled)
    )


def by_arithmetic(modules, reduced=True):
    """Parameters; multiplications of each module, and of all."""
    sizes = {"3": 28, "4": 14, "5": 7}
    stem = (3 * 49 * 64, 112), (64 * 64, 56), (9 * 64 * 192, 56)
    parameters = sum(weights for weights, _ in stem) + 64 + 64 + 192
    every = sum(weights * size**2 for weights, size in stem)
    channels, by_module = 192, {}
    for name, widths in modules.items():
        weights, biases = weights_of(channels, widths, reduced)
        parameters += weights + biases
        by_module[name] = weights * sizes[name[0]] ** 2
        channels = widths[0] + widths[2] + widths[4] + widths[5]
    parameters += channels * 1000 + 1000
    return parameters, by_module, every + sum(by_module.values()) + channels * 1000


@pytest.mark.parametrize("reduced", [True, False])
def test_the_papers_network_module_by_module(lesson, reduced):
    model = lesson.full_size_model(reduced=reduced)
    parameters, by_module, every = by_arithmetic(lesson.MODULES, reduced)
    assert model.count_params() == parameters
    assert lesson.multiplications(model) == every
    found = {name: lesson.multiplications(model, name) for name in lesson.MODULES}
    assert found == by_module
    if reduced:
        assert (parameters, every) == (6_998_552, 1_582_671_872)


def test_sizes_and_maps_are_those_of_the_papers_table(lesson):
    model = lesson.full_size_model()
    joined = [x.output.shape for x in model.layers if "concatenate" in x.name]
    assert [shape[1] for shape in joined] == 2 * [28] + 5 * [14] + 2 * [7]
    maps = [256, 480, 512, 512, 512, 528, 832, 832, 1024]
    assert [shape[-1] for shape in joined] == maps


def test_the_longest_way_is_that_through_the_5x5(lesson):
    way = [(7, 2), (3, 2), (1, 1), (3, 1), (3, 2)]  # kernels and strides
    for modules in (2, 5, 2):
        way += modules * [(1, 1), (5, 1)] + [(3, 2)]
    seen, step = 1, 1
    for size, stride in way[:-1]:  # averaging follows the last modules, no pooling
        seen, step = seen + (size - 1) * step, step * stride
    found = lesson.longest_way(lesson.full_size_model())
    assert found == {"layers": 22, "receptive_field": seen}
    assert seen == 715


def test_a_module_puts_its_four_branches_in_a_row(lesson, monkeypatch):
    monkeypatch.setattr(lesson, "MODULES", {"3a": (2, 3, 4, 5, 6, 7)})
    inputs = keras.Input((6, 6, 3))
    (out,) = lesson.body(inputs, ["3a"])
    joined = next(x for x in keras.Model(inputs, out).layers if "concat" in x.name)
    model = keras.Model(inputs, joined.output)
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype("float32")

    def branch(*names, before=x):
        for name in names:
            before = model.get_layer(f"3a_{name}")(before)
        return np.asarray(before)

    framed = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
    windows = [framed[:, i : i + 6, j : j + 6] for i in range(3) for j in range(3)]
    expected = [
        branch("1"),
        branch("3_1", "3"),
        branch("5_1", "5"),
        branch("pool", before=np.max(windows, axis=0)),
    ]
    np.testing.assert_allclose(model(x), np.concatenate(expected, -1), atol=1e-5)


def test_extra_classifiers_as_in_the_paper(lesson):
    more = lesson.full_size_model(heads=True)
    plain = lesson.full_size_model()
    # On 512 and 528 maps of 4x4: 1x1 of 128, dense 1,024, dense 1,000, with biases.
    expected = sum(
        (maps + 1) * 128 + (4 * 4 * 128 + 1) * 1024 + 1025 * 1000 for maps in (512, 528)
    )
    assert expected == 3_188_840 + 3_190_888
    assert more.count_params() - plain.count_params() == expected
    assert [out.shape for out in more.outputs] == 3 * [(None, 1000)]


def test_classifiers_help_a_gradient_that_starts_too_small(lesson, tmp_path):
    run = Run(Request(stem="36", quick=True, out=tmp_path))
    images, labels = datasets.pictures("fashion_mnist", 2)[2]
    assert lesson.gain_by_heads(run, images, labels, lesson.LITTLE) > 1.3
    assert -0.1 < lesson.gain_by_heads(run, images, labels, "he_normal") < 0.6


def test_the_small_networks(lesson):
    model = lesson.build_model()
    assert model.count_params() == 24_331
    assert lesson.multiplications(model) == 2_727_980
    naive = lesson.build_model(reduced=False)
    assert lesson.multiplications(naive) == 7_727_744
    flat = lesson.build_model(flatten=True)
    assert flat.layers[-1].count_params() == 31_370
    assert lesson.build_model((32, 32, 3)).outputs[0].shape == (None, 10)


def test_1x1_learns_almost_as_well_for_a_third_of_the_work(lesson, tmp_path):
    train, _, test = datasets.pictures("fashion_mnist", 3000)
    right = {}
    for name in ("model", "naive"):
        keras.utils.set_random_seed(0)
        model = lesson.build_model(**lesson.CHANGES[name])
        run = Run(Request(stem="36", out=tmp_path))
        run.fit(model, *train, batch_size=50, epochs=3, name=name)
        right[name] = model.evaluate(*test, batch_size=1000, verbose=0)[1]
    assert min(right.values()) > 0.5
    # Early on (180 updates) it lags by some points.
    assert -0.05 < right["naive"] - right["model"] < 0.15
