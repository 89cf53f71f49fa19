"""Calendar files: read back by two libraries that share no code with the one that wrote them."""

from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from groups.cadence import Cadence, Rule, Unit, held
from groups.models import Acceptance, Agreement, Entrance, Group, Leave, Membership
from sessions import feeds, ics, places, visible
from sessions.models import CalendarFeed, Session
from sessions.phases import Phase
from tests.sessions.files import instants, one, other, unfolded, values
from tests.sessions.meetings import cannot_come, change, groups_of, in_days, make_session, on_wall
from tests.world import as_member, as_owner, join, make_group, make_member, years_ago

NEW_YORK = "America/New_York"
NOTHING_HERE = "/calendar/" + "A" * 43 + "/balint.ics"


def make_feed(client) -> str:
    """The path of a fresh feed of whoever the client is."""
    page = client.post("/settings/calendar/").content.decode()
    return urlsplit(page.split('id="address"')[1].split('value="')[1].split('"')[0]).path


def poll(client, path: str, etag: str = ""):
    return client.get(path, headers={"If-None-Match": etag} if etag else {})


@pytest.fixture
def anyone(client_of):
    """A calendar program: no cookie, no name."""
    return client_of()


@pytest.fixture
def path(circle, client_of) -> str:
    """The feed of the circle's member."""
    return make_feed(client_of(circle.member))


# The address


def test_an_address_is_shown_once_and_only_its_hash_is_kept(circle, client_of):
    client = client_of(circle.member)
    path = make_feed(client)
    token = path.split("/")[2]
    assert len(token) == 43
    with as_owner():
        row = CalendarFeed.objects.get(member=circle.member)
    assert row.token_hash != token
    assert token not in client.get("/settings/calendar/").content.decode()


def test_the_page_gives_a_web_address_and_one_that_opens_the_calendar(circle, client_of):
    with override_settings(SITE_URL="https://balint.example"):
        page = client_of(circle.member).post("/settings/calendar/").content.decode()
    assert page.count("https://balint.example/calendar/") == 1
    assert page.count("webcal://balint.example/calendar/") == 1


def test_looking_at_the_page_makes_no_address(circle, client_of):
    client_of(circle.member).get("/settings/calendar/")
    with as_owner():
        assert CalendarFeed.objects.count() == 0


def test_a_new_address_voids_the_old_at_once(circle, client_of, anyone):
    in_days(circle.group, 5)
    client = client_of(circle.member)
    old, new = make_feed(client), make_feed(client)
    assert anyone.get(old).status_code == 404
    assert anyone.get(new).status_code == 200


def test_unknown_void_and_closed_are_the_same_nothing(circle, client_of, anyone):
    client = client_of(circle.member)
    void, closed = make_feed(client), make_feed(client)
    with as_owner():
        circle.member.is_active = False
        circle.member.save()
    answers = [anyone.get(path) for path in (NOTHING_HERE, void, closed, "/calendar/x/balint.ics")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].content == client_of(circle.outsider).get("/nothing/").content
    assert all(dict(answer.items()) == dict(answers[0].items()) for answer in answers)


# The answer


def test_a_feed_is_private_and_knows_no_cookie(circle, path, anyone, client_of):
    in_days(circle.group, 5)
    answer = anyone.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Vary" not in answer.headers
    assert not answer.cookies
    # Whoever is signed in, it is the token that counts.
    with_cookie = client_of(circle.outsider).get(path)
    assert with_cookie.content == answer.content
    assert "Vary" not in with_cookie.headers
    assert not with_cookie.cookies


def test_only_reading_is_allowed(path, anyone):
    assert anyone.head(path).status_code == 200
    assert anyone.head(path).content == b""
    assert {anyone.generic(verb, path).status_code for verb in ("PUT", "DELETE", "PATCH")} == {405}


