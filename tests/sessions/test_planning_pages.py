"""The page of planning, as a leader uses it."""

import re
from datetime import date, time
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions import planning
from tests.sessions.desk import (
    AMERICAN,
    HTMX,
    THIRD_THURSDAY,
    Clock,
    Fields,
    plan,
    schedule,
    sessions,
    text,
    value_of,
)
from tests.sessions.meetings import on_wall
from tests.sessions.rhythm import (
    AMERICAN_SERIES,
    LIBRARY,
    NOVEMBER,
    american,
    cadence,
    day,
)
from tests.world import Circle, as_member, make_circle, utc

pytestmark = pytest.mark.reads_context


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", clock)
    return clock


@pytest.fixture
def circle(clock: Clock, db: None) -> Circle:
    return make_circle()


@pytest.fixture
def leader(circle: Circle, client_of: Any) -> Client:
    return client_of(circle.leader)


def test_six_fields_are_in_sight_and_the_dates_one_level_deeper(circle: Circle, leader: Client):
    fields = Fields(leader.get(schedule(circle)).content.decode())
    assert fields.in_sight == ["rule", "starts_at", "minutes", "time_zone", "place", "breaks"]
    assert fields.deeper == ["first_on", "last_on", "interval"]


def test_everything_is_filled_in_and_the_year_is_there_at_once(circle: Circle, leader: Client):
    page = leader.get(schedule(circle))
    filled = Fields(page.content.decode()).filled
    assert (filled["starts_at"], filled["minutes"]) == ("19:30", "90")
    assert (filled["first_on"], filled["last_on"]) == ("2026-11-03", "2027-12-31")
    assert '<option value="month:1:3:3" selected>' in page.content.decode()
    assert '<option value="Asia/Jerusalem" selected>' in page.content.decode()
    assert "Thu 19 Nov 2026 19:30–21:00" in text(page)
    assert "Save these 14 dates" in text(page)


def test_an_empty_group_has_its_year_after_one_press(circle: Circle, leader: Client):
    page = leader.get(schedule(circle))
    filled = Fields(page.content.decode()).filled
    typed = filled | {"rule": "month:1:3:3", "time_zone": "Asia/Jerusalem"}
    saved = leader.post(schedule(circle), typed | {"seen": value_of(page, "seen")}, follow=True)
    assert len(sessions(circle)) == 14
    assert "14 dates are saved." in text(saved)
    assert saved.redirect_chain[0][1] == 302


def test_the_american_series_with_a_first_meeting_of_90_minutes(circle: Circle, leader: Client):
    leader.post(schedule(circle), AMERICAN)
    assert [day(s) for s in sessions(circle)] == AMERICAN_SERIES
    first = sessions(circle)[0]
    edit = reverse("session_edit", args=[first.pk])
    typed = {
        "on": "2027-03-23",
        "starts_at": "19:00",
        "minutes": "90",
        "place": "Clinic, room 4",
        "setting": "in_person",
        "seen": "0",
    }
    assert leader.post(edit, typed).status_code == 302
    leader.post(schedule(circle), AMERICAN | {"starts_at": "18:30"})
    planned = sessions(circle)
    assert [day(s) for s in planned] == AMERICAN_SERIES
    assert [s.minutes for s in planned] == [90] + [60] * 7
    assert {s.starts_at.astimezone(s.zone).time() for s in planned} == {time(18, 30)}


def test_the_third_thursday_without_the_summer(circle: Circle, leader: Client):
    page = leader.get(schedule(circle), THIRD_THURSDAY)
    assert (
        "10 dates: every month on the third Thursday, 19:30–21:00, Jerusalem time. "
        "13 weeks without a meeting: 17 June to 16 September." in text(page)
    )
    assert "Thu 15 Jul 2027 summer break Thu 19 Aug 2027 summer break" in text(page)
    assert "Thu 16 Sep 2027 19:30–21:00 13 weeks without a meeting before it" in text(page)
    assert "Thu 15 Apr 2027 19:30–21:00 the clocks have changed: still 19:30 here" in text(page)
    assert "Save these 10 dates" in text(page)
    assert page.content.decode().count('<li class="out">') == 2
    assert sessions(circle) == []


