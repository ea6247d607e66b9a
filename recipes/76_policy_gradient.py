"""A policy that tries at random, and does more often what went well.

제목: 정책 기울기: 해 보고 잘된 행동을 더 자주 하기
Question: Can a network learn what to do without learning what anything is worth, and
    does it help if it does?
Finding: Pushes by chance hold a pole for {random} of 500 steps; after 40,000 steps of
    trying, a policy holds it for {plain}, and for {baseline} where each result is
    compared with what a second network expected: a difference of {gain}.
결과: 아무렇게나 밀면 500걸음 중 {random}걸음 서 있는 막대를, 4만 걸음을 시도한 정책은
    {plain}걸음 세웁니다. 결과를 둘째 신경망의 기대와 견주어 배우면 {baseline}걸음으로,
    차이는 {gain}입니다.
Lecture: 002, Kinds of Deep Learning (Reinforcement Learning)
Changes from: 74_reinforcement (probabilities of actions in place of their worth)
Run: python recipes/76_policy_gradient.py
Try: (1) GAMES = 2 and 32: fewer or more episodes for an update (2) GAMMA = 0.9
"""

import io

from common import plots
from common.running import Measure, cli

import gymnasium
import keras
import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw

POLE, LIMIT = "CartPole-v1", 500  # steps of an episode at most
GAMES, TESTS = 8, 100  # episodes side by side, to learn from and to test
STEPS, EPOCHS = 40_000, 10  # a test after every 4,000 steps
GAMMA = 0.99  # what a reward is worth a step earlier
LEARNING_RATE = 3e-3


def build_model(outputs=2):
    """Logits of the two pushes, or (1 output) what the baseline expects."""
    hidden = [keras.layers.Dense(64, activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((4,)), *hidden, keras.layers.Dense(outputs)])
    model.compile(keras.optimizers.Adam(LEARNING_RATE), keras.losses.Huber())
    model.optimizer.build(model.trainable_variables)
    return model


def play(games, act, rng):
    """Whole episodes side by side, one in each of games.

    Returns states [steps, games, 4], actions and alive [steps, games], and for each
    game the state that followed its end, and whether only the limit of steps ended it.
    """
    now, _ = games.reset(seed=int(rng.integers(2**31)))
    on, cut = np.ones(games.num_envs, bool), np.zeros(games.num_envs, bool)
    last, steps = now.copy(), []
    while on.any():
        actions = act(now, rng)
        steps.append((now, actions, on))
        now, _, fallen, limit, _ = games.step(actions)
        last[on], cut[on] = now[on], (limit & ~fallen)[on]
        on = on & ~fallen & ~limit
    states, actions, alive = (np.array(column) for column in zip(*steps, strict=True))
    return states, actions, alive, last, cut


def returns_to_go(alive, after):
    """Reward from each step on, a step later worth GAMMA of it: [steps, games].

    Each step alive is rewarded by 1; after: [games], what the end itself is worth.
    """
    total, returns = after, []
    for on in alive[::-1]:
        total = np.where(on, 1 + GAMMA * total, total)
        returns.append(total)
    return np.array(returns[::-1])


def sampled(policy):
    """An action for each state by the policy's probabilities."""

    def act(states, rng):
        push_right = tf.nn.softmax(policy(states))[:, 1].numpy()
        return (rng.random(len(states)) < push_right).astype(int)

    return act


def surest(policy):
    return lambda states, rng: policy(states).numpy().argmax(axis=1)


def policy_loss(logits, actions, advantages, counted):
    """Its gradient is minus the policy gradient. counted: 0 for what fills a batch."""
    log_p = tf.nn.log_softmax(logits)
    chosen = tf.gather(log_p, actions, batch_dims=1)
    return -tf.reduce_sum(counted * chosen * advantages) / tf.reduce_sum(counted)


