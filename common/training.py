"""Training that is fast, repeatable and survives interruption.

`Run.fit` and `Run.train` (see executing.py) end up here. Three rules make a training
the same whether or not it was interrupted:

* the order of the samples and the noise of dropout follow from (seed, epoch) alone;
* after every epoch, weights, optimizer state, callbacks and history are saved;
* a checkpoint is used only by the same recipe with the same settings.
"""

import contextlib
import importlib
import math
import time
from functools import partial

from common import checkpoints
from common.files import Problem
from common.progress import Progress

import numpy as np

SEED_WORDS = 2**32
EVALUATION_BATCH = 1000
NOT_WORTH_COMPILING = 20  # steps of a whole training, done sooner than compiled
# What Keras calls after each batch, which one compiled call for many batches cannot.
BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
)
# Where the comparisons come from that a callback settles on in its first epoch.
KERAS_FUNCTION = "keras.src.ops."
INSTEAD = {  # of what Keras' fit takes and run.fit refuses
    "class_weight": "give sample_weight",
    "validation_split": "give validation_data",
    "shuffle": "every epoch has an order of its own, keyed on (seed, epoch)",
    "verbose": "progress is shown by itself",
    "steps_per_epoch": "give fewer samples",
}


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
    import keras

    kind = keras.random.SeedGenerator(0).state.dtype
    weights = {id(weight) for weight in model.weights}
    others = [v for v in model.variables if id(v) not in weights]
    states = [v for v in others if v.dtype == kind]  # the rest: metrics of layers
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
            batch = partial(tf.gather, indices=order[index])
            step(tf.nest.map_structure(batch, arrays))

    return run_steps


def compiled_steps(step, jit_compile: bool):
    """`each_step`, compiled: one call for many batches.

    The arrays stay on the device and Python is out of the loop. XLA (`jit_compile`)
    helps dense nets, and slows convolutions and recurrences on the CPU.
    """
    import tensorflow as tf

    run_steps = each_step(step)
    if not jit_compile:
        return tf.function(run_steps)

    def run_by_xla(arrays, order):
        with quick_noise():  # while this is traced; only XLA has ThreeFry on a CPU
            run_steps(arrays, order)

    return tf.function(run_by_xla, jit_compile=True)


@contextlib.contextmanager
def quick_noise():
    """Let dropout draw by ThreeFry in what is compiled meanwhile.

    On a CPU, XLA takes Philox unless told otherwise, which costs a dense net a fifth of
    its training, and Keras leaves no choice.
    """
    import tensorflow as tf

    usual = tf.nn.experimental.stateless_dropout
    tf.nn.experimental.stateless_dropout = partial(usual, rng_alg="threefry")
    try:
        yield
    finally:
        tf.nn.experimental.stateless_dropout = usual


def train(
    run, step, variables, epochs: int, name: str, first_epoch: int = 0, watcher=None
):
    """Call `step(epoch)` for every epoch up to `epochs`, saving after each one.

    step: trains one epoch and returns {metric: number}; it may draw random numbers
        only from generators keyed on (run.seed, epoch).
    variables: everything that the next epoch depends on (weights, optimizer state).
    first_epoch: epochs that an earlier training of the same network has done.
    watcher: may end the training (`stopped`) and has a state to keep; see Callbacks.
    Returns the history, a list with one {"epoch": from 1, metric: number} per epoch.
    Raises Problem: status 1 when a metric is no longer a finite number, status 2 for a
    second training of the same name, which would go on from the first one's checkpoint.
    """
    if name in run.history:
        raise Problem(
            f"{run.title}: two trainings are named {name!r}; "
            "give each a name of its own (name=...)",
            status=2,
        )
    path = run.folder / f"{name}.checkpoint"
    progress, arrays = checkpoints.restore(path, run.settings, variables, run.say)
    history = progress.get("history", [])
    seconds = progress.get("seconds", 0.0)
    if watcher and progress:
        watcher.restore(progress["watcher"], arrays)
    run.earlier_seconds += seconds
    started = time.monotonic()
    with Progress(f"{run.title} {name}", epochs, first_epoch + len(history)) as shown:
        run.progress = shown
        for epoch in range(first_epoch + len(history), epochs):
            if watcher and watcher.stopped:
                break
            logs = {key: float(value) for key, value in step(epoch).items()}
            for key, value in logs.items():
                if not math.isfinite(value):
                    raise Problem(
                        f"{run.title}: {name}: {key} is {value} in epoch {epoch + 1}; "
                        f"epochs 1 to {epoch} are kept in {path}; "
                        "lower the learning rate in the recipe and run again"
                    )
            history.append({"epoch": epoch + 1, **logs})
            watched, arrays = watcher.state() if watcher else ({}, {})
            progress = {
                "history": history,
                "seconds": seconds + time.monotonic() - started,
                "watcher": watched,
            }
            checkpoints.save(path, run.settings, variables, progress, arrays)
            shown.finished(epoch, logs)
    run.history[name] = history
    return history


