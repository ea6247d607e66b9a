"""Learning from reward alone: a way over a frozen lake, a pole kept upright.

제목: 강화 학습: 얼음 호수 건너기와 막대 세우기
Question: Can a program learn what to do if it is only told how well it goes?
Finding: Yes. The best policy crosses the frozen lake in {lake_best} of the tries, a
    learned table in {lake}. Random pushes hold a pole {random} of 500 steps, in the
    end a table {table}, a network {deep} (best {deep_best}), a rule by hand {rule}.
결과: 배웁니다. 얼음 호수를 최선의 정책은 시도의 {lake_best}, 학습한 표는 {lake}
    건넙니다. 막대는 500걸음 중 아무렇게나 밀면 {random}, 학습한 표로는 {table},
    신경망으로는 {deep}(최고 {deep_best}), 배우지 않은 규칙으로는 {rule}걸음 섭니다.
Lecture: 002, Kinds of Deep Learning (Reinforcement Learning)
Changes from: 21_relu_mnist (nobody gives answers: they follow from what is tried)
Run: python recipes/74_reinforcement.py
Try: (1) MEMORY = 500 (2) COPY = 1: no older network (3) GAMMA = 0.9: who looks ahead?
"""

from common import plots
from common.running import Measure, cli

import gymnasium
import keras
import numpy as np
import tensorflow as tf

LAKE, LIMIT, POLE = "FrozenLake-v1", 100, "CartPole-v1"  # LIMIT: steps on the lake
GAMES, TESTS = 8, 100  # episodes side by side, to learn from and to test
STEPS, EPOCHS = 40_000, 10  # a test after every 4,000 steps
LEAST_RANDOM, RANDOM_STEPS = 0.05, 5_000  # share of random actions, from 1 down to it
TABLE_RATE, LEARNING_RATE, GAMMA = 0.1, 1e-3, 0.99  # GAMMA: a reward, a step earlier
ANGLES, RATES = np.linspace(-0.2, 0.2, 5), np.linspace(-2, 2, 11)  # edges of 72 cells
MEMORY, BATCH_SIZE, COPY = 10_000, 64, 500  # transitions; steps from copy to copy


class Kept(np.ndarray):
    def assign(self, value):  # with it, a checkpoint can hold the array
        self[...] = value


def build_model():
    """What the two pushes are worth in a state: position, speed, angle and its rate."""
    hidden = [keras.layers.Dense(64, activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((4,)), *hidden, keras.layers.Dense(2)])
    model.compile(keras.optimizers.Adam(LEARNING_RATE), keras.losses.Huber())
    model.optimizer.build(model.trainable_variables)
    return model


def play(games, values, rng, share=0.0, watch=None, before=0):
    """Whole episodes side by side, one in each of games: (returns [games], steps).

    The action is the best by values(states), or, in this share of steps, a random one.
    watch is told, last, what ended: by a fall or at the goal. Where only the limit of
    steps cuts an episode off, what would have followed is worth something.
    """
    states, _ = games.reset(seed=int(rng.integers(2**31)))
    alive = np.ones(games.num_envs, bool)
    returns, step = np.zeros(len(alive)), before
    while alive.any():
        known, some = values(states), rng.random(len(states)) < share
        drawn = rng.integers(known.shape[1], size=len(states))
        actions = np.where(some, drawn, known.argmax(axis=1))
        following, rewards, ended, cut, _ = games.step(actions)
        if watch:
            told = states, actions, rewards, following, ended
            watch(rng, step, *(array[alive] for array in told))
        returns, step = returns + alive * rewards, step + alive.sum()
        alive, states = alive & ~ended & ~cut, following
    return returns, step


