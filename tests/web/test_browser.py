"""In a real browser: nothing wider than a phone, nothing too small to tap, no error.

Needs Chromium and Playwright; without them these tests are skipped and say so.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from werkzeug.serving import make_server

from tests.web.routes import ARTIST
from tests.web.routes import LAB

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from playwright.sync_api import Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 360, "height": 800}
TAP_PIXELS_MIN = 44
PAGES = [
    "/",
    "/entries",
    "/entry/12",
    "/entry/20",
    "/entry/23",
    f"/party/{ARTIST}",
    f"/party/{LAB}",
    f"/party/{ARTIST}/statement",
    "/recording/demo:r000000",
    "/recording/demo:zz",
    "/search?q=demo",
    "/docs",
    "/docs/json",
    "/nope",
]
# Links within running text may be as high as the text (WCAG 2.2, 2.5.8).
SMALL = """() => [...document.querySelectorAll("a, button, summary, input")]
  .filter(e => !e.closest("p, dd, .words, .notes li, .document, .skip"))
  .filter(e => { const r = e.getBoundingClientRect();
                 return r.width > 0 && r.height < MIN - 0.5; })
  .map(e => e.outerHTML.slice(0, 120))""".replace("MIN", str(TAP_PIXELS_MIN))
UNFOLD = "() => document.querySelectorAll('details').forEach(each => each.open = true)"
WIDTH = "() => document.documentElement.scrollWidth"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed"
    )
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module", params=["light", "dark"])
def phone(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, color_scheme=request.param)  # type: ignore[arg-type]
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_a_phone(path: str, phone: Page, address: str) -> None:
    """At 360 pixels no page scrolls sideways, even with everything unfolded."""
    phone.goto(address + path)
    assert phone.evaluate(WIDTH) <= PHONE["width"]
    phone.evaluate(UNFOLD)
    assert phone.evaluate(WIDTH) <= PHONE["width"]


@pytest.mark.parametrize("path", PAGES)
def test_everything_can_be_tapped(path: str, phone: Page, address: str) -> None:
    """Links, buttons and fields outside of running text are 44 pixels high."""
    phone.goto(address + path)
    phone.evaluate(UNFOLD)
    assert phone.evaluate(SMALL) == []


@pytest.mark.parametrize("path", PAGES)
def test_the_browser_has_nothing_to_complain_of(
    path: str, browser: Browser, address: str
) -> None:
    """No blocked style or image, no request to anybody else, no error but the 404."""
    page = browser.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address + path)
    page.close()
    assert all("404" in each for each in complaints) is True, complaints
    assert bool(complaints) == (path == "/nope")
    assert all(url.startswith(address) for url in asked)
    assert sum(".css" in url for url in asked) == 2


def test_a_statement_unfolds_without_scripts(browser: Browser, address: str) -> None:
    """With JavaScript switched off a line still opens, and a search still finds."""
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{address}/party/{ARTIST}")
    step = page.get_by_text("is registered with 60% of it").first
    assert not step.is_visible()
    page.locator("details.line summary").first.click()
    assert step.is_visible()
    page.goto(address)
    page.fill("input[name=q]", "wren")
    page.click("button[type=submit]")
    assert page.get_by_role("link", name="Wren in the Stairwell").is_visible()
    context.close()
