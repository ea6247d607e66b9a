"""The report page: what it is built from, and what a visitor does in a real browser."""

import os
import re
import shutil

from common import command_line, datasets, files, page, recipes, running

import keras
import numpy as np
import pytest
from filelock import FileLock
from keras import layers
from playwright.sync_api import expect, sync_playwright

PATIENCE = 60_000  # milliseconds: the machine may be busy with other tests
expect.set_options(timeout=PATIENCE)
NO_BROWSER = page.browser() is None
needs_browser = pytest.mark.skipif(
    NO_BROWSER, reason="no Chromium or Chrome here: apt-get install chromium"
)
RUN = "20_softmax_mnist"
TRAINED = (RUN, "22_initialization_mnist", "33_lenet5")
# How the others are built: their answers need not be good, only the same.
BUILT = {
    "22_initialization_mnist": lambda recipe: recipe.build_model(
        keras.initializers.GlorotUniform
    ),
    "21_relu_mnist": lambda recipe: recipe.build_model("relu"),
    "23_deeper_mnist": lambda recipe: recipe.build_model(recipe.HIDDEN_UNITS["deep"]),
    "24_dropout_mnist": lambda recipe: recipe.build_model(0.3),
    "32_cnn_mnist": lambda recipe: recipe.build_cnn(),
    "33_lenet5": lambda recipe: recipe.build_model("relu", layers.MaxPooling2D, 1),
}


def quick_run(stem, runs, epochs=10):
    """A short training in the place of the default run, seed-0."""
    source = recipes.find(stem)
    arguments = ["--quick", "--epochs", str(epochs), "--device", "cpu"]
    args = command_line.parse(source, "", [*arguments, "--out", str(runs)])
    running.execute(recipes.load(source), args, seed=0)
    folder = runs / stem
    (folder / f"seed-0-quick-epochs-{epochs}").rename(folder / "seed-0")


def write_run(stem, runs, content):
    """A run folder with these files ({name: bytes}) and the record over them."""
    folder = runs / stem / "seed-0"
    for name, data in content.items():
        files.write_whole(folder / name, data)
    record = {
        "recipe_hash": recipes.recipe_hash(recipes.find(stem)),
        "values": {},
        "history": {},
        "seconds": 1.0,
        "files": {name: files.digest(data) for name, data in content.items()},
    }
    files.write_record(folder / "metrics.json", record)


def train(model):
    """A little training, without waiting for a compiler."""
    model.compile("adam", model.loss)
    (x_train, y_train), _, _ = datasets.mnist(limit=3000)
    model.fit(x_train, y_train, batch_size=100, epochs=3, verbose=0)


def as_keras(model, path):
    model.save(path)
    return path.read_bytes()


