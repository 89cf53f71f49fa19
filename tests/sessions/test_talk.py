"""The leaders' own talk: an entry after the meeting in their own calendars, and nowhere else."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from groups.models import Membership
from members.models import Letter
from sessions import feeds
from tests.sessions.files import instants, values
from tests.sessions.meetings import in_days
from tests.world import as_member, as_owner

TALK = "Valley: leaders’ talk"


@pytest.fixture
def talks(circle):
    """The group's leaders talk for 20 minutes."""
    with as_owner():
        circle.group.talk_minutes = 20
        circle.group.save()
    return circle


def feed_of(member) -> bytes:
    with as_member(member):
        return feeds.render(member, at=timezone.now())


def entries(content: bytes) -> dict[str, tuple]:
    names = [uid.split("@")[0] for uid in values(content, "UID")]
    return dict(zip(names, instants(content), strict=True))


def test_a_leaders_feed_has_it_right_after_the_meeting(talks):
    session = in_days(talks.group, 5)
    found = entries(feed_of(talks.leader))
    ends = session.ends_at
    assert found[f"session-{session.uid}"] == (session.starts_at, ends)
    assert found[f"session-{session.uid}-talk"] == (ends, ends + timedelta(minutes=20))
    assert TALK in feed_of(talks.second_leader).decode()


@pytest.mark.parametrize("who", ["member", "on_leave"])
def test_nobody_elses_feed_has_it(talks, who):
    in_days(talks.group, 5)
    content = feed_of(getattr(talks, who)).decode()
    assert content.count("BEGIN:VEVENT") == 1
    assert "talk" not in content


def test_it_is_off_unless_the_group_says_so(circle):
    in_days(circle.group, 5)
    assert "talk" not in feed_of(circle.leader).decode()


def test_not_after_what_does_not_take_place_nor_before_the_own_lead(talks):
    in_days(talks.group, 5, phase="cancelled")
    in_days(talks.group, -20)
    with as_owner():
        new = timezone.now() - timedelta(days=2)
        Membership.objects.filter(member=talks.second_leader).update(starts_at=new)
    assert TALK not in feed_of(talks.second_leader).decode()
    assert feed_of(talks.leader).decode().count(TALK) == 1


def test_a_poll_hears_of_it_in_one_query(talks, client_of):
    in_days(talks.group, 5)
    with as_member(talks.leader):
        token = feeds.make(talks.leader, at=timezone.now())
    path, anyone = f"/calendar/{token}/balint.ics", client_of()
    etag = anyone.get(path).headers["ETag"]
    with CaptureQueriesContext(connection) as asked:
        assert anyone.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert len(asked) == len([q for q in asked if "calendarfeed" in q["sql"]]) + _frame(asked)
    with as_owner():
        talks.group.talk_minutes = 30
        talks.group.save()
    assert anyone.get(path, headers={"If-None-Match": etag}).status_code == 200


def _frame(asked) -> int:
    """What opens and ends the request's transaction."""
    return len([q for q in asked if "set_config" in q["sql"] or "SAVEPOINT" in q["sql"]])


def test_pages_say_it_to_leaders_alone_and_no_letter_goes(talks, client_of):
    session = in_days(talks.group, 5)
    for path in ("/calendar/agenda/", f"/sessions/{session.pk}/"):
        assert "then the leaders’ talk, until 21:20" in page(client_of(talks.leader), path)
        assert "talk" not in page(client_of(talks.member), path)
    year = session.starts_at.year
    assert TALK in page(client_of(talks.leader), f"/calendar/{year}.ics")
    assert TALK not in page(client_of(talks.leader), f"/groups/{talks.group.pk}/{year}.ics")
    with as_owner():
        assert not Letter.objects.exists()


def page(client, path: str) -> str:
    return client.get(path).content.decode()
