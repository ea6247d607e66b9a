"""The autoencoder against principal components, and the variational one against log p.

Where code and pixels are linear and normal, the bound can be tight: the exact posterior
of probabilistic PCA as the encoder makes it log p itself.
"""

from common import datasets
from common.executing import Request, Run

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm
from sklearn.decomposition import PCA


@pytest.fixture(scope="module")
def images():
    """5,000 digits to learn from and 1,000 others, [n, 784]."""
    (x, _), _, (x_test, _) = datasets.mnist(limit=5000)
    return x.reshape(-1, 784), x_test[:1000].reshape(-1, 784)


def test_the_linear_network_can_be_the_plane_and_then_learns_no_more(lesson, images):
    """Weights from PCA, also mixed: the error of the plane, and a gradient of zero."""
    x = images[0][:1000]
    plane = PCA(7, svd_solver="covariance_eigh").fit(x.astype("float64"))
    left = plane.inverse_transform(plane.transform(x))
    net = lesson.build_model(code=7, hidden=(), end="linear")
    mixing = np.random.default_rng(0).normal(size=(7, 7))
    into, out = plane.components_.T @ mixing, np.linalg.inv(mixing) @ plane.components_
    net.set_weights([into, -plane.mean_ @ into, out, plane.mean_])
    assert lesson.error(x, net(x)) == pytest.approx(lesson.error(x, left), rel=1e-5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((net(x) - x) ** 2)
    gradients = tape.gradient(loss, net.trainable_variables)
    assert max(tf.reduce_max(abs(gradient)) for gradient in gradients) < 1e-4


def test_the_linear_network_finds_the_plane_and_not_its_axes(lesson, tmp_path):
    rng = np.random.default_rng(1)
    x = (rng.normal(size=(100, 8)) * np.arange(8, 0, -1)) @ rng.normal(size=(8, 784))
    x = (x / 30).astype("float32")
    keras.utils.set_random_seed(0)
    net = lesson.build_model(code=3, hidden=(), end="linear")
    run = Run(Request(stem="55", out=tmp_path))
    run.folder.mkdir(parents=True)
    many = np.tile(x, (50, 1))
    run.fit(net, many, many, batch_size=100, epochs=25, name="linear")
    plane = PCA(3, svd_solver="full").fit(x)
    best = lesson.error(x, plane.inverse_transform(plane.transform(x)))
    assert best <= lesson.error(x, net(x)) < 1.02 * best
    decoder = net.layers[-1].kernel.numpy()  # [3, 784], its rows span the plane
    cosines = np.linalg.svd(np.linalg.qr(decoder.T)[0].T @ plane.components_.T)[1]
    assert cosines.min() > 0.99
    rows = decoder / np.linalg.norm(decoder, axis=1, keepdims=True)
    assert abs(np.diag(rows @ plane.components_.T)).min() < 0.9


def test_the_error_is_a_sum_over_pixels(lesson):
    x = np.zeros((3, 784))
    rebuilt = x.copy()
    rebuilt[0, :2] = 3
    assert lesson.error(x, rebuilt) == pytest.approx(18 / 3)


def test_kl_is_the_integral(lesson):
    mean, log_variance = np.array([[0.7, -1.2]]), np.array([[-0.5, 0.4]])
    expected = 0
    for m, v in zip(mean[0], np.exp(log_variance[0]), strict=True):
        q, p = norm(m, np.sqrt(v)), norm()
        expected += quad(
            lambda z, q=q, p=p: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -12, 12
        )[0]
    found = float(lesson.kl_from_normal(mean, log_variance)[0])
    assert found == pytest.approx(expected)


def test_with_the_exact_posterior_the_variational_loss_is_log_p(lesson):
    """x = z W + b + noise, so x is N(b, W'W + variance I) (Tipping and Bishop)."""
    rng, variance = np.random.default_rng(2), lesson.PIXEL_DEVIATION**2
    w = np.linalg.qr(rng.normal(size=(784, 2)))[0].T * [[0.3], [0.2]]
    b = rng.random(784)
    precision = np.sum(w**2, axis=1) / variance + 1  # of the posterior, by axis
    into = w.T / variance / precision
    net = lesson.build_model(code=2, hidden=(), end="linear", variational=True)
    told = np.concatenate([-b @ into, -np.log(precision)])
    net.set_weights([np.hstack([into, np.zeros((784, 2))]), told, w, b])
    x = (rng.normal(size=(6, 2)) @ w + b).astype("float32")
    log_p = multivariate_normal(b, w.T @ w + variance * np.eye(784)).logpdf(x)

    many = np.repeat(x, 1000, axis=0)
    rebuilt = net(many, training=True)
    loss = tf.reduce_mean((rebuilt - many) ** 2) + sum(net.losses)
    bound = -784 / 2 * (loss / variance + np.log(2 * np.pi * variance))
    # Its draws leave a deviation of 0.02 nats.
    assert float(bound) == pytest.approx(log_p.mean(), abs=0.1)

    worse = [w.copy() for w in net.get_weights()]
    worse[1][:2] += 1  # another mean: the bound falls below log p
    net.set_weights(worse)
    rebuilt = net(many, training=True)
    loss = tf.reduce_mean((rebuilt - many) ** 2) + sum(net.losses)
    assert -784 / 2 * (loss / variance + np.log(2 * np.pi * variance)) < log_p.mean()


def test_a_code_is_drawn_in_training_and_is_the_mean_in_use(lesson):
    layer = lesson.DrawnCode()
    told = np.tile([[1.0, -2.0, np.log(0.25), np.log(4.0)]], (20_000, 1))
    np.testing.assert_array_equal(layer(told), told[:, :2])
    first, second = (layer(told, training=True).numpy() for _ in range(2))
    assert (first != second).all()
    np.testing.assert_allclose(first.mean(axis=0), [1, -2], atol=0.06)
    np.testing.assert_allclose(first.std(axis=0), [0.5, 2], rtol=0.03)


def test_encode_gives_the_code_that_the_rest_rebuilds_from(lesson, images):
    x = images[1][:5]
    net = lesson.build_model(code=4)
    codes = lesson.encode(net, x)
    assert codes.shape == (5, 4)
    rest = keras.Sequential(net.layers[-len(lesson.HIDDEN) - 1 :])
    np.testing.assert_allclose(rest(codes), net(x), atol=1e-6)


def test_hidden_layers_beat_the_plane_and_noise_teaches_to_clean(
    lesson, images, tmp_path
):
    """The finding, small: 700 updates of networks with a code of 10."""
    x, x_test = images[0][:2500], images[1]
    run = Run(Request(stem="55", out=tmp_path))
    run.folder.mkdir(parents=True)
    nets = {}
    for name in ("deep", "denoising"):
        keras.utils.set_random_seed(0)
        nets[name] = lesson.build_model(**{**lesson.NETWORKS[name], "code": 10})
        run.fit(nets[name], x, x, batch_size=25, epochs=7, name=name)
    plane = PCA(10, svd_solver="covariance_eigh").fit(x)
    flat = lesson.error(x_test, plane.inverse_transform(plane.transform(x_test)))
    deep = lesson.error(x_test, nets["deep"](x_test))
    rng = np.random.default_rng(3)
    noisy = (x_test + rng.normal(0, lesson.NOISE, x_test.shape)).astype("float32")
    errors = {name: lesson.error(x_test, net(noisy)) for name, net in nets.items()}
    assert deep < flat - 4  # 20.0 and 27.4
    assert errors["denoising"] < errors["deep"] - 1  # 22.8 and 25.5
