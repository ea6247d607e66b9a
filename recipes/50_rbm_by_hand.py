"""A restricted Boltzmann machine learns the tastes of five students, by hand.

제목: 손으로 계산하는 RBM: 다섯 학생과 여섯 과목
Question: Do the seven steps on the slides give the matrices printed there, and what
    has the machine found out once the steps have been repeated many times?
Finding: They do but for {wrong_entries} entries, from a sign lost in the transpose and
    one wrong subtraction. In the end {two_groups} of the machines know the same two
    groups, who likes science and who does not. But log p(v) per student rose to
    {log_p_best} and fell to {log_p_end}: CD-1 is not the gradient of the likelihood,
    which leads to {log_p_exact}.
결과: 전치하며 잃은 부호와 잘못된 뺄셈에서 비롯한 값 {wrong_entries}개만 슬라이드와
    다릅니다. 되풀이하면 RBM의 {two_groups}가 과학을 좋아하는 학생과 아닌 학생을
    가려냅니다. 그러나 CD-1은 우도의 기울기가 아니어서, 학생당 log p(v)는 {log_p_best}로
    올랐다가 {log_p_end}로 떨어집니다. 우도의 기울기를 따르면 {log_p_exact}입니다.
Lecture: 000, Restricted Boltzmann Machine, the example in seven steps
Changes from: nothing, this is the first recipe without labels; 51 adds biases and MNIST
Run: python recipes/50_rbm_by_hand.py
Try: (1) GAMMA = 0.03: does the likelihood still fall in the end? (2) h1 = sigm(v1 W)
    in `learn`, not drawn (3) five Gibbs steps: steps 3 to 5 again, h1 in place of h
"""

from common import plots
from common.running import Measure, cli

import numpy as np

STUDENTS = ("Jihun", "Yeongsu", "Taehui", "Donggeon", "Soyeong")  # 지훈 .. 소영
SUBJECTS = ("Korean", "maths", "English", "social", "science", "history")  # 국어 ..


def matrix(text):
    """A matrix, from its rows as the slides print them."""
    return np.array([row.split() for row in text.split(";")], float)


# Who likes what: in the table that opens the example, and in every matrix after it.
TABLE = matrix("1 0 1 0 0 0; 0 1 1 0 1 0; 1 0 1 1 0 1; 0 1 0 1 0 1; 0 1 0 0 1 0")
V = matrix("1 0 1 0 0 0; 0 1 1 0 1 0; 1 0 1 1 0 1; 1 1 0 1 0 1; 0 1 0 0 1 0")
W = matrix("0.2 -0.2; -0.7 0.1; 0.8 -0.5; -0.4 -0.2; 0.2 0.4; -0.1 0.1")
# The slides' random draws of steps 2, 4 and 5: any is possible, so none is judged.
H = matrix("1 0; 1 1; 1 0; 0 0; 0 1")
V1 = matrix("1 0 1 1 0 0; 1 0 1 1 1 0; 0 0 1 1 1 0; 1 0 1 0 0 1; 0 1 0 0 1 0")
H1 = matrix("1 0; 1 0; 1 1; 1 0; 0 1")
GAMMA = 0.3  # learning rate, on the sum over the students
ITERATIONS = 5000  # of the seven steps
MACHINES = 100  # copies that start from the same W and draw other random numbers
EVERY_V = np.arange(64)[:, None] >> np.arange(6) & 1  # the 64 sets of subjects

