"""Figures in one style: learning curves, confusion matrices, images."""

import numpy as np

STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.3,
    "font.size": 10,
    "legend.frameon": False,
}


def new_figure(
    rows: int = 1, columns: int = 1, width: float = 4.2, height: float = 3.2
):
    """A figure with a grid of panels; width and height are inches per panel.

    Returns (figure, axes): one axes object for 1 x 1, else an array of them.
    """
    import matplotlib
    from matplotlib import pyplot

    with matplotlib.rc_context(STYLE):
        return pyplot.subplots(
            rows,
            columns,
            figsize=(width * columns, height * rows),
            constrained_layout=True,
        )


def learning_curves(histories: dict[str, dict], metric: str = "accuracy"):
    """Loss and one metric by epoch: training dashed, validation solid.

    histories: {name of the network: {metric: [one value per epoch]}}, as `Run.fit`
    returns them. Returns the figure.
    """
    figure, axes = new_figure(1, 2)
    for axis, key in zip(axes, ("loss", metric), strict=True):
        for index, (name, history) in enumerate(histories.items()):
            epochs = np.arange(1, len(history[key]) + 1)
            color = f"C{index}"
            axis.plot(
                epochs, history[key], "--", color=color, label=f"{name}, training"
            )
            axis.plot(
                epochs,
                history[f"val_{key}"],
                "-",
                color=color,
                marker=".",
                label=f"{name}, validation",
            )
        axis.set(xlabel="epoch", ylabel=key)
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0].set_yscale("log")
    axes[1].legend(fontsize="small")
    return figure


def confusion_matrix(labels, predictions, num_classes: int = 10):
    """How often each class (rows) was taken for which (columns); the diagonal dimmed.

    labels, predictions: int [n]. Returns the figure.
    """
    counts = np.zeros((num_classes, num_classes), int)
    np.add.at(counts, (labels, predictions), 1)
    mistakes = counts * (1 - np.eye(num_classes, dtype=int))
    figure, axis = new_figure(width=5, height=4.6)
    axis.imshow(mistakes, cmap="Reds")
    axis.grid(False)
    for row in range(num_classes):
        for column in range(num_classes):
            dark = mistakes[row, column] > mistakes.max() / 2
            axis.text(
                column,
                row,
                counts[row, column],
                ha="center",
                va="center",
                fontsize="small",
                color="white" if dark else "grey" if row == column else "black",
            )
    ticks = range(num_classes)
    axis.set(
        xticks=ticks,
        yticks=ticks,
        xlabel="answer",
        ylabel="true class",
        title=f"{mistakes.sum():,} mistakes in {counts.sum():,}",
    )
    return figure


def confident_mistakes(images, labels, probabilities, most: int = 15):
    """The wrong answers given with the highest probability.

    images: [n, height, width]; labels: int [n]; probabilities: [n, num_classes].
    Returns the figure.
    """
    answers = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != labels)
    wrong = wrong[np.argsort(-confidence[wrong], kind="stable")][:most]
    figure, axes = new_figure(3, 5, width=1.3, height=1.6)
    for axis in axes.flat:
        axis.axis("off")
    for axis, index in zip(axes.flat, wrong, strict=False):
        axis.imshow(images[index], cmap="gray_r")
        axis.set_title(
            f"{labels[index]} taken for {answers[index]}\n{confidence[index]:.1%}",
            fontsize="x-small",
        )
    return figure
