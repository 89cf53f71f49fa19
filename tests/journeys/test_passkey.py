"""A passkey signs in alone, in a real browser with a virtual authenticator, on localhost."""

import re

from tests.journeys.conftest import Site, sign_in
from tests.world import make_member


def test_a_passkey_is_added_on_localhost_and_then_signs_in_alone(site: Site):
    member = make_member("Dr Dana Green")
    page = site.page()
    address = site.url.replace("127.0.0.1", "localhost")
    _virtual_authenticator(page)
    page.goto(f"{address}/accounts/login/")
    sign_in(page, member.email)
    page.goto(f"{address}/accounts/2fa/webauthn/add/")
    if "reauthenticate" in page.url:
        page.get_by_label("Password").fill("a long and quiet word")
        page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Add passkey").click()
    page.wait_for_url(re.compile("webauthn/(?!add)|recovery"))
    page.context.clear_cookies()
    page.goto(f"{address}/accounts/login/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{address}/")
    assert page.locator("details.account summary").inner_text() == "Dr Dana Green"


def _virtual_authenticator(page) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
