"""MobileNet by arithmetic and against Keras', a depthwise convolution by a loop."""

from types import SimpleNamespace

from common import command_line, datasets, recipes
from common.executing import Request, Run

import keras
import numpy as np
import pytest
from keras import layers

SHALLOW = [(32, 2), (64, 1), (128, 2), (1024, 1)]
CHANGED_INPUTS = [
    (
        {"FULL_SIZE": SHALLOW, "SMALL": SHALLOW},
        {
            "parameters",
            "multiplications",
            "depth",
            "receptive_field",
            "full_parameters",
            "full_multiplications",
            "product_ratio",
            "written_ratio",
        },
    )
]


def by_the_paper(separable=True, width=1.0):
    """Trainable parameters and multiplications from the table of the paper alone."""
    maps, side = int(32 * width), 112
    products, weights = side**2 * 27 * maps, 27 * maps + 2 * maps
    units = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
    for wanted, stride in [*units, *[(512, 1)] * 5, (1024, 2), (1024, 1)]:
        before, maps, side = maps, int(wanted * width), side // stride
        if separable:
            kernels = 9 * before + before * maps
            weights += kernels + 2 * before + 2 * maps
        else:
            kernels = 9 * before * maps
            weights += kernels + 2 * maps
        products += side**2 * kernels
    return weights + 1000 * (maps + 1), products + 1000 * maps


def trainable(model):
    return sum(np.prod(weight.shape) for weight in model.trainable_weights)


def test_counts_by_arithmetic(lesson, quick):
    assert by_the_paper() == (4_231_976, 568_740_352)
    for separable, width in ((True, 1), (True, 0.5), (False, 1)):
        model = lesson.full_size_model(separable, width)
        products = lesson.count(model)["multiplications"]
        assert (trainable(model), products) == by_the_paper(separable, width)
    values = quick["values"]
    assert values["parameters"] == 4_231_976
    assert values["depth"] == 1 + 13 * 2 + 1
    assert values["full_multiplications"] == 4_867_293_184
    # Every unit saves by 1 / maps + 1 / 9; the first convolution nothing.
    assert 7 < values["product_ratio"] < 9


def test_it_is_that_of_keras_applications(lesson):
    own, theirs = lesson.full_size_model(), keras.applications.MobileNet(weights=None)
    assert own.count_params() == theirs.count_params() == 4_253_864  # as documented
    rng = np.random.default_rng(0)
    weighted = [[x for x in m.layers if x.weights] for m in (own, theirs)]
    for mine, its in zip(*weighted, strict=True):
        if isinstance(mine, layers.BatchNormalization):
            mine.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in mine.weights])
        weights = zip(mine.get_weights(), its.weights, strict=True)
        its.set_weights([w.reshape(other.shape) for w, other in weights])
        assert mine.output.shape[-1] == its.output.shape[-1]
    image = rng.normal(size=(1, 224, 224, 3)).astype("float32")
    last = theirs.get_layer("conv_preds").output
    scores = keras.Model(theirs.input, last)(image).numpy().ravel()
    # Keras cuts a ReLU off at 6, which the paper does not say.
    highest = max(
        np.max(keras.Model(own.input, x.output)(image))
        for x in own.layers
        if isinstance(x, layers.ReLU)
    )
    assert 1 < highest < 6 and scores.std() > 0.1
    np.testing.assert_allclose(own(image)[0], scores, atol=1e-4)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_separable_unit_by_a_loop(lesson, stride):
    rng = np.random.default_rng(stride)
    x = rng.normal(size=(1, 6, 6, 3)).astype("float32")
    image = keras.Input((6, 6, 3))
    model = keras.Model(image, lesson.unit(image, 5, stride, separable=True))
    kernel, scale, shift, mean, variance = model.get_weights()[:5]
    across = model.get_weights()[5][0, 0]  # [3, 5]
    # On an even side, "same" with stride 2 leaves out the frame above and to the left.
    frame = (1, 1) if stride == 1 else (0, 1)
    padded = np.pad(x[0], (frame, frame, (0, 0)))
    expected = np.zeros((6 // stride, 6 // stride, 5))
    for row, column in np.ndindex(expected.shape[:2]):
        y, z = row * stride, column * stride
        patch = padded[y : y + 3, z : z + 3]
        own = [(patch[..., i] * kernel[..., i, 0]).sum() for i in range(3)]
        normed = scale * (own - mean) / np.sqrt(variance + 1e-3) + shift
        expected[row, column] = np.maximum(normed, 0) @ across
    expected = np.maximum(expected / np.sqrt(1 + 1e-3), 0)  # the second, untrained
    np.testing.assert_allclose(model(x)[0], expected, atol=1e-5)


def test_small_networks_and_their_budgets(lesson):
    nets = {name: lesson.build_model(*how) for name, how in lesson.NETWORKS.items()}
    found = {name: lesson.count(net)["multiplications"] for name, net in nets.items()}
    assert (trainable(nets["separable"]), found["separable"]) == (48_170, 1_722_016)
    assert (trainable(nets["full"]), found["full"]) == (366_650, 12_684_800)
    # The fair control: as many weights, to 2 %, and multiplications, to 10 %.
    assert trainable(nets["full_narrow"]) == pytest.approx(48_170, rel=0.02)
    assert found["full_narrow"] == pytest.approx(1_722_016, rel=0.1)
    assert lesson.build_model(shape=(32, 32, 3)).output.shape == (None, 10)


def test_values_written_by_hand(lesson):
    net = lesson.network((28, 28, 1), [(2, 1), (4, 2)], 10)
    # Three layers each for the first convolution, the depthwise and the 1x1 one.
    written = 3 * (28**2 * 2 + 14**2 * 2 + 14**2 * 4) + 4 + 10
    assert lesson.count(net)["values written"] == written


def test_the_clock_takes_turns_and_keeps_the_least(lesson, monkeypatch):
    turns = []
    nets = {
        name: SimpleNamespace(train_on_batch=lambda x, y, name=name: turns.append(name))
        for name in "ab"
    }
    times = iter([0, 5, 10, 11, 20, 23, 30, 32])  # 5 and 1 seconds, then 3 and 2
    clock = SimpleNamespace(perf_counter=lambda: next(times))
    monkeypatch.setattr(lesson, "time", clock)
    assert lesson.least_seconds(nets, None, None, rounds=2) == {"a": 3, "b": 1}
    assert turns == ["a", "b", "a", "b"]


def test_a_quarter_of_the_maps_learns_less(lesson, tmp_path):
    (x, y), _, _ = datasets.pictures("fashion_mnist", 1000)
    right = {}
    for name in ("separable", "separable_quarter"):
        keras.utils.set_random_seed(0)
        model = lesson.build_model(*lesson.NETWORKS[name], updates=60)
        run = Run(Request(stem="39", out=tmp_path))
        history = run.fit(model, x, y, batch_size=50, epochs=3, name=name)
        right[name] = history["accuracy"][-1]  # in training
    # Two seeds: 20 and 40 percentage points.
    assert right["separable"] > right["separable_quarter"] + 0.1


def test_an_unknown_data_set_is_refused(capsys):
    with pytest.raises(SystemExit) as refused:
        command_line.parse(recipes.find("39"), "", ["--dataset", "imagenet"])
    assert refused.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
