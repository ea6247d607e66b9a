"""Progress of a run: a bar on a terminal, plain lines anywhere else."""

import time

LINES_PER_TRAINING = 20  # in a log file


class Progress:
    """Shows how far one training is; a context manager.

    title: what trains; epochs: how many there are; done: how many were finished by
    an earlier, interrupted run.
    """

    def __init__(self, title: str, epochs: int, done: int):
        from rich.console import Console

        self.title, self.epochs, self.done = title, epochs, done
        self.console = Console(highlight=False)
        self.bar = None
        self.started = time.monotonic()

    def __enter__(self):
        if self.console.is_terminal:
            from rich.progress import (
                BarColumn,
                Progress,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )

            self.bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[figures]}"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
            )
            self.task = self.bar.add_task(
                self._describe(self.done),
                total=self.epochs,
                completed=self.done,
                figures="",
            )
            self.bar.start()
        return self

    def __exit__(self, *_):
        if self.bar:
            self.bar.stop()

    def _describe(self, epoch: int) -> str:
        return f"{self.title}  epoch {epoch}/{self.epochs}"

    def within(self, epoch: int, share: float) -> None:
        """Epoch `epoch` (from 0) has come to `share` (0 to 1) of its steps."""
        if self.bar:
            self.bar.update(
                self.task,
                completed=epoch + share,
                description=self._describe(epoch + 1),
            )

    def finished(self, epoch: int, logs: dict) -> None:
        """Epoch `epoch` (from 0) is done with `logs`."""
        figures = "  ".join(f"{name} {value:.4g}" for name, value in logs.items())
        if self.bar:
            self.bar.update(
                self.task,
                completed=epoch + 1,
                description=self._describe(epoch + 1),
                figures=figures,
            )
        elif (epoch + 1) % -(-self.epochs // LINES_PER_TRAINING) == 0:
            seconds = time.monotonic() - self.started
            self.console.print(
                f"{self._describe(epoch + 1)}  {figures}  {seconds:.0f} s",
                soft_wrap=True,
            )
