"""Spoken digits: right for the voices that were learned, less so for a new one.

제목: 음성 숫자 인식: 아는 목소리와 처음 듣는 목소리
Question: How well is a digit recognised in a voice that was learned, and in a new one?
Finding: A network has {same_cnn} right of voices that it learned, {new_cnn} of one that
    it never heard. For a new voice it gains {normalized_gain} from level and colour
    taken out of each recording, {voices_gain} from five voices in place of one.
결과: 학습한 목소리의 숫자는 {same_cnn}를 맞히지만 처음 듣는 목소리는 {new_cnn}입니다.
    새 목소리의 정답률은 녹음마다 크기와 음색을 지우면 {normalized_gain}, 같은 수의
    녹음을 한 사람 대신 다섯 사람에게서 모으면 {voices_gain} 달라집니다.
Lecture: 001, Speech Recognition; 002, Transforming in Speech Recognition
Changes from: 43_rnn_mnist (sound in place of images; beside the GRU, convolutions)
Run: python recipes/73_speech_digits.py
Try: (1) --audio FILE.wav: your own digit (2) FRAMES = 15: which methods suffer?
"""

import io

from common import datasets, plots
from common.executing import Request, Run, finished
from common.running import Measure, Problem, cli

import keras
import numpy as np
import scipy
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

OPTIONS = {"--audio": {"metavar": "FILE", "help": "recognise the digit in a WAV file"}}
RATE, WINDOW, HOP = 8000, 400, 200  # samples: a second, a frame, and to the next one
FILTERS, COEFFICIENTS = 128, 13
QUIET, TRIM = 80, 30  # decibels below the loudest: as good as silence; cut off at ends
FRAMES, MARGIN = 40, 9  # the middle second; zeros behind it, what two convolutions see
EPOCHS, STEPS, LEARNING_RATE = 10, 25, 3e-3  # 250 updates for whatever is learned
VOICES = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
FEW, MORE = 500, range(1, 6)  # recordings, of one voice to five voices
METHODS = ("softmax", "dtw", "gru", "cnn", "raw")  # raw: cnn without normalizing clips


