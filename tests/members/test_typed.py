"""What was typed when a sign-in ran out: kept for the same person, sealed, and for an hour."""

import base64
import json
import re
from html import unescape

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from members import envelope, typed
from members.models import AuditEvent
from tests.members.signed_in import MINUTE, age, grow_stale, sign_in
from tests.world import PASSWORD, as_owner

AGAIN = "/accounts/again/"
TO_SIGN_IN = "/accounts/login/?next=%2Faccounts%2Fagain%2F"
SECRET = "Hesitates before every home visit"
PROFILE = {
    "name": "Dr Ruth Marks",
    "profession": SECRET,
    "time_zone": "Europe/London",
    "language": "en",
    "phone": "",
}


@pytest.fixture
def leader(client_of, circle):
    return client_of(circle.leader)


def hidden(page) -> list[tuple[str, str]]:
    html = page.content.decode().split('<form class="card"')[1].split("</form>")[0]
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', html)
    return [(unescape(n), unescape(v)) for n, v in found if n != "csrfmiddlewaretoken"]


def in_the_store() -> str:
    """Everything HTTP sessions hold, with what is base64 in it read as well."""
    with as_owner():
        decoded = [json.dumps(row.get_decoded()) for row in Session.objects.all()]
    raw = [
        base64.b64decode(blob) for text in decoded for blob in re.findall(r"[\w+/]{40,}=*", text)
    ]
    return "\n".join(decoded) + "\n".join(blob.decode("latin-1") for blob in raw)


def run_out(client, path="/settings/", fields=PROFILE, **more):
    age(client, idle=31 * MINUTE)
    return client.post(path, fields, **more)


def test_a_form_posted_too_late_is_offered_again_after_signing_in(leader, circle):
    assert run_out(leader, "/settings/?from=here").headers["Location"] == TO_SIGN_IN
    answer = sign_in(leader, circle.leader, PASSWORD, next=AGAIN)
    assert answer.headers["Location"] == AGAIN
    page = leader.get(AGAIN)
    assert "What you typed is still here." in page.content.decode()
    assert 'action="/settings/?from=here"' in page.content.decode()
    assert dict(hidden(page)) == PROFILE
    assert leader.post("/settings/", dict(hidden(page))).headers["Location"] == "/settings/"
    with as_owner():
        circle.leader.refresh_from_db()
    assert circle.leader.profession == SECRET


def test_nothing_typed_stands_in_a_http_session_in_clear(leader):
    run_out(leader)
    store = in_the_store()
    assert typed.KEY in store
    for text in (SECRET, "Hesitates", "/settings/", "Europe/London"):
        assert text not in store
    assert "_auth_user_id" not in store


def test_several_values_and_lines_stay_as_they_were(leader, circle):
    fields = {"day": ["1", "2"], "reason": 'Two\nlines & "quotes" <b>'}
    run_out(leader, f"/groups/{circle.group.pk}/schedule/", fields)
    sign_in(leader, circle.leader, PASSWORD)
    wanted = [("day", "1"), ("day", "2"), ("reason", fields["reason"])]
    assert hidden(leader.get(AGAIN)) == wanted


def test_passwords_and_codes_are_never_kept(leader, circle):
    run_out(leader, fields=PROFILE | {"password": "x1", "new_password2": "x2", "code": "123456"})
    sign_in(leader, circle.leader, PASSWORD)
    assert dict(hidden(leader.get(AGAIN))) == PROFILE


def test_what_is_too_long_is_not_kept(leader):
    answer = run_out(leader, fields={"text": "a" * typed.LONGEST})
    assert answer.headers["Location"] == "/accounts/login/?next=%2F"
    assert typed.KEY not in leader.session


def test_somebody_else_gets_nothing_and_it_is_destroyed(leader, circle):
    run_out(leader)
    sign_in(leader, circle.outsider, PASSWORD, next=AGAIN)
    assert typed.KEY not in leader.session
    answer = leader.get(AGAIN)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_ciphertext_carried_into_another_sign_in_opens_nothing(client_of, leader, circle):
    run_out(leader)
    thief = client_of(circle.outsider)
    session = thief.session
    session[typed.KEY] = leader.session[typed.KEY]
    session.save()
    assert thief.get(AGAIN).headers["Location"] == "/"
    assert typed.KEY not in thief.session


def test_after_an_hour_it_is_gone(leader, circle):
    grow_stale(leader)
    leader.post(f"/groups/{circle.group.pk}/propose/", {"name": SECRET})
    assert leader.get(AGAIN).status_code == 200
    kept = leader.session[typed.KEY]
    place = typed._place(circle.leader, envelope.UUID(kept["id"]))
    opened = json.loads(envelope.unseal(base64.b64decode(kept["sealed"]), **place))
    session = leader.session
    sealed = envelope.seal(json.dumps(opened | {"until": opened["until"] - 3601}), **place)
    session[typed.KEY] = kept | {"sealed": base64.b64encode(sealed).decode()}
    session.save()
    assert leader.get(AGAIN).headers["Location"] == "/"


def test_signing_out_destroys_it(leader, circle):
    grow_stale(leader)
    leader.post(f"/groups/{circle.group.pk}/propose/", {"name": SECRET})
    leader.post("/accounts/logout/")
    sign_in(leader, circle.leader, PASSWORD)
    assert leader.get(AGAIN).headers["Location"] == "/"


def test_once_sent_it_no_longer_waits(leader, circle):
    run_out(leader)
    sign_in(leader, circle.leader, PASSWORD)
    leader.post("/settings/groups/", {})
    assert typed.KEY in leader.session
    leader.post("/settings/", PROFILE)
    assert typed.KEY not in leader.session


def test_a_form_of_another_site_is_not_kept(circle):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(circle.leader)
    assert run_out(strict).headers["Location"] == "/accounts/login/?next=%2F"
    assert typed.KEY not in strict.session


def test_a_part_of_a_page_sends_the_whole_browser(leader):
    answer = run_out(leader, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == TO_SIGN_IN


def test_reading_a_page_too_late_goes_back_to_that_page(leader):
    age(leader, idle=31 * MINUTE)
    where = leader.get("/settings/?a=b").headers["Location"]
    assert where == "/accounts/login/?next=%2Fsettings%2F%3Fa%3Db"


def test_nobody_signed_in_has_nothing_waiting(client, db):
    assert client.get(AGAIN).headers["Location"] == TO_SIGN_IN


def test_somebody_else_who_signs_in_there_leaves_no_trace_of_tampering(leader, circle):
    run_out(leader)
    assert typed.KEY in leader.session
    sign_in(leader, circle.member, PASSWORD)
    assert typed.KEY not in leader.session
    with as_owner():
        assert not AuditEvent.objects.filter(verb="failed").exists()