class Callbacks:
    """Keras callbacks that act by epoch, with their state for the checkpoint.

    Raises Problem (status 2) for a callback that acts by batch.
    """

    def __init__(self, callbacks, model):
        import keras

        plain = keras.callbacks.Callback
        for callback in callbacks:
            by_batch = [
                hook
                for hook in BATCH_HOOKS
                if getattr(type(callback), hook) is not getattr(plain, hook)
            ]
            # Keras' savers have the hook, and leave it idle unless told otherwise.
            if by_batch and getattr(callback, "save_freq", None) != "epoch":
                raise Problem(
                    f"run.fit: {type(callback).__name__} acts by batch "
                    f"({by_batch[0]}), and many batches are one compiled call here; "
                    "use a callback that acts by epoch, or a loop of your own in "
                    "run.train",
                    status=2,
                )
        self.model, self.callbacks = model, list(callbacks)
        self.hooks = keras.callbacks.CallbackList(self.callbacks, model=model)
        model.stop_training = False
        self.hooks.on_train_begin()
        self.at_start = [dict(vars(callback)) for callback in self.callbacks]

    @property
    def stopped(self) -> bool:
        """Whether one of the callbacks has ended the training."""
        return bool(self.model.stop_training)

    def state(self) -> tuple[dict, dict]:
        """What the callbacks have noted so far: JSON values, and arrays by name.

        Raises Problem (status 2) for a note that no checkpoint can hold.
        """
        notes, arrays = [], {}
        for index, callback in enumerate(self.callbacks):
            notes.append({})
            for name, value in vars(callback).items():
                if value is self.at_start[index].get(name) and not isinstance(
                    value, (list, dict)
                ):
                    continue
                if isinstance(value, np.generic):
                    value = value.item()
                if getattr(value, "__module__", "").startswith(KERAS_FUNCTION):
                    value = f"{value.__module__}:{value.__qualname__}"
                if _of_arrays(value):
                    for position, array in enumerate(value):
                        arrays[f"{index} {name} {position}"] = array
                elif _plain(value):
                    notes[-1][name] = value
                else:
                    raise Problem(
                        f"run.fit: {type(callback).__name__} keeps {name} "
                        f"({type(value).__name__}), which a checkpoint cannot hold, so "
                        "that an interrupted run could not go on; use run.train",
                        status=2,
                    )
        return {"stopped": self.stopped, "notes": notes}, arrays

    def restore(self, state: dict, arrays: dict) -> None:
        """Take over what an interrupted run had noted."""
        self.model.stop_training = state["stopped"]
        for callback, notes in zip(self.callbacks, state["notes"], strict=True):
            for name, value in notes.items():
                if isinstance(value, str) and value.startswith(KERAS_FUNCTION):
                    module, _, function = value.partition(":")
                    value = getattr(importlib.import_module(module), function)
                setattr(callback, name, value)
        lists = {}
        for key, array in arrays.items():
            index, name, position = key.split(" ")
            lists.setdefault((int(index), name), {})[int(position)] = array
        for (index, name), items in lists.items():
            setattr(self.callbacks[index], name, [items[i] for i in sorted(items)])


