"""Typed for long: the sign-in ran out, and nothing of it is lost; with script and without."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY as RECORDS
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from members import sitting
from tests.journeys.conftest import Site, sign_in
from tests.world import as_owner, make_member

TYPED = "general practice & palliative care"


@pytest.fixture
def change(site: Site, settings: Any) -> Callable[..., None]:
    """Time passes: what every HTTP session says is changed in the database."""
    settings.SECRET_KEY = site.environment["SECRET_KEY"]

    def changed(**values: Any) -> None:
        with as_owner():
            for row in Session.objects.all():
                store = SessionStore(row.session_key)
                store.update(values)
                store.save()

    return changed


@pytest.mark.parametrize("script", [True, False])
def test_what_was_typed_too_long_is_sent_after_signing_in_again(
    site: Site, change: Callable[..., None], script: bool
):
    member = make_member("Dr Dana Green")
    page = site.page(member, java_script_enabled=script)
    page.goto("/settings/")
    page.get_by_label("Profession").fill(TYPED)
    change(**{sitting.SEEN: int(time.time()) - 31 * 60})
    page.locator("main form").get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile("/accounts/login/"))
    with as_owner():
        assert all("palliative" not in str(row.get_decoded()) for row in Session.objects.all())
    sign_in(page, member.email)
    page.wait_for_url(re.compile("/accounts/again/"))
    assert page.get_by_role("heading", level=1).inner_text() == "What you typed is still here."
    page.get_by_role("button", name="Send it now").click()
    page.wait_for_url(re.compile("/settings/"))
    assert page.get_by_label("Profession").input_value() == TYPED
    with as_owner():
        member.refresh_from_db()
    assert member.profession == TYPED


def test_who_has_to_confirm_goes_on_where_they_were(site: Site, change: Callable[..., None]):
    member = make_member("Dr Dana Green")
    page = site.page(member)
    change(**{sitting.BEGAN: int(time.time()) - 16 * 60, RECORDS: []})
    page.goto("/accounts/2fa/totp/activate/")
    page.get_by_label("Password").fill("a long and quiet word")
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url(re.compile("/accounts/2fa/totp/activate/"))
