"""The pages of proposed dates, as leaders and members use them."""

from typing import Any

import pytest
from django.urls import reverse

from sessions import planning
from sessions.models import Answer, DatesReply, Series, Session
from sessions.planning import proposed
from tests.sessions.desk import (
    HTMX,
    THIRD_THURSDAY,
    Clock,
    schedule,
    sessions,
    text,
    value_of,
)
from tests.sessions.rhythm import LIBRARY, NOVEMBER, SUMMER, cadence
from tests.world import Circle, as_member, as_owner, make_circle

PROPOSE = "?propose=yes"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", clock)
    return clock


@pytest.fixture
def circle(clock: Clock, db: None) -> Circle:
    return make_circle()


@pytest.fixture
def year(circle: Circle) -> list[Session]:
    """Ten dates that are proposed."""
    with as_member(circle.leader):
        planned = cadence(breaks=(SUMMER,))
        planning.plan_year(
            circle.group, planned, LIBRARY, by=circle.leader, at=NOVEMBER, propose=True
        )
    return sessions(circle)


def to_mark(circle: Circle) -> str:
    return reverse("dates_answer", args=[circle.group.pk])


def to_settle(circle: Circle) -> str:
    return reverse("dates_settle", args=[circle.group.pk])


def test_a_year_is_proposed_with_one_press(circle: Circle, client_of: Any):
    leader = client_of(circle.leader)
    page = leader.get(schedule(circle), THIRD_THURSDAY)
    assert "Propose these 10 dates" in text(page)
    assert "Propose these 10 dates" in text(
        leader.get(schedule(circle), THIRD_THURSDAY, headers=HTMX)
    )
    said = leader.post(schedule(circle) + PROPOSE, THIRD_THURSDAY, follow=True)
    assert said.redirect_chain == [(to_settle(circle), 302)]
    assert "10 dates are proposed. Everyone is asked by mail which they cannot." in text(said)
    assert {session.settled_at for session in sessions(circle)} == {None}


def test_what_is_settled_is_not_offered_to_be_proposed(circle: Circle, client_of: Any):
    leader = client_of(circle.leader)
    leader.post(schedule(circle), THIRD_THURSDAY)
    page = leader.get(schedule(circle), THIRD_THURSDAY)
    assert "Propose these" not in text(page)
    refused = leader.post(schedule(circle) + PROPOSE, THIRD_THURSDAY | {"minutes": "100"})
    assert refused.status_code == 409
    assert "These dates are settled already." in text(refused)


def test_a_member_ticks_and_saves_once(circle: Circle, year: list[Session], client_of: Any):
    member = client_of(circle.absent)
    page = member.get(to_mark(circle))
    assert "Thu 21 Jan 2027 19:30–21:00" in text(page)
    assert "for you 17:30–19:00, London time" in text(page)
    assert page.content.decode().count('type="checkbox"') == 10
    data = {"seen": value_of(page, "seen"), "cannot": [str(year[1].pk)]}
    said = member.post(to_mark(circle), data, follow=True)
    assert "The leaders know which dates you cannot." in text(said)
    again = member.get(to_mark(circle)).content.decode()
    assert f'value="{year[1].pk}" checked' in again
    assert again.count(" checked") == 1
    assert "you have answered" in again
    with as_owner():
        [answer] = Answer.objects.all()
        assert (answer.session_id, answer.member, answer.reason) == (
            year[1].pk,
            circle.absent,
            "",
        )
        assert DatesReply.objects.get().member == circle.absent


def test_ticks_are_kept_when_the_dates_have_changed(
    circle: Circle, year: list[Session], client_of: Any
):
    member = client_of(circle.member)
    seen = value_of(member.get(to_mark(circle)), "seen")
    with as_member(circle.leader):
        planning.cancel(year[0], by=circle.leader, at=NOVEMBER)
    ticked = [str(year[0].pk), str(year[1].pk)]
    page = member.post(to_mark(circle), {"seen": seen, "cannot": ticked})
    assert page.status_code == 409
    assert "The proposed dates have been changed meanwhile." in text(page)
    assert f'value="{year[1].pk}" checked' in page.content.decode()
    kept = {"seen": value_of(page, "seen"), "cannot": ticked[1:]}
    assert member.post(to_mark(circle), kept).status_code == 302


@pytest.mark.parametrize("nonsense", ["x", "00000000-0000-0000-0000-000000000000"])
def test_nonsense_changes_nothing(
    circle: Circle, year: list[Session], client_of: Any, nonsense: str
):
    member = client_of(circle.member)
    seen = value_of(member.get(to_mark(circle)), "seen")
    member.post(to_mark(circle), {"seen": seen, "cannot": [nonsense]})
    with as_owner():
        assert not Answer.objects.exists()


def test_leaders_see_the_sum_who_is_missing_and_the_letter(
    circle: Circle, year: list[Session], client_of: Any
):
    with as_member(circle.member):
        seen = proposed.as_shown(proposed.dates(circle.group, NOVEMBER))
        planning.reply(circle.group, [year[1].pk], seen=seen, by=circle.member, at=NOVEMBER)
    page = client_of(circle.leader).get(to_settle(circle))
    assert "Thu 18 Feb 2027 19:30–21:00 1 cannot Dana" in text(page)
    assert "Thu 21 Jan 2027 19:30–21:00 nobody has said they cannot" in text(page)
    for name in ("Erik", "Amit", "Owen"):
        assert name in text(page).split("Not answered yet:")[1].split(".")[0]
    assert "Valley meets on: Thursday 21 January 2027, 19:30–21:00, Jerusalem time" in text(page)
    assert "Settle these 10 dates and send the letter" in text(page)


