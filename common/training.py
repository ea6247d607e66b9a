"""Training that is fast, repeatable and survives interruption.

`Run.fit` and `Run.train` (see running.py) end up here. Three rules make a training
the same whether or not it was interrupted:

* the order of the samples and the noise of dropout follow from (seed, epoch) alone;
* after every epoch, weights, optimizer state and history go into a checkpoint;
* a checkpoint is used only by the same recipe with the same settings.
"""

import io
import json
import math
import time
from functools import partial
from pathlib import Path

from common import files
from common.files import Problem
from common.progress import Progress

import numpy as np

SEED_WORDS = 2**32
EVALUATION_BATCH = 1000
NOT_WORTH_COMPILING = 20  # steps of a whole training, done sooner than compiled


def batch_order(seed: int, epoch: int, num_samples: int, batch_size: int) -> np.ndarray:
    """Which samples form which batch in `epoch`: int32 [steps, batch_size].

    A permutation keyed on (seed, epoch). As in the lecture's labs, the samples that
    do not fill a last batch sit this epoch out.
    """
    batch_size = min(batch_size, num_samples)
    steps = num_samples // batch_size
    order = np.random.default_rng([seed, epoch]).permutation(num_samples)
    return order[: steps * batch_size].reshape(steps, batch_size).astype("int32")


def key_noise(model, seed: int, epoch: int) -> None:
    """Set the random state of every layer that draws noise from (seed, epoch)."""
    weights = {id(weight) for weight in model.weights}
    states = [v for v in model.variables if id(v) not in weights]
    for index, state in enumerate(states):
        words = np.random.default_rng([seed, epoch, 1 + index]).integers(
            SEED_WORDS, size=state.shape, dtype="uint32"
        )
        state.assign(words)


def each_step(step):
    """A function (arrays, order [steps, batch]) that runs `step` on every batch."""
    import tensorflow as tf

    def run_steps(arrays, order):
        for index in tf.range(tf.shape(order)[0]):
            step(tuple(tf.gather(array, order[index]) for array in arrays))

    return run_steps


def compiled_steps(step, jit_compile: bool):
    """`each_step`, compiled: one call for many batches.

    The arrays stay on the device and Python is out of the loop. XLA (`jit_compile`)
    helps dense nets, and slows convolutions and recurrences on the CPU.
    """
    import tensorflow as tf

    return tf.function(each_step(step), jit_compile=jit_compile)


def train(run, step, variables, epochs: int, name: str, first_epoch: int = 0):
    """Call `step(epoch)` for every epoch up to `epochs`, saving after each one.

    step: trains one epoch and returns {metric: number}; it may draw random numbers
        only from generators keyed on (run.seed, epoch).
    variables: everything that the next epoch depends on (weights, optimizer state).
    first_epoch: epochs that an earlier training of the same network has done.
    Returns the history, a list with one {"epoch": from 1, metric: number} per epoch.
    Raises Problem (status 1) when a metric is no longer a finite number.
    """
    path = run.folder / f"{name}.checkpoint"
    history, seconds = _restore(path, run.settings, variables, run.say)
    run.earlier_seconds += seconds
    started = time.monotonic()
    with Progress(f"{run.title} {name}", epochs, first_epoch + len(history)) as shown:
        run.progress = shown
        for epoch in range(first_epoch + len(history), epochs):
            logs = {key: float(value) for key, value in step(epoch).items()}
            for key, value in logs.items():
                if not math.isfinite(value):
                    raise Problem(
                        f"{run.title}: {name}: {key} is {value} in epoch {epoch + 1}; "
                        f"epochs 1 to {epoch} are kept in {path}; "
                        "lower the learning rate in the recipe and run again"
                    )
            history.append({"epoch": epoch + 1, **logs})
            spent = seconds + time.monotonic() - started
            _save(path, run.settings, variables, history, spent)
            shown.finished(epoch, logs)
    run.history[name] = history
    return history


