"""Returns by brute force, the policy gradient by finite differences, and resuming."""

import io

from common.executing import Request, Run

import gymnasium
import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageSequence


def test_returns_to_go_by_brute_force(lesson):
    lengths, after = [3, 7, 5], np.array([0.0, 4.0, 2.5])
    alive = np.arange(7)[:, None] < lengths
    found = lesson.returns_to_go(alive, after)
    for game, length in enumerate(lengths):
        for step in range(length):
            rest = length - step
            rewards = sum(lesson.GAMMA**k for k in range(rest))
            expected = rewards + lesson.GAMMA**rest * after[game]
            assert found[step, game] == pytest.approx(expected)


def test_the_policy_gradient_of_a_bandit_by_finite_differences(lesson):
    """Two states, two actions, known rewards: expectation over what is drawn."""
    rewards = np.array([[1.0, 0.0], [0.2, 2.0]])
    logits = np.array([[0.3, -0.2], [0.1, 0.5]])

    def worth(logits):
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return (p * rewards).sum() / 2

    numeric = np.zeros((2, 2))
    for at in np.ndindex(2, 2):
        step = np.zeros((2, 2))
        step[at] = 1e-5
        numeric[at] = (worth(logits + step) - worth(logits - step)) / 2e-5
    rng = np.random.default_rng(0)
    states = rng.integers(2, size=200_000)
    p = np.exp(logits[:, 1]) / np.exp(logits).sum(axis=1)
    actions = (rng.random(len(states)) < p[states]).astype(int)
    for baseline in (0.0, 0.9):  # changes nothing in the mean, but the scatter
        variable = tf.Variable(logits)
        with tf.GradientTape() as tape:
            loss = lesson.policy_loss(
                tf.gather(variable, states),
                actions,
                tf.constant(rewards[states, actions] - baseline),
                tf.ones(len(states), tf.float64),
            )
        gradient = -tf.convert_to_tensor(tape.gradient(loss, variable)).numpy()
        np.testing.assert_allclose(gradient, numeric, atol=5e-3)


def test_what_fills_a_batch_counts_nothing(lesson):
    logits, actions = np.random.default_rng(0).normal(size=(5, 2)), np.zeros(5, int)
    advantages = np.arange(5.0)
    counted = np.array([1.0, 1, 1, 0, 0])
    part = lesson.policy_loss(logits[:3], actions[:3], advantages[:3], np.ones(3))
    whole = lesson.policy_loss(logits, actions, advantages, counted)
    assert whole.numpy() == pytest.approx(part.numpy())


def test_episodes_are_recorded_until_a_fall_or_the_limit(lesson):
    rule = np.array([0.1, 0.3, 1, 1])
    games, rng = gymnasium.make_vec(lesson.POLE, 4), np.random.default_rng(0)
    _, _, alive, _, cut = lesson.play(
        games, lambda states, rng: (states @ rule > 0).astype(int), rng
    )
    assert alive.shape == (lesson.LIMIT, 4) and alive.all() and cut.all()
    states, _, alive, last, cut = lesson.play(
        games, lambda states, rng: rng.integers(2, size=len(states)), rng
    )
    assert not cut.any()
    for game in range(4):
        length = alive[:, game].sum()
        assert alive[:length, game].all()
        assert abs(states[:length, game, 2]).max() < 0.2095
        assert max(abs(last[game, 2]) / 0.2094, abs(last[game, 0]) / 2.4) > 1


def test_actions_are_drawn_by_the_policys_probabilities(lesson):
    act = lesson.sampled(lambda states: tf.constant([[0.0, np.log(3.0)]] * 4000))
    drawn = act(np.zeros((4000, 4)), np.random.default_rng(0))
    assert drawn.mean() == pytest.approx(0.75, abs=0.03)


def test_the_film_moves(lesson):
    rng = np.random.default_rng(0)
    content = lesson.film([rng.normal(0, 0.1, (9, 4)), rng.normal(0, 0.1, (17, 4))])
    with Image.open(io.BytesIO(content)) as image:
        frames = [np.array(f.convert("L")) for f in ImageSequence.Iterator(image)]
    assert len(frames) == 5 and frames[0].shape == (120, 480)
    assert (frames[0] != frames[1]).any()


class Interrupted(Exception):
    pass


def test_an_interrupted_run_goes_on_bit_for_bit(lesson, monkeypatch, tmp_path):
    monkeypatch.setattr(lesson, "STEPS", 900)
    monkeypatch.setattr(lesson, "EPOCHS", 3)

    def practised(folder, stop_after=None):
        keras.utils.set_random_seed(0)
        tests = []

        def test(act):
            tests.append(1.0 * act(np.ones((4, 4), "float32"), None).sum())
            if len(tests) == stop_after:
                raise Interrupted
            return tests[-1]

        run = Run(Request("76", out=folder))
        run.folder.mkdir(parents=True, exist_ok=True)
        history, policy = lesson.reinforce(run, "policy", True, test, jit=False)
        return history, policy.get_weights()

    undisturbed = practised(tmp_path / "a")
    with pytest.raises(Interrupted):
        practised(tmp_path / "b", stop_after=2)
    resumed = practised(tmp_path / "b")
    assert resumed[0] == undisturbed[0]
    for one, other in zip(undisturbed[1], resumed[1], strict=True):
        assert (one == other).all()


def test_a_policy_learns_to_hold_the_pole(lesson, monkeypatch, tmp_path):
    monkeypatch.setattr(lesson, "STEPS", 6_000)
    monkeypatch.setattr(lesson, "EPOCHS", 2)
    games = gymnasium.make_vec(lesson.POLE, 50)

    def held(act):
        _, _, alive, _, _ = lesson.play(games, act, np.random.default_rng(0))
        return alive.sum(axis=0).mean()

    chance = held(lambda states, rng: rng.integers(2, size=len(states)))
    assert 15 < chance < 35
    run = Run(Request("76", out=tmp_path))
    run.folder.mkdir(parents=True)
    for name, baseline in (("plain", False), ("baseline", True)):
        keras.utils.set_random_seed(0)
        history, _ = lesson.reinforce(run, name, baseline, held, jit=False)
        assert max(logs["test"] for logs in history) > 2.5 * chance
