"""A restricted Boltzmann machine learns to see digits without their labels.

제목: 제한 볼츠만 머신(RBM)이 레이블 없이 배우는 손글씨의 특징
Question: What does contrastive divergence learn from 55,000 unlabelled digits, and
    what are its 1,024 features worth to a classifier with many labels, or with few?
Finding: The strokes that digits are made of. A softmax layer on the features has
    {test_rbm} of new digits right with all labels, on pixels {test_pixels}; with 1,000
    labels {few_rbm}, on pixels {few_pixels}, and on as many random features
    {few_random}.
결과: 숫자를 이루는 획을 배웁니다. 모든 레이블을 쓰면 이 특징 위의 소프트맥스 계층은
    처음 보는 숫자의 {test_rbm}를, 픽셀 위에서는 {test_pixels}를 맞힙니다. 레이블이
    1,000개뿐일 때는 {few_rbm}이고, 픽셀은 {few_pixels}, 같은 수의 무작위 특징은
    {few_random}입니다.
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

HIDDEN_UNITS = 1024
BATCH_SIZE = 100
EPOCHS = 10
LEARNING_RATE = 0.1  # plain gradient steps; at 0.3 many hidden units die
SOFTMAX_EPOCHS = 15
FEW_LABELS = 1000
# CD-1, CD-5 and scikit-learn side by side cost too much at full size on two cores.
SMALL_UNITS = 256
SMALL_IMAGES = 10_000
SMALL_EPOCHS = 10
SMALL_MACHINES = {"cd1": "CD-1", "cd5": "CD-5", "sklearn": "scikit-learn"}
GIBBS_STEPS = (1, 10, 100, 1000)  # of chains that start at test digits


def build_rbm(hidden_units, mean_image, seed):
    """W [784, hidden], visible biases b [784], hidden biases c [hidden].

    b starts at the log odds of every pixel, so that W need not learn the mean image.
    """
    w = np.random.default_rng(seed).normal(0, 0.01, (len(mean_image), hidden_units))
    mean = np.clip(mean_image, 0.001, 0.999)
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
    """1 with probability p, else 0: the draw of this index under a key int32 [2]."""
    key = tf.random.experimental.stateless_fold_in(key, index)
    # XLA's own choice on a CPU is Philox, which takes longer than all the products.
    uniform = tf.random.stateless_uniform(
        tf.shape(p), key, dtype=p.dtype, alg="threefry"
    )
    return tf.cast(uniform < p, p.dtype)


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
    """CD-k on a batch [n, 784]: by how much to change W, b and c (times the rate).

    v0'h0 - vk'hk as on the slides; but where h is only counted and not passed on, its
    probability stands for the draw, which keeps the mean and takes noise away.
    """
    vk = gibbs(v0, rbm, k, key)
    h0, hk = p_hidden(v0, rbm), p_hidden(vk, rbm)
    positive = tf.matmul(v0, h0, transpose_a=True)
    negative = tf.matmul(vk, hk, transpose_a=True)
    return (
        (positive - negative) / tf.cast(tf.shape(v0)[0], v0.dtype),
        tf.reduce_mean(v0 - vk, axis=0),
        tf.reduce_mean(h0 - hk, axis=0),
    )


@tf.function(jit_compile=True)
def train_epoch(rbm, images, order, k, key):
    """One epoch as one compiled call.

    order: int32 [steps, batch]; key: int32 [2], new in every epoch. Every step folds
    its number into the key: noise seeded in Python would be the same in all steps.
    """
    for step in tf.range(tf.shape(order)[0]):
        v0 = tf.gather(images, order[step])
        step_key = tf.random.experimental.stateless_fold_in(key, step)
        # Read once a step: TensorFlow then sees that p(h | v0) is needed only once.
        now = [tf.convert_to_tensor(variable) for variable in rbm]
        changes = contrastive_divergence(v0, now, k, step_key)
        for variable, change in zip(rbm, changes, strict=True):
            variable.assign_add(LEARNING_RATE * change)


def reconstruction_error(v, rbm):
    """Mean squared difference between pixels and what h makes of them."""
    return tf.reduce_mean((v - p_visible(p_hidden(v, rbm), rbm)) ** 2)


def new_key(*words):
    """The key int32 [2] that belongs to these whole numbers."""
    return tf.constant(np.random.default_rng(words).integers(2**31, size=2), tf.int32)


def train(run, images, held_out, hidden_units, k, epochs, name):
    """Train a machine with CD-k. Returns it, and its history by epoch."""
    rbm = build_rbm(hidden_units, images.mean(axis=0), run.seed)
    images = tf.constant(images)
    seen = images[: len(held_out)]

    def step(epoch):
        order = tf.constant(run.order(epoch, len(images), BATCH_SIZE))
        train_epoch(rbm, images, order, k, new_key(run.seed, epoch))
        return {
            "free_energy": tf.reduce_mean(free_energy(seen, rbm)),
            "val_free_energy": tf.reduce_mean(free_energy(held_out, rbm)),
            "error": reconstruction_error(seen, rbm),
            "val_error": reconstruction_error(held_out, rbm),
        }

    return rbm, run.train(step, rbm, epochs, name)


def softmax_score(run, x_train, y_train, x_test, y_test, name):
    """Test accuracy in % of one softmax layer, as in recipe 20."""
    model = keras.Sequential([keras.Input(x_train.shape[1:]), keras.layers.Dense(10)])
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=True,
        steps_per_execution=110,
    )
    epochs, name = run.length(SOFTMAX_EPOCHS), f"softmax_{name}"
    run.fit(model, x_train, y_train, batch_size=BATCH_SIZE, epochs=epochs, name=name)
    return 100 * (model.predict(x_test, verbose=0).argmax(axis=1) == y_test).mean()


def image_rows(rows, labels, **style):
    """A figure of images: rows [rows, columns, 784], one label for every row."""
    images = np.reshape(rows, (len(rows), -1, 28, 28))
    framed = np.pad(images, [(0, 0), (0, 0), (1, 1), (1, 1)], constant_values=np.nan)
    sheet = np.block([list(row) for row in framed])
    figure, axis = plots.new_figure(width=10, height=0.9 * len(rows))
    axis.imshow(sheet, **style)
    axis.set(xticks=[], yticks=14.5 + 30 * np.arange(len(rows)), yticklabels=labels)
    axis.tick_params(length=0, grid_alpha=0)
    axis.spines[:].set_visible(False)
    return figure


def main(run):
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import BernoulliRBM
    from threadpoolctl import threadpool_limits

    sets = datasets.mnist(limit=run.pick(None, 1000))
    (x_train, y_train), (held_out, _), (x_test, y_test) = [
        (x.reshape(len(x), 784), y) for x, y in sets
    ]
    epochs = run.length(EPOCHS)
    rbm, history = train(run, x_train, held_out, HIDDEN_UNITS, 1, epochs, "rbm")
    w, b, c = [variable.numpy() for variable in rbm]
    # The control: weights of the same size and the same biases, but nothing learned.
    random = [np.random.default_rng(run.seed).permuted(w, axis=0), b, c]

    # Three ways to train a smaller machine, with equal passes over equal images.
    some, epochs = x_train[:SMALL_IMAGES], run.length(SMALL_EPOCHS)
    # With k as a tensor, both share one compiled loop.
    cd1, _ = train(run, some, held_out, SMALL_UNITS, tf.constant(1), epochs, "cd1")
    cd5, _ = train(run, some, held_out, SMALL_UNITS, tf.constant(5), epochs, "cd5")
    theirs = BernoulliRBM(  # whose chains go on from batch to batch (persistent CD)
        SMALL_UNITS,
        learning_rate=LEARNING_RATE,
        batch_size=BATCH_SIZE,
        n_iter=epochs,
        random_state=run.seed,
    )
    with threadpool_limits(1):  # threads would wait for each other more than work
        theirs.fit(some)
    theirs = [theirs.components_.T, theirs.intercept_visible_, theirs.intercept_hidden_]
    theirs = [tf.constant(array, tf.float32) for array in theirs]
    machines = {"rbm": rbm, "random": random, "cd1": cd1, "cd5": cd5, "sklearn": theirs}

    last = history[-1]
    values = {"free_energy_gap": last["val_free_energy"] - last["free_energy"]}
    for name in SMALL_MACHINES:
        values[f"error_{name}"] = float(reconstruction_error(x_test, machines[name]))
    few = run.pick(FEW_LABELS, 100)
    for name in (*machines, "pixels"):
        x, x_new = x_train, x_test
        if name != "pixels":
            x, x_new = [p_hidden(v, machines[name]).numpy() for v in (x, x_new)]
        with threadpool_limits(1):
            classifier = LogisticRegression(max_iter=1000).fit(x[:few], y_train[:few])
        values[f"few_{name}"] = 100 * classifier.score(x_new, y_test)
        if name in ("rbm", "pixels"):
            values[f"test_{name}"] = softmax_score(run, x, y_train, x_new, y_test, name)

    figure, axis = plots.new_figure()
    for key, style in (("free_energy", "--"), ("val_free_energy", ".-")):
        name = "held out" if key.startswith("val") else "training"
        epochs = [logs["epoch"] for logs in history]
        axis.plot(epochs, [logs[key] for logs in history], style, label=name)
    axis.set(xlabel="epoch", ylabel="mean free energy F(v), nats")
    axis.legend()
    run.save_figure(figure, "free_energy")
    images, limit = w.T[:100].reshape(10, 10, 784), 3 * w.std()
    figure = image_rows(images, [""] * 10, cmap="RdBu", vmin=-limit, vmax=limit)
    run.save_figure(figure, "weights")
    digits = x_test[[np.flatnonzero(y_test == digit)[0] for digit in range(10)]]
    rows = {"start": digits}
    others = [(name, GIBBS_STEPS[-1]) for name in SMALL_MACHINES]
    for name, steps in [*(("rbm", steps) for steps in GIBBS_STEPS), *others]:
        # As tensors: one compiled chain then serves all machines of one size.
        machine = [tf.convert_to_tensor(part) for part in machines[name]]
        length = run.pick(steps, 1)
        v = gibbs(digits, machine, tf.constant(length), new_key(run.seed, EPOCHS))
        rows[f"{name}, step {length}"] = p_visible(p_hidden(v, machine), machine)
    figure = image_rows(list(rows.values()), list(rows), cmap="gray_r")
    run.save_figure(figure, "gibbs_samples")
    return values


MEASURES = {
    "test_rbm": Measure("%", "1,024 RBM features + softmax", "RBM 특징 1,024개"),
    "test_pixels": Measure("%", "784 pixels + softmax", "픽셀 784개"),
    "few_rbm": Measure("%", "RBM features, 1,000 labels", "RBM 특징, 레이블 1,000개"),
    "few_random": Measure("%", "random features, 1,000 labels", "무작위 특징, 1,000개"),
    "few_pixels": Measure("%", "pixels, 1,000 labels", "픽셀, 레이블 1,000개"),
    "free_energy_gap": Measure(
        "nats", "free energy, held out less train", "자유 에너지, 검증 빼기 학습"
    ),
    **{
        f"error_{name}": Measure(
            "",
            f"256 units: reconstruction error, {title}",
            f"은닉 노드 256개: 재구성 오차, {title}",
        )
        for name, title in SMALL_MACHINES.items()
    },
    **{
        f"few_{name}": Measure(
            "%",
            f"256 units: 1,000 labels, {title}",
            f"은닉 노드 256개: 레이블 1,000개, {title}",
        )
        for name, title in SMALL_MACHINES.items()
    },
}


if __name__ == "__main__":
    cli(main)
