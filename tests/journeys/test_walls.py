"""What a real browser makes of our headers: whose forms pass, and what is left after log-out."""

import http.server
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from members.models import Member
from tests.journeys.conftest import Site, sign_in
from tests.world import as_owner, make_member

FORM = """<form id="f" method="post" action="{target}">
<input name="csrfmiddlewaretoken" value="{token}"><input name="name" value="Taken over">
<input name="profession" value=""><input name="time_zone" value="UTC">
<input name="language" value="en"><input name="phone" value=""></form>"""
SEND = "<script>document.getElementById('f').submit()</script>"


class Elsewhere:
    """Another site on this machine: whatever pages one puts into it."""

    def __init__(self) -> None:
        pages: dict[str, str] = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(pages.get(self.path, "").encode())

            def log_message(self, *args: object) -> None:
                pass

        self.pages = pages
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    other = Elsewhere()
    yield other
    other.server.shutdown()
    other.server.server_close()


@pytest.fixture
def member(site: Site) -> Member:
    return make_member("Dr Dana Green")


def name_of(member: Member) -> str:
    with as_owner():
        member.refresh_from_db()
    return member.name


def token_of(page: Page) -> str:
    page.goto("/settings/")
    return str(page.locator("main input[name=csrfmiddlewaretoken]").first.get_attribute("value"))


def sent_to_settings(page: Page) -> list[tuple[str | None, str | None, int]]:
    """Origin, Sec-Fetch-Site and status of every form sent to the settings."""
    seen: list[Any] = []
    page.context.on(
        "response",
        lambda answer: (
            seen.append(answer)
            if answer.request.method == "POST" and answer.url.endswith("/settings/")
            else None
        ),
    )
    return seen


def told(answers: list[Any]) -> list[tuple[str | None, str | None, int]]:
    return [
        (
            answer.request.header_value("origin"),
            answer.request.header_value("sec-fetch-site"),
            answer.status,
        )
        for answer in answers
    ]


def test_our_own_forms_pass_although_no_address_is_told(site: Site, member: Member) -> None:
    page = site.page(member)
    answers = sent_to_settings(page)
    page.goto("/settings/")
    page.locator("main input[name=name]").fill("Dr D. Green")
    page.locator("main form").first.get_by_role("button").first.click()
    page.wait_for_load_state()
    assert told(answers) == [("null", "same-origin", 302)]
    assert name_of(member) == "Dr D. Green"


POLICIES = {"no-referrer": "null", "unsafe-url": "its own"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("policy", POLICIES)
def test_a_form_of_another_site_is_refused_even_with_the_right_token(
    site: Site, member: Member, elsewhere: Elsewhere, host: str, policy: str
) -> None:
    page = site.page(member)
    form = FORM.format(target=f"{site.url}/settings/", token=token_of(page))
    elsewhere.pages["/"] = f'<meta name="referrer" content="{policy}">{form}{SEND}'
    answers = sent_to_settings(page)
    theirs = f"http://{host}:{elsewhere.port}"
    page.goto(f"{theirs}/")
    page.wait_for_url(re.compile("/settings/$"))
    origin = "null" if policy == "no-referrer" else theirs
    if host == "127.0.0.1":
        # The same site to a browser, so the cookies come along; the origin is another.
        assert told(answers) == [(origin, "same-site", 403)]
    else:
        # Our cookies do not even come along: it leads to signing in, and from there, with the
        # cookies of a page one looks at, back to the settings as they were.
        assert told(answers) == [(origin, "cross-site", 302)]
    assert name_of(member) == "Dr Dana Green"


def test_a_form_out_of_a_sandboxed_frame_is_refused(
    site: Site, member: Member, elsewhere: Elsewhere
) -> None:
    page = site.page(member)
    form = FORM.format(target=f"{site.url}/settings/", token=token_of(page))
    elsewhere.pages["/form"] = form + SEND
    elsewhere.pages["/"] = '<iframe sandbox="allow-forms allow-scripts" src="/form"></iframe>'
    answers = sent_to_settings(page)
    with page.expect_response(lambda answer: answer.url.endswith("/settings/")):
        page.goto(f"http://127.0.0.1:{elsewhere.port}/")
    ((origin, fetched_from, status),) = told(answers)
    assert (origin, fetched_from) == ("null", "cross-site")
    assert status in (302, 403)
    assert name_of(member) == "Dr Dana Green"


KEEP = """async () => {
  localStorage.setItem('kept', 'a draft'); sessionStorage.setItem('kept', 'a draft');
  const cache = await caches.open('kept'); await cache.put('/kept', new Response('a draft'));
  await new Promise((done) => { indexedDB.open('kept').onsuccess = (event) => {
    event.target.result.close(); done(); }; });
}"""
LEFT = """async () => [localStorage.length, sessionStorage.length, (await caches.keys()).length,
  (await indexedDB.databases()).length]"""


@pytest.mark.parametrize("way", ["log out", "end this device"])
def test_nothing_is_left_in_the_browser_after_log_out(site: Site, member: Member, way: str) -> None:
    page = site.page()
    address = site.url.replace("127.0.0.1", "localhost")
    page.goto(f"{address}/accounts/login/")
    sign_in(page, member.email)
    page.evaluate(KEEP)
    assert page.evaluate(LEFT) == [1, 1, 1, 1]
    page.reload()
    assert page.evaluate(LEFT) == [1, 1, 1, 1]
    page.goto(f"{address}/accounts/{'logout' if way == 'log out' else 'sessions'}/")
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))
    page.locator("main form button").first.click()
    page.wait_for_load_state()
    cleared = [answer.header_value("clear-site-data") for answer in answers]
    assert [value for value in cleared if value] == ['"cache", "storage"']
    page.goto(f"{address}/about/")
    assert page.evaluate(LEFT) == [0, 0, 0, 0]
    assert page.locator('header a[href="/accounts/login/"]').count() == 1


UNKNOWN_ON_LINUX = "Error with Permissions-Policy header: Unrecognized feature: 'bluetooth'."


def test_a_browser_understands_every_header(site: Site, member: Member) -> None:
    page = site.page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto("/accounts/login/")
    sign_in(page, member.email)
    for path in ("/", "/settings/", "/accounts/2fa/totp/activate/"):
        page.goto(path)
    # Chromium knows bluetooth, but not on Linux.
    about_headers = {text for text in said if "header" in text or "Content Security" in text}
    assert about_headers <= {UNKNOWN_ON_LINUX}
    features = "document.featurePolicy.allowedFeatures().sort().join(' ')"
    allowed = set(page.evaluate(features).split())
    assert {"screen-wake-lock", "publickey-credentials-get"} <= allowed
    assert not allowed & {"camera", "microphone", "geolocation", "clipboard-read", "usb", "midi"}
