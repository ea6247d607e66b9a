"""An autoencoder squeezes a digit into 30 numbers, or two, and rebuilds it.

제목: 오토인코더: 숫자 하나를 수 서른 개로, 또는 두 개로 줄였다가 되살리기
Question: What does a network between a digit and 30 numbers gain over the best plane,
    and what do noise on its input, or on its code, make of it?
Finding: A plane rebuilds a digit from 30 numbers with an error of {pca_30}, a linear
    network with {linear}, hidden layers with {deep} (gain {gained}). By the five
    nearest codes of two numbers, {deep_map} of new digits are told apart, by PCA
    {pca_map}. Noise on the input teaches to remove it: of noisy digits {deep_noisy}
    becomes {denoising_noisy}. Noise on the code leaves {variational}; what one draws
    from N(0, 1) is still no digit.
결과: 수 30개로 되살린 숫자의 오차는 평면이 {pca_30}, 선형 망이 {linear}, 은닉층이 있는
    망이 {deep}입니다(줄어든 오차 {gained}). 수 두 개만 남겨도, 가까운 이웃 다섯에게
    물으면 새 숫자의 {deep_map}를 알아맞힙니다(평면은 {pca_map}). 입력에 잡음을 섞어
    배우면 잡음 낀 숫자의 오차가 {deep_noisy}에서 {denoising_noisy}로 줄어듭니다. 코드에
    섞으면 오차가 {variational}이고, N(0, 1)에서 뽑은 코드는 아직 숫자가 되지 않습니다.
Lecture: 002, autoencoder; 001, what deep networks learn: compression
Changes from: 23_deeper_mnist (no labels: the target is the input, through a bottleneck)
Run: python recipes/55_autoencoder.py
Try: (1) a code of 64 (2) PIXEL_DEVIATION = 0.3: what do digits lose, and draws gain?
"""

from common import datasets, plots
from common.running import Measure, cli

import keras
import numpy as np
from keras import layers, ops
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

HIDDEN = (256, 128)  # ReLU, and backwards after the code; 1000-500-250 in 2006
CODE = 30
EPOCHS, BATCH_SIZE = 10, 100
NOISE = 0.3  # standard deviation on the pixels that the denoising network reads
PIXEL_DEVIATION = 0.1  # of a digit around what the variational decoder expects
NETWORKS = {  # each differs from "deep" in one thing, "linear" from "sigmoid"
    "linear": {"hidden": (), "end": "linear"},
    "sigmoid": {"hidden": ()},
    "deep": {},
    "deep_10": {"code": 10},
    "deep_2": {"code": 2},
    "denoising": {"noise": NOISE},
    "variational": {"variational": True},
}


def kl_from_normal(mean, log_variance):
    """KL divergence of N(mean, variance) from N(0, 1), summed over the code: [n]."""
    return ops.sum(mean**2 + ops.exp(log_variance) - log_variance - 1, axis=-1) / 2


class DrawnCode(layers.Layer):
    """From mean and log variance [n, 2 * code] a draw, in use the mean; adds the KL."""

    def __init__(self, **named):
        super().__init__(**named)
        self.random = keras.random.SeedGenerator(0)  # set anew in every epoch

    def call(self, inputs, training=False):
        mean, log_variance = ops.split(inputs, 2, axis=-1)
        # The loss is a mean over pixels of squares, not of squares / (2 variance).
        price = 2 * PIXEL_DEVIATION**2 / 784
        self.add_loss(price * ops.mean(kl_from_normal(mean, log_variance)))
        if not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), seed=self.random)
        return mean + ops.exp(log_variance / 2) * noise


def build_model(code=CODE, hidden=HIDDEN, end="sigmoid", noise=0.0, variational=False):
    def dense(units):
        return layers.Dense(units, "relu", kernel_initializer="he_normal")

    model = keras.Sequential(
        [
            keras.Input((784,)),
            layers.GaussianNoise(noise),
            *[dense(units) for units in hidden],
            layers.Dense(2 * code if variational else code, name="code"),
            *([DrawnCode(name="drawn")] if variational else []),
            *[dense(units) for units in reversed(hidden)],
            layers.Dense(784, end),
        ]
    )
    xla = not (noise or variational)  # its normal numbers take long on a CPU
    model.compile("adam", "mse", jit_compile=xla, steps_per_execution=275)
    return model


def encode(model, x):
    """What the layer "code" says about x [n, 784]."""
    return keras.Model(model.inputs[0], model.get_layer("code").output)(x).numpy()


def error(x, rebuilt):
    """Squared error of an image, summed over its 784 pixels, on average."""
    return 784 * np.mean((x - rebuilt) ** 2)


def curve_figure(planes, values):
    figure, axis = plots.new_figure(width=5)
    axis.plot(planes, label="best plane (PCA)")
    axis.plot(CODE, values["linear"], "C1s", label="linear network")
    axis.plot(CODE, values["sigmoid"], "C2^", label="and sigmoid pixels")
    deep = [values["deep_2"], values["deep_10"], values["deep"]]
    axis.plot((2, 10, CODE), deep, "C3o-", label="and hidden layers")
    axis.set(xlabel="numbers in the code", ylabel="squared error of a digit", ylim=0)
    axis.legend(loc="upper right")
    return figure


