"""The page of planning and the pages of one date, as a leader uses them."""

import re
from datetime import date, datetime, time
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions import planning
from sessions.models import Session
from sessions.phases import Phase
from tests.sessions.meetings import on_wall
from tests.sessions.rhythm import (
    AMERICAN_SERIES,
    LIBRARY,
    NOVEMBER,
    SUMMER,
    american,
    cadence,
    day,
)
from tests.world import Circle, as_member, as_owner, make_circle, utc

AMERICAN = {
    "rule": "month:1:1:4",
    "starts_at": "19:00",
    "minutes": "60",
    "time_zone": "America/New_York",
    "place": "Clinic, room 4",
    "breaks": "",
    "first_on": "2027-03-01",
    "last_on": "2027-10-31",
}
THIRD_THURSDAY = {
    "rule": "month:1:3:3",
    "starts_at": "19:30",
    "minutes": "90",
    "time_zone": "Asia/Jerusalem",
    "place": LIBRARY,
    "breaks": "15 Jul – 31 Aug summer",
    "first_on": "2027-01-01",
    "last_on": "2027-12-31",
}
HTMX = {"HX-Request": "true"}


class Clock:
    """What Django says is now; the database's own clock goes on."""

    def __init__(self) -> None:
        self.now = NOVEMBER

    def __call__(self) -> datetime:
        return self.now


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


def schedule(circle: Circle) -> str:
    return reverse("schedule", args=[circle.group.pk])