def mfcc(samples):
    """Mel-frequency cepstral coefficients [1 + n // HOP, 13] of samples [n]."""
    mel = np.linspace(0, np.log10(1 + RATE / 2 / 700), FILTERS + 2)
    edges, hertz = 700 * (10**mel - 1), np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    rising = (hertz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz[:, None]) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling))
    around = np.pad(samples, WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(around, WINDOW)[::HOP]
    spectrum = np.fft.rfft(frames * scipy.signal.get_window("hann", WINDOW))
    decibels = 10 * np.log10(np.maximum(abs(spectrum) ** 2 @ triangles, 1e-10))
    heard = np.maximum(decibels, decibels.max() - QUIET)
    return scipy.fft.dct(heard, norm="ortho")[:, :COEFFICIENTS]


def mfcc_of_file(path):
    """Coefficients of a user's digit as the data set's are: 8 kHz, mono, trimmed."""
    try:
        rate, sound = scipy.io.wavfile.read(path)
        clip = mfcc(scipy.signal.resample_poly(np.c_[sound].mean(axis=1), RATE, rate))
    except Exception as error:  # whatever a foreign or damaged file leads SciPy to
        raise Problem(f"--audio {path}: {error}; expected a WAV file", 2) from None
    loud = np.flatnonzero(clip[:, 0] > clip[:, 0].max() - TRIM * FILTERS**0.5)
    clip = clip[loud[0] : loud[-1] + 1]
    if not 5 <= len(clip) <= 92 or not clip.std(axis=0).all():
        raise Problem(f"--audio {path}: not the length of one spoken digit", 2)
    return clip


def recordings(name, filename):
    """Recordings [n] of [frames, c], classes, which are the test's, voices (if any)."""
    arrays = np.load(io.BytesIO(datasets.embedded(name, filename)))
    clips = np.split(arrays["X"], np.cumsum(arrays["lengths"])[:-1])
    return clips, arrays["y"].astype("int32"), arrays["test"], arrays.get("voice")


def padded(clips):
    """Recordings [frames, c] of any length as one array [n, FRAMES + MARGIN, c]."""
    middles = [c[max(0, len(c) - FRAMES) // 2 :][:FRAMES] for c in clips]
    return keras.utils.pad_sequences(middles, FRAMES + MARGIN, "float32", "post")


def build_model(kind="cnn", features=COEFFICIENTS, classes=10):
    """Whatever the language: two convolutions over time, or a GRU."""
    hidden = [keras.layers.Masking(), keras.layers.GRU(64)]
    if kind != "gru":
        hidden = [keras.layers.Conv1D(64, 5, activation="relu") for _ in range(2)]
        hidden.append(keras.layers.GlobalMaxPooling1D())
    inputs = keras.Input((None, features))
    model = keras.Sequential([inputs, *hidden, keras.layers.Dense(classes)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    adam = keras.optimizers.Adam(LEARNING_RATE)
    model.compile(adam, loss, jit_compile=False, steps_per_execution=STEPS)
    adam.build(model.trainable_variables)
    return model


def time_warped(query, clips):
    """The least cost of pairing a query [m, c] with each of the clips [n, longest, c].

    The next pair is one frame on in either or in both; a pair costs its distance."""
    query = query[query.any(axis=1)]  # without the zeros behind it
    cost = scipy.spatial.distance.cdist(query, clips.reshape(-1, clips.shape[-1]))
    total = np.full((1 + clips.shape[1], len(clips)), np.inf)
    total[0] = 0  # before the first frames
    for row in cost.reshape(len(query), *clips.shape[:2]):
        before, total = total, np.full_like(total, np.inf)
        for j, paired in enumerate(row.T):  # [n], with frame j of each clip
            total[j + 1] = paired + np.minimum(np.minimum(*before[j : j + 2]), total[j])
    return total[clips.any(axis=2).sum(axis=1), np.arange(len(clips))]


def taught(run, model, start, x, y, learned, asked, name):
    """Train a compiled network from a new one's weights; its answers to x[asked]."""
    pairs = [m.variables + m.optimizer.variables for m in (model, start)]
    for variable, value in zip(*pairs, strict=True):
        variable.assign(value)
    size, epochs = len(y[learned]) // run.pick(STEPS, 2), run.length(EPOCHS)
    run.fit(model, x[learned], y[learned], batch_size=size, epochs=epochs, name=name)
    return model.predict(x[asked], batch_size=1000, verbose=0).argmax(axis=1)


def answer(run, path):  # what --audio does, with the network of a run without it
    clip = mfcc_of_file(path)
    plain = Request("73", run.seed, run.quick, out=run.folder.parents[1])
    if not finished(plain):
        raise Problem("--audio asks a finished run: first run this without --audio", 2)
    model = keras.models.load_model(Run(plain).folder / "cnn_known.keras")
    shares = keras.ops.softmax(model(padded([scipy.stats.zscore(clip)]))[0]).numpy()
    run.say(f"{path} -> {shares.argmax()} ({shares.max():.0%})")
    raise SystemExit(0)


@threadpool_limits.wrap(limits=1)  # scikit-learn's threads would mostly wait
def main(run):
    if run.options["audio"] is not None:
        answer(run, run.options["audio"])
    clips, y, test, voice = recordings("spoken_digits", "digits.npz")
    x, every = padded([scipy.stats.zscore(c) for c in clips]), np.concatenate(clips)
    mean, deviation = every.mean(axis=0), every.std(axis=0)
    tenths = [scipy.ndimage.zoom(c, (10 / len(c), 1), order=1).ravel() for c in clips]
    inputs = {"softmax": scipy.stats.zscore(tenths), "dtw": x, "gru": x, "cnn": x}
    inputs["raw"] = padded([(c - mean) / deviation for c in clips])
    models = {method: build_model(method) for method in METHODS[2:]}
    rng, found = np.random.default_rng(run.seed), {}
    for number, name in enumerate(("known", *VOICES)[: run.pick(None, 2)]):
        chosen = voice == name if number else test
        asked, others = (
            np.flatnonzero(c)[:: run.pick(1, 20)] for c in (chosen, ~chosen)
        )
        jobs = {method: (method, others) for method in METHODS}
        for n in MORE if number else ():
            pool = np.flatnonzero(np.isin(voice, np.roll(VOICES, -number)[:n]))
            jobs[f"{n}_voices"] = "cnn", rng.permutation(pool)[:FEW]
        for job, (method, learned) in jobs.items():
            x, questions = inputs[method], asked
            if method == "softmax":
                head = LogisticRegression(max_iter=1000).fit(x[learned], y[learned])
                answers = head.predict(x[asked])
            elif method == "dtw":  # takes long, and is asked 300 recordings in all
                questions = asked[test[asked]]
                near = [time_warped(q, x[learned]).argmin() for q in x[questions]]
                answers = y[learned][near]
            else:
                both, rows = (models[method], build_model(method)), (learned, asked)
                answers = taught(run, *both, x, y, *rows, f"{job}_{name}")
            score = 100 * np.mean(answers == y[questions])
            found.setdefault(f"{'new' if number else 'same'}_{job}", []).append(score)
    values = {name: np.mean(scores) for name, scores in found.items()}
    values["normalized_gain"] = values["new_cnn"] - values["new_raw"]
    values["voices_gain"] = values["new_5_voices"] - values["new_1_voices"]
    clips, y, test, _ = recordings("japanese_vowels", "vowels.npz")
    model = build_model("cnn", features=12, classes=9)
    answers = taught(run, model, model, padded(clips), y, ~test, test, "japanese")
    values["japanese"] = 100 * np.mean(answers == y[test])
    figure, axis = plots.new_figure(width=6.4)
    for kind, place in (("same", -0.2), ("new", 0.2)):
        names = [name for name in values if name.startswith(kind)]
        heights, places = [values[name] for name in names], np.arange(len(names))
        axis.bar_label(axis.bar(places + place, heights, 0.4), fmt="%.0f")
    axis.set_xticks(places, [name[4:].replace("_", "\n") for name in names])
    axis.set(ylim=(0, 109), title="% recognised; blue: known voices, orange: a new one")
    run.save_figure(figure, "known_and_new_voices")
    return values


MEASURES = {
    f"{kind}_{method}": Measure("%", f"{kind} voices, {method}", f"{korean}, {method}")
    for kind, korean in (("same", "아는 목소리"), ("new", "새 목소리"))
    for method in METHODS
}
MEASURES |= {f"new_{n}_voices": Measure("%", f"500 by {n}", f"{n}명") for n in MORE}
MEASURES |= {
    "normalized_gain": Measure("pp", "new: cnn - raw", "정규화의 몫", paired=True),
    "voices_gain": Measure("pp", "5 voices - 1", "다섯 명 - 한 명", paired=True),
    "japanese": Measure("%", "Japanese vowels: whose voice", "일본어 모음: 누구인지"),
}


if __name__ == "__main__":
    cli(main)
