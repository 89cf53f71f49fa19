"""The pages of this and following, of a rhythm's end, and the way to the next twelve months."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from sessions import planning
from sessions.models import Series, Session
from tests.sessions.desk import HTMX, Clock, plan, schedule, sessions, text, value_of
from tests.sessions.meetings import on_wall
from tests.sessions.rhythm import LIBRARY, NOVEMBER, cadence, day
from tests.world import Circle, as_member, as_owner, make_circle

FIRST_TUESDAY = {
    "rule": "month:1:1:1",
    "starts_at": "18:00",
    "minutes": "90",
    "time_zone": "Asia/Jerusalem",
    "place": LIBRARY,
    "breaks": "15 Jul – 31 Aug summer",
    "last_on": "2027-12-31",
}


@pytest.fixture
def circle(monkeypatch: pytest.MonkeyPatch, db: None) -> Circle:
    monkeypatch.setattr("django.utils.timezone.now", Clock())
    return make_circle()


@pytest.fixture
def leader(circle: Circle, client_of: Any) -> Client:
    return client_of(circle.leader)


def on(circle: Circle, month: int) -> Session:
    return next(s for s in sessions(circle) if day(s).month == month)


def following(session: Session) -> str:
    return reverse("session_following", args=[session.pk])


def end(circle: Circle) -> str:
    return reverse("series_end", args=[circle.group.pk])


def rhythms(circle: Circle) -> list[Series]:
    with as_owner():
        return list(Series.objects.filter(group=circle.group).order_by("first_on"))


def test_the_page_of_a_meeting_leads_to_all_that_follow_and_to_all_not_yet_held(
    circle: Circle, leader: Client
):
    session = plan(circle)[4]
    page = leader.get(reverse("session_edit", args=[session.pk])).content.decode()
    assert following(session) in page
    assert f"{schedule(circle)}?series={session.series_id}" in page


def test_a_date_beside_the_rhythm_has_none_that_follow(circle: Circle, leader: Client):
    beside = on_wall(circle.group, date(2027, 5, 6))
    page = leader.get(reverse("session_edit", args=[beside.pk])).content.decode()
    assert following(beside) not in page
    assert leader.get(following(beside)).status_code == 404


def test_it_offers_the_rhythm_as_it_is_and_shows_only_what_follows(circle: Circle, leader: Client):
    plan(circle)
    page = leader.get(following(on(circle, 5)))
    assert "When does the group meet in May to December 2027?" in text(page)
    assert "Thu 20 May 2027" in text(page)
    assert "Thu 15 Apr 2027" not in text(page)
    assert "Save these 6 dates" in text(page)
    assert "Propose" not in text(page)


def test_what_will_change_is_shown_before_it_is_saved(circle: Circle, leader: Client):
    plan(circle)
    page = leader.get(following(on(circle, 5)), FIRST_TUESDAY)
    assert "Tue 4 May 2027 18:00–19:30 was 20 May 19:30–21:00" in text(page)
    assert "6 meetings change. Everyone in the group is told by mail." in text(page)
    assert [s.sequence for s in sessions(circle)] == [0] * 10


def test_the_preview_follows_what_is_typed(circle: Circle, leader: Client):
    plan(circle)
    part = leader.get(following(on(circle, 5)), FIRST_TUESDAY, headers=HTMX)
    assert "<html" not in part.content.decode()
    assert "Tue 4 May 2027" in text(part)


def test_saving_it_changes_only_what_follows(circle: Circle, leader: Client):
    plan(circle)
    address = following(on(circle, 5))
    seen = value_of(leader.get(address), "seen")
    page = leader.post(address, FIRST_TUESDAY | {"seen": seen}, follow=True)
    assert "7 dates are saved. Everyone in the group is told of the changes by mail." in text(page)
    assert "January to April 2027 May to December 2027" in text(page)
    days = [day(s) for s in sessions(circle)]
    assert days[3:6] == [date(2027, 4, 15), date(2027, 5, 4), date(2027, 6, 1)]
    assert [(s.first_on, s.last_on) for s in rhythms(circle)] == [
        (date(2027, 1, 1), date(2027, 4, 30)),
        (date(2027, 5, 1), date(2027, 12, 31)),
    ]


def test_what_was_changed_meanwhile_is_shown_and_nothing_typed_is_lost(
    circle: Circle, leader: Client
):
    plan(circle)
    address = following(on(circle, 5))
    page = leader.post(address, FIRST_TUESDAY | {"seen": "long ago", "place": "Garden"})
    assert page.status_code == 409
    assert "These dates have been changed meanwhile." in text(page)
    assert 'value="Garden"' in page.content.decode()
    assert len(rhythms(circle)) == 1


def test_a_rule_that_cannot_be_is_refused_with_the_reason(circle: Circle, leader: Client):
    plan(circle)
    page = leader.post(following(on(circle, 5)), FIRST_TUESDAY | {"rule": "month:1:3:5"})
    assert "Not every month has a fifth Thursday. Choose the fourth or the last." in text(page)
    assert len(rhythms(circle)) == 1


def test_proposed_dates_are_proposed_anew(circle: Circle, leader: Client):
    with as_member(circle.leader):
        planning.plan_year(
            circle.group, cadence(), LIBRARY, by=circle.leader, at=NOVEMBER, propose=True
        )
    address = following(on(circle, 5))
    page = leader.get(address)
    assert "Propose these 8 dates" in text(page)
    assert "Save these" not in text(page)
    leader.post(address, FIRST_TUESDAY | {"seen": value_of(page, "seen"), "breaks": ""})
    assert {s.settled_at for s in sessions(circle)} == {None}


def test_a_meeting_that_is_over_has_no_page_of_what_follows(circle: Circle, leader: Client):
    session = plan(circle)[0]
    with as_owner():
        Session.objects.filter(pk=session.pk).update(phase="closed")
    page = leader.get(following(session))
    assert page.status_code == 409
    assert "This meeting is over; its date stays as it was." in text(page)


def test_the_end_of_a_rhythm_is_shown_before_it_comes(circle: Circle, leader: Client):
    plan(circle)
    page = leader.get(end(circle), {"last_on": "2027-06-30"})
    assert "Thu 16 Sep 2027 19:30–21:00 will be cancelled" in text(page)
    assert "4 meetings are cancelled. Everyone in the group is told by mail." in text(page)
    assert "End the rhythm and cancel 4 dates" in text(page)
    assert {s.phase for s in sessions(circle)} == {"planned"}


def test_a_rhythm_ends(circle: Circle, leader: Client):
    plan(circle)
    seen = value_of(leader.get(end(circle)), "seen")
    page = leader.post(end(circle), {"last_on": "2027-06-30", "seen": seen}, follow=True)
    assert "The rhythm ends on 30 June 2027." in text(page)
    assert [s.phase for s in sessions(circle)] == ["planned"] * 6 + ["cancelled"] * 4


def test_an_end_that_is_none_is_refused(circle: Circle, leader: Client):
    plan(circle)
    page = leader.post(end(circle), {"last_on": "2027-12-31"})
    assert page.status_code == 409
    assert "The rhythm ends on 31 December 2027 anyway. Choose an earlier day." in text(page)
    page = leader.post(end(circle), {"last_on": ""})
    assert "This field is required." in text(page)


def test_without_a_rhythm_there_is_nothing_to_end(circle: Circle, leader: Client):
    assert leader.get(end(circle)).status_code == 404
    plan(circle)
    assert leader.get(end(circle), {"series": "another"}).status_code == 404


def test_the_next_twelve_months_are_one_press_away(circle: Circle, leader: Client):
    plan(circle)
    page = leader.get(schedule(circle))
    assert f"{schedule(circle)}?series=next" in page.content.decode()
    page = leader.get(schedule(circle), {"series": "next"})
    assert "When does the group meet in 2028?" in text(page)
    assert value_of(page, "breaks").startswith("15 Jul – 31 Aug summer")


@pytest.mark.parametrize("who", ["member", "outsider", "admin"])
def test_others_find_neither_page(circle: Circle, client_of: Any, who: str):
    plan(circle)
    client = client_of(getattr(circle, who))
    assert client.get(following(on(circle, 5))).status_code == 404
    assert client.get(end(circle)).status_code == 404