def text(response: Any) -> str:
    """What can be read, in one line."""
    body = re.sub(r"<(script|option)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def sessions(circle: Circle) -> list[Session]:
    with as_owner():
        return list(Session.objects.filter(group=circle.group).order_by("starts_at"))


def plan(circle: Circle, planned: Any = None) -> list[Session]:
    with as_member(circle.leader):
        planned = planned or cadence(breaks=(SUMMER,))
        planning.plan_year(circle.group, planned, LIBRARY, by=circle.leader, at=NOVEMBER)
    return sessions(circle)


def value_of(response: Any, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', response.content.decode())
    assert found, name
    return unescape(found[1])


class Fields(HTMLParser):
    """The fields of the planning form, by whether they are in sight."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.in_sight: list[str] = []
        self.deeper: list[str] = []
        self.filled: dict[str, str] = {}
        self.feed(page[page.index('<form class="card"') :].split("</form>")[0])

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        attrs = dict(attributes)
        if tag == "details":
            self.inside.append(tag)
        if tag in {"input", "select", "textarea"} and attrs.get("type") != "hidden":
            (self.deeper if self.inside else self.in_sight).append(attrs["name"] or "")
            self.filled[attrs["name"] or ""] = attrs.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "details":
            self.inside.pop()


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
    assert next(t.name for t in page.templates if t.name) == "sessions/_year.html"
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


def test_a_cancelled_date_below_can_be_put_back(circle: Circle, leader: Client):
    session = plan(circle)[0]
    leader.post(reverse("session_cancel", args=[session.pk]), {"reason": "Snow.", "seen": "0"})
    assert sessions(circle)[0].phase == Phase.CANCELLED
    restore = reverse("session_restore", args=[session.pk])
    assert restore in leader.get(schedule(circle)).content.decode()
    page = leader.post(restore, follow=True)
    assert "The meeting takes place. Everyone in the group is told by mail." in text(page)
    assert sessions(circle)[0].phase == Phase.PLANNED


def test_the_page_of_cancelling_says_who_will_be_told(circle: Circle, leader: Client):
    session = plan(circle)[0]
    page = leader.get(reverse("session_cancel", args=[session.pk]))
    assert "Everyone in the group is told by mail, with the next date." in text(page)
    assert "Stays in the group and is in no mail." in text(page)
    assert "Thursday 21 January 2027, 19:30–21:00, Jerusalem time" in text(page)


def moved(session: Session, **changes: str) -> dict[str, str]:
    values = {
        "on": day(session).isoformat(),
        "starts_at": "19:30",
        "minutes": "90",
        "place": LIBRARY,
        "setting": "in_person",
        "reason": "",
        "seen": str(session.sequence),
    }
    return values | changes


def test_a_meeting_is_moved_with_a_reason(circle: Circle, leader: Client):
    session = plan(circle)[0]
    edit = reverse("session_edit", args=[session.pk])
    page = leader.post(edit, moved(session, on="2027-01-28", reason="Snow."), follow=True)
    assert "The change is saved. Everyone in the group is told by mail." in text(page)
    assert day(sessions(circle)[0]) == date(2027, 1, 28)
    assert "Snow." not in text(page)


def test_saving_a_meeting_untouched_says_so_and_tells_nobody(circle: Circle, leader: Client):
    session = plan(circle)[0]
    page = leader.post(reverse("session_edit", args=[session.pk]), moved(session), follow=True)
    assert "Nothing has changed." in text(page)
    assert sessions(circle)[0].sequence == 0


def test_an_untouched_time_keeps_the_second_pass_of_a_doubled_hour(circle: Circle, leader: Client):
    second_pass = utc(2027, 10, 30, 23, 30)
    with as_owner():
        session = on_wall(circle.group, date(2027, 10, 31), settled_at=NOVEMBER)
        Session.objects.filter(pk=session.pk).update(starts_at=second_pass)
    typed = moved(session, on="2027-10-31", starts_at="01:30", minutes="60", seen="0")
    leader.post(reverse("session_edit", args=[session.pk]), typed)
    changed = sessions(circle)[0]
    assert (changed.starts_at, changed.minutes) == (second_pass, 60)


def test_a_stale_form_of_a_meeting_undoes_nothing_and_can_be_sent_again(
    circle: Circle, leader: Client
):
    session = plan(circle)[0]
    edit = reverse("session_edit", args=[session.pk])
    leader.post(edit, moved(session, starts_at="20:00"))
    page = leader.post(edit, moved(session, place="Garden"))
    assert page.status_code == 409
    assert "These dates have been changed meanwhile." in text(page)
    assert "20:00–21:30" in text(page)
    assert 'value="Garden"' in page.content.decode()
    assert value_of(page, "seen") == "1"
    assert sessions(circle)[0].place == LIBRARY


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"on": "2026-10-01"}, "That time has passed. Choose one that lies ahead."),
        (
            {"on": "2027-02-18"},
            "The group already meets on Thursday 18 February 2027, 19:30–21:00, Jerusalem time. "
            "Choose another time.",
        ),
    ],
)
def test_a_refused_move_keeps_what_was_typed(
    circle: Circle, leader: Client, changes: dict[str, str], sentence: str
):
    session = plan(circle)[0]
    edit = reverse("session_edit", args=[session.pk])
    page = leader.post(edit, moved(session, reason="Snow.", **changes))
    assert page.status_code == 409
    assert sentence in text(page)
    assert "Snow." in page.content.decode()
    assert f'value="{changes["on"]}"' in page.content.decode()


def test_a_length_that_cannot_be_is_answered_beside_its_field(circle: Circle, leader: Client):
    session = plan(circle)[0]
    page = leader.post(reverse("session_edit", args=[session.pk]), moved(session, minutes="5"))
    assert page.status_code == 200
    assert "A meeting lasts between 15 minutes and 12 hours." in text(page)


@pytest.mark.parametrize(
    ("name", "phase", "sentence"),
    [
        ("session_edit", Phase.CANCELLED, "This meeting is cancelled. Put it back"),
        ("session_edit", Phase.CLOSED, "This meeting is over; its date stays as it was."),
        ("session_edit", Phase.STORY, "The group is meeting. Close the meeting before"),
        ("session_cancel", Phase.CANCELLED, "This meeting is cancelled already."),
        ("session_cancel", Phase.CLOSED, "This meeting is over; its date stays as it was."),
        ("session_cancel", Phase.STORY, "The group is meeting. Close the meeting before"),
    ],
)
def test_what_cannot_be_done_now_says_so_at_the_door(
    circle: Circle, leader: Client, name: str, phase: Phase, sentence: str
):
    session = plan(circle)[0]
    with as_owner():
        Session.objects.filter(pk=session.pk).update(phase=phase)
    page = leader.get(reverse(name, args=[session.pk]))
    assert page.status_code == 409
    assert sentence in text(page)


def test_putting_back_what_takes_place_is_409_with_its_sentence(circle: Circle, leader: Client):
    session = plan(circle)[0]
    page = leader.post(reverse("session_restore", args=[session.pk]))
    assert page.status_code == 409
    assert "This meeting is not cancelled; it takes place." in text(page)


def extra(**changes: str) -> dict[str, str]:
    values = {"on": "2027-01-23", "starts_at": "10:00", "minutes": "360", "place": "Monastery"}
    return values | {"setting": "in_person"} | changes


def test_an_extra_date_is_added(circle: Circle, leader: Client):
    plan(circle)
    page = leader.post(reverse("session_new", args=[circle.group.pk]), extra(), follow=True)
    assert "The date is saved." in text(page)
    assert "extra date Monastery" in text(page)
    added = sessions(circle)[1]
    assert (added.series_id, added.starts_at) == (None, utc(2027, 1, 23, 8))


def test_an_extra_date_in_the_past_is_asked_about_first(circle: Circle, leader: Client):
    new = reverse("session_new", args=[circle.group.pk])
    assert "past_known" not in leader.get(new).content.decode()
    page = leader.post(new, extra(on="2026-10-03"))
    assert "I know that this date has passed" in text(page)
    assert "Tick this box to put it down, or choose a date that lies ahead." in text(page)
    assert sessions(circle) == []
    assert leader.post(new, extra(on="2026-10-03", past_known="on")).status_code == 302


def test_an_extra_date_sent_twice_is_there_once(circle: Circle, leader: Client):
    new = reverse("session_new", args=[circle.group.pk])
    leader.post(new, extra())
    page = leader.post(new, extra())
    assert page.status_code == 409
    assert "The group already meets on Saturday 23 January 2027" in text(page)
    assert len(sessions(circle)) == 1


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