def test_the_leaders_settle_and_everyone_is_told(
    circle: Circle, year: list[Session], client_of: Any
):
    leader = client_of(circle.leader)
    seen = value_of(leader.get(to_settle(circle)), "seen")
    said = leader.post(to_settle(circle), {"seen": seen}, follow=True)
    assert "10 dates are settled. Everyone gets them by mail, in one letter." in text(said)
    assert {session.settled_at for session in sessions(circle)} == {NOVEMBER}
    again = leader.post(to_settle(circle), {"seen": seen})
    assert again.status_code == 409
    with as_owner():
        assert Series.objects.get().settled_at == NOVEMBER


def test_marks_the_leaders_have_not_seen_are_shown_before_they_settle(
    circle: Circle, year: list[Session], client_of: Any
):
    leader = client_of(circle.leader)
    seen = value_of(leader.get(to_settle(circle)), "seen")
    shown = proposed.as_shown(year)
    for cannot in ([], [year[1].pk]):
        with as_member(circle.member):
            planning.reply(circle.group, cannot, seen=shown, by=circle.member, at=NOVEMBER)
        page = leader.post(to_settle(circle), {"seen": seen})
        assert page.status_code == 409
        seen = value_of(page, "seen")
    assert "1 cannot Dana" in text(page)
    assert {session.settled_at for session in sessions(circle)} == {None}
    leader.post(to_settle(circle), {"seen": seen})
    assert {session.settled_at for session in sessions(circle)} == {NOVEMBER}


def test_nobody_settles_what_they_have_not_seen(
    circle: Circle, year: list[Session], client_of: Any
):
    page = client_of(circle.leader).post(to_settle(circle), {})
    assert page.status_code == 409
    assert value_of(page, "seen")
    assert {session.settled_at for session in sessions(circle)} == {None}


def test_a_proposed_date_is_changed_dropped_and_added_without_mail(
    circle: Circle, year: list[Session], client_of: Any
):
    leader = client_of(circle.leader)
    page = leader.get(reverse("session_edit", args=[year[0].pk]))
    assert "nobody is told by mail before it is settled" in text(page)
    assert 'name="reason"' not in page.content.decode()
    dropped = leader.post(reverse("session_cancel", args=[year[3].pk]), {"seen": 0}, follow=True)
    assert "The proposed date is dropped. Nobody is told by mail." in text(dropped)
    assert dropped.redirect_chain == [(to_settle(circle), 302)]
    new = {"on": "2027-08-01", "starts_at": "19:00", "minutes": "90", "setting": "online"}
    added = leader.post(reverse("session_new", args=[circle.group.pk]) + PROPOSE, new, follow=True)
    assert "Sun 1 Aug 2027" in text(added)
    assert "Settle these 10 dates" in text(added)


@pytest.mark.parametrize("who", ["former", "outsider", "superuser", "admin", "on_leave"])
def test_who_is_not_asked_finds_nothing(
    circle: Circle, year: list[Session], client_of: Any, who: str
):
    browser = client_of(getattr(circle, who))
    for address in (to_mark(circle), to_settle(circle)):
        assert browser.get(address).status_code == 404
        assert browser.post(address).status_code == 404


def test_members_do_not_settle_and_without_dates_there_is_nothing_to_mark(
    circle: Circle, client_of: Any
):
    member = client_of(circle.member)
    assert member.get(to_settle(circle)).status_code == 404
    assert "No dates are proposed at present." in text(member.get(to_mark(circle)))
    assert member.post(to_mark(circle)).status_code == 409


PLACES = [("calendar_month", [2027, 1]), ("calendar_agenda", []), ("calendar_year", [2027])]


@pytest.mark.parametrize(("name", "places"), PLACES)
def test_calendars_show_proposed_dates_as_such_to_those_who_are_asked(
    circle: Circle, year: list[Session], client_of: Any, name: str, places: list[int]
):
    page = client_of(circle.member).get(reverse(name, args=places))
    assert "proposed" in text(page)
    assert f'href="{to_mark(circle)}"' in page.content.decode()
    for who in (circle.on_leave, circle.outsider):
        other = client_of(who).get(reverse(name, args=places))
        assert "proposed" not in text(other)


def test_the_groups_page_shows_them_and_the_way_to_say_so(
    circle: Circle, year: list[Session], client_of: Any
):
    page = client_of(circle.member).get(reverse("group", args=[circle.group.pk]))
    assert "The year 2027" in text(page)
    assert text(page).count(" proposed ") >= 10
    assert "Say which you cannot" in text(page)
    assert "Settle them" not in text(page)
    leaders = client_of(circle.leader).get(reverse("group", args=[circle.group.pk]))
    assert f'href="{to_settle(circle)}"' in leaders.content.decode()
    for who in (circle.on_leave, circle.admin):
        other = client_of(who).get(reverse("group", args=[circle.group.pk]))
        assert "proposed" not in text(other)


def test_the_first_page_asks_whoever_has_not_looked_and_leaders_to_settle(
    circle: Circle, year: list[Session], client_of: Any
):
    asks, settles = "Say which you cannot", "Settle them"
    member = client_of(circle.member)
    assert asks in text(member.get("/"))
    seen = value_of(member.get(to_mark(circle)), "seen")
    member.post(to_mark(circle), {"seen": seen})
    assert asks not in text(member.get("/"))
    assert (asks in text(page := client_of(circle.leader).get("/")), settles in text(page)) == (
        False,
        True,
    )
    second = text(client_of(circle.second_leader).get("/"))
    assert (asks in second, settles in second) == (True, True)


def test_a_proposed_date_has_no_page_of_its_own_and_no_file(
    circle: Circle, year: list[Session], client_of: Any
):
    for who in (circle.member, circle.leader):
        for name in ("session", "session_ics", "session_answer"):
            assert client_of(who).get(reverse(name, args=[year[0].pk])).status_code == 404