@pytest.fixture(scope="session")
def built(tmp_path_factory, worker_id):
    """(report, runs): a page over short runs, built once for all test processes."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent
    runs, report = shared / "page-runs", shared / "page" / "index.html"
    with FileLock(shared / "page.lock"):
        if not report.exists():
            quick_run(RUN, runs)
            for stem, build in BUILT.items():
                name = f"{page.NETWORKS[stem]}.keras"
                keras.utils.set_random_seed(7)
                model = build(recipes.load(recipes.find(stem)))
                if stem in TRAINED:
                    train(model)
                write_run(stem, runs, {name: as_keras(model, shared / name)})
            files.write_whole(report, page.build(runs))
    return report, runs


@pytest.fixture(scope="session")
def chrome():
    with sync_playwright() as playwright:
        started = page.launch(playwright)
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


def test_page_is_one_small_file_with_alt_texts(built):
    content = built[0].read_text(encoding="utf-8")
    assert len(content) < 15e6
    assert not re.search(r'(?:src|href)="(?!data:|#)', content)
    images = re.findall(r"<img[^>]*>", content)
    assert len(images) == 4
    assert all(re.search(r'alt="[^"]{15,}"', image) for image in images)
    for recipe in recipes.all_recipes():
        assert f'id="{recipe.stem}"' in content
    for text in (
        "98.13 %",
        "with minus without",
        recipes.docstring_fields(recipe)["제목"],
    ):
        assert text in content


def test_without_any_run_the_page_says_how_to_get_one(tmp_path):
    content = page.build(tmp_path / "none").decode()
    assert "<img" not in content
    assert "make 24 report" in content
    assert 'id="weights-' not in content


def test_only_whole_files_of_the_run_folder_are_read(tmp_path, capsys):
    recipe = recipes.find("20")
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    write_run(recipe.stem, tmp_path, {"one.png": b"one", "two.png": b"two"})
    folder = tmp_path / recipe.stem / "seed-0"
    (folder / "two.png").write_bytes(b"other")
    (folder / "link.png").symlink_to(secret)
    record = page.run_record(recipe, tmp_path)
    record["files"] |= {
        name: files.digest(b"secret") for name in ("link.png", "../../secret.png")
    }
    assert page.run_file(recipe, tmp_path, "one.png", record) == b"one"
    for name in ("two.png", "link.png", "../../secret.png", "missing.png"):
        assert page.run_file(recipe, tmp_path, name, record) is None
    assert page.figures(recipe, tmp_path, record) == []  # one.png is no picture
    assert capsys.readouterr().out.count("left out") == 8
    (folder / "metrics.json").write_text("{}")
    assert page.run_record(recipe, tmp_path) is None


def test_texts_of_others_stay_texts(tmp_path, monkeypatch):
    """Markup in a recipe, a claim or a name is shown, not obeyed."""
    evil = "</script><img src=x onerror=alert(1)>"
    recipe = recipes.find("20")
    fields = dict.fromkeys(("Title", *recipes.FIELDS), evil)
    result = {
        **page.reporting.read_result(recipe),
        "machine": evil,
        "history": [{evil: [{"epoch": e, evil: e} for e in range(4)]}],
    }
    monkeypatch.setattr(recipes, "all_recipes", lambda: [recipe])
    monkeypatch.setattr(recipes, "docstring_fields", lambda path: fields)
    monkeypatch.setattr(page.reporting, "read_result", lambda path: result)
    content = page.build(tmp_path).decode()
    assert "<img" not in content
    assert content.count("<script") == content.count("</script>")


def test_a_result_that_is_missing_is_said(tmp_path, monkeypatch):
    recipe = recipes.find("20")
    monkeypatch.setattr(recipes, "all_recipes", lambda: [recipe])
    monkeypatch.setattr(page.reporting, "read_result", lambda path: None)
    content = page.build(tmp_path).decode()
    assert "make reproduce-20" in content


def test_fields_of_a_docstring():
    assert page.topics("000 and 004, CNN; the lab set") == [
        ("000", "CNN"),
        ("004", "CNN"),
        ("000", "the lab set"),
        ("004", "the lab set"),
    ]
    assert page.topics("002, history; 003, lab 18.py") == [
        ("002", "history"),
        ("003", "lab 18.py"),
    ]
    assert page.exercises("(1) rate 0.5 (2) 30 epochs: (a) why?") == [
        "rate 0.5",
        "30 epochs: (a) why?",
    ]
    recipe = recipes.find("24")
    base = page.neighbour(recipes.docstring_fields(recipe))
    assert base == recipes.find("23")
    kinds = [kind for kind, _ in page.diff(base, recipe)]
    assert kinds.count("add") > 10 < kinds.count("del")


def test_curves_join_the_parts_of_a_training_and_leave_out_what_is_no_curve():
    def logs(first, last):
        return [{"epoch": e, "accuracy": e / 100} for e in range(first, last + 1)]

    seed = {"deep_3": logs(1, 3), "deep_15": logs(4, 15), "flat": logs(1, 15)}
    (chart,) = page.charts([seed, seed])
    assert chart["epochs"] == list(range(1, 16))
    assert [series["name"] for series in chart["series"]] == ["deep", "flat"]
    assert chart["series"][0]["seeds"] == [[float(e) for e in range(1, 16)]] * 2
    assert page.charts([{"one": logs(1, 2)}]) == []
    (long,) = page.charts([{"one": logs(1, 1000)}])
    assert len(long["epochs"]) <= page.LONGEST_CURVE + 1
    assert long["epochs"][-1] == 1000
    page.drawn(long)


def test_a_network_that_the_page_cannot_compute_is_refused():
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.BatchNormalization()])
    with pytest.raises(files.Problem, match="BatchNormalization"):
        page.exported(model)
    strided = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(2, 3, 2)])
    with pytest.raises(files.Problem, match="Conv2D"):
        page.exported(strided)


@needs_browser
def test_answers_are_those_of_keras_to_three_digits(built, visit):
    """All seven recipes, on 100 test images, in half precision in the page."""
    images = datasets.mnist(limit=100)[2][0]
    flat = images.reshape(100, 784).tolist()
    answers = visit().evaluate("images => images.map((i) => labs.answer(i))", flat)
    assert set(answers[0]) == set(page.NETWORKS)
    for stem, name in page.NETWORKS.items():
        path = built[1] / stem / "seed-0" / f"{name}.keras"
        model = keras.models.load_model(path, compile=False)
        found = np.array([answer[stem] for answer in answers])
        expected = keras.ops.softmax(model(images)).numpy()
        if stem in TRAINED:
            # Rounding 784 weights of N(0, 1) can move the fourth digit, rarely more;
            # untrained networks have scores of thousands, which it moves further.
            error = abs(found - expected)
            assert (error < 1e-3).mean() > 0.99 and error.max() < 2e-3
        model.set_weights([w.astype("f2").astype("f4") for w in model.get_weights()])
        expected = keras.ops.softmax(model(images)).numpy()
        np.testing.assert_allclose(found, expected, atol=1e-4)


# Each image without its frame, eight times as large, in the corner of a drawing.
ENLARGED = """(images) => images.map((image) => {
  const inked = [...image.keys()].filter((i) => image[i] > 0.05);
  const top = Math.floor(Math.min(...inked) / 28);
  const left = Math.min(...inked.map((i) => i % 28));
  const ink = new Array(280 * 280).fill(0);
  for (const i of inked) {
    for (let k = 0; k < 64; k++) {
      const y = 8 * (Math.floor(i / 28) - top) + Math.floor(k / 8);
      const x = 8 * ((i % 28) - left) + (k % 8);
      ink[y * 280 + x + 100] = image[i];
    }
  }
  return [...labs.prepare(ink, 280, 280)];
})"""


@needs_browser
def test_drawings_are_centred_and_scaled_as_mnist_was(visit):
    """A test digit, eight times as large and in a corner, comes out as it was."""
    images = datasets.mnist(limit=30)[2][0]
    tab = visit()
    found = tab.evaluate(ENLARGED, images.reshape(30, 784).tolist())
    errors = abs(np.array(found).reshape(30, 28, 28) - images).mean(axis=(1, 2))
    assert (errors < 0.01).mean() > 0.9
    assert errors.max() < 0.15  # by a pixel, where the rounding is a close call
    assert tab.evaluate("labs.prepare(new Array(784).fill(0), 28, 28)") is None


def draw(tab, strokes):
    """Draw lines on the canvas with the mouse; points in parts of its side."""
    canvas = tab.locator("#paper")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    for stroke in strokes:
        for index, (x, y) in enumerate(stroke):
            tab.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            if index == 0:
                tab.mouse.down()
        tab.mouse.up()


@needs_browser
def test_a_digit_drawn_with_the_mouse_is_read(visit):
    tab = visit("#draw")
    draw(tab, [[(0.52, 0.15), (0.5, 0.5), (0.48, 0.85)]])
    verdict = tab.locator("#verdict")
    expect(verdict).to_contain_text("say")
    answers = {
        stem: tab.locator(f'[data-network="{stem}"] .answer').text_content()
        for stem in TRAINED
    }
    assert sum(text.startswith("1 ") for text in answers.values()) >= 2, answers
    assert tab.locator(".bar.best").count() == len(page.NETWORKS)
    tab.click("#clear")
    expect(verdict).to_contain_text("Draw")
    draw(tab, [[(0.25, 0.2), (0.75, 0.2), (0.6, 0.5), (0.45, 0.85)]])
    expect(verdict).to_contain_text("say")
    seven = tab.locator('[data-network="33_lenet5"] .answer').text_content()
    assert seven.startswith("7 ")
    # The keyboard's way: a test digit instead of a drawing.
    tab.focus('[data-sample="0"]')
    tab.keyboard.press("Enter")
    zero = tab.locator('[data-network="33_lenet5"] .answer').text_content()
    assert zero.startswith("0 ")


@needs_browser
def test_language_and_theme_are_switched_and_remembered(visit):
    tab = visit(color_scheme="light")
    heading = tab.locator("h1")
    assert "lecture numbers" in heading.inner_text()
    tab.click("#language")
    expect(heading).to_contain_text("강의의 숫자")
    assert tab.locator("#paper").get_attribute("aria-label").startswith("여기에")
    assert "레시피" in tab.locator("#shown").text_content()
    assert tab.locator("#lecture option").first.text_content() == "전체"
    paper = "getComputedStyle(document.body).backgroundColor"
    light = tab.evaluate(paper)
    tab.click("#theme")
    dark = tab.evaluate(paper)
    assert dark != light
    tab.reload()
    expect(heading).to_contain_text("강의의 숫자")
    assert tab.evaluate(paper) == dark


@needs_browser
def test_system_decides_language_and_theme_at_first(visit):
    tab = visit(color_scheme="dark", locale="ko-KR")
    html = tab.locator("html")
    expect(html).to_have_attribute("lang", "ko")
    expect(html).to_have_attribute("data-theme", "dark")
    tab.emulate_media(color_scheme="light")
    expect(html).to_have_attribute("data-theme", "light")


@needs_browser
def test_search_filters_and_deep_links(visit):
    tab = visit()
    shown = tab.locator("article:visible")
    every = len(recipes.all_recipes())
    assert shown.count() == every
    tab.fill("#search", "dropout 0.3")
    assert tab.locator('[id="24_dropout_mnist"]').is_visible()
    assert shown.count() < 5
    tab.fill("#search", "no such thing")
    assert shown.count() == 0
    assert tab.locator("#nothing").is_visible()
    tab.click('button[type="reset"]')
    expect(shown).to_have_count(every)
    tab.select_option("#lecture", "004")
    of_004 = shown.count()
    assert 0 < of_004 < every
    tab.select_option("#verdict-filter", "cited")
    assert 0 < shown.count() < of_004
    tab.select_option("#verdict-filter", "")
    tab.select_option("#topic", "004, advanced CNN: LeNet-5")
    assert [a.get_attribute("id") for a in shown.all()] == ["33_lenet5"]
    # A link to what the filters hide brings it back.
    tab.evaluate("location.hash = '#24_dropout_mnist'")
    target = tab.locator('[id="24_dropout_mnist"]')
    target.wait_for(state="visible")
    assert 0 <= target.bounding_box()["y"] < 200
    tab.locator('.tile[data-verdict="below"]').click()
    assert target.is_visible()
    assert not tab.locator('[id="20_softmax_mnist"]').is_visible()
    direct = visit("#33_lenet5")
    assert 0 <= direct.locator('[id="33_lenet5"]').bounding_box()["y"] < 200


@needs_browser
def test_learning_curves_tell_their_values(visit):
    tab = visit("#24_dropout_mnist")
    chart = tab.locator('[id="24_dropout_mnist"] figure.chart').nth(1)
    picture = chart.locator("svg").first
    picture.hover(position={"x": 200, "y": 60})
    values = chart.locator("output").all_text_contents()
    assert len(values) == 4
    assert all(re.match(r"9\d(\.\d+)? % \(.+ – .+\)", value) for value in values)
    assert "epoch" in chart.locator(".at").text_content()
    picture.focus()
    before = chart.locator(".at").text_content()
    tab.keyboard.press("ArrowLeft")
    assert chart.locator(".at").text_content() != before


# The contrast of every visible text with what lies behind it (WCAG 2, AA).
CONTRAST = """() => {
  const light = ([r, g, b]) => [r, g, b].reduce((sum, value, i) => {
    const part = value / 255;
    const linear = part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    return sum + linear * [0.2126, 0.7152, 0.0722][i];
  }, 0);
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const failed = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("script, option")) continue;
    const style = getComputedStyle(element);
    const ink = rgb(element.closest("svg") ? style.fill : style.color);
    let behind = element;
    while (behind && (rgb(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) {
      behind = behind.parentElement;
    }
    const ground = rgb(getComputedStyle(behind ?? document.body).backgroundColor);
    const [high, low] = [light(ink), light(ground)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) failed.add(`${element.className} ${ratio.toFixed(2)}`);
  }
  return [...failed];
}"""


@needs_browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_and_small_screens(visit, theme):
    tab = visit(width=360, color_scheme=theme)
    tab.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert tab.evaluate(CONTRAST) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    motion = """[...document.querySelectorAll('*')].some((e) => {
      const { transitionDuration, animationName } = getComputedStyle(e);
      return transitionDuration !== '0s' || animationName !== 'none';
    })"""
    assert not tab.evaluate(motion)  # nothing moves, so there is nothing to reduce


@needs_browser
def test_on_paper_everything_is_open_and_light(visit):
    tab = visit(color_scheme="dark")
    closed = tab.locator("details:not([open])")
    before = closed.count()
    assert before > 10
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.emulate_media(media="print")
    assert closed.count() == 0
    assert not tab.locator("header").is_visible()
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert min(map(int, re.findall(r"\d+", paper))) > 200
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert closed.count() == before


@needs_browser
def test_keyboard_reaches_everything_and_shows_where_it_is(visit):
    tab = visit()
    reached = set()
    for _ in range(20):
        tab.keyboard.press("Tab")
        reached.add(
            tab.evaluate(
                "document.activeElement.id || document.activeElement.className"
            )
        )
        assert tab.evaluate(
            "getComputedStyle(document.activeElement).outlineStyle"
        ) in (
            "solid",
            "auto",
        )
    assert {"skip", "language", "theme", "strip-row"} <= reached


@needs_browser
def test_screenshots(built, chrome, tmp_path):
    taken = page.screenshots(chrome, built[0], tmp_path)
    assert [path.name for path in taken] == ["report-1280.png", "report-360.png"]
    assert all(5e3 < os.path.getsize(path) < 400e3 for path in taken)


def test_no_browser_is_said(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(files.Problem, match="apt-get install chromium"):
        page.launch(None)
