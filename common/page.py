"""The report: one page, report/index.html, that opens from disk without a network.

python -m common.page                 build the page, then print the table
python -m common.page screenshots     docs/report-1280.png and docs/report-360.png

The page holds what results/ and the recipes say, the figures and curves of the default
runs (runs/NN_topic/seed-0) where there are any, and the trained MNIST networks, which
answer what a visitor draws.
"""

import argparse
import ast
import base64
import difflib
import hashlib
import io
import math
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from common import datasets, files, recipes, reporting
from common.devices import load_tensorflow
from common.files import ROOT, Problem
from common.notebooks import fields_and_notes

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

HERE = Path(__file__).parent
REPORT = ROOT / "report" / "index.html"
SCREENSHOT_SIZES = ((1280, 800), (360, 740))  # pixels, wide and high
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FIGURE_WIDTH = 1000  # pixels: sharp on a projector, and all figures stay a few MB
FIGURE_QUALITY = 80
LONGEST_CURVE = 120  # epochs drawn; longer ones are thinned out
MOST_SERIES = 6  # in one chart; the recipe's own figure shows what has more
STRIP_REACH = 4  # half the width of a strip, in half prediction intervals

# The network of each MNIST recipe that answers in "Draw a digit".
NETWORKS = {
    "20_softmax_mnist": "model",
    "21_relu_mnist": "relu",
    "22_initialization_mnist": "glorot",
    "23_deeper_mnist": "deep_15",
    "24_dropout_mnist": "dropout",
    "32_cnn_mnist": "convolutional",
    "33_lenet5": "modern",
}

# Figures of the lectures that no recipe accounts for yet: document, slide topic, how
# many, and the recipe that they wait for. A line counts until that recipe is there.
NOT_YET = (
    ("000", "AlexNet", 2, "34_alexnet"),
    ("000", "GoogLeNet", 3, "36_googlenet"),
    ("000", "ResNet", 4, "37_resnet"),
    ("000", "Machine translation", 1, "47_translation"),
    ("000", "Image classification: ensemble", 3, "75_ensemble"),
    ("001", "Deep learning: layers of today's networks", 1, "37_resnet"),
    ("001", "Natural-language object retrieval", 1, "72_object_retrieval"),
    ("002", "History; Academic case: AlexNet", 2, "34_alexnet"),
    ("002", "Reasons for advances: GPU", 4, "34_alexnet"),
    ("002", "ResNet: top-5 errors, GoogLeNet", 1, "36_googlenet"),
    ("002", "ResNet", 4, "37_resnet"),
    ("002", "Appearance of deep: autoencoders", 1, "56_stacked_autoencoder"),
    (
        "002",
        "Appearance of deep; History: belief networks",
        3,
        "57_deep_belief_network",
    ),
    ("002", "Speech recognition", 3, "73_speech_digits"),
    ("004", "AlexNet", 1, "34_alexnet"),
    ("004", "GoogLeNet", 2, "36_googlenet"),
    ("004", "ResNet", 1, "37_resnet"),
    ("004", "DenseNet", 4, "38_densenet"),
)