def test_the_same_dates_are_the_same_bytes_whenever_they_are_asked_for(circle, path):
    in_days(circle.group, 5)
    in_days(circle.group, 35, time_zone="Europe/London")
    now = timezone.now()
    with as_member(circle.member):
        renders = {feeds.render(circle.member, at=now + timedelta(hours=h)) for h in range(30)}
        token = path.split("/")[2]
        etags = {feeds.find(token, at=now + timedelta(hours=h)).etag for h in range(30)}
    assert len(renders) == len(etags) == 1


def test_nothing_new_is_one_query_with_nothing_rendered(circle, path, anyone):
    for days in range(5, 400, 30):
        in_days(circle.group, days)
    etag = anyone.get(path).headers["ETag"]
    for held_tag in (etag, f"W/{etag}", f'"another", {etag}', "*"):
        with CaptureQueriesContext(connection) as asked:
            answer = poll(anyone, path, held_tag)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == etag
        kinds = [query["sql"].split()[0] for query in asked if "set_config" not in query["sql"]]
        assert kinds == ["SAVEPOINT", "SELECT", "RELEASE"]


def test_a_feed_takes_as_many_queries_for_one_date_as_for_thirty(circle, path, anyone, client_of):
    in_days(circle.group, 5)
    with CaptureQueriesContext(connection) as for_one:
        anyone.get(path)
    for group in groups_of(circle.member, 10):
        for days in (10, 40, 70):
            in_days(group, days)
    with CaptureQueriesContext(connection) as for_thirty:
        assert len(one(anyone.get(path).content)) == 31
    assert len(for_one) == len(for_thirty)


def as_they_are(session: Session, group: Group) -> None:
    """Nothing."""


def moved(session: Session, group: Group) -> None:
    session.starts_at += timedelta(hours=1)
    session.sequence += 1
    session.updated_at = timezone.now()


def cancelled(session: Session, group: Group) -> None:
    session.phase = Phase.CANCELLED


def elsewhere(session: Session, group: Group) -> None:
    session.place = "Room 4"


def renamed(session: Session, group: Group) -> None:
    group.alias = "Thursday"


def unsettled(session: Session, group: Group) -> None:
    session.settled_at = None


CHANGES = [moved, cancelled, elsewhere, renamed, unsettled]


@pytest.mark.parametrize("what", [as_they_are, *CHANGES], ids=lambda what: what.__name__)
def test_the_etag_changes_exactly_when_the_file_does(circle, path, anyone, what):
    session = in_days(circle.group, 5)
    before = anyone.get(path)
    with as_owner():
        group = Group.objects.get(pk=circle.group.pk)
        what(session, group)
        session.save()
        group.save()
    after = poll(anyone, path, before.headers["ETag"])
    changed = what in CHANGES
    assert after.status_code == (200 if changed else 304)
    assert (anyone.get(path).content != before.content) == changed


# What is in it


def test_the_new_york_year_of_2027_is_the_same_instants_for_everybody(client_of, anyone):
    group = make_group(time_zone=NEW_YORK)
    member = make_member("Dr Dana Green", time_zone="Europe/London")
    join(group, member)
    cadence = Cadence(
        rule=Rule(Unit.MONTH, 1, weekday=1, nth=4),
        starts_at=time(19),
        minutes=60,
        zone=NEW_YORK,
        first_on=date(2027, 3, 1),
        last_on=date(2027, 10, 31),
    )
    for number, occurrence in enumerate(held(cadence.occurrences())):
        make_session(group, occurrence.starts_at, minutes=60 if number else 90)
    year = [(3, 23), (4, 27), (5, 25), (6, 22), (7, 27), (8, 24), (9, 28), (10, 26)]
    starts = [datetime(2027, month, day, 23, tzinfo=UTC) for month, day in year]
    lasts = [timedelta(minutes=90), *[timedelta(minutes=60)] * 7]
    content = anyone.get(make_feed(client_of(member))).content
    assert instants(content) == [
        (start, start + last) for start, last in zip(starts, lasts, strict=True)
    ]
    assert unfolded(content).count("DTSTART;TZID=America/New_York:20270323T190000") == 1


