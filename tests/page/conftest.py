"""The page over short runs, built once in a session, and a browser to visit it with."""

from common import datasets, files, recipes, results
from publish import entries
from publish.page import browser, build, digits

import keras
import pytest
from filelock import FileLock
from playwright.sync_api import expect, sync_playwright

PATIENCE = 60_000  # milliseconds: the machine may be busy with other tests
expect.set_options(timeout=PATIENCE)
# Their networks are trained a little; the others' answers need not be good.
TRAINED = ("20_softmax_mnist", "22_initialization_mnist", "33_lenet5")


def write(stem, runs, content):
    """A run folder with these files ({name: bytes}) and the record over them."""
    folder = runs / stem / "seed-0"
    for name, data in content.items():
        files.write_whole(folder / name, data)
    record = {
        "recipe_hash": recipes.recipe_hash(recipes.find(stem)),
        "options": results.reproduced_options(recipes.find(stem)),
        "values": {},
        "history": {},
        "seconds": 1.0,
        "files": {name: files.digest(data) for name, data in content.items()},
    }
    files.write_record(folder / "metrics.json", record)


@pytest.fixture(scope="session")
def write_run():
    """A function (stem, runs, {name: bytes}) that leaves a default run with files."""
    return write


def train(model):
    """A little training, without waiting for a compiler."""
    model.compile("adam", model.loss)
    (x_train, y_train), _, _ = datasets.mnist(limit=3000)
    model.fit(x_train, y_train, batch_size=100, epochs=3, verbose=0)


def readers():
    """{stem: network} of the recipes whose own network reads digits."""
    found = {}
    for recipe in recipes.all_recipes():
        module = recipes.load(recipe)
        if digits.uses_mnist(recipe) and hasattr(module, "build_model"):
            keras.utils.set_random_seed(7)
            model = module.build_model()
            if digits.reads_digits(model):
                found[recipe.stem] = model
    return found


@pytest.fixture(scope="session")
def built(shared, quick_run):
    """(report, runs): a page over short runs, built once for all test processes."""
    runs, report = shared / "page-runs", shared / "page" / "index.html"
    with FileLock(shared / "page.lock"):
        if not report.exists():
            _, folder = quick_run(TRAINED[0])
            pictures = {path.name: path.read_bytes() for path in folder.glob("*.png")}
            for stem, model in readers().items():
                if stem in TRAINED:
                    train(model)
                path = shared / f"page-{stem}.keras"
                model.save(path)
                content = {"model.keras": path.read_bytes()}
                more = pictures if stem == TRAINED[0] else {}
                write(stem, runs, content | more)
            files.write_whole(report, build.build(entries.lessons(), runs))
    return report, runs


@pytest.fixture(scope="session")
def chrome():
    if browser.browser() is None:
        pytest.skip("no Chromium or Chrome here: apt-get install chromium")
    with sync_playwright() as playwright:
        started = browser.launch(playwright)
        yield started
        started.close()


@pytest.fixture
def visit(built, chrome):
    """Open the page; at the end, nothing was asked of a network, nothing complained."""
    asked, complaints, contexts = [], [], []

    def open_page(fragment="", width=1280, **settings):
        settings = {"locale": "en", **settings}
        viewport = {"width": width, "height": 800}
        context = chrome.new_context(viewport=viewport, **settings)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        tab = context.new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.goto(built[0].as_uri() + fragment)
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert [u for u in asked if not u.startswith(("file:", "data:"))] == []
