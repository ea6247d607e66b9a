"""Coefficients, time warping and padding by hand, the data, and what a new voice costs.

No recording of the data set is here: its coefficients are checked by their own rules.
"""

import itertools

from common.executing import Request, Run
from common.files import Problem

import keras
import numpy as np
import pytest
from scipy.io import wavfile
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits


def sound(rate, seconds=0.5):
    """Something that changes its pitch and its loudness as speech does."""
    t = np.arange(int(rate * seconds)) / rate
    pitch = np.sin(2 * np.pi * (300 * t + 900 * t**2))
    return pitch * (0.3 + 0.2 * np.sin(40 * t)) + 0.1 * np.sin(2 * np.pi * 2500 * t)


def test_mfcc_by_loops_over_frames_filters_and_cosines(lesson):
    samples = sound(8000, 0.2)
    found = lesson.mfcc(samples)
    assert found.shape == (1 + len(samples) // 200, 13)

    def mel(hertz):
        return 2595 * np.log10(1 + hertz / 700)

    centres = np.linspace(0, mel(4000), 130)
    hertz = 700 * (10 ** (centres / 2595) - 1)
    around = np.concatenate([samples[200:0:-1], samples, samples[-2:-202:-1]])
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    decibels = np.zeros((len(found), 128))
    for frame, index in itertools.product(range(len(found)), range(128)):
        power = abs(np.fft.fft(around[200 * frame :][:400] * window)[:201]) ** 2
        low, peak, high = hertz[index : index + 3]
        weights = np.interp(np.arange(201) * 20, [low, peak, high], [0, 1, 0])
        decibels[frame, index] = 10 * np.log10(max(weights @ power, 1e-10))
    decibels = np.maximum(decibels, decibels.max() - 80)
    places = np.arange(128) + 0.5
    for k in range(13):
        scale = np.sqrt((1 if k == 0 else 2) / 128)
        by_hand = scale * decibels @ np.cos(np.pi * k * places / 128)
        np.testing.assert_allclose(found[:, k], by_hand, atol=1e-8)


def test_loudness_changes_the_first_coefficient_only(lesson):
    quiet, loud = lesson.mfcc(sound(8000)), lesson.mfcc(10 * sound(8000))
    np.testing.assert_allclose(loud[:, 1:], quiet[:, 1:], atol=1e-6)
    np.testing.assert_allclose(loud[:, 0] - quiet[:, 0], 20 * 128**0.5, atol=1e-6)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_a_users_file_is_resampled_mixed_and_trimmed(lesson, tmp_path, rate):
    silence = np.zeros(rate // 2)
    samples = np.concatenate([silence, sound(rate), silence])
    stereo = np.stack([samples, samples], axis=1)
    wavfile.write(tmp_path / "a.wav", rate, (30000 * stereo).astype("int16"))
    clip, plain = lesson.mfcc_of_file(tmp_path / "a.wav"), lesson.mfcc(sound(8000))
    assert 20 <= len(clip) <= 23  # half a second, of one and a half
    middles = [c[5:15, 1:].ravel() for c in (clip[-len(plain) :], plain)]
    assert np.corrcoef(middles)[0, 1] > 0.95


def test_what_is_no_spoken_digit_is_told_in_one_line(lesson, tmp_path):
    (tmp_path / "text.wav").write_text("no sound")
    (tmp_path / "empty.wav").write_bytes(b"")
    wavfile.write(tmp_path / "none.wav", 8000, np.zeros(0, "int16"))
    wavfile.write(tmp_path / "silent.wav", 8000, np.zeros(8000, "int16"))
    wavfile.write(tmp_path / "long.wav", 8000, sound(8000, 4).astype("float32"))
    wavfile.write(tmp_path / "cut.wav", 8000, (9000 * sound(8000)).astype("int16"))
    (tmp_path / "cut.wav").write_bytes((tmp_path / "cut.wav").read_bytes()[:30])
    names = [path.name for path in tmp_path.iterdir()]
    for name in [*names, "missing.wav"]:
        with pytest.raises(Problem, match=f"--audio .*{name}") as caught:
            lesson.mfcc_of_file(tmp_path / name)
        assert caught.value.status == 2 and "\n" not in str(caught.value)


def cheapest(cost, i=0, j=0):
    """Over all paths through a matrix, by trying every one."""
    if (i, j) == (cost.shape[0] - 1, cost.shape[1] - 1):
        return cost[i, j]
    steps = [(i + 1, j), (i, j + 1), (i + 1, j + 1)]
    ways = [s for s in steps if s[0] < cost.shape[0] and s[1] < cost.shape[1]]
    return cost[i, j] + min(cheapest(cost, *way) for way in ways)


def test_time_warping_against_all_paths(lesson):
    rng = np.random.default_rng(0)
    lengths = [1, 3, 5, 4]
    clips = np.zeros((4, 7, 2))
    for clip, length in zip(clips, lengths, strict=True):
        clip[:length] = rng.normal(size=(length, 2))
    for frames in (1, 2, 5):
        query = rng.normal(size=(frames, 2))
        behind = np.vstack([query, np.zeros((3, 2))])
        found = lesson.time_warped(behind, clips)
        for clip, length, value in zip(clips, lengths, found, strict=True):
            cost = np.linalg.norm(query[:, None] - clip[None, :length], axis=-1)
            assert value == pytest.approx(cheapest(cost))


@pytest.mark.parametrize("kind", ["cnn", "gru"])
def test_padding_changes_no_answer(lesson, kind):
    model, rng = lesson.build_model(kind), np.random.default_rng(0)
    clips = [rng.normal(size=(n, 13)) for n in (6, 17, lesson.FRAMES)]
    x = lesson.padded(clips)
    longer = np.pad(x, ((0, 0), (0, 30), (0, 0)))
    np.testing.assert_allclose(model(x), model(longer), atol=1e-5)


def test_one_architecture_for_other_features_and_classes(lesson):
    english, japanese = lesson.build_model(), lesson.build_model("cnn", 12, 9)
    kinds = [[type(layer) for layer in m.layers] for m in (english, japanese)]
    assert kinds[0] == kinds[1]
    assert english.count_params() - japanese.count_params() == 5 * 64 + 65


def test_every_voice_says_every_digit_fifty_times(lesson):
    clips, y, test, voice = lesson.recordings("spoken_digits", "digits.npz")
    assert len(clips) == 3000 and sum(map(len, clips)) == 53_999
    for name, digit in itertools.product(lesson.VOICES, range(10)):
        chosen = (voice == name) & (y == digit)
        assert chosen.sum() == 50 and test[chosen].sum() == 5
    clips, y, test, _ = lesson.recordings("japanese_vowels", "vowels.npz")
    assert (np.bincount(y[~test]) == 30).all() and test.sum() == 370
    assert {clip.shape[1] for clip in clips} == {12}


@pytest.fixture(scope="module")
def speech(lesson):
    clips, y, test, voice = lesson.recordings("spoken_digits", "digits.npz")
    own = lesson.padded([(c - c.mean(0)) / c.std(0) for c in clips])
    every = np.concatenate(clips)
    mean, deviation = every.mean(0), every.std(0)
    raw = lesson.padded([(c - mean) / deviation for c in clips])
    return own, raw, y, test, voice


def test_softmax_regression_knows_voices_but_not_a_new_one(speech):
    """As measured before: 95.7 on the official split, 67 on a voice left out."""
    _, raw, y, test, voice = speech
    x = raw[:, :36:4].reshape(len(raw), -1)
    with threadpool_limits(1):
        model = LogisticRegression(max_iter=200)
        known = model.fit(x[~test], y[~test]).score(x[test], y[test])
        new = voice == "nicolas"
        unknown = model.fit(x[~new], y[~new]).score(x[new], y[new])
    assert known > 0.85 and unknown < known - 0.2


def test_a_new_voice_costs_and_normalizing_helps(lesson, speech, tmp_path, monkeypatch):
    own, raw, y, test, voice = speech
    run = Run(Request("73", out=tmp_path))
    monkeypatch.setattr(lesson, "EPOCHS", 4)
    keras.utils.set_random_seed(0)
    model = lesson.build_model()

    def right(x, y, asked, learned, name):
        answers = lesson.taught(
            run, model, lesson.build_model(), x, y, learned, asked, name
        )
        return 100 * np.mean(answers == y[asked])

    new = voice == "george"
    known = right(own, y, test, ~test, "known")
    unknown = right(own, y, new, ~new, "new")
    assert known > 80 and unknown < known - 8
    assert unknown > right(raw, y, new, ~new, "raw") + 10
    shuffled = np.random.default_rng(0).permutation(y)
    assert right(own, shuffled, test, ~test, "shuffled") < 25


def test_a_users_voice_is_answered_from_a_finished_run(lesson, quick_run, tmp_path):
    wavfile.write(tmp_path / "a.wav", 8000, sound(8000))
    _, folder = quick_run("73_speech_digits")
    options = {"audio": str(tmp_path / "a.wav")}
    said = []
    for out in (tmp_path / "nothing", folder.parents[1]):
        run = Run(Request("73", quick=True, options=options, out=out))
        run.say = said.append
        with pytest.raises((Problem, SystemExit)) as caught:
            lesson.main(run)
        if out.name == "nothing":
            assert "run this without --audio" in str(caught.value) and not said
    assert "a.wav -> " in said[0] and "%)" in said[0] and caught.value.code == 0