def test_the_fifth_thursday_is_refused_with_the_words_that_say_why(circle: Circle, leader: Client):
    page = leader.get(schedule(circle), THIRD_THURSDAY | {"rule": "month:1:3:5"})
    words = "Not every month has a fifth Thursday. Choose the fourth or the last."
    assert page.status_code == 200
    assert f'<ul class="errors" id="id_rule_error"><li>{words}</li></ul>' in page.content.decode()
    assert (
        leader.post(schedule(circle), THIRD_THURSDAY | {"rule": "month:1:3:5"}).status_code == 200
    )
    assert sessions(circle) == []


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("rule", "tomorrow", "Choose a rhythm from the list."),
        ("starts_at", "", "This field is required."),
        ("starts_at", "half past seven", "Enter a valid time."),
        ("minutes", "5", "A meeting lasts between 15 minutes and 12 hours."),
        ("minutes", "1000", "A meeting lasts between 15 minutes and 12 hours."),
        (
            "breaks",
            "15 Jux – 31 Aug",
            "“15 Jux – 31 Aug” was not understood. "
            "Write a break like “15 Jul – 31 Aug summer”, with a semicolon between two.",
        ),
        ("last_on", "2026-12-01", "The last date lies before the first."),
        ("last_on", "2047-12-01", "Plan ten years at most."),
        ("interval", "13", "A group meets every 1 to 12 months."),
        (
            "first_on",
            "2027-12-20",
            "Between these two dates the rhythm has no meeting. "
            "Look at the breaks, and at the first and the last date.",
        ),
    ],
)
def test_a_mistake_is_answered_beside_its_field_and_nothing_typed_is_lost(
    circle: Circle, leader: Client, field: str, typed: str, sentence: str
):
    data = THIRD_THURSDAY | {field: typed}
    page = leader.post(schedule(circle), data)
    html = unescape(page.content.decode())
    assert f'<ul class="errors" id="id_{field}_error"><li>{sentence}</li></ul>' in html
    for name, value in data.items():
        if name not in {"rule", "time_zone"}:
            assert f'name="{name}" value="{value}"' in html or not value
    assert sessions(circle) == []


def test_a_mistake_one_level_deeper_opens_that_level(circle: Circle, leader: Client):
    page = leader.get(schedule(circle), THIRD_THURSDAY | {"last_on": "2026-12-01"})
    assert '<details class="more" open>' in page.content.decode()
    assert '<details class="more">' in leader.get(schedule(circle)).content.decode()


def test_every_other_month_is_one_level_deeper(circle: Circle, leader: Client):
    page = leader.get(schedule(circle), THIRD_THURSDAY | {"interval": "2", "breaks": ""})
    assert "6 dates: every two months on the third Thursday" in text(page)


def test_a_rhythm_that_is_not_in_the_list_can_be_chosen_again(circle: Circle, leader: Client):
    leader.post(schedule(circle), THIRD_THURSDAY | {"interval": "2"})
    page = leader.get(schedule(circle))
    assert '<option value="month:2:3:3" selected>' in page.content.decode()


def test_a_change_in_the_form_fetches_the_year_only(circle: Circle, leader: Client):
    page = leader.get(schedule(circle), THIRD_THURSDAY, headers=HTMX)
    html = page.content.decode()
    # The letter in it is composed first.
    pages = [t.name for t in page.templates if t.name and not t.name.startswith("letters/")]
    assert pages[0] == "sessions/_year.html"
    assert "<form" not in html
    assert "<select" not in html
    assert '<div id="save" hx-swap-oob="true">' in html
    assert "Save these 10 dates" in html