@pytest.mark.parametrize(
    ("zone", "on", "at"),
    [
        # The hour is skipped, doubled, and the days beside each.
        (NEW_YORK, date(2027, 3, 14), time(2, 30)),
        (NEW_YORK, date(2027, 3, 14), time(3, 30)),
        (NEW_YORK, date(2027, 11, 7), time(1, 30)),
        (NEW_YORK, date(2027, 11, 7), time(0, 30)),
        ("Asia/Jerusalem", date(2027, 3, 26), time(12, 30)),
        ("Asia/Jerusalem", date(2027, 10, 31), time(1, 30)),
        ("Australia/Lord_Howe", date(2027, 4, 4), time(1, 15)),
        ("Europe/Dublin", date(2027, 3, 28), time(20)),
        ("Asia/Kolkata", date(2027, 6, 1), time(20)),
        ("UTC", date(2027, 6, 1), time(20)),
    ],
)
def test_weeks_in_which_the_clocks_change_keep_their_instants(zone, on, at, db):
    group = make_group(time_zone=zone)
    around = [on_wall(group, on + timedelta(days=days), at) for days in (-7, -1, 0, 1, 7)]
    content = ics.published([around[2]])
    assert instants(content) == [(around[2].starts_at, around[2].ends_at)]
    whole = ics.published(around)
    assert instants(whole) == [(session.starts_at, session.ends_at) for session in around]


@pytest.mark.parametrize(("hour", "minutes"), [(5, 15), (6, 15), (6, 90), (4, 90)])
def test_a_meeting_in_the_hour_the_clocks_show_twice_is_said_in_utc(db, hour, minutes):
    group = make_group(time_zone=NEW_YORK)
    session = make_session(group, datetime(2027, 11, 7, hour, 30, tzinfo=UTC), minutes=minutes)
    content = ics.published([session])
    assert values(content, "DTSTART") == [f"20271107T0{hour}3000Z"]
    assert values(content, "DTEND")[0].endswith("Z")
    assert "TZID" not in content.decode()
    assert instants(content) == [(session.starts_at, session.ends_at)]


def test_a_zone_is_cut_to_the_years_in_use_and_told_change_by_change(db):
    group = make_group(time_zone=NEW_YORK)
    content = ics.published([on_wall(group, date(2027, 6, 1))])
    zone = content.decode().split("BEGIN:VTIMEZONE")[1].split("END:VTIMEZONE")[0].split("\r\n")
    assert [line for line in zone if line.startswith(("DTSTART", "TZOFFSETTO", "RDATE"))] == [
        "DTSTART:20261230T190000", "TZOFFSETTO:-0500",
        "DTSTART:20270314T020000", "TZOFFSETTO:-0400",
        "DTSTART:20271107T020000", "TZOFFSETTO:-0500",
    ]  # fmt: skip


UNSAVED = Group(name="Valley group", alias="Valley")