PRINTED = {  # what the slides have for the rest, by measure
    "p_h": matrix("0.73 0.33; 0.57 0.50; 0.62 0.31; 0.27 0.45; 0.38 0.62"),
    "p_h_of_table": matrix("0.73 0.33; 0.57 0.50; 0.62 0.31; 0.27 0.45; 0.38 0.62"),
    "w_transposed": matrix("0.2 -0.7 0.8 0.4 0.2 -0.1; -0.2 0.1 -0.5 -0.2 0.4 0.1"),
    "p_v": matrix(
        "0.55 0.33 0.69 0.60 0.55 0.48; 0.50 0.35 0.57 0.55 0.65 0.50;"
        "0.55 0.33 0.69 0.60 0.55 0.48; 0.50 0.50 0.50 0.50 0.50 0.50;"
        "0.45 0.52 0.38 0.45 0.60 0.52"
    ),
    "vh": matrix("2 0; 1 2; 3 1; 1 0; 1 2; 1 0"),
    "v1h1": matrix("3 0; 0 1; 4 1; 3 1; 2 2; 1 0"),
    "delta_w": matrix("-0.3 0; 0.3 0.3; -0.3 0; -0.6 -0.3; -0.3 0.3; 0 0"),
    "w_1": matrix("-0.1 -0.2; -0.4 0.4; 0.5 -0.5; -1.0 -0.5; -0.1 0.7; -0.1 0.1"),
}


def sigm(x):
    return 1 / (1 + np.exp(-x))


def change(v, h, v1, h1):
    """Step 6. v [.., n, 6], h [.., n, 2], v1 and h1 the reconstruction: [.., 6, 2]."""
    return GAMMA * (v.mT @ h - v1.mT @ h1)


def learn(w, iterations, rng):
    """The seven steps (CD-1) for all machines at once; yields W [machines, 6, 2]."""

    def draw(p):
        return (p > rng.random(p.shape)).astype(float)

    for _ in range(iterations):
        h = draw(sigm(V @ w))  # steps 1 and 2
        v1 = draw(sigm(h @ w.mT))  # steps 3 and 4
        h1 = draw(sigm(v1 @ w))  # step 5
        w = w + change(V, h, v1, h1)  # steps 6 and 7
        yield w


def log_p(v, w):
    """log p(v) [.., n]: minus the free energy, minus log Z, the sum over every v."""
    log_z = np.logaddexp.reduce(np.logaddexp(0, EVERY_V @ w).sum(-1), axis=-1)
    return np.logaddexp(0, v @ w).sum(-1) - log_z[..., None]


def exact_change(w):
    """What CD-1 stands in for: GAMMA times the gradient of the students' log p."""
    p = np.exp(log_p(EVERY_V, w))[:, None]
    return change(V, sigm(V @ w), len(V) * p * EVERY_V, sigm(EVERY_V @ w))