def test_a_mistake_in_a_fetched_year_is_said_beside_its_field_too(circle: Circle, leader: Client):
    page = leader.get(schedule(circle), THIRD_THURSDAY | {"minutes": "5"}, headers=HTMX)
    sentence = "A meeting lasts between 15 minutes and 12 hours."
    assert (
        '<div id="id_minutes_said" hx-swap-oob="true">'
        f'<ul class="errors" id="id_minutes_error"><li>{sentence}</li></ul></div>'
    ) in page.content.decode()
    assert f"For (minutes) : {sentence}" in text(page)


def test_looking_at_dates_never_puts_the_token_into_an_address(circle: Circle, leader: Client):
    html = leader.get(schedule(circle)).content.decode()
    form = html[html.index('<form class="card"') :].split("</form>")[0]
    assert 'method="get"' in form
    assert '<input type="hidden" name="csrfmiddlewaretoken"' not in form
    assert re.search(r'<button [^>]*formmethod="post" name="csrfmiddlewaretoken" value="\w+"', form)


def test_the_button_s_token_is_what_saving_needs(circle: Circle, client_of: Any):
    careful = client_of(circle.leader, enforce_csrf_checks=True)
    html = careful.get(schedule(circle)).content.decode()
    token = re.search(r'formmethod="post" name="csrfmiddlewaretoken" value="(\w+)"', html)
    assert token
    assert careful.post(schedule(circle), THIRD_THURSDAY).status_code == 403
    saved = careful.post(schedule(circle), THIRD_THURSDAY | {"csrfmiddlewaretoken": token[1]})
    assert saved.status_code == 302


def test_past_dates_are_saved_once_they_are_known_to_have_passed(
    circle: Circle, leader: Client, clock: Clock
):
    clock.now = utc(2027, 4, 1, 12)
    leader = fresh(leader, circle)
    page = leader.get(schedule(circle), THIRD_THURSDAY)
    assert "I know that 3 of these dates have passed" in text(page)
    refused = leader.post(schedule(circle), THIRD_THURSDAY)
    assert refused.status_code == 200
    assert "Tick this box to put them down, or choose a later first date." in text(refused)
    assert sessions(circle) == []
    leader.post(schedule(circle), THIRD_THURSDAY | {"past_known": "on"})
    assert len(sessions(circle)) == 10


def fresh(client: Client, circle: Circle) -> Client:
    """Signed in again, after the clock was set."""
    client.force_login(circle.leader)
    return client


def test_without_past_dates_there_is_nothing_to_tick(circle: Circle, leader: Client):
    assert "past_known" not in leader.get(schedule(circle), THIRD_THURSDAY).content.decode()


def test_what_saving_would_change_is_shown_before_it_changes(circle: Circle, leader: Client):
    planned = plan(circle, cadence())
    with as_member(circle.leader):
        planning.move(planned[1], starts_at=utc(2027, 2, 24, 17), by=circle.leader, at=NOVEMBER)
    page = text(leader.get(schedule(circle), THIRD_THURSDAY | {"starts_at": "20:00"}))
    assert "Thu 21 Jan 2027 20:00–21:30 was 21 Jan 19:30–21:00" in page
    assert "Wed 24 Feb 2027 19:00–20:30 stays as you moved it: 24 Feb 19:00–20:30" in page
    assert "Thu 15 Jul 2027 19:30–21:00 will be cancelled summer break" in page
    assert "9 meetings change. 2 meetings are cancelled. Everyone in the group is told" in page


def test_a_second_leader_s_change_is_not_undone(circle: Circle, leader: Client):
    seen = value_of(leader.get(schedule(circle)), "seen")
    plan(circle)
    typed = THIRD_THURSDAY | {"seen": seen, "place": "Garden"}
    page = leader.post(schedule(circle), typed)
    assert page.status_code == 409
    assert "These dates have been changed meanwhile." in text(page)
    assert 'value="Garden"' in page.content.decode()
    assert {s.place for s in sessions(circle)} == {LIBRARY}
    again = typed | {"seen": value_of(page, "seen")}
    assert leader.post(schedule(circle), again).status_code == 302
    assert {s.place for s in sessions(circle)} == {"Garden"}


