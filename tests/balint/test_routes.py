"""Every address: who gets in, what reading changes, and what a refusal looks like."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.http import HttpResponse
from django.template import Engine
from django.test import Client

from balint.middleware import OPEN_TO_ALL
from members import audit
from members.identity import acting_as
from tests.balint import installation
from tests.balint.addresses import ADDRESSES, OF_OBJECTS, Address, Nothing
from tests.balint.installation import Installation, install
from tests.servers import ROOT
from tests.world import Circle, as_owner

NOTHING = Nothing()
STATIC = "/static/balint.css"

OPEN = {
    "home",
    "about",
    "healthz",
    "readyz",
    "invitation",
    "feed",
    "answer_by_mail",
    "unsubscribe",
    "account_login",
    "account_logout",
    "account_signup",
    "account_inactive",
    "account_reauthenticate",
    "account_confirm_email",
    "account_confirm_login_code",
    "account_email_verification_sent",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_authenticate",
    "mfa_login_webauthn",
}


@pytest.fixture
def everything(circle: Circle) -> Installation:
    return install(circle)


def opens(path: str) -> list[str]:
    return [entry for entry in OPEN_TO_ALL if re.match(entry, path)]


# Who gets in


def test_the_addresses_open_to_all_are_exactly_these() -> None:
    assert {one.name for one in ADDRESSES if opens(one.path(NOTHING))} == OPEN


def test_every_entry_of_the_open_list_has_a_reason_and_opens_something() -> None:
    paths = [one.path(NOTHING) for one in ADDRESSES] + [STATIC]
    used = {entry for path in paths for entry in opens(path)}
    assert set(OPEN_TO_ALL) - used == set()
    assert [entry for entry, reason in OPEN_TO_ALL.items() if len(reason) < 10] == []


def test_no_path_is_opened_by_two_entries() -> None:
    doubled = [one.name for one in ADDRESSES if len(opens(one.path(NOTHING))) > 1]
    assert doubled == []


def to_sign_in(path: str) -> tuple[int, str, bytes]:
    return 302, f"/accounts/login/?next={path}", b""


CLOSED = [one for one in ADDRESSES if one.name not in OPEN]
NOWHERE = ["/nothing/here/", "/admin/", "/groups", "/calendar/2026/99/x", "/accounts/nothing/"]


def told_to_nobody(client: Client, path: str, method: str = "get") -> tuple[int, str, bytes]:
    answer = getattr(client, method)(path)
    location = answer.get("Location", "").replace("%2F", "/").replace("%3A", ":")
    return answer.status_code, location, answer.content


@pytest.mark.parametrize("address", CLOSED, ids=lambda one: one.name)
def test_nobody_signed_in_is_sent_to_sign_in(client: Client, db: None, address: Address) -> None:
    path = address.path(NOTHING)
    assert told_to_nobody(client, path) == to_sign_in(path)


@pytest.mark.parametrize("path", NOWHERE)
def test_a_path_that_does_not_exist_looks_the_same(client: Client, db: None, path: str) -> None:
    assert told_to_nobody(client, path) == to_sign_in(path)


def test_what_exists_looks_the_same_to_nobody_as_what_does_not(
    client: Client, everything: Installation, django_assert_num_queries: Any
) -> None:
    for address in CLOSED:
        for path in address.paths(everything.known):
            with django_assert_num_queries(0):
                assert told_to_nobody(client, path) == to_sign_in(path)


@pytest.mark.parametrize("method", ["post", "put", "delete", "options"])
def test_no_other_method_says_more(db: None, method: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    for address in CLOSED:
        path = address.path(NOTHING)
        assert told_to_nobody(strict, path, method) == to_sign_in(path)


# What is not yours is not there

PERSONAS = [
    "leader",
    "second_leader",
    "presenter",
    "member",
    "absent",
    "newcomer",
    "on_leave",
    "former",
    "admin",
    "outsider",
    "superuser",
]
STRANGERS = {"outsider", "superuser"}
# One for each sort of page; the others see fewer of the same.
READERS_OF_PAGES = ["leader", "presenter", "newcomer", "admin", None]


def bytes_of(answer: HttpResponse) -> tuple[int, dict[str, str], bytes]:
    return answer.status_code, dict(answer.headers), answer.content


def refusals(ask: Callable[[str], HttpResponse], address: Address, answers: list[Any]) -> int:
    """How many of these answers refuse; each is what one gets of nothing."""
    refused = [bytes_of(answer) for answer in answers if answer.status_code == 404]
    if refused:
        assert refused == [bytes_of(ask(address.path(NOTHING)))] * len(refused), address
    return len(refused)


@pytest.mark.parametrize("persona", ["outsider", "member", "former", "admin"])
def test_whoever_is_refused_what_they_post_is_told_what_one_is_told_of_nothing(
    everything: Installation, client_of: Any, persona: str
) -> None:
    ask = client_of(everything.personas[persona]).post
    refused = 0
    for address in OF_OBJECTS:
        answers = [ask(path) for path in address.paths(everything.known)]
        refused += refusals(ask, address, answers)
        if persona == "outsider":
            assert {answer.status_code for answer in answers} <= {404, 405}
    assert refused > 5


# Reading changes nothing

OURS = [
    model
    for model in apps.get_models()
    if model._meta.app_label in {"members", "groups", "balint_sessions", "account"}
]
# Whoever opens the room of an online meeting is in it, and who is there hears the case (S0).
ROOM = {"room", "room_now", "room_clock"}
ITS_NOTES = {"RoomPresence", "CasePresence"}
# That somebody read what is others' is put on record, once a day.
THE_RECORD = {"AuditChain", "AuditEvent"}
ROWS = "select '{0}', coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {1} t"
SNAPSHOT = " union all ".join(ROWS.format(one.__name__, one._meta.db_table) for one in OURS)


def snapshot() -> dict[str, str]:
    """For each table of ours a hash of all its rows."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(SNAPSHOT)
        return dict(cursor.fetchall())


