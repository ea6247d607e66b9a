"""What the page takes from the folder of a default run: only whole files of its own."""

import ast
import base64
import io
import re
from pathlib import Path
from typing import NamedTuple

from common import files

from PIL import Image

WIDTH = 1000  # pixels: sharp on a projector, and all figures stay a few MB
QUALITY = 80
# What the plots of common/plots show; others say so in the recipe's docstring.
SHARED = {
    "learning_curves": (
        "Loss and accuracy by epoch: training dashed, validation solid",
        "에포크별 손실과 정확도: 점선은 학습, 실선은 검증",
    ),
    "confusion_matrix": (
        "Confusion matrix on the test set: true digit by row, answer by column",
        "테스트 데이터의 혼동 행렬: 행은 정답, 열은 신경망의 답",
    ),
    "confident_mistakes": (
        "The wrong answers that the network was most sure of",
        "신경망이 가장 확신하고 틀린 숫자들",
    ),
}


class Figure(NamedTuple):
    """A figure of a run, ready for the page: data URI, size in pixels, captions."""

    name: str
    uri: str
    width: int
    height: int
    caption: str
    caption_korean: str


def say(text: str) -> None:
    """Print one line about the page being built."""
    print(f"page: {text}", flush=True)


def run_file(recipe: Path, runs: Path, name: str, record: dict) -> bytes | None:
    """A file of the default run, None where it is missing or not what was written.

    Only plain files inside the run folder that the run itself listed are read.
    """
    folder = (runs / recipe.stem / "seed-0").resolve()
    path = folder / name
    if not re.fullmatch(r"[\w-]+\.(png|keras)", name) or path.is_symlink():
        say(f"{path} is not a file of a run; left out")
        return None
    try:
        content = path.read_bytes()
    except OSError as error:
        say(f"{path}: {error.strerror}; left out")
        return None
    if files.digest(content) != record["files"].get(name):
        say(f"{path} is not what the run wrote; left out")
        return None
    return content


def figures(recipe: Path, runs: Path, record: dict) -> list[Figure]:
    """The figures of a run, smaller and as WebP."""
    captions = figure_captions(recipe)
    found = []
    for name in sorted(n for n in record["files"] if n.endswith(".png")):
        content = run_file(recipe, runs, name, record)
        if content is None:
            continue
        stem = name.removesuffix(".png")
        try:
            image = Image.open(io.BytesIO(content)).convert("RGB")
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            say(f"{recipe.stem}/seed-0/{name}: {error}; left out")
            continue
        if image.width > WIDTH:
            height = max(1, round(image.height * WIDTH / image.width))
            image = image.resize((WIDTH, height), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=QUALITY, method=4)
        uri = "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
        plain = stem.replace("_", " ")
        caption, korean = SHARED.get(stem, (captions.get(stem, plain), ""))
        found.append(Figure(stem, uri, image.width, image.height, caption, korean))
    return found


def figure_captions(recipe: Path) -> dict[str, str]:
    """What each figure shows: the docstring of the recipe's function that draws it."""
    tree = ast.parse(recipe.read_text(encoding="utf-8"))
    docstrings = {
        node.name: (ast.get_docstring(node) or "").partition("\n")[0].rstrip(".")
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    captions = {}
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or len(call.args) != 2:
            continue
        drawing, name = call.args
        if (
            getattr(call.func, "attr", "") == "save_figure"
            and isinstance(name, ast.Constant)
            and isinstance(drawing, ast.Call)
            and docstrings.get(getattr(drawing.func, "id", ""))
        ):
            captions[name.value] = docstrings[drawing.func.id]
    return captions
