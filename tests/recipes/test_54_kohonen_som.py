"""Kohonen's map against MiniSom, scikit-learn's k-means and brute force."""

from itertools import combinations

import numpy as np
import pytest
from minisom import MiniSom
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits


@pytest.fixture(scope="module")
def digits():
    return load_digits().data / 16


def test_the_rule_and_both_errors_are_minisoms(lesson, digits):
    """A thousand updates from equal weights on equal samples."""
    som = MiniSom(9, 9, 64, sigma=4, learning_rate=0.5, random_seed=0)
    m, grid = som.get_weights().reshape(81, 64).copy(), lesson.on_grid(9)
    for step in range(1000):
        x, slower = digits[step], 1 + 2 * step / 1000  # its decay, to a third
        som.update(x, som.winner(x), step, 1000)
        m = lesson.update(m, x, grid, radius=4 / slower, rate=0.5 / slower)
    np.testing.assert_allclose(m, som.get_weights().reshape(81, 64), atol=1e-12)
    quantization, topographic = lesson.errors(digits, m, grid)
    assert quantization == pytest.approx(som.quantization_error(digits), rel=1e-9)
    assert topographic == pytest.approx(100 * som.topographic_error(digits))
    assert 0 < topographic < 50


def test_online_training_shows_every_sample_once_an_epoch(lesson):
    """Three maps at once, each on samples of its own, are three maps trained alone."""
    rng = np.random.default_rng(1)
    x, start = rng.random((3, 8, 2)), rng.random((3, 9, 2))
    grid, radii, rates = lesson.on_grid(3), (2, 0.5), (0.5, 0.1)
    together = lesson.train_online(x, start, grid, radii, rates, 4, seed=5)
    expected, rng = start.copy(), np.random.default_rng(5)
    for epoch in range(4):
        order = rng.permuted(np.tile(np.arange(8), (3, 1)), axis=1)
        assert (np.sort(order, axis=1) == np.arange(8)).all()
        for place in range(8):
            done = (8 * epoch + place) / 32
            radius, rate = lesson.decay(radii, done), lesson.decay(rates, done)
            for one, m in enumerate(expected):
                sample = x[one, order[one, place]]
                m[:] = lesson.update(m, sample, grid, radius, rate)
    np.testing.assert_allclose(together, expected, atol=1e-14)


def test_without_neighbours_at_rate_one_only_the_winner_moves_onto_the_sample(lesson):
    m = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0], [5.0, 5.0]])
    after = lesson.update(m, np.array([1.1, 0.8]), lesson.on_grid(2), *lesson.ALONE)
    np.testing.assert_array_equal(after[[0, 2, 3]], m[[0, 2, 3]])
    after = lesson.update(m, np.array([1.1, 0.8]), lesson.on_grid(2), 1e-3, 1.0)
    np.testing.assert_allclose(after[1], [1.1, 0.8])


def test_weights_stay_among_start_and_samples(lesson):
    """Inside their convex hull: no direction reaches further."""
    rng = np.random.default_rng(2)
    x, start = rng.normal(size=(50, 3)), rng.normal(size=(16, 3))
    schedule = (3, 0.5), (0.9, 0.1)
    m = lesson.train_online(x, start, lesson.on_grid(4), *schedule, 5, seed=0)
    directions = rng.normal(size=(3, 200))
    reach = np.max(np.concatenate([x, start]) @ directions, axis=0)
    assert (np.max(m @ directions, axis=0) <= reach + 1e-12).all()


def test_a_chain_in_order_stays_in_order(lesson):
    rng = np.random.default_rng(3)
    m, chain = np.sort(rng.random(12))[:, None], np.subtract.outer(*[np.arange(12)] * 2)
    for _ in range(500):
        m = lesson.update(m, rng.random(1), chain**2, radius=1, rate=0.6)
        assert (np.diff(m[:, 0]) > 0).all()


