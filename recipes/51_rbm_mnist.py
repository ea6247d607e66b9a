"""A restricted Boltzmann machine learns to see digits without their labels.

제목: 제한 볼츠만 머신(RBM)이 레이블 없이 배우는 손글씨의 특징
Question: What does contrastive divergence learn from 55,000 unlabelled digits, and
    what are its 1,024 features worth to a classifier with many labels, or with few?
Finding: Strokes, and where they go. With 1,000 labels a classifier has {few_rbm} right
    on its features, {gain_random} against random ones and {gain_pixels} against pixels;
    with all labels {test_rbm}, on pixels {test_pixels}. What is far from all digits it
    has not learned: after a thousand Gibbs steps {emptied} of the chains are empty.
결과: 획과 획이 놓이는 자리를 배웁니다. 레이블 1,000개로 이 특징을 분류하면 정답률이
    {few_rbm}이고, 무작위 특징과의 차이는 {gain_random}, 픽셀과의 차이는
    {gain_pixels}입니다. 레이블을 모두 쓰면 {test_rbm}, 픽셀은 {test_pixels}입니다.
    숫자와 동떨어진 곳은 배우지 못해 깁스 표집을 천 번 하면 사슬의 {emptied}가 빕니다.
Lecture: 000, Restricted Boltzmann Machine, Gibbs sampling
Changes from: 50 (biases, mini-batches, TensorFlow, MNIST) and 20 (the classifier)
Run: python recipes/51_rbm_mnist.py
Try: (1) 64 hidden units: what do their weight images look like? (2) EPOCHS = 100: does
    the free energy gap grow? (3) LEARNING_RATE = 0.3: which units have died?
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
import tensorflow as tf
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

HIDDEN_UNITS = 1024
BATCH_SIZE = 100
EPOCHS = 10
LEARNING_RATE = 0.1  # plain gradient steps; at 0.3 many hidden units die
FEW_LABELS = 1000
SOFTMAX_EPOCHS = 15
GIBBS_STEPS = (1, 10, 100, 1000)  # of a hundred chains that start at test digits
EMPTY = 10  # pixels: a chain with fewer of the 784 switched on shows nothing


def build_rbm(hidden_units, mean_image, seed):
    """W [784, hidden], visible biases b [784], hidden biases c [hidden]."""
    w = np.random.default_rng(seed).normal(0, 0.01, (len(mean_image), hidden_units))
    mean = np.clip(mean_image, 0.001, 0.999)
    # b: the log odds of every pixel, so that W need not learn the mean image.
    values = w, np.log(mean / (1 - mean)), np.zeros(hidden_units)
    return [tf.Variable(value, dtype=tf.float32) for value in values]


def p_hidden(v, rbm):
    w, _, c = rbm
    return tf.sigmoid(tf.matmul(v, w) + c)


def p_visible(h, rbm):
    w, b, _ = rbm
    return tf.sigmoid(tf.matmul(h, w, transpose_b=True) + b)


def free_energy(v, rbm):
    """F(v) = -v'b - sum_j log(1 + exp(v'W_j + c_j)) [n], so that p(v) = exp(-F) / Z."""
    w, b, c = rbm
    softplus = tf.nn.softplus(tf.matmul(v, w) + c)
    return -tf.linalg.matvec(v, b) - tf.reduce_sum(softplus, axis=1)


def draw(p, key, index):
    """1 with probability p, else 0: the draw of this index under a key int64 [2]."""
    key = tf.random.experimental.stateless_fold_in(key, index)
    # XLA's own choice on a CPU is Philox, which takes longer than all the products.
    u = tf.random.stateless_uniform(tf.shape(p), key, dtype=p.dtype, alg="threefry")
    return tf.cast(u < p, p.dtype)


@tf.function(jit_compile=True)  # ThreeFry needs XLA, wherever this is called from
def gibbs(v, rbm, steps, key):
    """v after so many steps v -> h -> v, all units drawn."""
    step = 0
    while step < steps:  # a `range` of a tensor would compile anew for every length
        h = draw(p_hidden(v, rbm), key, 2 * step)
        v = draw(p_visible(h, rbm), key, 2 * step + 1)
        step += 1
    return v


def contrastive_divergence(v0, rbm, k, key):
    """CD-k on a batch [n, 784]: the changes of W, b and c before the learning rate.

    v0'h0 - vk'hk as on the slides; but where h is only counted and not passed on, its
    probability stands for the draw, which keeps the mean and takes noise away.
    """
    vk = gibbs(v0, rbm, k, key)
    h0, hk = p_hidden(v0, rbm), p_hidden(vk, rbm)
    positive = tf.matmul(v0, h0, transpose_a=True)
    negative = tf.matmul(vk, hk, transpose_a=True)
    w = (positive - negative) / tf.cast(tf.shape(v0)[0], v0.dtype)
    return w, tf.reduce_mean(v0 - vk, axis=0), tf.reduce_mean(h0 - hk, axis=0)


@tf.function(jit_compile=True)
def train_epoch(rbm, images, order, k, key):
    """One epoch as one compiled call: order int32 [steps, batch], key int64 [2].

    Each step folds its number into the key: noise seeded in Python would be the same.
    """
    for step in tf.range(tf.shape(order)[0]):
        v0 = tf.gather(images, order[step])
        step_key = tf.random.experimental.stateless_fold_in(key, step)
        # Read once a step: TensorFlow then sees that p(h | v0) is needed only once.
        now = [tf.convert_to_tensor(variable) for variable in rbm]
        changes = contrastive_divergence(v0, now, k, step_key)
        for variable, change in zip(rbm, changes, strict=True):
            variable.assign_add(LEARNING_RATE * change)


def train(run, images, held_out, hidden_units, k, epochs, name):
    """Train a machine with CD-k. Returns it, and its history by epoch."""
    rbm = build_rbm(hidden_units, images.mean(axis=0), run.seed)
    images = tf.constant(images)

    def step(epoch):
        order = tf.constant(run.order(epoch, len(images), BATCH_SIZE))
        train_epoch(rbm, images, order, k, tf.constant((run.seed, epoch), tf.int64))
        # Not the error of a reconstruction: CD does not minimise it, and a chain that
        # hardly moves makes it small, however improbable digits are to the machine.
        seen = tf.reduce_mean(free_energy(images[: len(held_out)], rbm))
        return {"gap": tf.reduce_mean(free_energy(held_out, rbm)) - seen}

    return rbm, run.train(step, rbm, epochs, name)


def softmax_score(run, x, y, x_test, y_test, name):
    """Test accuracy in % of one softmax layer, as in recipe 20."""
    model = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, jit_compile=True, steps_per_execution=110)
    epochs, name = run.length(SOFTMAX_EPOCHS), f"softmax_{name}"
    run.fit(model, x, y, batch_size=BATCH_SIZE, epochs=epochs, name=name)
    return 100 * (model.predict(x_test, verbose=0).argmax(axis=1) == y_test).mean()


def image_rows(rows, labels, **style):
    """A figure of images [rows, columns, 784] with a label for every row."""
    images = np.reshape(rows, (len(rows), -1, 28, 28))
    framed = np.pad(images, [(0, 0), (0, 0), (1, 1), (1, 1)], constant_values=np.nan)
    figure, axis = plots.new_figure(width=10, height=0.9 * len(rows))
    axis.imshow(np.block([list(row) for row in framed]), zorder=1, **style)
    axis.set_yticks(14.5 + 30 * np.arange(len(rows)), labels)
    axis.set(xticks=[], facecolor="0.85")
    return figure


def main(run):
    sets = datasets.mnist(limit=run.pick(None, 1000))
    (x_train, y_train), (held_out, _), (x_test, y_test) = [
        (x.reshape(len(x), 784), y) for x, y in sets
    ]
    rbm, _ = train(run, x_train, held_out, HIDDEN_UNITS, 1, run.length(EPOCHS), "rbm")
    w, b, c = [variable.numpy() for variable in rbm]
    rng = np.random.default_rng(run.seed)
    few = rng.permutation(len(x_train))[: run.pick(FEW_LABELS, 100)]
    # The control: weights of the same size, the same biases, but nothing learned.
    machines = {"rbm": rbm, "random": [rng.permuted(w, axis=0), b, c], "pixels": None}
    values, images = {}, (x_train, x_test)
    for name, machine in machines.items():
        x, x_new = (p_hidden(v, machine).numpy() if machine else v for v in images)
        with threadpool_limits(1):  # threads would wait for each other more than work
            classifier = LogisticRegression(max_iter=1000).fit(x[few], y_train[few])
        values[f"few_{name}"] = 100 * classifier.score(x_new, y_test)
        if name != "random":
            values[f"test_{name}"] = softmax_score(run, x, y_train, x_new, y_test, name)
    for name in ("random", "pixels"):
        values[f"gain_{name}"] = values["few_rbm"] - values[f"few_{name}"]
    images, limit = w.T[:60].reshape(5, 12, 784), 3 * w.std()
    labels = ["60 units", "", "blue: on\nred: off", "", ""]
    figure = image_rows(images, labels, cmap="RdBu", vmin=-limit, vmax=limit)
    run.save_figure(figure, "weights")
    start = x_test[np.argsort(y_test[:100], kind="stable")]
    rows = {"start": start[::9]}
    for steps in run.pick(GIBBS_STEPS, (1,)):
        key = tf.constant((run.seed, EPOCHS + steps), tf.int64)
        v = gibbs(start, rbm, tf.constant(steps), key)
        rows[f"step {steps:,}"] = p_visible(p_hidden(v, rbm), rbm)[::9]
    run.save_figure(image_rows(list(rows.values()), list(rows), cmap="Greys"), "chains")
    return {**values, "emptied": [np.sum(np.sum(v, axis=1) < EMPTY), len(v)]}


MEASURES = {
    "test_rbm": Measure("%", "all labels, 1,024 RBM features", "전체 레이블, RBM 특징"),
    "test_pixels": Measure("%", "all labels, 784 pixels", "전체 레이블, 픽셀"),
    "few_rbm": Measure("%", "1,000 labels, RBM features", "레이블 1,000개, RBM 특징"),
    "few_random": Measure("%", "1,000 labels, random features", "1,000개, 무작위 특징"),
    "few_pixels": Measure("%", "1,000 labels, pixels", "레이블 1,000개, 픽셀"),
    "gain_random": Measure("pp", "RBM - random", "RBM - 무작위", paired=True),
    "gain_pixels": Measure("pp", "RBM - pixels", "RBM - 픽셀", paired=True),
    "emptied": Measure("rate", "chains that end empty", "텅 비게 된 사슬"),
}


if __name__ == "__main__":
    cli(main)
