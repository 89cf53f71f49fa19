"""Our own modules in a real browser: what a hand, a key and an assistive tool make of them."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page

SCRIPTS = settings.BASE_DIR / "static" / "js"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def run(page: Page, name: str) -> None:
    """Run one of our modules to its end; a module in the page starts when it likes."""
    module = (SCRIPTS / name).read_text()
    page.add_script_tag(content=f"{module}\nwindow.lastRun = '{name}';", type="module")
    page.wait_for_function(f"() => window.lastRun === '{name}'")


FORM = """
<form onsubmit="event.preventDefault(); document.title += 'sent '">
  <button data-hold>hold: ask Amit back in</button></form>
"""


@pytest.fixture
def button(page: Page):
    page.set_content(FORM)
    run(page, "hold.js")
    return page.locator("button")


def sent(page: Page) -> int:
    return page.title().count("sent")


def test_a_touch_alone_moves_nothing(page, button):
    button.click()
    page.wait_for_timeout(800)
    assert sent(page) == 0


def test_holding_acts_once(page, button):
    button.hover()
    page.mouse.down()
    assert button.get_attribute("class") == "holding"
    page.wait_for_timeout(1500)
    page.mouse.up()
    assert sent(page) == 1
    assert button.get_attribute("class") == ""


def test_sliding_off_lets_go(page, button):
    button.hover()
    page.mouse.down()
    page.mouse.move(600, 400)
    page.wait_for_timeout(800)
    page.mouse.up()
    assert sent(page) == 0


@pytest.mark.parametrize("key", ["Enter", " "])
def test_one_press_of_a_key_moves_nothing_and_the_second_acts(page, button, key):
    button.press(key)
    assert sent(page) == 0
    button.press(key)
    assert sent(page) == 1


def test_a_held_key_acts_once(page, button):
    button.focus()
    page.keyboard.down("Enter")
    page.wait_for_timeout(800)
    page.keyboard.up("Enter")
    assert sent(page) == 1


def test_an_assistive_tool_that_clicks_acts(page, button):
    button.evaluate("button => button.click()")
    assert sent(page) == 1


def test_a_button_that_comes_later_is_held_too(page, button):
    page.evaluate("form => document.body.innerHTML = form", FORM)
    page.locator("button").click()
    assert sent(page) == 0


def test_without_the_script_it_is_an_ordinary_button(page):
    page.set_content(FORM)
    page.locator("button").click()
    assert sent(page) == 1


def test_the_clock_shows_the_wall_time_of_the_group_and_goes_on(page):
    page.clock.install(time="2026-12-17T18:13:59Z")
    page.set_content('<span data-clock data-zone="Asia/Jerusalem">20:00</span>')
    run(page, "clock.js")
    assert page.locator("span").inner_text() == "20:13"
    page.clock.fast_forward("00:01")
    assert page.locator("span").inner_text() == "20:14"


def test_a_clock_of_a_zone_the_browser_does_not_know_still_shows_a_time(page):
    page.set_content('<span data-clock data-zone="Nowhere/Land"></span>')
    run(page, "clock.js")
    assert re.fullmatch(r"\d\d:\d\d", page.locator("span").inner_text())


def test_the_screen_is_kept_on_again_after_the_page_was_out_of_sight(page):
    page.set_content("<p>the strip</p>")
    page.evaluate(
        """() => Object.defineProperty(navigator, 'wakeLock', { value: {
            request: kind => { document.title += kind + ' '; return Promise.resolve() } } })"""
    )
    run(page, "wake.js")
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    assert page.title().count("screen") == 2


def test_a_passkey_that_failed_is_said_in_words(page):
    page.set_content("<p data-passkey-trouble hidden>The passkey did not work.</p>")
    run(page, "passkey.js")
    page.evaluate("() => document.dispatchEvent(new CustomEvent('allauth.error'))")
    assert page.locator("p").is_visible()
