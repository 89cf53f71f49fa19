"""What calendar programs stumble over elsewhere, and what those who look over a shoulder read."""

from datetime import UTC, date, datetime, time, timedelta
from datetime import timezone as fixed

import pytest
from django.test import Client
from django.utils import timezone

from groups.models import Group
from sessions import ics
from sessions.models import Session
from sessions.phases import Phase
from tests.sessions.files import instants, unfolded, values
from tests.sessions.meetings import cannot_come, in_days, on_wall
from tests.sessions.test_feeds import NOTHING_HERE, make_feed, poll
from tests.world import make_group

UNSAVED = Group(name="Valley group", alias="Valley")
CHANGED = datetime(2027, 1, 4, 7, 31, 5, tzinfo=fixed(timedelta(hours=1)))


def test_a_stamp_is_in_universal_time_whatever_clock_is_kept():
    session = Session(
        group=UNSAVED,
        starts_at=datetime(2027, 6, 1, 18, tzinfo=UTC),
        minutes=90,
        time_zone="Europe/Berlin",
        phase=Phase.PLANNED,
        updated_at=CHANGED,
    )
    with timezone.override("America/New_York"):
        content = ics.published([session])
    assert values(content, "DTSTAMP") == values(content, "LAST-MODIFIED") == ["20270104T063105Z"]


def test_no_answer_to_a_poll_sets_a_cookie(circle, client_of):
    in_days(circle.group, 5)
    path, anyone = make_feed(client_of(circle.member)), Client()
    first = anyone.get(path)
    answers = [
        first,
        anyone.head(path),
        poll(anyone, path, first.headers["ETag"]),
        anyone.get(NOTHING_HERE),
        anyone.post(path),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 304, 404, 405]
    assert not any(answer.cookies for answer in answers)
    assert not anyone.cookies


@pytest.mark.parametrize("at", [time(0), time(12), time(23, 59)])
def test_a_date_is_never_a_whole_day_that_could_move_to_another(db, at):
    group = make_group(time_zone="Pacific/Auckland")
    session = on_wall(group, date(2027, 6, 1), at, minutes=24 * 30)
    content = ics.published([session])
    assert "VALUE=DATE" not in content.decode()
    assert instants(content) == [(session.starts_at, session.ends_at)]


def test_a_calendar_that_others_read_does_not_tell_who_stays_away(circle, client_of):
    session = in_days(circle.group, 5)
    path = make_feed(client_of(circle.member))
    before = Client().get(path)
    cannot_come(session, circle.member)
    after = Client().get(path)
    assert after.content == before.content
    assert poll(Client(), path, before.headers["ETag"]).status_code == 304


def test_a_feed_rings_no_bell_and_repeats_nothing_by_a_rule_of_its_own(circle, client_of):
    for days in (5, 33, 61):
        in_days(circle.group, days)
    content = Client().get(make_feed(client_of(circle.member))).content
    names = {line.split(":")[0].split(";")[0] for line in unfolded(content)}
    assert not names & {"RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "TRIGGER"}
    assert "BEGIN:VALARM" not in content.decode()
    assert len(values(content, "UID")) == len(set(values(content, "UID"))) == 3
