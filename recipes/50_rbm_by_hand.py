"""A restricted Boltzmann machine learns the tastes of five students, by hand.

제목: 손으로 계산하는 RBM: 다섯 학생과 여섯 과목
Question: Do the seven steps on the slides give the matrices printed there, and what
    has the machine found out once the steps have been repeated many times?
Lecture: 000, Restricted Boltzmann Machine, the example in seven steps
Changes from: nothing, this is the first recipe without labels; 51 adds biases and MNIST
Run: python recipes/50_rbm_by_hand.py
Try: (1) GAMMA = 0.03: does the likelihood still fall in the end? (2) h1 = sigm(v1 W)
    in `learn`, not drawn (3) five Gibbs steps: steps 3 to 5 again, h1 in place of h
"""

from common import plots
from common.running import Claim, cli

import numpy as np

STUDENTS = ("Jihun", "Yeongsu", "Taehui", "Donggeon", "Soyeong")  # 지훈 .. 소영
SUBJECTS = ("Korean", "maths", "English", "social", "science", "history")  # 국어 ..


def bits(rows):
    """A matrix of zeros and ones, from its rows."""
    return np.array([[int(bit) for bit in row] for row in rows.split()])


# Who likes what: in the table that opens the example, and in every matrix after it.
TABLE = bits("101000 011010 101101 010101 010010")
V = bits("101000 011010 101101 110101 010010")
# The slides' random draws. Any draw is possible, so they are given and not judged.
H = bits("10 11 10 00 01")  # step 2
V1 = bits("101100 101110 001110 101001 010010")  # step 4
H1 = bits("10 10 11 10 01")  # step 5
W = np.array(((0.2, -0.7, 0.8, -0.4, 0.2, -0.1), (-0.2, 0.1, -0.5, -0.2, 0.4, 0.1))).T
GAMMA = 0.3  # learning rate, on the sum over the students
ITERATIONS = 5000  # of the seven steps
MACHINES = 100  # copies that start from the same W and draw other random numbers
EVERY_V = np.arange(64)[:, None] >> np.arange(6) & 1  # the 64 sets of subjects

# What the slides print for the rest, step by step.
P_H = ((0.73, 0.33), (0.57, 0.50), (0.62, 0.31), (0.27, 0.45), (0.38, 0.62))
W_T = ((0.2, -0.7, 0.8, 0.4, 0.2, -0.1), (-0.2, 0.1, -0.5, -0.2, 0.4, 0.1))
P_V = (
    (0.55, 0.33, 0.69, 0.60, 0.55, 0.48),
    (0.50, 0.35, 0.57, 0.55, 0.65, 0.50),
    (0.55, 0.33, 0.69, 0.60, 0.55, 0.48),
    (0.50, 0.50, 0.50, 0.50, 0.50, 0.50),
    (0.45, 0.52, 0.38, 0.45, 0.60, 0.52),
)
VH = ((2, 0), (1, 2), (3, 1), (1, 0), (1, 2), (1, 0))
VH1 = ((3, 0), (0, 1), (4, 1), (3, 1), (2, 2), (1, 0))
DELTA = ((-0.3, 0.0), (0.3, 0.3), (-0.3, 0.0), (-0.6, -0.3), (-0.3, 0.3), (0.0, 0.0))
W1 = ((-0.1, -0.2), (-0.4, 0.4), (0.5, -0.5), (-1.0, -0.5), (-0.1, 0.7), (-0.1, 0.1))


def printed(name, matrix, step, text, erratum=""):
    return Claim(
        name, matrix, "", f"000, RBM example, step {step}", "exact", text, erratum
    )


ROW = "row 4 is 0 1 0 1 0 1 in the table, 1 1 0 1 0 1 in every matrix: 0.23 0.50 then"
SIGN = "W(social, 1) = -0.4 became +0.4 in the transpose"
COLUMN = f"{SIGN}: the social column is 0.40 0.35 0.40 0.50 0.45"
CLAIMS = [
    printed("p_h", P_H, 1, "p(h) of the matrix"),
    printed("p_h_of_table", P_H, 1, "p(h) of the table", ROW),
    printed("w_transposed", W_T, 3, "W transposed", SIGN),
    printed("p_v", P_V, 3, "p(v1), the reconstruction", COLUMN),
    printed("vh", VH, 6, "v'h"),
    printed("v1h1", VH1, 6, "v1'h1"),
    printed("delta_w", DELTA, 6, "change of W", "(science, 2) is 0.3 (2 - 2) = 0"),
    printed("w_1", W1, 7, "W after one step", "(science, 2) stays 0.4, not 0.7"),
    Claim("wrong_entries", None, text="wrong entries in the slides' matrices"),
    Claim("w_converged", None, text="W at the end, median machine"),
    Claim("groups", None, text="which student switches on which hidden unit"),
    Claim("two_groups", None, "%", text="machines that find these groups"),
    Claim("shares_error", None, text="sigm(W) from the groups' shares, at most"),
    Claim("log_p_best", None, "nats", text="log p(v) per student, CD-1 at its best"),
    Claim("log_p_end", None, "nats", text="log p(v) per student, CD-1 at the end"),
    Claim("log_p_exact", None, "nats", text="log p(v) per student, exact gradient"),
]


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


def differs(computed, slide):
    """Where a matrix, to two decimals, is not what the slide prints."""
    return abs(np.round(computed, 2) - np.array(slide)) > 1e-9


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


def steps_figure(computed):
    """Each matrix as computed; red, the slide's value below, where they differ."""
    figure, axes = plots.new_figure(2, 4, width=3.6, height=2.7)
    for axis, claim in zip(axes.flat, CLAIMS, strict=False):
        matrix = computed[claim.name]
        wrong = differs(matrix, claim.reported)
        notes = np.vectorize("{:.3g}{}".format)(
            np.round(matrix, 2) + 0.0,
            np.where(wrong, np.char.mod("\nslide %g", claim.reported), ""),
        )
        title = f"step {claim.source[-1]}: {claim.text}"
        show(axis, wrong, title, notes, limit=2)
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
    computed = {
        "p_h": sigm(V @ W),
        "p_h_of_table": sigm(TABLE @ W),
        "w_transposed": W.T,
        "p_v": sigm(H @ W.T),
        "vh": V.T @ H,
        "v1h1": V1.T @ H1,
        "delta_w": change(V, H, V1, H1),
        "w_1": W + change(V, H, V1, H1),
    }
    run.save_figure(steps_figure(computed), "steps")
    wrong = {c.name: differs(computed[c.name], c.reported).sum() for c in CLAIMS[:8]}

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
    order = np.argsort(w[:, 4], axis=-1)
    w = np.take_along_axis(w, order[:, None], axis=-1)
    w_converged = np.median(w, axis=0)
    groups = sigm(V @ w_converged) > 0.5  # which student switches on which unit
    found = ((sigm(V @ w) > 0.5) == groups).all((1, 2))
    shares = V.T @ groups / groups.sum(0)  # of a group's members who like a subject
    run.save_figure(learning_figure(marks, cd, exact, w_converged), "learning")
    return {
        **computed,
        "wrong_entries": sum(wrong.values()) - wrong["p_h_of_table"],
        "w_converged": w_converged,
        "groups": groups,
        "two_groups": 100 * found.mean(),
        "shares_error": abs(sigm(w_converged) - shares).max(),
        "log_p_best": np.mean(cd, axis=1).max(),
        "log_p_end": np.mean(cd[-1]),
        "log_p_exact": exact[-1],
    }


if __name__ == "__main__":
    cli(main)
