"""The lake by matrices, what a cut episode is worth, resuming, and what is learned."""

from common.executing import Request, Run

import gymnasium
import keras
import numpy as np
import pytest
import tensorflow as tf


def of_policy(policy, steps):
    """Percent of tries at the goal after so many steps, by powers of a matrix."""
    moves, chain = gymnasium.make("FrozenLake-v1").unwrapped.P, np.zeros((16, 16))
    for state in range(16):
        for p, following, _, _ in moves[state][policy[state]]:
            chain[state, following] += p
    return 100 * np.linalg.matrix_power(chain, steps)[0, 15]


def values_of(policy):
    return lambda states: np.eye(4)[np.asarray(policy)[states]]


def test_the_best_policy_on_the_lake(lesson, monkeypatch):
    assert lesson.lake_success() == pytest.approx(74.42, abs=0.005)
    monkeypatch.setattr(lesson, "LIMIT", 3000)  # without a limit 14 of 17
    assert lesson.lake_success() == pytest.approx(100 * 14 / 17, abs=1e-6)


def test_a_policy_on_the_lake_against_matrix_powers(lesson):
    rng = np.random.default_rng(0)
    for policy in rng.integers(4, size=(5, 16)):
        found = lesson.lake_success(values_of(policy))
        assert found == pytest.approx(of_policy(policy, lesson.LIMIT))
        assert found <= lesson.lake_success()


class Scripted:
    """Three games: one falls at step 2, one is cut at step 3, one does both then."""

    num_envs = 3

    def reset(self, seed):
        self.step_number = 0
        return np.zeros((3, 4)), {}

    def step(self, actions):
        self.step_number += 1
        now = self.step_number
        ended = np.array([now == 2, False, now == 3])
        cut = np.array([False, now == 3, now == 3])
        return np.full((3, 4), float(now)), np.ones(3), ended, cut, {}


def test_only_a_fall_ends_what_follows(lesson):
    told = []

    def watch(rng, step, states, actions, rewards, following, ended):
        told.append((step, len(states), list(ended)))

    returns, steps = lesson.play(
        Scripted(),
        lambda states: np.zeros((len(states), 2)),
        np.random.default_rng(0),
        watch=watch,
        before=10,
    )
    assert list(returns) == [2, 3, 3] and steps == 10 + 8
    assert told == [
        (10, 3, [False] * 3),
        (13, 3, [True, False, False]),
        (16, 2, [False, True]),
    ]


def test_who_holds_the_pole_to_the_limit_has_not_ended(lesson):
    """The hand-written rule of four numbers; 500 steps cut every episode off."""
    ends = []
    games = gymnasium.make_vec(lesson.POLE, 10)
    rule = np.array([0.1, 0.3, 1, 1])
    returns, _ = lesson.play(
        games,
        lambda states: np.outer(states @ rule, (-1, 1)),
        np.random.default_rng(0),
        watch=lambda rng, step, s, a, r, f, ended: ends.append(ended.any()),
    )
    assert (returns == 500).all() and not any(ends)
    assert gymnasium.spec(lesson.POLE).reward_threshold == 475


def test_a_share_of_actions_is_random(lesson):
    taken = []
    lesson.play(
        gymnasium.make_vec(lesson.POLE, 200),
        lambda states: np.outer(np.ones(len(states)), (0, 1)),
        np.random.default_rng(0),
        share=0.5,
        watch=lambda rng, step, s, actions, *_: taken.extend(actions),
    )
    assert np.mean(taken) == pytest.approx(0.75, abs=0.05)


def one_step(ended):
    """Told of a step from cell 1 to cell 2 with action 0 and reward 1."""
    return np.array([1]), np.array([0]), np.ones(1), np.array([2]), np.array([ended])


@pytest.mark.parametrize("ended", [False, True])
def test_a_table_learns_towards_reward_and_what_follows(lesson, ended):
    values, watch, (table,) = lesson.tabular(np.asarray, (3, 2))
    table[:] = [[0, 0], [5, 0], [2, 3]]
    watch(None, 0, *one_step(ended))
    goal = 1 if ended else 1 + lesson.GAMMA * 3
    assert values(np.array([1]))[0, 0] == pytest.approx(5 + 0.1 * (goal - 5))
    assert table.sum() == pytest.approx(10 + 0.1 * (goal - 5))