def _of_arrays(value) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, np.ndarray) for item in value)
    )


def _plain(value) -> bool:
    """Whether JSON gives this value back as it is."""
    if isinstance(value, dict):
        return all(isinstance(k, str) and _plain(v) for k, v in value.items())
    if isinstance(value, list):
        return all(_plain(item) for item in value)
    return value is None or type(value) in (bool, int, float, str)


def _samples(arrays, what: str) -> int:
    """How many samples nested arrays hold; raises Problem where that is not said."""
    import tensorflow as tf

    lengths = set()
    for array in tf.nest.flatten(arrays):
        if not hasattr(array, "__array__") or not getattr(array, "shape", ()):
            raise Problem(
                f"run.fit: {what} holds a {type(array).__name__}; it takes arrays, or "
                "tuples and dictionaries of arrays, with the samples along axis 0",
                status=2,
            )
        lengths.add(int(array.shape[0]))
    if len(lengths) != 1:
        found = ", ".join(map(str, sorted(lengths))) or "none"
        raise Problem(
            f"run.fit: the arrays of {what} differ in their number of samples: {found}",
            status=2,
        )
    return lengths.pop()


def fit(
    run,
    model,
    x,
    y=None,
    *,
    batch_size,
    epochs,
    initial_epoch=0,
    sample_weight=None,
    validation_data=None,
    callbacks=(),
    name="model",
    **refused,
):
    """Train a compiled Keras model; see Run.fit."""
    import keras
    import tensorflow as tf

    for word in refused:
        raise Problem(
            f"run.fit does not take {word}: "
            f"{INSTEAD.get(word, 'it is not among what Run.fit names')}",
            status=2,
        )
    data = keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
    num_samples = _samples(data, "the training data")
    if validation_data is not None:
        num_validation = _samples(validation_data, "validation_data")

    # Keras makes optimizer and metric variables at the first batch; a compiled loop
    # needs them before.
    model.test_step(tf.nest.map_structure(lambda array: array[:1], data))
    model.reset_metrics()
    model.optimizer.build(model.trainable_variables)
    # Going on with a network that is compiled as before: no need to trace it again.
    if id(model.optimizer) not in run.compiled:
        prepare = partial(compiled_steps, jit_compile=bool(model.jit_compile))
        if epochs * num_samples <= NOT_WORTH_COMPILING * batch_size:
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
    train_arrays = tf.nest.map_structure(tf.constant, data)
    if validation_data is not None:
        test_arrays = tf.nest.map_structure(tf.constant, tuple(validation_data))
    watcher = Callbacks(callbacks, model)

    def one_epoch(epoch):
        watcher.hooks.on_epoch_begin(epoch)
        key_noise(model, run.seed, epoch)
        order = batch_order(run.seed, epoch, num_samples, batch_size)
        for start in range(0, len(order), chunk):
            train_steps(train_arrays, tf.constant(order[start : start + chunk]))
            run.progress.within(epoch, start / len(order))
        logs = {k: float(v) for k, v in model.get_metrics_result().items()}
        model.reset_metrics()
        if validation_data is not None:
            in_order = np.arange(num_validation, dtype="int32")
            for batch in np.array_split(
                in_order, max(1, num_validation // EVALUATION_BATCH)
            ):
                test_steps(test_arrays, tf.constant(batch[None]))
            for k, v in model.get_metrics_result().items():
                logs[f"val_{k}"] = float(v)
            model.reset_metrics()
        watcher.hooks.on_epoch_end(epoch, logs)
        return logs

    variables = list(model.weights) + list(model.optimizer.variables)
    history = train(run, one_epoch, variables, epochs, name, initial_epoch, watcher)
    watcher.hooks.on_train_end()
    run.save_model(model, name)
    metrics = [key for key in history[0] if key != "epoch"] if history else []
    return {key: [logs[key] for logs in history] for key in metrics}
