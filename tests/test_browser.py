"""The report as a person meets it: in a real browser, light and dark, on a telephone, on paper, by keyboard alone."""

import shutil
from pathlib import Path

import pytest

import results_example as example
from results_example import HOSTILE, render, spoilt
from sweeps import first_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (Debian: apt-get install chromium)")

PAGES = {
    "passed": example.passed,
    "failed": example.failed,
    "stopped": example.stopped,
    "hostile": lambda: spoilt(example.failed(), HOSTILE[3].values[0]),
    "long": lambda: spoilt(example.passed(), "n" * 10_000),
}
WIDTH_OF_A4 = 695  # pixels between the margins
OPEN = "document.querySelectorAll('details').forEach(each => each.open = true)"
SIDEWAYS = """() => {
    const width = document.documentElement.clientWidth, found = [];
    for (const each of document.querySelectorAll('body *')) {
        if (each.closest('.scroll') && !each.matches('.scroll')) continue;
        const box = each.getBoundingClientRect();
        if (box.width && box.right > width + 1) found.push(each.outerHTML.slice(0, 80));
    }
    return document.documentElement.scrollWidth > width ? ['the page', ...found] : found;
}"""
BEYOND_PAPER = """(width) => [...document.querySelectorAll('table, pre, svg, p, dl')]
    .filter(each => each.getBoundingClientRect().right > width + 1).map(each => each.outerHTML.slice(0, 80))"""
REACHABLE = "() => [...document.querySelectorAll('a, summary, [tabindex]')].length"
TARGET = """(selector) => {
    const colour = text => text.match(/[\\d.]+/g).map(Number);
    const over = (top, below) => { const [r, g, b, a = 1] = top;
        return [r, g, b].map((part, n) => part * a + below[n] * (1 - a)); };
    const light = rgb => { const [r, g, b] = rgb.map(part => { part /= 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4; });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
    const element = document.querySelector(selector), grounds = [];
    for (let each = element; each; each = each.parentElement)
        grounds.unshift(colour(getComputedStyle(each).backgroundColor));
    const ground = grounds.reduce((below, top) => over(top, below), [255, 255, 255]);
    const style = getComputedStyle(element);
    const ink = over(colour(element instanceof SVGElement ? style.fill : style.color), ground);
    const [low, high] = [light(ink), light(ground)].sort((one, two) => one - two);
    return (high + 0.05) / (low + 0.05);
}"""


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        started = player.chromium.launch(executable_path=CHROMIUM, args=["--headless", "--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """The pages, as files."""
    folder = tmp_path_factory.mktemp("pages")
    for name, results in PAGES.items():
        (folder / f"{name}.html").write_text(render(results()), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in PAGES}


@pytest.fixture
def opened(browser, files):
    """Opens a page; what it says in the console and asks for is kept in its `said` and `asked`."""
    contexts = []

    def open_page(name: str, scheme: str = "light", width: int = 1100, **more):
        contexts.append(browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, **more))
        page = contexts[-1].new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(files[name].as_uri())
        page.evaluate(OPEN)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", PAGES)
def test_the_page_says_nothing_in_the_console_and_asks_for_nothing(opened, files, name):
    page = opened(name)
    page.wait_for_load_state("networkidle")
    assert page.said == []
    assert page.asked == [files[name].as_uri()]


@pytest.mark.parametrize("scheme", first_of(["light", "dark"]))
@pytest.mark.parametrize("name", ["passed", "failed", "stopped"])
def test_no_rule_of_accessibility_is_broken_with_all_details_open(opened, name, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = opened(name, scheme)
    found = Axe().run(page).response
    assert [(each["id"], [node["html"][:80] for node in each["nodes"]]) for each in found["violations"]] == []
    undecided = [each for each in found["incomplete"] if each["id"] == "color-contrast"]
    for node in (node for each in undecided for node in each["nodes"]):
        assert page.evaluate(TARGET, node["target"][0]) >= 4.5, node["html"][:80]


@pytest.mark.parametrize("width", first_of([390, 1100]))
@pytest.mark.parametrize("name", PAGES)
def test_nothing_overflows(opened, name, width):
    assert opened(name, width=width).evaluate(SIDEWAYS) == []


@pytest.mark.parametrize("name", ["passed", "failed", "stopped"])
def test_paper_cuts_nothing_off(opened, name, tmp_path):
    page = opened(name, width=WIDTH_OF_A4)
    page.emulate_media(media="print")
    assert page.evaluate(BEYOND_PAPER, WIDTH_OF_A4) == []
    page.pdf(path=tmp_path / "report.pdf", format="A4", prefer_css_page_size=True)
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", ["passed", "failed", "stopped"])
def test_the_keyboard_reaches_everything(opened, name):
    page = opened(name)
    wanted, reached = page.evaluate(REACHABLE), set()
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => [...document.querySelectorAll('a, summary, [tabindex]')]"
                                  ".indexOf(document.activeElement)"))  # fmt: skip
    assert reached - {-1} == set(range(wanted))


def test_a_hostile_text_opens_nothing(opened):
    page = opened("hostile")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    assert page.locator("script, img, iframe").count() == 0
