"""A second factor, set up and used as a person would, with the letters that tell of it."""

import re

from allauth.mfa.totp.internal import auth as totp
from playwright.sync_api import Page

from tests.journeys.conftest import Site, sign_in
from tests.world import PASSWORD, make_member


def code_of(secret: str) -> str:
    now = next(totp.yield_hotp_counters_from_time())
    return totp.format_hotp_value(totp.hotp_value(secret, now))


def confirm(page: Page) -> None:
    if "reauthenticate" in page.url:
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        page.wait_for_url(re.compile("^(?!.*reauthenticate)"))


def test_an_app_is_added_told_by_letter_and_asked_for_at_the_next_sign_in(site: Site) -> None:
    member = make_member("Dr Dana Green", time_zone="Asia/Jerusalem")
    page = site.page(member)
    page.goto("/accounts/2fa/totp/activate/")
    confirm(page)
    secret = re.findall(r"\b[A-Z2-7]{32}\b", page.locator("main").inner_text())[0]
    page.locator("main input[name=code]").fill(code_of(secret))
    page.locator("main form button").first.click()
    page.wait_for_url(re.compile("recovery-codes|2fa/$"))
    codes = re.findall(r"\b\d{8}\b", page.locator("main").inner_text())
    assert len(codes) == 10
    (letter,) = site.mail(member.email)
    assert letter["Subject"] == "An authenticator app was added"
    text = letter.get_body(("plain",)).get_content()
    assert "from the address 127.0.0.1" in text
    assert re.search(r"\d\d:\d\d (IST|IDT)", text), "not in the person's own time"

    fresh = site.page()
    fresh.goto("/accounts/login/")
    sign_in(fresh, member.email)
    assert "/accounts/2fa/authenticate/" in fresh.url
    fresh.locator("main input[name=code]").fill(codes[0])
    fresh.locator("main form").first.get_by_role("button").first.click()
    fresh.wait_for_url(re.compile(r"127\.0\.0\.1:\d+/$"))
    assert fresh.locator("details.account summary").inner_text() == "Dr Dana Green"
