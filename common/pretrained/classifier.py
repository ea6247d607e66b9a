"""A classifier of a user's photographs: a trained network under a new last layer."""

from pathlib import Path

from common import plots
from common.files import Problem, write_whole
from common.images import read_image, shown

import numpy as np


def build(network, head, names: list[str]):
    """From RGB pixels 0 to 255 to a probability for each name, and the likeliest name.

    network: gives features [n, units]; head: a fitted LogisticRegression on these.
    """
    import keras
    from keras import layers

    kernel, bias = head.coef_, head.intercept_
    if len(kernel) == 1:  # of two classes it holds the second alone
        kernel, bias = np.vstack([0 * kernel, kernel]), np.append(0, bias)
    last = layers.Dense(len(names), activation="softmax", name="probabilities")
    word = layers.StringLookup(
        vocabulary=names, invert=True, num_oov_indices=0, name="names"
    )
    probabilities = last(network.output)
    last.set_weights([kernel.T, bias])
    best = word(keras.ops.argmax(probabilities, axis=-1))
    return keras.Model(network.input, [probabilities, best])


def leave(run, network, fit, task) -> dict:
    """Train a classifier of a task's pictures, and leave it to the user.

    fit(features, labels): gives a LogisticRegression. The run folder gets the model,
    classifier.keras (--save: a copy elsewhere), and answers.png, test pictures with its
    answers; the photographs of --classify are named. Returns {"photos": % of the test
    pictures right}.
    """
    from common import pretrained

    copy = run.options["save"]
    if copy and not copy.endswith(".keras"):
        raise Problem(f"--save {shown(copy)}: the name has to end in .keras", 2)
    train, test = pretrained.features(network, task.x_train, task.x_test)
    head = fit(train, task.y_train)
    model = build(network, head, task.names)
    run.save_model(model, "classifier")
    if copy:
        content = (run.folder / "classifier.keras").read_bytes()
        write_whole(Path(copy).expanduser(), content)
        run.say(f"the classifier is in {shown(copy)}")
    answers = head.predict(test)
    run.save_figure(_answers_figure(task, answers), "answers")
    if run.options["classify"]:
        answer(run, model, task.x_train.shape[1])
    return {"photos": 100 * np.mean(answers == task.y_test)}


def _answers_figure(task, answers):
    """Test pictures with the answers, wrong ones in red."""
    figure, axes = plots.new_figure(3, 5, width=1.5, height=1.7)
    order = np.random.default_rng(0).permutation(len(answers))
    for axis in axes.flat:
        axis.axis("off")
    for axis, index in zip(axes.flat, order, strict=False):
        axis.imshow(task.x_test[index])
        name = task.names[answers[index]]
        color = "black" if answers[index] == task.y_test[index] else "red"
        axis.set_title(name, color=color, fontsize="small", parse_math=False)
    return figure


def load(run):
    """The classifier of --load, which --save has written."""
    import keras

    path = run.options["load"]
    for option in ("images", "save"):
        if run.options[option]:
            raise Problem(f"--load and --{option} exclude each other", 2)
    if not run.options["classify"]:
        raise Problem("--load needs --classify PHOTO ..., the photos to be named", 2)
    file = Path(path).expanduser()
    if not file.is_file():
        raise Problem(f"--load {shown(path)}: no such file; --save makes one", 2)
    try:
        model = keras.models.load_model(file)
        model.get_layer("names")
    except Exception as error:  # whatever a damaged or another file makes Keras raise
        reason = " ".join(str(error).split())[:120]
        raise Problem(
            f"--load {shown(path)}: not a classifier that --save has written "
            f"({shown(reason)})",
            2,
        ) from None
    return model


def answer(run, model, size: int) -> float:
    """Say what a classifier takes the photographs of --classify for.

    size: of the squares that are cut out of them. Returns how probable its answers
    were, in percent, as a mean. Raises Problem (status 2) for what is no photograph.
    """
    sure = []
    for path in run.options["classify"]:
        try:
            photo = read_image(Path(path).expanduser(), size)
        except ValueError as error:
            raise Problem(f"--classify {shown(path)}: {error}", 2) from None
        probabilities, words = model(np.float32(photo[None]))
        sure.append(100 * float(np.max(probabilities)))
        word = words.numpy()[0].decode()
        run.say(f"{shown(path)}: {word}, probability {sure[-1]:.1f} %")
    return float(np.mean(sure))