def ways(everything: Installation) -> Iterator[tuple[Address, str]]:
    """Every path there is."""
    for address in ADDRESSES:
        for path in address.paths(everything.known):
            yield address, path


def test_a_changed_row_is_found_out(everything: Installation) -> None:
    before = snapshot()
    with as_owner():
        everything.circle.group.leaves.update(ended_at=None, starts_at="2026-01-01T00:00Z")
    changed = {name for name, value in snapshot().items() if value != before[name]}
    assert changed == {"Leave"}


UNKNOWN = "⟦unknown: %s⟧"
# `{{ name|default:… }}` may be given nothing.
WITH_DEFAULT = {
    name
    for template in (ROOT / "templates").rglob("*.html")
    for name in re.findall(r"{{ *([\w.]+)\|default", template.read_text())
}


@pytest.mark.parametrize("persona", READERS_OF_PAGES)
def test_reading_changes_nothing_and_shows_no_name_its_view_did_not_give(
    everything: Installation,
    client_of: Any,
    monkeypatch: pytest.MonkeyPatch,
    persona: str | None,
) -> None:
    monkeypatch.setattr(Engine.get_default(), "string_if_invalid", UNKNOWN)
    client = client_of(everything.personas[persona] if persona else None)
    with acting_as(None):
        # The record has its key.
        audit.note(audit.ROTATED, audit.Thing.KEYS)
    before = snapshot()
    unknown: dict[str, set[str]] = defaultdict(set)
    for address, path in ways(everything):
        page = client.get(path).content.decode(errors="replace")
        after = snapshot()
        changed = {name for name, value in after.items() if value != before[name]}
        noted = ITS_NOTES if address.name in ROOM else set()
        assert changed - noted - THE_RECORD == set(), path
        before = after
        if not address.pattern.startswith("accounts/"):
            unknown[address.name] |= set(re.findall(r"⟦unknown: (.*?)⟧", page)) - WITH_DEFAULT
    assert {name: names for name, names in unknown.items() if names} == {}


# What is written where

INSIDE = {"leader", "second_leader", "presenter", "member", "absent"}
LEADERS = {"leader", "second_leader"}
READERS: dict[str, set[str]] = {
    installation.TITLE: {"leader", "presenter", "member"},
    installation.AWAY: LEADERS | {"absent"},
    installation.ON_LEAVE: LEADERS | {"on_leave"},
    installation.LEAVING: LEADERS,
    installation.CANCELLED: INSIDE,
    installation.LINK: INSIDE,
    installation.DOOR: LEADERS,
    installation.PHONE: {"member"},
    installation.REFLECTION: {"member"},
    installation.WORD: {"leader"},
    installation.SHARED_WORD: LEADERS,
}


@pytest.mark.parametrize("persona", PERSONAS)
def test_a_text_reaches_those_it_is_for_and_a_refusal_says_what_is_said_of_nothing(
    everything: Installation, client_of: Any, persona: str
) -> None:
    ask = client_of(everything.personas[persona]).get
    read, refused = set(), 0
    for address in ADDRESSES:
        if address.pattern.startswith("accounts/"):
            continue
        answers = [ask(path) for path in address.paths(everything.known)]
        pages = [answer.content.decode(errors="replace") for answer in answers]
        read |= {text for text in READERS for page in pages if text in page}
        if address in OF_OBJECTS:
            refused += refusals(ask, address, answers)
            if persona in STRANGERS:
                assert {answer.status_code for answer in answers} <= {404, 405}, address
    assert read == {text for text, readers in READERS.items() if persona in readers}
    assert refused or persona == "leader"