def practise(run, name, game, learner, random_steps, test):
    """Rounds of whole episodes until STEPS are used; a test after each tenth of them.

    learner: values and watch for `play`, and what learning changes.
    """
    values, watch, kept = learner
    games, used = gymnasium.make_vec(game, GAMES), np.zeros(2, int).view(Kept)

    def epoch_of_rounds(epoch):
        while used[0] < (epoch + 1) * run.pick(STEPS // EPOCHS, 50):
            rng = np.random.default_rng([run.seed, *used])
            share = max(LEAST_RANDOM, 1 - used[0] / random_steps)
            _, step = play(games, values, rng, share, watch, before=used[0])
            used[:] = step, used[1] + 1
        return {"steps": used[0], "test": test(values)}

    return run.train(epoch_of_rounds, [*kept, used], run.length(EPOCHS), name)


def tabular(cell, shape):
    """A learner by Q-learning: what each action is worth in each cell of states."""
    table = np.zeros(shape).view(Kept)

    def watch(rng, step, states, actions, rewards, following, ended):
        goals = rewards + GAMMA * ~ended * table[cell(following)].max(axis=1)
        for place, action, goal in zip(cell(states), actions, goals, strict=True):
            table[place, action] += TABLE_RATE * (goal - table[place, action])

    return lambda states: table[cell(states)], watch, [table]


def deep(double, jit=True):
    """A learner by DQN: a network in the table's place, and a memory of transitions.

    An older copy says what follows is worth, for the action that it finds best there
    or, if `double`, that the network does."""
    model, older = build_model(), build_model()
    memory = np.zeros((MEMORY, 11), "float32").view(Kept)
    worth = tf.function(model, reduce_retracing=True)
    weights, cuts = model.trainable_variables, [4, 4, 1, 1, 1]

    @tf.function(jit_compile=jit)
    def learn(batches, updates):
        for i in tf.range(updates):
            states, following, actions, rewards, goes_on = tf.split(batches[i], cuts, 1)
            old = older(following)
            best = tf.one_hot(tf.argmax(model(following) if double else old, axis=1), 2)
            goals = rewards + GAMMA * goes_on * tf.reduce_sum(old * best, 1, True)
            with tf.GradientTape() as tape:
                taken = tf.one_hot(tf.cast(actions[:, 0], tf.int32), 2)
                loss = model.loss(goals, tf.reduce_sum(model(states) * taken, 1, True))
            model.optimizer.apply(tape.gradient(loss, weights), weights)

    def watch(rng, step, states, actions, rewards, following, ended):
        new = np.column_stack([states, following, actions, rewards, ~ended])
        memory[(step + np.arange(len(new))) % MEMORY] = new
        if step % COPY < len(new):
            older.set_weights(model.get_weights())
        rows = rng.integers(min(step + len(new), MEMORY), size=(GAMES, BATCH_SIZE))
        learn(tf.constant(memory[rows]), tf.constant(len(new)))

    kept = [*model.variables, *older.variables, *model.optimizer.variables, memory]
    return lambda states: worth(states).numpy(), watch, kept


def lake_success(values=None):
    """Percent of tries that reach the goal, by values(states) or the best there is."""
    moves, worth = gymnasium.make(LAKE).unwrapped.P, np.zeros((16, 4))
    policy = values(np.arange(16)).argmax(axis=1) if values else None
    for _ in range(LIMIT):  # from the last step back: what an action is worth then
        value = worth.max(axis=1) if policy is None else worth[range(16), policy]
        for at in np.ndindex(16, 4):
            results = moves[at[0]][at[1]]
            worth[at] = sum(
                p * (r + (not end) * value[to]) for p, to, r, end in results
            )
    return 100 * (worth[0].max() if policy is None else worth[0, policy[0]])


def main(run):
    fresh, one = (gymnasium.make_vec(POLE, n) for n in (run.pick(TESTS, 5), 1))

    def held(values, games=fresh, **more):
        return play(games, values, np.random.default_rng(run.seed), **more)[0].mean()

    found = {
        "random": held(lambda s: np.zeros((len(s), 2)), share=1),
        "rule": held(lambda s: np.outer(s[:, 2] + s[:, 3], (-1, 1))),
        "lake_best": lake_success(),
    }
    table = tabular(np.asarray, (16, 4))
    found["lake"] = practise(run, "lake", LAKE, table, STEPS, lake_success)[-1]["test"]
    learners = {n: deep(n == "double", not run.quick) for n in ("deep", "double")}
    learners["table"] = tabular(
        lambda s: 12 * np.digitize(s[:, 2], ANGLES) + np.digitize(s[:, 3], RATES),
        (72, 2),
    )
    values, episodes = learners["deep"][0], ([], [])
    held(values, one, watch=lambda rng, step, s, *_: episodes[0].append(s[0]))
    figure, (axis, angles) = plots.new_figure(1, 2)
    for name, learner in learners.items():
        history = practise(run, name, POLE, learner, RANDOM_STEPS, held)
        tests = [logs["test"] for logs in history]
        found |= {name: tests[-1], f"{name}_best": max(tests)}
        axis.plot([logs["steps"] for logs in history], tests, "o-", label=name)
    held(values, one, watch=lambda rng, step, s, *_: episodes[1].append(s[0]))
    axis.axhline(found["rule"], color="black", linestyle="--", label="rule")
    axis.set(xlabel="steps", title="steps that the pole is held, of 500")
    for label, states in zip(("first", "last"), episodes, strict=True):
        angles.plot(57.3 * np.array(states)[:, 2], label=f"{label} episode")
    angles.set(xlabel="step", title="the pole's angle (degrees), DQN")
    figure.legend(fontsize="small", loc="outside lower center", ncols=6)
    run.save_figure(figure, "steps_held")
    return {**found, "double_gain": found["double"] - found["deep"]}


LEARNERS = {"table": "표", "deep": "DQN", "double": "이중 DQN"}
MEASURES = {
    "lake": Measure("%", "lake: learned table", "호수: 학습한 표"),
    "lake_best": Measure("%", "lake: best", "호수: 최선", deterministic=True),
    "random": Measure("", "pole: random pushes", "막대: 아무렇게나"),
    "rule": Measure("", "pole: angle + rate > 0", "막대: 각도 + 각속도"),
    **{n: Measure("", f"{n}, end", f"막대, {k}") for n, k in LEARNERS.items()},
    **{f"{n}_best": Measure("", f"{n}, best", "막대, 최고") for n in LEARNERS},
    "double_gain": Measure("", "double - deep", "이중 - DQN", paired=True),
}


if __name__ == "__main__":
    cli(main)
