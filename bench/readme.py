"""README.md and the figures beside it, from what was measured."""

from pathlib import Path

from bench.figures import bench_figure, growth_figure
from bench.measuring import HERE, results_path
from bench.tables import growth_text, results_text
from common import files

TEMPLATE = HERE / "README.template.md"


def render(folder: Path = HERE) -> str:
    """README.md: the template with the blocks of figures put in."""
    text = TEMPLATE.read_text(encoding="utf-8")
    blocks = dict.fromkeys(("results", "gpu", "growth"), "Not measured yet.")
    for block, path, describe, picture in (
        ("results", results_path("cpu", folder), results_text, "bench.png"),
        ("gpu", results_path("gpu", folder), results_text, "bench-gpu.png"),
        ("growth", folder / "growth.json", growth_text, "growth.png"),
    ):
        if path.exists():
            figure = f"![the same as a figure]({picture})"
            blocks[block] = f"{describe(files.read_record(path))}\n\n{figure}"
    for name, content in blocks.items():
        text = text.replace("{{" + name + "}}", content)
    return text


def write(folder: Path = HERE) -> None:
    """README.md and the figures from the results in `folder`."""
    figures = {"growth.json": ("growth.png", growth_figure)}
    for device, picture in (("cpu", "bench.png"), ("gpu", "bench-gpu.png")):
        figures[results_path(device, folder).name] = (picture, bench_figure)
    for name, (picture, draw) in figures.items():
        if (folder / name).exists():
            figure = draw(files.read_record(folder / name))
            figure.savefig(folder / picture, dpi=110)
    files.write_whole(folder / "README.md", render(folder).encode())