def show(axis, matrix, title, notes, limit):
    """Draw a matrix with a text in every cell, colours from -limit to limit."""
    names = {5: STUDENTS, 6: SUBJECTS, 2: ("unit 1", "unit 2")}
    axis.imshow(matrix, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    for (row, column), note in np.ndenumerate(notes):
        axis.text(column, row, note, ha="center", va="center", fontsize=7)
    axis.set_yticks(range(len(matrix)), names[len(matrix)], fontsize=7)
    axis.set_xticks(range(len(matrix[0])), names[len(matrix[0])], fontsize=7)
    axis.set_title(title, fontsize=9)
    axis.grid(False)


def steps_figure(computed, wrong):
    """Each matrix as computed; red, the slide's value below, where they differ."""
    figure, axes = plots.new_figure(2, 4, width=3.6, height=2.7)
    for axis, (name, slide) in zip(axes.flat, PRINTED.items(), strict=True):
        notes = np.vectorize("{:.3g}{}".format)(
            np.round(computed[name], 2) + 0.0,
            np.where(wrong[name], np.char.mod("\nslide %g", slide), ""),
        )
        show(axis, wrong[name], MEASURES[name].english, notes, limit=2)
    return figure


def learning_figure(steps, cd, exact, w):
    """The likelihood by iteration; W and p(h|v) at the end."""
    figure, (curves, weights, hidden) = plots.new_figure(1, 3, width=3.8)
    curves.plot(steps, exact, "k--", label="exact gradient")
    curves.plot(steps, np.mean(cd, axis=1), label=f"CD-1, {MACHINES} machines")
    curves.fill_between(steps, *np.percentile(cd, [5, 95], axis=1), alpha=0.3)
    curves.set(xscale="log", xlabel="iteration", ylabel="log p(v) per student, nats")
    curves.legend(fontsize="small")
    p_h = sigm(V @ w)
    show(weights, w, "W at the end", np.char.mod("%.1f", w), limit=25)
    show(hidden, p_h, "p(h|v) at the end", np.char.mod("%.2f", p_h), limit=2)
    return figure


def main(run):
    delta = change(V, H, V1, H1)
    matrices = sigm(V @ W), sigm(TABLE @ W), W.T, sigm(H @ W.T), V.T @ H, V1.T @ H1
    computed = dict(zip(PRINTED, (*matrices, delta, W + delta), strict=True))
    wrong = {  # to the two decimals that are printed
        name: abs(np.round(computed[name], 2) - slide) > 1e-9
        for name, slide in PRINTED.items()
    }
    run.save_figure(steps_figure(computed, wrong), "steps")

    iterations = run.length(ITERATIONS, quick=300)
    marks = np.unique(np.geomspace(1, iterations, 80).astype(int))
    cd, exact, exact_w = [], [], W  # log p(v) at the marks: [80, MACHINES] and [80]
    machines = np.repeat(W[None], MACHINES, axis=0)
    steps = learn(machines, iterations, np.random.default_rng(run.seed))
    for iteration, w in enumerate(steps, start=1):
        exact_w = exact_w + exact_change(exact_w)
        if iteration in marks:
            cd.append(log_p(V, w).mean(-1))
            exact.append(log_p(V, exact_w).mean())

    # Which unit serves which group is chance: let unit 2 be the one for science.
    w = np.take_along_axis(w, np.argsort(w[:, 4])[:, None], axis=-1)
    w_converged = np.median(w, axis=0)
    groups = sigm(V @ w_converged) > 0.5  # which student switches on which unit
    shares = V.T @ groups / groups.sum(0)  # of a group's members who like a subject
    run.save_figure(learning_figure(marks, cd, exact, w_converged), "learning")
    return {
        **computed,
        "wrong_entries": sum(w.sum() for n, w in wrong.items() if n != "p_h_of_table"),
        "two_groups": [((sigm(V @ w) > 0.5) == groups).all((1, 2)).sum(), MACHINES],
        "shares_error": abs(sigm(w_converged) - shares).max(),
        "log_p_best": np.mean(cd, axis=1).max(),
        "log_p_end": np.mean(cd[-1]),
        "log_p_exact": exact[-1],
    }


MEASURES = {
    **{  # from given numbers alone
        name: Measure(unit, english, korean, deterministic=True)
        for name, unit, english, korean in (
            ("p_h", "", "step 1: p(h) of the matrix", "1단계: 행렬의 p(h)"),
            ("p_h_of_table", "", "step 1: p(h) of the table", "1단계: 표의 p(h)"),
            ("w_transposed", "", "step 3: W transposed", "3단계: W의 전치"),
            ("p_v", "", "step 3: p(v1), the reconstruction", "3단계: 재구성 p(v1)"),
            ("vh", "", "step 6: v'h", "6단계: v'h"),
            ("v1h1", "", "step 6: v1'h1", "6단계: v1'h1"),
            ("delta_w", "", "step 6: change of W", "6단계: W의 변화"),
            ("w_1", "", "step 7: W after one step", "7단계: 한 번 고친 W"),
            ("wrong_entries", "", "wrong entries", "슬라이드에서 틀린 값"),
            ("log_p_exact", "nats", "log p(v), exact gradient", "log p(v), 참 기울기"),
        )
    },
    "log_p_best": Measure("nats", "log p(v), CD-1 at its best", "log p(v), CD-1 최고"),
    "log_p_end": Measure("nats", "log p(v), CD-1 at the end", "log p(v), CD-1의 끝"),
    "two_groups": Measure("rate", "find the same two groups", "같은 두 무리를 찾음"),
    "shares_error": Measure("", "sigm(W) - a group's share", "sigm(W)와 비율의 차이"),
}


if __name__ == "__main__":
    cli(main)