def reinforce(run, name, baseline, test, jit):
    """REINFORCE over STEPS: an update after each round of episodes. Returns the policy.

    baseline: whether what a second network expected is taken off each return. Both
    learn from the same returns; an episode cut off goes on being worth what it expects.
    """
    policy, expects = build_model(), build_model(outputs=1)
    games, used = gymnasium.make_vec(POLE, GAMES), tf.Variable([0, 0])  # steps, rounds

    @tf.function(jit_compile=jit)
    def learn(states, actions, returns, counted):
        expected = expects(states)[:, 0]
        advantages = returns - expected if baseline else returns
        with tf.GradientTape(persistent=True) as tape:
            loss = policy_loss(policy(states), actions, advantages, counted)
            error = expects.loss(returns, expects(states)[:, 0], counted)
        for model, target in ((policy, loss), (expects, error)):
            weights = model.trainable_variables
            model.optimizer.apply(tape.gradient(target, weights), weights)

    act = sampled(tf.function(policy, reduce_retracing=True))

    def epoch_of_rounds(epoch):
        while used[0] < (epoch + 1) * run.pick(STEPS // EPOCHS, 50):
            rng = np.random.default_rng([run.seed, *used.numpy()])
            states, actions, alive, last, cut = play(games, act, rng)
            returns = returns_to_go(alive, cut * expects(last)[:, 0].numpy())
            told = [(states, "float32"), (actions, "int32"), (returns, "float32")]
            columns = [array[alive].astype(kind) for array, kind in told]
            columns.append(np.ones(alive.sum(), "float32"))
            missing = GAMES * LIMIT - alive.sum()  # always as many: compiled once
            learn(*(np.pad(c, [(0, missing), (0, 0)][: c.ndim]) for c in columns))
            used.assign_add([alive.sum(), 1])
        return {"steps": used[0], "test": test(surest(policy))}

    kept = [*policy.variables, *policy.optimizer.variables]
    kept += [*expects.variables, *expects.optimizer.variables, used]
    return run.train(epoch_of_rounds, kept, run.length(EPOCHS), name), policy


def film(episodes):
    """A GIF of two episodes side by side, each states [steps, 4] of the pole."""
    frames, content = [], io.BytesIO()
    for step in range(0, max(map(len, episodes)), 4):
        frames.append(Image.new("L", (480, 120), 255))
        draw = ImageDraw.Draw(frames[-1])
        for middle, states in zip((120, 360), episodes, strict=True):
            at = min(step, len(states) - 1)
            x, angle = middle + 45 * states[at, 0], states[at, 2]
            draw.rectangle((x - 15, 95, x + 15, 108), fill=0)
            draw.line((x, 95, x + 70 * np.sin(angle), 95 - 70 * np.cos(angle)), 90, 5)
            draw.text((middle - 110, 4), f"step {at}", 0)
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:], duration=80)
    return content.getvalue()


def main(run):
    fresh = gymnasium.make_vec(POLE, run.pick(TESTS, 5))

    def held(act):
        _, _, alive, _, _ = play(fresh, act, np.random.default_rng(run.seed))
        return alive.sum(axis=0).mean()

    def episode(act):
        games = gymnasium.make_vec(POLE, 1)
        return play(games, act, np.random.default_rng(run.seed))[0][:, 0]

    def by_chance(states, rng):
        return rng.integers(2, size=len(states))

    values = {
        "random": held(by_chance),
        "rule": held(lambda states, rng: (states[:, 2] + states[:, 3] > 0).astype(int)),
    }
    figure, axis = plots.new_figure(width=5.6, height=3.8)
    for name, baseline in (("plain", False), ("baseline", True)):
        history, policy = reinforce(run, name, baseline, held, jit=not run.quick)
        tests = [logs["test"] for logs in history]
        values |= {name: tests[-1], f"{name}_best": max(tests)}
        axis.plot([logs["steps"] for logs in history], tests, "o-", label=name)
    axis.axhline(values["rule"], color="black", linestyle="--", label="a rule by hand")
    axis.axhline(values["random"], color="black", linestyle=":", label="by chance")
    axis.set(xlabel="steps tried", ylabel="steps held, of 500", ylim=(0, 510))
    axis.legend(fontsize="small")
    run.save_figure(figure, "steps_held")
    run.save_bytes(film([episode(by_chance), episode(surest(policy))]), "episodes.gif")
    return {**values, "gain": values["baseline"] - values["plain"]}


MEASURES = {
    "random": Measure("", "by chance", "아무렇게나"),
    "rule": Measure("", "rule by hand: angle + rate > 0", "규칙: 각도 + 각속도 > 0"),
    "plain": Measure("", "without baseline, end", "기준선 없이, 마지막"),
    "plain_best": Measure("", "without baseline, best test", "기준선 없이, 최고"),
    "baseline": Measure("", "with baseline, end", "기준선과 견주어, 마지막"),
    "baseline_best": Measure("", "with baseline, best test", "기준선과 견주어, 최고"),
    "gain": Measure("", "end: with - without", "기준선의 몫", paired=True),
}


if __name__ == "__main__":
    cli(main)