@settings(deadline=None)
@given(place=st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=160))
def test_any_place_comes_back_as_it_was_typed(place):
    session = Session(
        group=UNSAVED,
        starts_at=datetime(2027, 6, 1, 18, tzinfo=UTC),
        minutes=90,
        time_zone="Europe/Berlin",
        place=place,
        phase=Phase.PLANNED,
        updated_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    content = ics.published([session])
    assert (other(content)[0].location or "") == places.place(session)
    assert max(len(line) for line in content.split(b"\r\n")) <= 75


@pytest.mark.parametrize(
    "place", ["https://video.example/j/1?pwd=a", "Library, www.video.example", "video.example/j/1"]
)
def test_the_address_of_a_call_is_in_no_calendar(circle, path, anyone, place):
    session = in_days(circle.group, 5, place=place, setting="online")
    assert values(anyone.get(path).content, "LOCATION") == []
    for content in (ics.published([session]), ics.invitation(session, "a@example.org")):
        assert b"video" not in content


def test_commas_semicolons_and_lines_are_escaped(circle, path, anyone):
    place = "Clinic, 2nd floor; ring “Levi”\nnot the bell \\ below"
    in_days(circle.group, 5, place=place)
    content = anyone.get(path).content
    assert values(content, "LOCATION") == [
        "Clinic\\, 2nd floor\\; ring “Levi”\\nnot the bell \\\\ below"
    ]
    assert one(content)[0].location.value == place
    assert other(content)[0].location == place


def test_an_entry_says_alias_time_and_place_and_nothing_of_the_group(circle, path, anyone):
    with as_owner():
        Entrance.objects.create(
            group=circle.group, join_link="https://call.example/secret", door="code 4711"
        )
    session = in_days(circle.group, 5, setting="mixed")
    called_off = in_days(circle.group, 35, phase=Phase.CANCELLED)
    cannot_come(session, circle.member, "My daughter’s wedding")
    change(called_off, "cancelled", "Ruth is ill", circle.leader)
    content = anyone.get(path).content
    text = content.decode()
    names = [person.name for person in circle.inside] + ["Ruth", "Dana", "Green", "Amit"]
    for hidden in [
        *names, circle.group.name, "wedding", "ill", "call.example", "4711", "http",
        "ATTENDEE", "ORGANIZER", "DESCRIPTION", "URL", str(circle.group.pk), str(session.pk),
    ]:  # fmt: skip
        assert hidden not in text
    assert sorted({line.split(":")[0].split(";")[0] for line in unfolded(content) if line}) == [
        "BEGIN", "CLASS", "DTEND", "DTSTAMP", "DTSTART", "END", "LAST-MODIFIED",
        "LOCATION", "METHOD", "NAME", "PRODID", "REFRESH-INTERVAL", "SEQUENCE", "STATUS",
        "SUMMARY", "TZID", "TZNAME", "TZOFFSETFROM", "TZOFFSETTO", "UID", "VERSION",
        "X-PUBLISHED-TTL", "X-WR-CALNAME",
    ]  # fmt: skip


def test_an_entry_carries_what_calendars_go_by(circle, path, anyone):
    session = in_days(circle.group, 5, sequence=3)
    content = anyone.get(path).content
    event = one(content)[0]
    assert event.uid.value == f"session-{session.uid}@testserver"
    assert event.sequence.value == "3"
    assert event.status.value == "CONFIRMED"
    assert event.contents["class"][0].value == "PRIVATE"
    stamp = session.updated_at.strftime("%Y%m%dT%H%M%SZ")
    assert values(content, "DTSTAMP") == values(content, "LAST-MODIFIED") == [stamp]
    assert values(content, "METHOD") == ["PUBLISH"]
    assert values(content, "REFRESH-INTERVAL") == ["PT6H"]
    assert values(content, "X-WR-CALNAME") == values(content, "SUMMARY") == ["Valley"]


def test_the_uid_follows_the_mail_domain_and_not_the_host_asked_for(circle, path, client_of):
    session = in_days(circle.group, 5)
    with override_settings(MAIL_DOMAIN="balint.example", ALLOWED_HOSTS=["other.example"]):
        content = client_of().get(path, headers={"Host": "other.example"}).content
    assert values(content, "UID") == [f"session-{session.uid}@balint.example"]


def test_without_an_alias_it_is_your_group(circle, path, anyone):
    with as_owner():
        Group.objects.filter(pk=circle.group.pk).update(alias="")
    in_days(circle.group, 5)
    content = anyone.get(path).content
    assert values(content, "SUMMARY") == values(content, "X-WR-CALNAME") == ["Your group"]


def test_a_cancelled_date_stays_and_says_so_twice(circle, path, anyone):
    in_days(circle.group, 5, phase=Phase.CANCELLED)
    event = one(anyone.get(path).content)[0]
    assert event.status.value == "CANCELLED"
    assert event.summary.value == "Cancelled: Valley"


def test_a_group_of_ten_years_has_the_window_only(circle, path, anyone):
    with as_owner():
        Session.objects.all().delete()
    for days in range(-3650, 365, 28):
        in_days(circle.group, days)
    starts = [start for start, _end in instants(anyone.get(path).content)]
    now = timezone.now()
    assert len(starts) == len([days for days in range(-3650, 365, 28) if days > -60])
    assert min(starts) > now - timedelta(days=60)
    assert len(anyone.get(path).content) < 6000


def test_several_groups_share_one_calendar_with_a_name_of_its_own(circle, path, anyone):
    in_days(circle.group, 5)
    (second,) = groups_of(circle.member, 1, alias="Harbour", time_zone=NEW_YORK)
    in_days(second, 6)
    content = anyone.get(path).content
    assert values(content, "SUMMARY") == ["Valley", "Harbour"]
    assert values(content, "X-WR-CALNAME") == ["Your groups"]
    assert values(content, "TZID") == ["America/New_York", "Asia/Jerusalem"]


# Whose dates


def uids(client, path: str) -> set[str]:
    return set(values(client.get(path).content, "UID"))


@pytest.mark.parametrize(
    ("persona", "sees"),
    {
        "leader": True,
        "second_leader": True,
        "presenter": True,
        "member": True,
        "absent": True,
        "on_leave": True,
        "newcomer": False,
        "former": False,
        "admin": False,
        "outsider": False,
        "superuser": False,
    }.items(),
)
def test_dates_go_to_those_inside_who_agreed(circle, client_of, anyone, persona, sees):
    session = in_days(circle.group, 5)
    person = getattr(circle, persona)
    path = make_feed(client_of(person))
    assert uids(anyone, path) == ({f"session-{session.uid}@testserver"} if sees else set())
    with as_member(person):
        seen = visible.sessions(person, timezone.now()).filter(pk=session.pk)
        assert seen.exists() or not sees


def test_entries_vanish_at_the_poll_after_a_membership_ended(circle, path, anyone):
    in_days(circle.group, 5)
    etag = anyone.get(path).headers["ETag"]
    with as_owner():
        Membership.objects.filter(group=circle.group, member=circle.member).update(
            ended_at=timezone.now()
        )
    after = poll(anyone, path, etag)
    assert after.status_code == 200
    assert one(after.content) == []


def test_a_leave_takes_no_date_away(circle, path, anyone):
    in_days(circle.group, 5)
    etag = anyone.get(path).headers["ETag"]
    with as_owner():
        Leave.objects.create(group=circle.group, member=circle.member, starts_at=years_ago(0.01))
    assert poll(anyone, path, etag).status_code == 304


def test_a_new_version_of_the_agreement_empties_no_calendar(circle, path, anyone):
    in_days(circle.group, 5)
    etag = anyone.get(path).headers["ETag"]
    with as_owner():
        Agreement.objects.create(
            group=circle.group, version=2, text="New.", in_force_at=years_ago(0.001)
        )
    assert poll(anyone, path, etag).status_code == 304
    with as_owner():
        Acceptance.objects.filter(member=circle.member).delete()
    assert poll(anyone, path, etag).status_code == 200


# One session's file


@pytest.mark.parametrize(
    ("persona", "status"),
    {
        "leader": 200,
        "second_leader": 200,
        "presenter": 200,
        "member": 200,
        "absent": 200,
        "on_leave": 200,
        "newcomer": 302,
        "former": 404,
        "admin": 200,
        "outsider": 404,
        "superuser": 404,
        None: 302,
    }.items(),
)
def test_one_meeting_as_a_file_is_for_those_who_know_of_it(circle, client_of, persona, status):
    session = in_days(circle.group, 5)
    client = client_of(getattr(circle, persona) if persona else None)
    assert client.get(f"/sessions/{session.pk}/balint.ics").status_code == status


def test_one_meetings_file_is_the_same_entry_as_in_the_feed(circle, client_of, path, anyone):
    session = in_days(circle.group, 5)
    alone = client_of(circle.member).get(f"/sessions/{session.pk}/balint.ics")
    assert alone.content == anyone.get(path).content
    assert alone.headers["Content-Disposition"] == 'attachment; filename="balint.ics"'