@pytest.mark.parametrize(
    ("double", "ended", "goal"),
    [(False, True, 1), (False, False, 1 + 0.99 * 5), (True, False, 1 + 0.99 * 2)],
)
def test_a_network_learns_towards_what_the_older_copy_says(
    lesson, monkeypatch, double, ended, goal
):
    """All weights 0, so that values are the last biases: older 5 and 2, own 0, 100."""
    monkeypatch.setattr(lesson, "LEARNING_RATE", 0.05)
    values, watch, kept = lesson.deep(double, jit=False)
    for variable in kept[:12]:
        variable.assign(tf.zeros_like(variable))
    kept[5].assign([0.0, 100.0])
    kept[11].assign([5.0, 2.0])
    rng, states = np.random.default_rng(0), np.ones((8, 4))
    told = states, np.zeros(8), np.ones(8), 2 * states, np.full(8, ended)
    for _ in range(60):
        watch(rng, 100, *told)
        kept[-1][:100] = kept[-1][100]  # nothing but this step in the memory
    assert values(states[:1].astype("float32"))[0, 0] == pytest.approx(goal, abs=0.1)
    np.testing.assert_allclose(kept[11], [5, 2])
    own = kept[5].numpy()
    watch(rng, lesson.COPY, *told)  # and now the older copy is made anew
    np.testing.assert_array_equal(kept[11], own)


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("kind", ["table", "deep"])
def test_an_interrupted_run_goes_on_bit_for_bit(lesson, monkeypatch, tmp_path, kind):
    monkeypatch.setattr(lesson, "STEPS", 900)
    monkeypatch.setattr(lesson, "EPOCHS", 3)
    monkeypatch.setattr(lesson, "MEMORY", 300)

    def practised(folder, stop_after=None):
        keras.utils.set_random_seed(0)
        learner = lesson.deep(False, jit=False)
        if kind == "table":
            learner = lesson.tabular(lambda s: (s[:, 2] > 0).astype(int), (2, 2))
        tests = []

        def test(values):
            tests.append(values(np.ones((2, 4), "float32")).sum())
            if len(tests) == stop_after:
                raise Interrupted
            return tests[-1]

        run = Run(Request("74", out=folder))
        run.folder.mkdir(parents=True, exist_ok=True)
        history = lesson.practise(run, kind, lesson.POLE, learner, 300, test)
        return history, [np.array(variable) for variable in learner[2]]

    undisturbed = practised(tmp_path / "a")
    with pytest.raises(Interrupted):
        practised(tmp_path / "b", stop_after=2)
    resumed = practised(tmp_path / "b")
    assert resumed[0] == undisturbed[0]
    for one, other in zip(undisturbed[1], resumed[1], strict=True):
        assert (one == other).all()


def test_what_is_learned_from_reward_alone(lesson, monkeypatch, tmp_path):
    """On the lake, and with the pole by a network: far better than at random."""
    run = Run(Request("74", out=tmp_path))
    run.folder.mkdir(parents=True)
    monkeypatch.setattr(lesson, "EPOCHS", 3)
    monkeypatch.setattr(lesson, "STEPS", 24_000)
    table = lesson.tabular(np.asarray, (16, 4))
    lake = lesson.practise(run, "lake", lesson.LAKE, table, 24_000, lesson.lake_success)
    assert lake[-1]["test"] > 40
    monkeypatch.setattr(lesson, "STEPS", 6_000)
    games = gymnasium.make_vec(lesson.POLE, 50)

    def held(values, **more):
        return lesson.play(games, values, np.random.default_rng(0), **more)[0].mean()

    keras.utils.set_random_seed(0)
    pole = lesson.practise(run, "pole", lesson.POLE, lesson.deep(False), 3_000, held)
    random = held(lambda states: np.zeros((len(states), 2)), share=1)
    assert 15 < random < 35 and max(logs["test"] for logs in pole) > 2.5 * random
