"""How long a sign-in lasts, and that a meeting is not interrupted by it."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from members import sitting
from sessions.phases import Phase
from tests.members.signed_in import HOUR, MINUTE, age
from tests.sessions.evening import at_phase, make_session
from tests.world import as_owner

LOGIN = "/accounts/login/?next="
PAGE = "/settings/"


@pytest.fixture
def leader(client_of, circle):
    return client_of(circle.leader)


@pytest.mark.parametrize(
    ("idle", "since", "status"),
    [
        (29 * MINUTE, 29 * MINUTE, 200),
        (31 * MINUTE, 31 * MINUTE, 302),
        (0, 12 * HOUR - MINUTE, 200),
        (0, 12 * HOUR + MINUTE, 302),
    ],
)
def test_half_an_hour_without_a_step_and_twelve_hours_in_all(leader, idle, since, status):
    age(leader, idle=idle, since=since)
    assert leader.get(PAGE).status_code == status


def test_a_sign_in_that_ran_out_is_gone_and_not_only_refused_once(leader):
    key = leader.session.session_key
    age(leader, idle=31 * MINUTE)
    assert leader.get(PAGE).headers["Location"] == f"{LOGIN}%2Fsettings%2F"
    assert leader.get(PAGE).status_code == 302
    assert "_auth_user_id" not in leader.session
    assert not leader.session.exists(key)


def test_a_page_open_to_anybody_is_shown_as_to_anybody(leader, circle):
    age(leader, idle=31 * MINUTE)
    page = leader.get("/about/")
    assert page.status_code == 200
    assert circle.leader.name not in page.content.decode()


def test_every_step_counts_but_is_written_at_most_once_a_minute(leader, db):
    age(leader, idle=2 * MINUTE)
    leader.get(PAGE)
    seen = leader.session[sitting.SEEN]
    assert time.time() - seen < 5
    age(leader, idle=50)
    before = leader.session[sitting.SEEN]
    leader.get(PAGE)
    assert leader.session[sitting.SEEN] == before


def test_a_sign_in_that_says_no_beginning_is_none(leader):
    session = leader.session
    del session[sitting.BEGAN]
    session.save()
    assert leader.get(PAGE).status_code == 302


def test_a_part_of_a_page_sends_the_whole_browser_to_sign_in(leader):
    age(leader, idle=31 * MINUTE)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/settings/groups/?a=1"}
    answer = leader.get("/settings/groups/", headers=headers)
    assert answer.headers["HX-Redirect"] == f"{LOGIN}%2Fsettings%2Fgroups%2F%3Fa%3D1"
    foreign = leader.get(PAGE, headers=headers | {"HX-Current-URL": "https://elsewhere.example/x"})
    assert foreign.headers["HX-Redirect"] == f"{LOGIN}%2F"


@pytest.mark.parametrize("age_of", [{"idle": 31 * MINUTE}, {"idle": 0, "since": 13 * HOUR}])
def test_no_limit_interrupts_an_open_room(leader, circle, age_of):
    session = at_phase(circle, Phase.GROUP_WORK)
    age(leader, **age_of)
    assert leader.get(f"/sessions/{session.pk}/room/").status_code == 200
    assert time.time() - leader.session[sitting.SEEN] < 5


def test_a_room_says_nothing_for_other_pages_or_other_people(client_of, circle):
    session = at_phase(circle, Phase.GROUP_WORK)
    for who, path in [(circle.leader, "/"), (circle.former, ""), (circle.outsider, "")]:
        client = client_of(who)
        age(client, idle=31 * MINUTE)
        client.get(path or f"/sessions/{session.pk}/room/")
        assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(("closed_ago", "status"), [(14, 200), (16, 302)])
def test_the_page_afterwards_has_a_quarter_of_an_hour(leader, circle, closed_ago, status):
    session = at_phase(circle, Phase.CLOSING)
    with as_owner():
        session.phase = Phase.CLOSED
        session.closed_at = timezone.now() - timedelta(minutes=closed_ago)
        session.save()
    age(leader, idle=31 * MINUTE)
    assert leader.get(f"/sessions/{session.pk}/afterwards/").status_code == status


@pytest.mark.parametrize(("begins", "status"), [(-90 - 14, 200), (-90 - 16, 302)])
def test_a_meeting_nobody_tapped_is_open_until_its_planned_end(leader, circle, begins, status):
    session = make_session(circle, begins=begins, minutes=90, setting="in_person")
    age(leader, idle=31 * MINUTE)
    assert leader.get(f"/sessions/{session.pk}/afterwards/").status_code == status


def test_what_a_page_asks_by_itself_is_no_sign_of_anybody(leader, circle):
    session = at_phase(circle, Phase.GROUP_WORK)
    age(leader, idle=10 * MINUTE)
    before = leader.session[sitting.SEEN]
    leader.get(f"/sessions/{session.pk}/room/now/")
    assert leader.session[sitting.SEEN] == before


def test_a_room_left_open_keeps_no_other_page_open(leader, circle):
    session = at_phase(circle, Phase.GROUP_WORK)
    age(leader, idle=31 * MINUTE)
    assert leader.get(f"/sessions/{session.pk}/room/now/").status_code == 200
    assert leader.get(PAGE).status_code == 302


@pytest.mark.parametrize(("minutes", "status"), [(-90 - 119, 200), (-90 - 121, 302)])
def test_a_meeting_nobody_closed_is_open_two_hours_beyond_its_end(leader, circle, minutes, status):
    session = make_session(circle, begins=minutes, minutes=90, phase=Phase.GROUP_WORK)
    with as_owner():
        session.opened_at = session.starts_at
        session.save()
    age(leader, idle=31 * MINUTE)
    assert leader.get(f"/sessions/{session.pk}/room/").status_code == status


def test_feeds_and_health_look_at_no_sign_in(leader):
    age(leader, idle=31 * MINUTE)
    leader.get("/healthz")
    leader.get("/calendar/no-such-token/balint.ics")
    assert "_auth_user_id" in leader.session
