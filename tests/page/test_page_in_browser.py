"""What a visitor of the report page does, in a real browser."""

import os
import re

from common import datasets, recipes
from publish.page import browser

import keras
import numpy as np
import pytest
from playwright.sync_api import expect

TRAINED = ("20_softmax_mnist", "22_initialization_mnist", "33_lenet5")


def test_answers_are_those_of_keras_to_three_digits(built, visit):
    """All recipes that read digits, 100 test images, half precision in the page."""
    images = datasets.mnist(limit=100)[2][0]
    flat = images.reshape(100, 784).tolist()
    answers = visit().evaluate("images => images.map((i) => labs.answer(i))", flat)
    saved = sorted(built[1].glob("*/seed-0/model.keras"))
    assert set(answers[0]) == {path.parts[-3] for path in saved} > set(TRAINED)
    for path in saved:
        model = keras.models.load_model(path, compile=False)
        found = np.array([answer[path.parts[-3]] for answer in answers])
        expected = keras.ops.softmax(model(images)).numpy()
        if path.parts[-3] in TRAINED:
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
    networks = tab.locator("[data-network]").count()
    assert tab.locator(".bar.best").count() == networks >= len(TRAINED)
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


def test_system_decides_language_and_theme_at_first(visit):
    tab = visit(color_scheme="dark", locale="ko-KR")
    html = tab.locator("html")
    expect(html).to_have_attribute("lang", "ko")
    expect(html).to_have_attribute("data-theme", "dark")
    tab.emulate_media(color_scheme="light")
    expect(html).to_have_attribute("data-theme", "light")


def test_search_filters_and_deep_links(visit):
    tab = visit()
    shown = tab.locator("article:visible")
    every = len(recipes.all_recipes())
    assert shown.count() == every
    tab.fill("#search", "dropout 0.3")
    assert tab.locator('[id="24_dropout_mnist"]').is_visible()
    assert shown.count() < 5
    tab.fill("#search", "nosuchthing")
    assert shown.count() == 0
    assert tab.locator("#nothing").is_visible()
    tab.click('button[type="reset"]')
    expect(shown).to_have_count(every)
    tab.select_option("#lecture", "004")
    of_004 = shown.count()
    assert 0 < of_004 < every
    tab.select_option("#kind-filter", "cited")
    assert 0 < shown.count() < of_004
    tab.select_option("#kind-filter", "")
    tab.select_option("#topic", "004, advanced CNN: LeNet-5")
    assert [a.get_attribute("id") for a in shown.all()] == ["33_lenet5"]
    # A link to what the filters hide brings it back.
    tab.evaluate("location.hash = '#24_dropout_mnist'")
    target = tab.locator('[id="24_dropout_mnist"]')
    target.wait_for(state="visible")
    assert 0 <= target.bounding_box()["y"] < 200
    direct = visit("#33_lenet5")
    assert 0 <= direct.locator('[id="33_lenet5"]').bounding_box()["y"] < 200


def test_tiles_show_what_they_count(visit):
    tab = visit()

    def judged():
        articles = tab.locator("article:visible").all()
        return [a.get_attribute("data-judged").split("|") for a in articles]

    tab.locator('.tile[data-verdict="erratum"]').click()
    assert judged()
    assert all(any(":erratum" in pair for pair in pairs) for pairs in judged())
    tab.locator('.tile[data-kind="run"]').click()
    assert judged()
    assert all(any("run:" in pair for pair in pairs) for pairs in judged())
    # Kind and verdict together are those of one figure.
    tab.select_option("#verdict-filter", "reproduced")
    assert judged()
    assert all("run:reproduced" in pairs for pairs in judged())
    tab.locator("[data-opens=waiting]").click()
    assert tab.locator("#waiting").get_attribute("open") is not None


def test_learning_curves_tell_their_values(visit):
    tab = visit("#22_initialization_mnist")
    chart = tab.locator('[id="22_initialization_mnist"] figure.chart').nth(1)
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


def test_keyboard_reaches_everything_and_shows_where_it_is(visit):
    tab = visit()
    reached = set()
    for _ in range(30):
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


def test_screenshots(built, chrome, tmp_path):
    taken = browser.screenshots(chrome, built[0], tmp_path)
    assert [path.name for path in taken] == ["report-1280.png", "report-360.png"]
    assert all(5e3 < os.path.getsize(path) < 400e3 for path in taken)