def maps_figure(maps, digits):
    figure, axes = plots.new_figure(1, 2, width=4, height=3.8)
    for axis, (name, (_, codes)) in zip(axes, maps.items(), strict=True):
        style = {"s": 3, "c": digits[:3000], "cmap": "tab10", "vmin": -0.5, "vmax": 9.5}
        points = axis.scatter(*codes[:3000].T, **style)
        axis.set(title=f"two numbers, {name}", xticks=[], yticks=[])
    figure.colorbar(points, ticks=range(10), label="digit")
    return figure


def digits_figure(rows):
    figure, axis = plots.new_figure(width=7.4, height=5)
    images = np.clip(list(rows.values()), 0, 1).reshape(-1, 10, 28, 28)
    axis.imshow(np.block([list(row) for row in images]), cmap="gray_r", zorder=1)
    axis.set(xticks=[], yticks=14 + 28 * np.arange(len(rows)), yticklabels=rows)
    return figure


def main(run):
    (x, y), _, (x_test, y_test) = datasets.mnist(limit=run.pick(None, 100))
    x, x_test = x.reshape(-1, 784), x_test.reshape(-1, 784)
    noise = np.random.default_rng(run.seed).normal(0, NOISE, x_test.shape)
    noisy = (x_test + noise).astype("float32")
    nets, values, epochs = {}, {}, run.length(EPOCHS)
    for name, parts in NETWORKS.items():
        nets[name] = net = build_model(**parts)
        run.fit(net, x, x, batch_size=BATCH_SIZE, epochs=epochs, name=name)
        values[name] = error(x_test, net(x_test))
    for name in ("deep", "denoising"):
        values[f"{name}_noisy"] = error(x_test, nets[name](noisy))
    told = np.split(encode(nets["variational"], x_test), 2, axis=1)
    values["variational_kl"] = np.mean(kl_from_normal(*told))
    plane = PCA(50, svd_solver="covariance_eigh").fit(x)
    scores = plane.transform(x_test)
    planes = error(x_test, plane.mean_) - np.cumsum([0, *np.mean(scores**2, axis=0)])
    values |= {f"pca_{size}": planes[size] for size in (2, 10, CODE)}
    maps = {
        "pca": (plane.transform(x)[:, :2], scores[:, :2]),
        "deep": (encode(nets["deep_2"], x), encode(nets["deep_2"], x_test)),
    }
    for name, (codes, unseen) in maps.items():
        nearest = KNeighborsClassifier(5).fit(codes, y)
        values[f"{name}_map"] = 100 * nearest.score(unseen, y_test)

    ten = [np.flatnonzero(y_test == digit)[0] for digit in range(10)]
    codes = noise[:10, :CODE] / NOISE  # N(0, 1), as the KL would have them
    rows = {
        "digit": x_test[ten],
        "PCA, 30": plane.inverse_transform(scores[ten] * (np.arange(50) < CODE)),
        "deep, 30": nets["deep"](x_test[ten]),
        "noisy": noisy[ten],
        "denoised": nets["denoising"](noisy[ten]),
        "variational": nets["variational"](x_test[ten]),
        "drawn": keras.Sequential(nets["variational"].layers[-3:])(codes),
    }
    run.save_figure(curve_figure(planes, values), "curve")
    run.save_figure(maps_figure(maps, y_test), "maps")
    run.save_figure(digits_figure(rows), "digits")
    return {
        **values,
        "gained": values["pca_30"] - values["deep"],
        "map_gained": values["deep_map"] - values["pca_map"],
    }


MEASURES = {
    "pca_30": Measure("", "error: PCA, 30", "오차: PCA, 30개", deterministic=True),
    "linear": Measure("", "error: linear network, 30", "오차: 선형 망, 30개"),
    "sigmoid": Measure("", "and sigmoid pixels, 30", "시그모이드까지, 30개"),
    "deep": Measure("", "and hidden layers, 30", "은닉층까지, 30개"),
    "gained": Measure("", "PCA - deep", "PCA - 깊은 망", paired=True),
    "pca_10": Measure("", "error: PCA, 10", "오차: PCA, 10개", deterministic=True),
    "deep_10": Measure("", "error: hidden layers, 10", "오차: 은닉층, 10개"),
    "pca_2": Measure("", "error: PCA, 2", "오차: PCA, 2개", deterministic=True),
    "deep_2": Measure("", "error: hidden layers, 2", "오차: 은닉층, 2개"),
    "pca_map": Measure("%", "5 nearest, PCA 2", "최근접 5개, PCA", deterministic=True),
    "deep_map": Measure("%", "5 nearest, deep 2", "최근접 5개, 깊은 망"),
    "map_gained": Measure("pp", "deep - PCA", "깊은 망 - PCA", paired=True),
    "deep_noisy": Measure("", "noisy digits, deep", "잡음 낀 숫자, 깊은 망"),
    "denoising_noisy": Measure("", "noisy digits, denoising", "잡음 낀 숫자, 디노이징"),
    "denoising": Measure("", "clean digits, denoising", "깨끗한 숫자, 디노이징"),
    "variational": Measure("", "error: variational, 30", "오차: 변분, 30개"),
    "variational_kl": Measure("nats", "what its code tells (KL)", "변분 코드의 KL"),
}


if __name__ == "__main__":
    cli(main)