def test_a_span_over_two_rhythms_is_refused_beside_the_first_date(circle: Circle, leader: Client):
    plan(circle)
    plan(circle, cadence(first_on=date(2028, 1, 1), last_on=date(2028, 12, 31)))
    page = leader.post(schedule(circle), THIRD_THURSDAY | {"last_on": "2028-12-31"})
    assert page.status_code == 409
    assert '<ul class="errors" id="id_first_on_error"><li>From 1 January' in page.content.decode()


def test_saving_twice_plans_once(circle: Circle, leader: Client):
    leader.post(schedule(circle), THIRD_THURSDAY)
    leader.post(schedule(circle), THIRD_THURSDAY)
    assert len(sessions(circle)) == 10


def test_a_planned_year_is_what_the_page_begins_with(circle: Circle, leader: Client):
    plan(circle, american())
    page = leader.get(schedule(circle))
    assert "When does the group meet in 2027?" in text(page)
    assert "8 dates: every month on the fourth Tuesday, 19:00–20:00, New York time." in text(page)
    filled = Fields(page.content.decode()).filled
    assert (filled["first_on"], filled["last_on"]) == ("2027-03-01", "2027-10-31")


def test_the_next_year_is_one_press_away(circle: Circle, leader: Client):
    plan(circle)
    page = leader.get(schedule(circle) + "?series=next")
    assert "When does the group meet in 2028?" in text(page)
    assert '?series=next" aria-current="page">2028</a>' in page.content.decode()


def test_what_is_shown_or_refused_stays_with_the_rhythm_chosen(circle: Circle, leader: Client):
    plan(circle)
    page = leader.get(schedule(circle), {"series": "next"})
    assert value_of(page, "series") == "next"
    wrong = Fields(page.content.decode()).filled | {"series": "next", "minutes": "5"}
    typed = wrong | {"rule": "month:1:3:3", "time_zone": "Asia/Jerusalem"}
    for answer in (leader.get(schedule(circle), typed), leader.post(schedule(circle), typed)):
        assert '?series=next" aria-current="page">2028</a>' in answer.content.decode()


def test_times_are_said_in_the_viewer_s_zone_where_it_differs(circle: Circle, leader: Client):
    page = leader.get(schedule(circle), AMERICAN)
    day_after = "for you Wednesday 24 March 2027, 01:00–02:00, Jerusalem time"
    assert day_after in text(page)


def test_the_dates_ahead_stand_below_with_a_way_to_change_each(circle: Circle, leader: Client):
    planned = plan(circle)
    page = leader.get(schedule(circle)).content.decode()
    for session in planned:
        assert reverse("session_edit", args=[session.pk]) in page
        assert reverse("session_cancel", args=[session.pk]) in page


def count(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


@pytest.mark.parametrize("who", ["leader", "member"])
def test_thirty_dates_take_as_many_queries_as_one(circle: Circle, client_of: Any, who: str):
    client = client_of(getattr(circle, who))
    on_wall(circle.group, date(2027, 1, 1), settled_at=NOVEMBER)
    client.get(schedule(circle))
    one = count(client, schedule(circle))
    for of_month in range(2, 31):
        on_wall(circle.group, date(2027, 1, of_month), settled_at=NOVEMBER)
    assert count(client, schedule(circle)) == one


def test_a_planned_year_of_weeks_takes_as_many_queries_as_one_date(circle: Circle, leader: Client):
    plan(circle, cadence(last_on=date(2027, 1, 31)))
    leader.get(schedule(circle))
    one = count(leader, schedule(circle))
    weekly = THIRD_THURSDAY | {"rule": "week:1:3", "breaks": ""}
    leader.post(schedule(circle), weekly)
    leader.get(schedule(circle))
    assert len(sessions(circle)) == 52
    assert count(leader, schedule(circle)) == one
