"""Fully connected: every neuron sees every neuron before it.

제목: 완전 연결 신경망: 연결의 수와 평가 지표
Question: How many connections has the lecture's 25-16-16-9-9 network, and which
    metric judges which kind of problem?
Finding: It has {connections} connections and, with a bias for each neuron, {parameters}
    parameters. A metric fits a problem if the output that it reads can say the answer:
    of nine numbers, squared error gets {numbers_squared} right and binary cross-entropy
    {numbers_binary}; nine yes-or-no questions get answered by binary cross-entropy in
    {any_binary} of the images, by the categorical one, whose outputs share a single
    yes, in {any_categorical}. One class of nine any metric finds ({one_categorical},
    {one_binary}, {one_squared}), and squared error learns all three problems.
결과: 연결은 {connections}개이고, 신경 세포마다 하나인 편향을 더하면 매개변수는
    {parameters}개입니다. 지표가 읽는 출력으로 답을 말할 수 있어야 그 지표가 문제에
    맞습니다. 숫자 아홉 개는 제곱 오차로 {numbers_squared}, 이진 교차 엔트로피로
    {numbers_binary} 맞힙니다. 예-아니요 아홉 개를 모두 맞힌 그림은 이진 교차
    엔트로피로 {any_binary}, 출력들이 예 하나를 나누어 갖는 범주형으로
    {any_categorical}입니다. 아홉 클래스 중 하나는 어느 지표로도
    찾으며({one_categorical}, {one_binary}, {one_squared}), 제곱 오차는 세 문제를 모두
    배웁니다.
Lecture: 003, Fully connected; 001, Fully Connected Network and Evaluation Metric
Changes from: 07, one layer's output; here layers feed layers, and errors are three
Run: python recipes/08_fully_connected.py
Try: (1) a 784-256-256-10 network: how many connections, how many parameters?
    (2) which layer holds the most connections, and why does width cost so much?
    (3) NOISE = 0: which of the nine results stay low?
"""

from common import plots
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers

SIZES = (25, 16, 16, 9, 9)  # a 5 x 5 image, three hidden layers, nine outputs
# Of each metric, for right answers d and outputs y: Keras' name, and what makes the y.
METRICS = {
    # The mean of (d - y)^2; y can be any numbers.
    "squared": ("mean_squared_error", "linear"),
    # -sum(d ln y): the outputs are shares of 1.
    "categorical": ("categorical_crossentropy", "softmax"),
    # The mean of -d ln y - (1 - d) ln(1 - y): each output is between 0 and 1.
    "binary": ("binary_crossentropy", "sigmoid"),
}
PROBLEMS = {
    "numbers": "nine numbers\n(regression)",
    "one": "one of nine\n(classification)",
    "any": "any of nine\n(multi-label)",
}
SAMPLES = 20_000
TEST_SAMPLES = 5000
NOISE = 0.3  # standard deviation, on every pixel
NEAR = 0.25  # how near a number has to be to count as right
BATCH_SIZE = 100
EPOCHS = 30
LEARNING_RATE = 1e-2


def build_model(metric="categorical"):
    """The lecture's network, with the output that a metric reads."""
    loss, output = METRICS[metric]
    hidden = [layers.Dense(units, activation="sigmoid") for units in SIZES[1:-1]]
    model = keras.Sequential(
        [keras.Input(SIZES[:1]), *hidden, layers.Dense(SIZES[-1], activation=output)]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE),
        loss=loss,
        jit_compile=True,
        steps_per_execution=200,
    )
    return model


def samples(problem, number, random):
    """Images in which nine crosses shine, and how bright each: [n, 25], [n, 9]."""
    if problem == "numbers":
        bright = random.uniform(0, 2, size=(number, 9))
    elif problem == "one":
        bright = np.eye(9)[random.integers(9, size=number)]
    else:
        bright = random.integers(2, size=(number, 9))
    crosses = np.zeros((9, 5, 5))
    for place, (row, column) in enumerate(np.ndindex(3, 3)):
        crosses[place, row + 1, column : column + 3] = 1
        crosses[place, row : row + 3, column + 1] = 1
    noise = random.normal(scale=NOISE, size=(number, 25))
    images = bright @ crosses.reshape(9, 25) + noise
    return images.astype("float32"), bright.astype("float32")


def right_answers(problem, d, y):
    """What the problem itself asks for, in %, whatever the network was trained on."""
    if problem == "numbers":
        right = abs(d - y) < NEAR
    elif problem == "one":
        right = d.argmax(axis=1) == y.argmax(axis=1)
    else:
        right = ((d > 0.5) == (y > 0.5)).all(axis=1)
    return 100 * right.mean()