def test_a_batch_makes_every_unit_its_weighted_mean(lesson):
    rng = np.random.default_rng(4)
    x, start, grid = rng.random((40, 5)), rng.random((9, 5)), lesson.on_grid(3)
    winner = np.linalg.norm(x[:, None] - start, axis=2).argmin(axis=1)
    pull = np.exp(-grid[winner] / (2 * 1.5**2))  # [samples, units]
    expected = [np.average(x, axis=0, weights=column) for column in pull.T]
    found = lesson.train_batch(x, start, grid, (1.5, 1), 1)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_batch_without_neighbours_is_kmeans(lesson):
    x = np.random.default_rng(6).normal(size=(400, 5))
    ours = lesson.train_batch(x, x[:25], lesson.on_grid(5), lesson.ALONE, 100)
    kmeans = KMeans(25, init=x[:25], n_init=1, max_iter=300, tol=0).fit(x)
    np.testing.assert_allclose(ours, kmeans.cluster_centers_, atol=1e-9)


def test_a_unit_that_wins_nothing_alone_stays(lesson):
    x, start = np.zeros((3, 2)), np.array([[0.1, 0], [9, 9], [8, 8], [7, 7]])
    found = lesson.train_batch(x, start, lesson.on_grid(2), lesson.ALONE, 3)
    np.testing.assert_array_equal(found, [[0, 0], [9, 9], [8, 8], [7, 7]])


def test_errors_of_what_can_be_counted(lesson):
    """Nine places at the units of a map of 3 x 3: no distance, no order if mixed."""
    places, grid = np.stack(np.divmod(np.arange(9.0), 3), axis=1), lesson.on_grid(3)
    assert lesson.errors(places, places, grid) == (0, 0)
    mixed = places[[0, 5, 6, 7, 2, 3, 4, 8, 1]]
    assert lesson.errors(places, mixed, grid)[1] > 50


def test_the_ends_of_a_ring_are_neighbours(lesson):
    np.testing.assert_array_equal(lesson.on_ring(5)[0], [0, 1, 4, 4, 1])


def shortest_tour(cities):
    """By dynamic programming over the sets of cities visited (Held and Karp)."""
    n = len(cities)
    apart = np.linalg.norm(cities[:, None] - cities, axis=2)
    best = {(frozenset([end]), end): apart[0, end] for end in range(1, n)}
    for size in range(2, n):
        for visited in map(frozenset, combinations(range(1, n), size)):
            for end in visited:
                rest = visited - {end}
                best[visited, end] = min(best[rest, k] + apart[k, end] for k in rest)
    last = frozenset(range(1, n))
    return min(best[last, end] + apart[end, 0] for end in last)


def test_the_ring_finds_the_shortest_tour(lesson):
    cities = np.array(lesson.CITIES)
    tours, rings = lesson.ring_tours(cities[None], 10, seed=0)
    assert (np.sort(tours) == np.arange(10)).all() and rings.shape == (1, 10, 30, 2)
    lengths = lesson.tour_lengths(cities, tours[0])
    best = shortest_tour(cities)
    assert best == pytest.approx(2.6907, abs=5e-5)
    assert (lengths > best - 1e-9).all() and np.sum(lengths < best + 1e-9) >= 8


def test_the_length_of_a_tour_is_that_of_its_sides(lesson):
    square = np.array([[0, 0], [0, 1], [1, 1], [1, 0]])
    tours = np.array([[0, 1, 2, 3], [0, 2, 1, 3]])
    np.testing.assert_allclose(
        lesson.tour_lengths(square, tours), [4, 2 + 2 * np.sqrt(2)]
    )


def test_neighbours_bring_order_and_cost_precision(lesson, digits):
    """The finding, both ways of training, on 8 x 8 digits."""
    grid, start = lesson.on_grid(8), digits[:64]
    errors = {}
    for arm, radii in (("map", (4, 1)), ("alone", lesson.ALONE)):
        online = lesson.train_online(
            digits[:500], start, grid, radii, lesson.RATES, 8, seed=0
        )
        batch = lesson.train_batch(digits[:500], start, grid, radii, 8)
        for kind, m in (("online", online), ("batch", batch)):
            errors[kind, arm] = lesson.errors(digits[500:], m, grid)
    for kind in ("online", "batch"):
        (precision, broken), (alone_precision, alone_broken) = (
            errors[kind, arm] for arm in ("map", "alone")
        )
        assert broken < 15 and alone_broken > 70
        assert precision > alone_precision + 0.05
