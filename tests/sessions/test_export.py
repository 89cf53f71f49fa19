"""A person's own data as a file: all of it, in a known shape, and nobody else in it."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from groups.models import AskedAs, Ending, LeavingReason, Membership
from members.audit import Thing, Verb
from members.models import AuditEvent, Member
from sessions import export
from sessions.models import Attendance, LeadersNote
from tests.balint import installation
from tests.balint.installation import install
from tests.sessions.evening import soon
from tests.world import as_member, as_owner

TEXTS = {
    name: text for name, text in vars(installation).items() if name.isupper() and name != "DAY"
}


@pytest.fixture
def everything(circle):
    return install(circle)


def of(member):
    """The file of somebody, as their browser would get it."""
    with as_member(member):
        return json.loads(export.take(by=member, at=timezone.now()))


def take(client):
    return client.post(reverse("settings_export"))


# The shape


class Instant:
    """UTC, as `2026-11-21T11:00:00Z`."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str) or not other.endswith("Z"):
            return False
        return datetime.fromisoformat(other).utcoffset() == timedelta(0)

    __hash__ = None  # type: ignore[assignment]


INSTANT: Any = Instant()
GROUP = {"group": str, "time_zone": str}
MEETING = {"group": str, "meeting_at": INSTANT, "time_zone": str}