def draw_network(products):
    """Every connection as a line, their number above each layer."""
    figure, axis = plots.new_figure(width=8, height=4.5)
    heights = [np.linspace(0, 1, units + 2)[1:-1] for units in SIZES]
    for layer, count in enumerate(products):
        ends = np.stack(np.meshgrid(heights[layer], heights[layer + 1])).reshape(2, -1)
        axis.plot([layer, layer + 1], ends, f"C{layer}", lw=0.5, alpha=0.5)
        sizes = f"{SIZES[layer]} x {SIZES[layer + 1]} = {count}"
        axis.text(layer + 0.5, 1.02, sizes, ha="center", color=f"C{layer}")
    circle = {"s": 45, "c": "white", "edgecolors": "black", "zorder": 3}
    for layer, column in enumerate(heights):
        axis.scatter([layer] * len(column), column, **circle)
    names = ["input", *[f"hidden {i}" for i in range(1, len(SIZES) - 1)], "output"]
    axis.set_xticks(range(len(SIZES)), names)
    axis.set(yticks=[], title=f"{sum(products)} connections", ylim=(0, 1.08))
    axis.spines["left"].set_visible(False)
    axis.grid(False)
    return figure


def draw_right(right):
    """right: {problem: {metric: right answers in %}}."""
    figure, axis = plots.new_figure(width=6, height=3.4)
    table = np.array([list(row.values()) for row in right.values()])
    axis.imshow(table, cmap="Blues", vmin=0, vmax=150, aspect="auto")
    for (row, column), value in np.ndenumerate(table):
        axis.text(column, row, f"{value:.0f} %", ha="center", va="center", fontsize=13)
    names = [f"{name}\n({output} output)" for name, output in METRICS.values()]
    axis.set_xticks(range(3), names, fontsize=8)
    axis.set_yticks(range(3), PROBLEMS.values())
    axis.set_title("right answers, by problem and by metric trained on", fontsize=11)
    axis.grid(False)
    return figure


def main(run):
    model = build_model()
    products = [kernel.size for kernel in model.get_weights()[::2]]
    parameters = model.count_params()
    right, epochs = {}, run.length(EPOCHS)
    for problem in PROBLEMS:
        random, right[problem] = np.random.default_rng(run.seed), {}
        x, d = samples(problem, run.pick(SAMPLES, 300), random)
        x_test, d_test = samples(problem, TEST_SAMPLES, random)
        for metric in METRICS:
            keras.utils.set_random_seed(run.seed)  # the same start for all
            model, name = build_model(metric), f"{problem}_{metric}"
            run.fit(model, x, d, batch_size=BATCH_SIZE, epochs=epochs, name=name)
            y = model(x_test).numpy()
            right[problem][metric] = right_answers(problem, d_test, y)
    run.save_figure(draw_network(products), "connections")
    run.save_figure(draw_right(right), "metrics")
    return {
        "connections": sum(products),
        "connections_by_layer": products,
        "parameters": parameters,
        **{f"{p}_{m}": right[p][m] for p in PROBLEMS for m in METRICS},
    }


MEASURES = {
    "connections": Measure(
        "", "connections of 25-16-16-9-9", "25-16-16-9-9의 연결", deterministic=True
    ),
    "connections_by_layer": Measure(
        "", "between two layers", "층 사이마다의 연결", deterministic=True
    ),
    "parameters": Measure(
        "", "connections and biases", "연결과 편향", deterministic=True
    ),
    "numbers_squared": Measure(
        "%", "numbers within 0.25, by squared error", "0.25 안의 숫자, 제곱 오차로"
    ),
    "numbers_categorical": Measure("%", "by categorical cross-entropy", "범주형으로"),
    "numbers_binary": Measure("%", "by binary cross-entropy", "이진으로"),
    "one_squared": Measure(
        "%", "one of nine, by squared error", "아홉 중 하나, 제곱 오차"
    ),
    "one_categorical": Measure("%", "by categorical cross-entropy", "범주형으로"),
    "one_binary": Measure("%", "by binary cross-entropy", "이진으로"),
    "any_squared": Measure(
        "%", "any of nine, all right, by squared error", "예-아니요 아홉, 제곱 오차로"
    ),
    "any_categorical": Measure("%", "by categorical cross-entropy", "범주형으로"),
    "any_binary": Measure("%", "by binary cross-entropy", "이진으로"),
}


if __name__ == "__main__":
    cli(main)