def fit(
    run,
    model,
    x,
    y,
    *,
    batch_size,
    epochs,
    initial_epoch=0,
    validation_data=None,
    callbacks=(),
    name="model",
):
    """Train a compiled Keras model; see Run.fit."""
    import keras
    import tensorflow as tf

    # Keras makes optimizer and metric variables at the first batch; a compiled loop
    # needs them before.
    model.test_step((x[:1], y[:1]))
    model.reset_metrics()
    model.optimizer.build(model.trainable_variables)
    # Going on with a network that is compiled as before: no need to trace it again.
    if id(model.optimizer) not in run.compiled:
        prepare = partial(compiled_steps, jit_compile=bool(model.jit_compile))
        if epochs * len(x) <= NOT_WORTH_COMPILING * batch_size:
            prepare = each_step
        run.compiled[id(model.optimizer)] = (
            prepare(model.train_step),
            prepare(model.test_step),
            model.steps_per_execution,
        )
    train_steps, test_steps, chunk = run.compiled[id(model.optimizer)]
    # For predict and evaluate, Keras would unroll as many batches into one graph,
    # which takes longer to build than to run.
    model.steps_per_execution = 1
    train_arrays = (tf.constant(x), tf.constant(y))
    if validation_data is not None:
        test_arrays = tuple(tf.constant(array) for array in validation_data)
    hooks = keras.callbacks.CallbackList(list(callbacks), model=model)

    def one_epoch(epoch):
        hooks.on_epoch_begin(epoch)
        key_noise(model, run.seed, epoch)
        order = batch_order(run.seed, epoch, len(x), batch_size)
        for start in range(0, len(order), chunk):
            train_steps(train_arrays, tf.constant(order[start : start + chunk]))
            run.progress.within(epoch, start / len(order))
        logs = {k: float(v) for k, v in model.get_metrics_result().items()}
        model.reset_metrics()
        if validation_data is not None:
            in_order = np.arange(len(validation_data[0]), dtype="int32")
            for batch in np.array_split(
                in_order, max(1, len(in_order) // EVALUATION_BATCH)
            ):
                test_steps(test_arrays, tf.constant(batch[None]))
            for k, v in model.get_metrics_result().items():
                logs[f"val_{k}"] = float(v)
            model.reset_metrics()
        hooks.on_epoch_end(epoch, logs)
        return logs

    variables = list(model.weights) + list(model.optimizer.variables)
    hooks.on_train_begin()
    history = train(run, one_epoch, variables, epochs, name, initial_epoch)
    hooks.on_train_end()
    run.save_model(model, name)
    metrics = [key for key in history[0] if key != "epoch"] if history else []
    return {key: [logs[key] for logs in history] for key in metrics}


def _save(path: Path, settings: dict, variables, history: list, seconds: float):
    """Write a checkpoint: the state after the last epoch in `history`."""
    record = {"settings": settings, "history": history, "seconds": seconds}
    arrays = {str(i): np.asarray(variable) for i, variable in enumerate(variables)}
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(record).encode(), np.uint8)
    np.savez(buffer, record=text, **arrays)
    files.write_sealed(path, buffer.getvalue())


def _restore(path: Path, settings: dict, variables, say) -> tuple[list, float]:
    """Load a checkpoint into `variables`; returns its history and seconds.

    One that is damaged is set aside, one of other settings or another recipe is
    not used; both are said, and the training starts over.
    """
    try:
        content = files.read_sealed(path)
    except FileNotFoundError:
        return [], 0.0
    except ValueError as error:
        say(f"{error}; kept as {files.set_aside(path).name}, starting over")
        return [], 0.0
    with np.load(io.BytesIO(content), allow_pickle=False) as saved:
        record = json.loads(saved["record"].tobytes())
        differing = [k for k in settings if record["settings"].get(k) != settings[k]]
        if differing:
            say(
                f"an unfinished run is in {path.parent}, but with another "
                f"{' and '.join(differing)}: starting over"
            )
            return [], 0.0
        for i, variable in enumerate(variables):
            variable.assign(saved[str(i)])
    say(f"going on after epoch {record['history'][-1]['epoch']} ({path.name})")
    return record["history"], record["seconds"]