# What the plots shared by several recipes show; others say so in their docstring.
SHARED_FIGURES = {
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
    caption_ko: str


def say(text: str) -> None:
    """Print one line about the page being built."""
    print(f"page: {text}", flush=True)


def run_record(recipe: Path, runs: Path) -> dict | None:
    """The metrics of the default run of a recipe as it is now, None without one."""
    path = runs / recipe.stem / "seed-0" / "metrics.json"
    try:
        record = files.read_record(path)
    except FileNotFoundError:
        return None
    except (ValueError, OSError) as error:
        say(f"{error}; left out")
        return None
    return record if record["recipe_hash"] == recipes.recipe_hash(recipe) else None


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
        if image.width > FIGURE_WIDTH:
            height = max(1, round(image.height * FIGURE_WIDTH / image.width))
            image = image.resize((FIGURE_WIDTH, height), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=FIGURE_QUALITY, method=4)
        uri = "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
        plain = stem.replace("_", " ")
        caption, korean = SHARED_FIGURES.get(stem, (captions.get(stem, plain), ""))
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


def exercises(text: str) -> list[str]:
    """The exercises of a `Try:` field, "(1) ... (2) ...", one by one."""
    parts = re.split(r"\(\d\)\s*", text)
    return [part.strip(" ;") for part in parts if part.strip(" ;")]


def topics(lecture: str) -> list[tuple[str, str]]:
    """(document, slide topic) of a `Lecture:` field: "002, history; 003, lab 18.py".

    A part without a document goes on with the one before; "000 and 004" are two.
    """
    found, documents = [], []
    for part in lecture.split(";"):
        match = re.match(r"\s*((?:\d{3})(?:\s*(?:,|and)\s*\d{3})*)\s*,?\s*(.*)", part)
        if match:
            documents, topic = re.findall(r"\d{3}", match[1]), match[2]
        else:
            topic = part
        found += [(document, topic.strip()) for document in documents]
    return found


def neighbour(fields: dict[str, str]) -> Path | None:
    """The recipe that `Changes from:` begins with, None for the first of a series."""
    match = re.match(r"\d\d", fields["Changes from"])
    if not match:
        return None
    try:
        return recipes.find(match[0])
    except Problem:
        return None


def diff(before: Path, after: Path) -> list[tuple[str, str]]:
    """The unified diff of two recipes as (kind, line); kind: add, del, hunk or same."""
    lines = difflib.unified_diff(
        before.read_text(encoding="utf-8").splitlines(),
        after.read_text(encoding="utf-8").splitlines(),
        f"recipes/{before.name}",
        f"recipes/{after.name}",
        lineterm="",
    )
    kinds = {"+": "add", "-": "del", "@": "hunk"}
    return [(kinds.get(line[:1], "same"), line) for line in lines]


def charts(history: list[dict]) -> list[dict]:
    """Learning curves over seeds, one chart per metric, from a result's history.

    history: per seed {network: [{"epoch": 1, metric: value}, one per epoch]}.
    A chart: metric, unit, epochs, and series of name, part (training, validation or
    "") and seeds: one list of values per seed.
    """
    by_metric: dict[str, dict] = {}
    for seed, networks in enumerate(history):
        for name, logs in networks.items():
            metrics = [key for key in (logs[0] if logs else {}) if key != "epoch"]
            # A network trained in two parts, deep_3 and deep_15, has one curve.
            whole = re.sub(r"_\d+$", "", name)
            for metric in metrics:
                plain = metric.removeprefix("val_")
                part = "validation" if plain != metric else "training"
                if f"val_{plain}" not in metrics:
                    part = ""
                key = (whole if len(networks) > 1 else name, part)
                seeds = by_metric.setdefault(plain, {}).setdefault(key, {})
                points = seeds.setdefault(seed, {})
                points.update({log["epoch"]: log.get(metric) for log in logs})
    return [
        chart
        for metric, series in by_metric.items()
        if (chart := _chart(metric, series)) is not None
    ]


def _chart(metric: str, series: dict) -> dict | None:
    """One chart of `charts`, None where there is no curve to draw."""
    epochs = sorted({e for seeds in series.values() for p in seeds.values() for e in p})
    if len(epochs) < 3 or len(by := list(series.items())) > MOST_SERIES:
        return None
    step = math.ceil(len(epochs) / LONGEST_CURVE)
    epochs = sorted({*epochs[::step], epochs[-1]})
    scale = 100 if "accuracy" in metric else 1

    def value(number):
        if number is None or not math.isfinite(number):
            return None
        return float(f"{scale * number:.5g}")

    return {
        "metric": metric.replace("_", " "),
        "unit": "%" if scale == 100 else "",
        "epochs": epochs,
        "series": [
            {
                "name": name.replace("_", " "),
                "part": part,
                "seeds": [[value(p.get(e)) for e in epochs] for p in seeds.values()],
            }
            for (name, part), seeds in by
        ],
    }


def strip(claim, values: list[float], verdict) -> dict | None:
    """Where a reported figure lies on our distribution, in percent of a strip's width.

    Every strip is scaled to its own 95 % prediction interval, which takes the same
    part of it, so that strips of very different units can be compared at a glance.
    """
    if verdict.low is None:
        return None
    low, high = verdict.low, verdict.high
    middle, half = (low + high) / 2, max((high - low) / 2, 1e-12)

    def place(value):
        at = (value - middle) / half
        return 50 + 50 * max(-STRIP_REACH, min(STRIP_REACH, at)) / (STRIP_REACH + 0.5)

    if claim.unit == "%":  # an interval of shares ends where shares end
        low, high = max(low, 0), min(high, 100)
    return {
        "low": place(low),
        "high": place(high),
        "low_text": reporting.number(low, claim.unit).removesuffix(f" {claim.unit}"),
        "high_text": reporting.number(high, claim.unit).removesuffix(f" {claim.unit}"),
        "seeds": [place(value) for value in values],
        "seeds_text": ", ".join(
            reporting.number(value, "%").removesuffix(" %") for value in values
        ),
        "mark": place(claim.reported),
        "beyond": abs(claim.reported - middle) / half > STRIP_REACH,
    }


def rows_of(claims: list, values: dict[str, list], own: dict) -> list[dict]:
    """The figures of a recipe as table rows: ours beside the lecture's, and verdicts.

    values: {figure: one value per seed}; own: the values of the run on this machine.
    """
    rows = []
    for claim, found, verdict in reporting.judgements(claims, values):
        if claim.reported is None and not claim.text and not found:
            continue
        word = "not yet" if verdict.word == "missing" else verdict.word
        published = ""
        if claim.published is not None:
            published = reporting.number(claim.published, claim.unit)
        mine = own.get(claim.name)
        rows.append(
            {
                "label": reporting.label(claim),
                "source": claim.source,
                "reported": reporting.number(claim.reported, claim.unit),
                "measured": reporting.measured(found, claim.unit) if found else "",
                "own": "" if mine is None else reporting.measured([mine], claim.unit),
                "published": published,
                "word": "" if claim.reported is None else word,
                "note": verdict.note,
                "strip": strip(claim, found, verdict),
            }
        )
    return rows


def section(recipe: Path, runs: Path) -> dict:
    """Everything that the page says about one recipe."""
    module = recipes.load(recipe)
    fields, notes = fields_and_notes(recipe)
    result, record = reporting.read_result(recipe), run_record(recipe, runs)
    own = record["values"] if record else {}
    values = result["values"] if result else {}
    history = result["history"] if result else [record["history"]] if record else []
    base = neighbour(fields)
    rows = rows_of(module.CLAIMS, values, own)
    places = topics(fields["Lecture"])
    source = result or record
    seconds = result["seconds"] if result else [record["seconds"]] if record else []
    documents = {document for document, _ in places}
    for claim in module.CLAIMS:
        documents.update(re.findall(r"\b00\d\b", claim.source))
    shown = [
        *(recipe.stem, fields["Title"], fields["제목"], fields["Question"]),
        *(fields["Lecture"], fields["Changes from"], fields["Try"]),
        *(f"{row['label']} {row['source']}" for row in rows),
    ]
    return {
        "stem": recipe.stem,
        "number": recipe.stem[:2],
        "word": recipe.stem.split("_")[1],
        "fields": fields,
        "notes": notes,
        "exercises": exercises(fields["Try"]),
        "topics": places,
        "documents": sorted(documents),
        "verdicts": Counter(row["word"] for row in rows if row["word"]),
        "rows": rows,
        "base": base.stem if base else None,
        "diff": diff(base, recipe) if base else [],
        "settings": recipes.settings_of(module),
        "charts": charts(history),
        "figures": figures(recipe, runs, record) if record else [],
        "has_run": record is not None,
        "has_result": result is not None,
        "stale": bool(result) and result["recipe_hash"] != recipes.recipe_hash(recipe),
        "seeds": len(seconds),
        "seconds": sorted(seconds)[len(seconds) // 2] if seconds else None,
        "source": source,
        "search": " ".join(shown).lower(),
    }


def exported(model) -> tuple[list[dict], bytes]:
    """A sequential Keras network as the page computes it: layers, float16 weights.

    Raises Problem for a layer that the page cannot compute.
    """
    described, weights = [], []
    for layer in model.layers:
        kind = type(layer).__name__
        settings = layer.get_config()
        if kind in ("InputLayer", "Reshape", "Flatten", "Dropout"):
            continue  # nothing to compute: the page keeps values in Keras' order
        if kind in ("Dense", "Conv2D"):
            shape = layer.kernel.shape
            step = {"activation": settings["activation"], "bias": settings["use_bias"]}
            if kind == "Dense":
                step |= {"kind": "dense", "inputs": shape[0], "outputs": shape[1]}
            else:
                step |= {"kind": "convolution", "size": shape[0], "inputs": shape[2]}
                step |= {"outputs": shape[3], "same": settings["padding"] == "same"}
            plain = kind == "Dense" or (
                settings["strides"] == settings["dilation_rate"] == (1, 1)
                and shape[0] == shape[1]
            )
            weights += layer.get_weights()
        elif kind in ("MaxPooling2D", "AveragePooling2D"):
            size = settings["pool_size"]
            step = {"kind": kind[:3].lower(), "size": size[0]}
            plain = settings["strides"] == size == size[::-1]
            plain = plain and settings["padding"] == "valid"
        else:
            plain = False
        if not plain:
            raise Problem(f"the page cannot compute layer {layer.name} ({kind})")
        described.append(step)
    flat = np.concatenate([array.ravel() for array in weights])
    return described, flat.astype("<f2").tobytes()


def networks(runs: Path) -> list[dict]:
    """The trained MNIST networks for "Draw a digit", with None where one is missing."""
    import keras

    found = []
    for stem, name in NETWORKS.items():
        try:
            recipe = recipes.find(stem)
        except Problem:
            continue
        entry = {"stem": stem, "number": stem[:2], "word": stem.split("_")[1]}
        found.append(entry | {"layers": None})
        record = run_record(recipe, runs)
        content = record and run_file(recipe, runs, f"{name}.keras", record)
        if not content:
            continue
        try:
            with tempfile.TemporaryDirectory() as folder:
                # Keras reads a file; this is the content whose digest was checked.
                path = Path(folder, f"{name}.keras")
                path.write_bytes(content)
                model = keras.models.load_model(path, compile=False, safe_mode=True)
            layers, weights = exported(model)
        except (Problem, ValueError, OSError) as error:
            say(f"{stem}/seed-0/{name}.keras: {error}; left out")
            continue
        encoded = base64.b64encode(weights).decode()
        found[-1] |= {"layers": layers, "weights": encoded}
    return found


def sample_digits() -> str:
    """The first test image of each digit, 10 x 784 bytes in base64."""
    _, _, (images, labels) = datasets.mnist()
    first = [images[np.flatnonzero(labels == digit)[0]] for digit in range(10)]
    content = (255 * np.stack(first)).round().astype(np.uint8).tobytes()
    return base64.b64encode(content).decode()


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """About `count` round numbers from low to high."""
    step = 10.0 ** math.floor(math.log10((high - low) / count or 1))
    step = next(step * m for m in (1, 2, 5, 10) if (high - low) / (step * m) <= count)
    first = math.ceil(low / step)
    return [i * step for i in range(first, math.floor(high / step) + 1)]


def drawn(chart: dict) -> dict:
    """A chart with its lines in a box of 320 x 150: seeds, their mean, grid, labels."""
    width, height = 320, 150
    numbers = [
        v for s in chart["series"] for seed in s["seeds"] for v in seed if v is not None
    ]
    low, high = (min(numbers), max(numbers)) if numbers else (0, 1)
    logarithmic = low > 0 and high / low > 50
    if high <= low:
        low, high = low - 0.5, high + 0.5
    shape = math.log10 if logarithmic else float
    bottom, top = shape(low), shape(high)
    epochs = chart["epochs"]
    span = epochs[-1] - epochs[0]

    def x(epoch):
        return round(width * (epoch - epochs[0]) / span, 1)

    def y(value):
        return round(height - height * (shape(value) - bottom) / (top - bottom), 1)

    def path(values):
        points = [
            f"{x(e)},{y(v)}"
            for e, v in zip(epochs, values, strict=True)
            if v is not None
        ]
        return "M" + " L".join(points) if points else ""

    lines = []
    colours = {}
    for series in chart["series"]:
        colour = colours.setdefault(series["name"], len(colours))
        columns = [
            [v for v in c if v is not None] for c in zip(*series["seeds"], strict=True)
        ]
        mean = [sum(column) / len(column) if column else None for column in columns]
        lines.append(
            {
                **{key: series[key] for key in ("name", "part")},
                "colour": colour,
                "seeds": [path(seed) for seed in series["seeds"]],
                "mean": path(mean),
            }
        )
    if logarithmic:
        marks = [10.0**n for n in range(math.ceil(bottom), math.floor(top) + 1)]
    else:
        marks = ticks(low, high)
    return {
        **chart,
        "lines": lines,
        "logarithmic": logarithmic,
        "grid": [(y(mark), f"{mark:.6g}") for mark in marks],
        "stops": [x(epoch) for epoch in epochs],
        "epoch_marks": sorted({epochs[0], epochs[len(epochs) // 2], epochs[-1]}),
        "x": x,
    }


def lab_rows(sections: list[dict]) -> list[dict]:
    """The rows of the first screen: every figure of a lab that was one run."""
    return [
        {**row, "stem": s["stem"], "number": s["number"], "title": s["fields"]}
        for s in sections
        if int(s["number"]) in reporting.LABS
        for row in s["rows"]
        if row["strip"]
    ]


def verdict_counts(sections: list[dict], waiting: list[tuple]) -> dict[str, int]:
    """How many of the lectures' figures got which verdict, "not yet" included."""
    counts = Counter()
    for each in sections:
        counts.update(each["verdicts"])
    counts["not yet"] += sum(count for _, _, count, _ in waiting)
    always = ("reproduced", "above", "below", "erratum", "cited")
    rare = [w for w in ("mismatch", "unjudged") if counts[w]]
    return {word: counts[word] for word in (*always, *rare, "not yet")}


def script_hash(text: str) -> str:
    """The source expression that lets exactly this script or style through a CSP."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def build(runs: Path = ROOT / "runs") -> bytes:
    """The whole page as bytes, from results/, the recipes and the runs in `runs`."""
    sections = [section(recipe, runs) for recipe in recipes.all_recipes()]
    have = {each["stem"] for each in sections}
    waiting = [line for line in NOT_YET if line[3] not in have]
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["drawn"] = drawn
    environment.filters["number"] = reporting.number
    assets = {
        name: (HERE / file).read_text(encoding="utf-8")
        for name, file in (
            ("style", "page.css"),
            ("first", "page_first.js"),
            ("script", "page.js"),
            ("digits", "page_digits.js"),
        )
    }
    scripts = " ".join(script_hash(assets[n]) for n in ("first", "script", "digits"))
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src {script_hash(assets['style'])}; script-src {scripts}"
    )
    every = {
        (document, topic): each["stem"]
        for each in sections
        for document, topic in each["topics"]
    }
    page = environment.get_template("page.html.j2").render(
        policy=policy,
        # Our own files, which stand in the page as they are.
        assets={name: Markup(text) for name, text in assets.items()},  # noqa: S704
        sections=sections,
        counts=verdict_counts(sections, waiting),
        waiting=waiting,
        labs=lab_rows(sections),
        documents=sorted({document for document, _ in every}),
        topics=sorted(every),
        networks=networks(runs),
        samples=sample_digits(),
    )
    return page.encode()


def browser() -> str | None:
    """The path of a Chromium or Chrome on this machine, None where there is none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def launch(playwright):
    """Start the machine's own browser, headless; raises Problem where there is none."""
    path = browser()
    if path is None:
        raise Problem(
            "no Chromium or Chrome found; on Debian or Ubuntu: apt-get install chromium"
        )
    # As root, which containers are, Chromium starts only without its own sandbox.
    sandbox = not hasattr(os, "geteuid") or os.geteuid() != 0
    return playwright.chromium.launch(executable_path=path, chromium_sandbox=sandbox)


def screenshots(started, report: Path, folder: Path = ROOT / "docs") -> list[Path]:
    """Pictures of the page's first screen, wide and on a phone; returns their paths.

    started: a browser, as `launch` gives it.
    """
    taken = []
    for width, height in SCREENSHOT_SIZES:
        size = {"width": width, "height": height}
        tab = started.new_page(viewport=size, locale="en", color_scheme="light")
        tab.goto(report.resolve().as_uri())
        taken.append(folder / f"report-{width}.png")
        files.write_whole(taken[-1], tab.screenshot())
        tab.close()
    return taken


def main() -> None:
    """The command line of this module; see its docstring."""
    from common.command_line import Parser
    from common.running import guarded

    parser = Parser(
        prog="page",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", nargs="?", choices=["screenshots"])
    parser.add_argument("--out", type=Path, default=ROOT / "runs", help="run folders")
    parser.add_argument("--to", type=Path, default=REPORT, help="the page's file")
    args = parser.parse_args()

    def act():
        load_tensorflow()  # quietly; the recipes import it
        content = build(args.out)
        files.write_whole(args.to, content)
        if args.action == "screenshots":
            from playwright.sync_api import sync_playwright

            with sync_playwright() as playwright:
                for path in screenshots(launch(playwright), args.to):
                    say(f"{path}, {path.stat().st_size / 1e3:.0f} kB")
        else:
            reporting.print_overview(recipes.all_recipes(), args.out)
        say(f"{args.to}, {len(content) / 1e6:.1f} MB: open it in a browser")

    sys.exit(guarded(act, "page"))


if __name__ == "__main__":
    main()
