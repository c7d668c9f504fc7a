from __future__ import annotations

import pytest
from reference import chromium

PROGRAM = chromium.find()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def page(tmp_path_factory, html):
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(html, "utf-8")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium.Browser(PROGRAM, tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.mark.parametrize("width", [320, 375, 1280])
def test_nothing_is_asked_for_and_nothing_is_wrong(browser, page, width):
    browser.show(page, width)
    asked = [event["request"]["url"] for event in browser.named("Network.requestWillBeSent")]
    assert asked[0] == page.resolve().as_uri()
    assert all(url.startswith("data:") for url in asked[1:]), [url[:80] for url in asked]
    for complaint in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
        assert browser.named(complaint) == []
    assert browser.value("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert browser.value("document.documentElement.scrollWidth") <= width


def test_the_keyboard_reaches_the_results(browser, page):
    browser.show(page, 375)
    browser.press("Tab")
    assert browser.value("document.activeElement.className") == "skip"
    assert browser.value("document.activeElement.getBoundingClientRect().left") == 0
    browser.press("Enter")
    assert browser.value("location.hash") == "#main"
    for _ in range(60):
        browser.press("Tab")
        if browser.value("document.activeElement.className") == "scrolled":
            break
    assert browser.value("document.activeElement.getAttribute('aria-label')")


def test_text_stands_out_from_its_ground(browser, page):
    """WCAG 2.1, contrast (minimum): 4.5 to 1."""
    browser.show(page, 1280)
    colours = browser.value(
        """(() => { const found = {};
        for (const e of document.querySelectorAll('h1, h2, p, a, dt, dd, th, td, summary, figcaption, caption, code'))
            { let g = e; while (g && getComputedStyle(g).backgroundColor === 'rgba(0, 0, 0, 0)') g = g.parentElement;
              const ground = g ? getComputedStyle(g).backgroundColor : 'rgb(255, 255, 255)';
              found[e.tagName] = [getComputedStyle(e).color, ground]; }
        return found; })()"""
    )
    assert len(colours) > 10
    for element, pair in colours.items():
        light, dark = sorted((_luminance(colour) for colour in pair), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, element


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