class Maybe:
    """Of that shape, or null."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape


SINCE = {"from": INSTANT, "until": Maybe(INSTANT)}
SHAPE = {
    "format": str,
    "version": int,
    "made_at": INSTANT,
    "account": {
        "name": str,
        "email": str,
        "addresses": [{"email": str, "confirmed": bool}],
        "profession": str,
        "phone": Maybe(str),
        "time_zone": str,
        "quiet_from": str,
        "quiet_until": str,
        "calendar_entries_by_mail": bool,
        "language": str,
        "since": INSTANT,
        "offices": [{"programme": str} | SINCE],
    },
    "signing_in": {
        "devices": [{"since": INSTANT, "last_seen_at": INSTANT}],
        "second_factors": [{"kind": str, "since": INSTANT, "last_used_at": Maybe(INSTANT)}],
        "calendar_address_since": Maybe(INSTANT),
    },
    "groups": {
        "memberships": [GROUP | {"role": str} | SINCE],
        "wishes": [GROUP | {"reminders": bool, "reminder_days": [int], "shares_phone": bool}],
        "times_away": [GROUP | SINCE | {"reason": str}],
        "agreed": [GROUP | {"version": int, "agreed_at": INSTANT}],
        "farewells_asked_for": [
            GROUP
            | {
                "asked_at": INSTANT,
                "ends_at": INSTANT,
                "withdrawn_at": Maybe(INSTANT),
                "reason": str,
            }
        ],
    },
    "meetings": {
        "attendance": [MEETING | {"there": bool}],
        "could_not_come": [MEETING | {"on": str, "reason": str, "answered_at": INSTANT}],
        "proposed_dates_looked_at": [GROUP | {"at": INSTANT}],
        "notices_seen": [MEETING | {"at": INSTANT}],
        "stood_in": [MEETING | {"asked_at": INSTANT, "agreed_at": Maybe(INSTANT)}],
    },
    "cases_told": [MEETING | {"forgotten_on": str, "follow_up": bool, "title": str}],
    "cases_present_for": int,
    "reflections": [
        {"meeting": Maybe(MEETING), "text": str, "written_at": INSTANT, "changed_at": INSTANT}
    ],
    "words_as_a_leader": [
        MEETING | {"text": str, "shared": bool, "written_at": INSTANT, "forgotten_on": str}
    ],
    "letters": [{"kind": str, "state": str, "due_at": INSTANT, "sent_at": Maybe(INSTANT)}],
}


def faults(value, shape, where="") -> list[str]:
    """Where a value is not of the shape: keys are exact, lists hold one shape each."""
    if isinstance(shape, Maybe):
        return [] if value is None else faults(value, shape.shape, where)
    if isinstance(shape, dict):
        if not isinstance(value, dict) or set(value) != set(shape):
            return [f"{where}: {value}"]
        return [
            fault for key in shape for fault in faults(value[key], shape[key], f"{where}/{key}")
        ]
    if isinstance(shape, list):
        return [fault for one in value for fault in faults(one, shape[0], where)]
    fits = type(value) is shape if isinstance(shape, type) else shape == value
    return [] if fits else [f"{where}: {value}"]


@pytest.mark.parametrize("who", ["leader", "presenter", "member", "absent", "admin", "outsider"])
def test_it_has_its_shape_for_whomever_it_is(everything, client_of, who):
    answer = take(client_of(everything.personas[who]))
    content = json.loads(answer.content)
    assert faults(content, SHAPE) == []
    assert (content["format"], content["version"]) == ("balint-export", 1)


def test_a_shape_that_is_not_kept_to_is_noticed():
    assert faults({"a": "2026-01-01T00:00:00"}, {"a": INSTANT})
    assert faults({"a": 1, "b": 2}, {"a": int})
    assert faults([{"a": None}], [{"a": str}])
    assert not faults({"a": None, "b": "2026-01-01T00:00:00Z"}, {"a": Maybe(str), "b": INSTANT})


# What is in it


def test_it_holds_what_is_ones_own(everything):
    circle = everything.circle
    mine = of(circle.member)
    assert mine["account"]["name"] == "Dr Dana Green"
    assert mine["account"]["phone"] == installation.PHONE
    assert [row["text"] for row in mine["reflections"]] == [installation.REFLECTION]
    assert [row["there"] for row in mine["meetings"]["attendance"]] == [True]
    assert mine["cases_present_for"] == 1
    assert mine["signing_in"]["calendar_address_since"] is not None
    assert [row["group"] for row in mine["groups"]["memberships"]] == ["Valley group"]
    assert [row["title"] for row in of(circle.presenter)["cases_told"]] == [installation.TITLE, ""]
    away = of(circle.on_leave)["groups"]["times_away"]
    assert [row["reason"] for row in away] == [installation.ON_LEAVE]
    reasons = [row["reason"] for row in of(circle.absent)["meetings"]["could_not_come"]]
    assert reasons == [installation.AWAY] * 2
    leaders = [row["text"] for row in of(circle.leader)["words_as_a_leader"]]
    assert leaders == [installation.WORD]
    assert [row["programme"] for row in of(circle.admin)["account"]["offices"]] == [
        "North programme"
    ]


def test_times_are_utc_each_with_its_zone(everything):
    meeting = of(everything.circle.member)["meetings"]["attendance"][0]
    assert datetime.fromisoformat(meeting["meeting_at"]) == everything.held.starts_at
    assert meeting["meeting_at"].endswith("Z")
    assert meeting["time_zone"] == "Asia/Jerusalem"


def test_who_left_has_of_cases_the_dates_alone(everything):
    circle = everything.circle
    with as_owner():
        Membership.objects.filter(member=circle.presenter).update(ended_at=soon(-60 * 24))
    told = of(circle.presenter)["cases_told"]
    assert [set(row) for row in told] == [
        {"group", "meeting_at", "time_zone", "forgotten_on"} for _row in range(2)
    ]


def test_who_leads_no_more_has_no_words(everything):
    circle = everything.circle
    with as_owner():
        Membership.objects.filter(member=circle.leader).update(ended_at=soon(-60 * 24))
    assert of(circle.leader)["words_as_a_leader"] == []


# Nobody else is in it

OWN = {
    "member": {"PHONE", "REFLECTION"},
    "presenter": {"TITLE"},
    "absent": {"AWAY"},
    "on_leave": {"ON_LEAVE"},
    "leader": {"WORD"},
    "second_leader": {"SHARED_WORD"},
}


@pytest.mark.parametrize(
    "who",
    [
        *("leader", "second_leader", "presenter", "member", "absent", "newcomer", "on_leave"),
        *("former", "admin", "outsider", "superuser"),
    ],
)
def test_no_text_and_no_name_of_another_is_in_anybodys_file(everything, who):
    person = everything.personas[who]
    content = json.dumps(of(person), ensure_ascii=False)
    assert {name for name, text in TEXTS.items() if text in content} == OWN.get(who, set())
    with as_owner():
        others = Member.objects.exclude(pk=person.pk)
        strangers = [word for one in others for word in (one.name, one.email, str(one.pk))]
    strangers += ["Lea Stern", "Jan Wolf", "stern@example.org", "wolf@example.org"]
    assert [word for word in strangers if word in content] == []


def test_what_leaders_wish_and_wrote_of_somebody_is_not_in_their_file(everything):
    content = of(everything.circle.absent)
    assert content["groups"]["farewells_asked_for"] == []
    assert installation.LEAVING not in json.dumps(content, ensure_ascii=False)


def test_ones_own_farewell_and_its_reason_are(everything):
    circle, at = everything.circle, timezone.now()
    with as_owner():
        ending = Ending.objects.create(
            group=circle.group,
            membership=Membership.objects.get(member=circle.member),
            asked_by=circle.member,
            asked_as=AskedAs.PERSON,
            asked_at=at,
            ends_at=at + timedelta(days=30),
        )
        reason = LeavingReason(
            group=circle.group, member=circle.member, ending=ending, forget_on=at.date()
        )
        reason.text = "Another town"
        reason.save(force_insert=True)
    [asked] = of(circle.member)["groups"]["farewells_asked_for"]
    assert asked["reason"] == "Another town"


def test_what_changes_for_others_changes_nothing_in_it(everything):
    circle, at = everything.circle, timezone.now()

    def written():
        with as_member(circle.member):
            return export.of(circle.member, at)

    before = written()
    with as_owner():
        Attendance.objects.filter(member=circle.absent).update(present=True)
        LeadersNote.objects.update(shared=True)
        for row in (everything.told, everything.being_told):
            row.title = "Another title"
            row.save()
        Member.objects.filter(pk=circle.leader.pk).update(name="Dr Somebody Else")
    assert written() == before


# The file and its page


def test_the_page_explains_and_has_one_button(everything, client_of):
    page = client_of(everything.circle.member).get(reverse("settings_export"))
    text = page.content.decode()
    assert page["Content-Type"].startswith("text/html")
    main = text[text.index("<main") : text.index("</main")]
    assert main.count("<button") == 1
    assert installation.REFLECTION not in text


def test_it_comes_whole_as_an_attachment_and_is_stored_nowhere(everything, client_of):
    answer = take(client_of(everything.circle.member))
    assert answer.status_code == 200
    assert not answer.streaming
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"] == 'attachment; filename="balint.json"'
    assert answer["Cache-Control"] == "no-store"
    assert installation.REFLECTION in answer.content.decode()


def test_that_it_was_taken_is_on_the_sites_record(everything, client_of):
    take(client_of(everything.circle.member))
    with as_owner():
        rows = AuditEvent.objects.filter(verb=Verb.EXPORTED)
        noted = set(rows.values_list("actor", "thing"))
    assert noted == {(everything.circle.member.pk, Thing.ACCOUNT)}


def test_a_sign_in_of_an_hour_ago_confirms_first(everything, client_of, settings):
    client = client_of(everything.circle.member)
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1
    assert client.get(reverse("settings_export")).status_code == 200
    answer = take(client)
    assert answer.status_code == 302
    assert installation.REFLECTION not in answer.content.decode()
    with as_owner():
        assert not AuditEvent.objects.filter(verb=Verb.EXPORTED).exists()


def test_it_asks_as_often_for_many(everything, client_of):
    circle = everything.circle

    def asked():
        with CaptureQueriesContext(connection) as queries:
            of(circle.member)
        return len(queries)

    asked()
    few = asked()
    with as_owner():
        for row in (everything.running, everything.planned, everything.cancelled):
            Attendance.objects.create(
                session=row,
                group=circle.group,
                member=circle.member,
                present=True,
                put_down_at=timezone.now(),
            )
    assert asked() == few
