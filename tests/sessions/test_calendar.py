"""Month, agenda, year, a group's own year and one meeting: dates, zones, and who sees what."""

from dataclasses import dataclass
from datetime import date, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from groups.models import Agreement, Entrance, Group, Membership, Setting
from sessions.calendar import YEARS, Month, agenda_span, by_month, month, span
from sessions.models import Session
from sessions.phases import Phase
from tests.sessions.meetings import (
    cannot_come,
    change,
    groups_of,
    in_days,
    make_session,
    on_wall,
)
from tests.world import as_owner, join, make_group, make_member

REASON = "The library is being painted"


@dataclass(frozen=True)
class On:
    """A date and nothing else."""

    on: date


# The grid, pure


def test_december_2026_begins_on_a_monday_of_november():
    shown: Month[On] = month(2026, 12, [On(date(2026, 12, 17))], today=date(2026, 12, 3))
    assert [week[0].on for week in shown.weeks] == [
        date(2026, 11, 30),
        *[date(2026, 12, day) for day in (7, 14, 21, 28)],
    ]
    assert shown.weekdays == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    days = [day for week in shown.weeks for day in week]
    assert [day.on for day in days if day.today] == [date(2026, 12, 3)]
    assert [day.on for day in days if day.entries] == [date(2026, 12, 17)]
    assert [day.on for day in days if not day.inside] == [
        date(2026, 11, 30), date(2027, 1, 1), date(2027, 1, 2), date(2027, 1, 3)
    ]  # fmt: skip


@given(st.integers(YEARS.start, YEARS.stop - 1), st.integers(1, 12))
def test_a_grid_shows_whole_weeks_each_day_once_and_turns_to_its_neighbours(year, number):
    shown: Month[On] = month(year, number, [], today=date(2026, 1, 1))
    days = [day.on for week in shown.weeks for day in week]
    first, last = span(year, number)
    assert days == [first + timedelta(days=n) for n in range((last - first).days + 1)]
    assert (first.weekday(), last.weekday()) == (0, 6)
    assert len([day for week in shown.weeks for day in week if day.inside]) >= 28
    if shown.following:
        assert month(shown.following.year, shown.following.month, [], first).previous == shown.first


@pytest.mark.parametrize(
    ("year", "number", "previous", "following"),
    [
        (1990, 1, None, date(1990, 2, 1)),
        (2199, 12, date(2199, 11, 1), None),
        (2027, 1, date(2026, 12, 1), date(2027, 2, 1)),
    ],
)
def test_the_calendar_ends_where_rules_end(year, number, previous, following):
    shown: Month[On] = month(year, number, [], today=date(2026, 1, 1))
    assert (shown.previous, shown.following) == (previous, following)


@pytest.mark.parametrize(
    ("today", "last"),
    [
        (date(2026, 11, 21), date(2027, 11, 20)),
        (date(2028, 2, 29), date(2029, 2, 27)),
        (date(2027, 3, 31), date(2028, 3, 30)),
        (date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_an_agenda_goes_twelve_months_on(today, last):
    assert agenda_span(today) == (today, last)


def test_dates_stand_under_their_month():
    days = [On(date(2026, 12, 31)), On(date(2027, 1, 1)), On(date(2026, 12, 1))]
    assert by_month(days) == [
        (date(2026, 12, 1), [On(date(2026, 12, 1)), On(date(2026, 12, 31))]),
        (date(2027, 1, 1), [On(date(2027, 1, 1))]),
    ]


# The person's pages


def text_of(client, path: str) -> str:
    """The page's words, in one line."""
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.fixture
def thursday(circle) -> Session:
    """Thursday 16 December 2027, 19:30 in Jerusalem."""
    return on_wall(circle.group, date(2027, 12, 16))


def test_a_meeting_stands_in_month_year_and_day(circle, thursday, client_of):
    client = client_of(circle.member)
    for path in ("/calendar/2027/12/", "/calendar/2027/"):
        page = text_of(client, path)
        assert page.count(f'href="/sessions/{thursday.pk}/"') == 1
        assert "Valley group" in page
        assert "All in Jerusalem time." in page
    assert text_of(client, "/calendar/2027/11/").count(str(thursday.pk)) == 0
    assert text_of(client, "/calendar/2028/").count(str(thursday.pk)) == 0


def test_the_calendar_opens_at_the_persons_own_month(circle, client_of):
    session = in_days(circle.group, 0, time(23, 30))
    assert str(session.pk) in text_of(client_of(circle.member), "/calendar/")


def test_the_agenda_has_twelve_months_and_no_past(circle, client_of):
    past, soon, late, beyond = (in_days(circle.group, days) for days in (-1, 1, 360, 370))
    page = text_of(client_of(circle.member), "/calendar/agenda/")
    shown = {session.pk: page.count(str(session.pk)) for session in (past, soon, late, beyond)}
    assert list(shown.values()) == [0, 1, 1, 0]


def test_an_empty_calendar_says_so(circle, client_of):
    client = client_of(circle.superuser)
    assert "No meeting in this month." in text_of(client, "/calendar/2027/12/")
    assert "No meeting in this year." in text_of(client, "/calendar/2027/")
    assert "No dates yet." in text_of(client, "/calendar/agenda/")


@pytest.mark.parametrize("path", ["2027/13/", "2027/0/", "1989/1/", "2200/1/", "1989/", "2200/"])
def test_a_month_or_year_no_calendar_has_is_not_there(circle, client_of, path):
    assert client_of(circle.member).get(f"/calendar/{path}").status_code == 404


def test_another_zone_is_named_and_the_viewers_own_clock_beside_it(circle, client_of):
    # 19:00 New York on 28 April 2026 is midnight in London; on 24 March 23:00.
    group = make_group(name="Coast group", time_zone="America/New_York")
    join(group, circle.absent)
    for day in (date(2026, 4, 28), date(2026, 3, 24)):
        on_wall(group, day, time(19), minutes=60)
    client = client_of(circle.absent)
    april, march = (text_of(client, f"/calendar/2026/{number}/") for number in (4, 3))
    assert "New York time</span> <span>for you Wed 29 Apr, 00:00</span>" in april
    assert "New York time</span> <span>for you 23:00</span>" in march
    year = text_of(client, "/calendar/2026/")
    assert "for you Wednesday 29 April, 00:00–01:00, London time" in year
    assert "for you 23:00–00:00, London time" in year
    for page in (april, march, year):
        assert "New York time" in page
        assert "All in" not in page


def test_a_viewer_on_the_same_clock_is_told_one_time(circle, thursday, client_of):
    traveller = make_member("Dr Ines Roth", time_zone="Asia/Beirut")
    join(circle.group, traveller)
    page = text_of(client_of(traveller), "/calendar/2027/12/")
    assert "for you" not in page
    assert "All in Jerusalem time." in page


def test_a_cancelled_date_is_struck_through_with_its_reason_for_those_inside(circle, client_of):
    session = on_wall(circle.group, date(2027, 12, 16), phase=Phase.CANCELLED)
    change(session, "cancelled", REASON, circle.leader)
    inside, away = client_of(circle.member), client_of(circle.on_leave)
    for path in ("/calendar/2027/", f"/groups/{circle.group.pk}/?year=2027", "/calendar/2027/12/"):
        assert "cancelled" in text_of(inside, path)
        assert REASON not in text_of(away, path)
        assert "cancelled" in text_of(away, path)
    for path in ("/calendar/2027/", f"/groups/{circle.group.pk}/?year=2027"):
        assert text_of(inside, path).count(REASON) == 1


def test_a_moved_date_says_so_to_those_inside(circle, thursday, client_of):
    change(thursday, "moved", REASON, circle.leader)
    path = f"/groups/{circle.group.pk}/?year=2027"
    page = text_of(client_of(circle.member), path)
    assert page.count(">moved<") == page.count(REASON) == 1
    assert ">moved<" not in text_of(client_of(circle.on_leave), path)


def test_ones_own_answer_shows_and_nobody_elses(circle, client_of):
    session = in_days(circle.group, 3)
    cannot_come(session, circle.absent)
    path = "/calendar/agenda/"
    assert "you cannot come" in text_of(client_of(circle.absent), path)
    for persona in ("member", "leader"):
        assert "you cannot come" not in text_of(client_of(getattr(circle, persona)), path)


def test_a_plan_not_settled_is_on_no_page(circle, client_of):
    session = in_days(circle.group, 3, settled_at=None)
    for persona in ("member", "leader"):
        client = client_of(getattr(circle, persona))
        for path in ("/", "/calendar/agenda/", "/groups/", f"/groups/{circle.group.pk}/"):
            assert str(session.pk) not in text_of(client, path)
        assert client.get(f"/sessions/{session.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("persona", "dates"),
    {
        "leader": 3,
        "second_leader": 3,
        "presenter": 3,
        "member": 3,
        "absent": 3,
        "on_leave": 3,
        # Before signing, the next one that takes place.
        "newcomer": 1,
        "former": 0,
        "admin": 0,
        "outsider": 0,
        "superuser": 0,
    }.items(),
)
def test_whose_calendar_has_the_dates(circle, client_of, persona, dates):
    cancelled = in_days(circle.group, 2, phase=Phase.CANCELLED)
    standing = [in_days(circle.group, days) for days in (5, 35)]
    client = client_of(getattr(circle, persona))
    page = text_of(client, "/calendar/agenda/")
    shown = [session for session in (cancelled, *standing) if str(session.pk) in page]
    assert shown == {3: [cancelled, *standing], 1: standing[:1], 0: []}[dates]


PAGES = ["/", "/calendar/", "/calendar/agenda/", "/calendar/{year}/", "/groups/"]


@pytest.mark.parametrize("page", PAGES)
def test_thirty_dates_in_ten_groups_cost_as_many_queries_as_one(circle, client_of, page):
    member = make_member("Dr Uri Stern", time_zone="Asia/Jerusalem")
    (first,) = groups_of(member, 1)
    # One near enough to be news, which is put down once.
    change(in_days(first, 1, time(23, 50)), "moved", REASON)
    client = client_of(member)
    path = page.format(year=timezone.now().year)
    client.get(path)
    with CaptureQueriesContext(connection) as for_one:
        client.get(path)
    for group in groups_of(member, 10):
        for days in (0, 1, 2):
            session = in_days(group, days, time(23, 50))
            change(session, "moved", REASON)
            cannot_come(session, member)
    client.get(path)
    with CaptureQueriesContext(connection) as for_thirty:
        client.get(path)
    assert len(for_one) == len(for_thirty)


@pytest.mark.parametrize("persona", ["leader", "member", "on_leave", "admin"])
def test_a_groups_year_costs_the_same_with_thirty_dates(circle, client_of, persona):
    client, path = client_of(getattr(circle, persona)), f"/groups/{circle.group.pk}/"
    in_days(circle.group, 1)
    client.get(path)
    with CaptureQueriesContext(connection) as for_one:
        client.get(path)
    for days in range(2, 32):
        change(in_days(circle.group, days), "moved", REASON)
    with CaptureQueriesContext(connection) as for_thirty:
        client.get(path)
    assert len(for_one) == len(for_thirty)


# The group's own year


def test_a_groups_year_is_this_one_or_the_next_with_a_meeting(circle, client_of):
    client, path = client_of(circle.member), f"/groups/{circle.group.pk}/"
    now = timezone.now()
    assert f"The year {now.year}" in text_of(client, path)
    session = on_wall(circle.group, date(now.year + 1, 6, 17))
    page = text_of(client, path)
    assert f"The year {now.year + 1}" in page
    assert page.count(f"/sessions/{session.pk}/") == 2


def test_a_groups_years_can_be_turned_as_far_as_it_has_dates(circle, client_of):
    for year in (2024, 2027):
        on_wall(circle.group, date(year, 6, 17))
    client, path = client_of(circle.member), f"/groups/{circle.group.pk}/"
    assert 'href="?year=2023#turn"' not in text_of(client, f"{path}?year=2024")
    assert 'href="?year=2025#turn"' in text_of(client, f"{path}?year=2024")
    assert 'href="?year=2028#turn"' not in text_of(client, f"{path}?year=2027")
    assert 'href="?year=2026#turn"' in text_of(client, f"{path}?year=2027")


@pytest.mark.parametrize("year", ["", "x", "1", "99999", "2027.5"])
def test_a_year_that_is_none_shows_the_usual_one(circle, client_of, year):
    page = text_of(client_of(circle.member), f"/groups/{circle.group.pk}/?year={year}")
    assert f"The year {timezone.now().year}" in page


WAYS = {
    "leader": {"schedule", "roster", "agreement", "edit", "leave"},
    "second_leader": {"schedule", "roster", "agreement", "edit", "leave"},
    "member": {"roster", "agreement", "leave"},
    "on_leave": {"leave"},
    "admin": set(),
}


@pytest.mark.parametrize(("persona", "ways"), WAYS.items())
def test_from_a_group_lead_the_ways_one_may_go(circle, client_of, persona, ways):
    in_days(circle.group, 1)
    path = f"/groups/{circle.group.pk}/"
    page = text_of(client_of(getattr(circle, persona)), path)
    every = ("schedule", "roster", "agreement", "edit", "leave")
    assert {way for way in every if f'href="{path}{way}/"' in page} == ways
    office = f"/programmes/{circle.programme.pk}{path}"
    assert (f'href="{office}"' in page) == (persona == "admin")


@pytest.mark.parametrize(
    ("persona", "named"), {"leader": True, "member": True, "admin": True, "on_leave": False}.items()
)
def test_who_leads_is_said_to_those_who_may_see_names(circle, client_of, persona, named):
    page = text_of(client_of(getattr(circle, persona)), f"/groups/{circle.group.pk}/")
    assert ("Led by Ruth and Erik" in page) == named


STATUSES = {
    "leader": 200,
    "second_leader": 200,
    "presenter": 200,
    "member": 200,
    "absent": 200,
    "newcomer": 302,
    "on_leave": 200,
    "former": 404,
    "admin": 200,
    "outsider": 404,
    "superuser": 404,
    None: 302,
}


@pytest.mark.parametrize(("persona", "status"), STATUSES.items())
def test_who_reaches_a_group_and_a_meeting(circle, client_of, persona, status):
    session = in_days(circle.group, 3)
    client = client_of(getattr(circle, persona) if persona else None)
    for path in (f"/groups/{circle.group.pk}/", f"/sessions/{session.pk}/"):
        answer = client.get(path)
        assert answer.status_code == status
        if persona == "newcomer":
            assert answer.headers["Location"] == f"/groups/{circle.group.pk}/agreement/"
        assert client.post(path).status_code == (405 if persona else 302)


def test_a_foreign_group_or_meeting_is_the_same_nothing_as_none(circle, client_of):
    session = in_days(circle.group, 3)
    client = client_of(circle.outsider)
    absent = "00000000-0000-4000-8000-000000000000"
    for foreign, nothing in (
        (f"/groups/{circle.group.pk}/", f"/groups/{absent}/"),
        (f"/sessions/{session.pk}/", f"/sessions/{absent}/"),
        (f"/sessions/{session.pk}/answer/", f"/sessions/{absent}/answer/"),
        (f"/sessions/{session.pk}/balint.ics", f"/sessions/{absent}/balint.ics"),
    ):
        answers = client.get(foreign), client.get(nothing)
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].content == answers[1].content
        assert dict(answers[0].items()) == dict(answers[1].items())


@pytest.mark.parametrize("persona", [*(name for name in STATUSES if name), None])
def test_who_reaches_the_pages_of_ones_own(circle, client_of, persona):
    client = client_of(getattr(circle, persona) if persona else None)
    for path in ("/calendar/", "/calendar/agenda/", "/calendar/2027/", "/calendar/2027/3/",
                 "/groups/", "/settings/calendar/"):  # fmt: skip
        assert client.get(path).status_code == (200 if persona else 302)
    for path in ("/", "/about/"):
        assert client.get(path).status_code == 200


# One meeting


def test_a_meeting_says_when_where_and_who_leads(circle, thursday, client_of):
    page = text_of(client_of(circle.absent), f"/sessions/{thursday.pk}/")
    for words in (
        "19:30–21:00, Jerusalem time",
        "for you 17:30–19:00, London time",
        "Kfar Vitkin clinic, library",
        "Ruth and Erik",
        "We expect you.",
    ):
        assert words in page


@pytest.mark.parametrize(
    ("persona", "ways"),
    {
        "leader": {"before", "card", "edit", "cancel"},
        "member": set(),
        "on_leave": set(),
        "admin": set(),
    }.items(),
)
def test_from_a_meeting_lead_the_leaders_ways(circle, client_of, persona, ways):
    session = in_days(circle.group, 3)
    page = text_of(client_of(getattr(circle, persona)), f"/sessions/{session.pk}/")
    every = ("before", "card", "afterwards", "edit", "cancel", "restore", "room")
    assert {way for way in every if f'"/sessions/{session.pk}/{way}/"' in page} == ways


def test_a_past_meeting_leads_to_afterwards_and_a_cancelled_one_back(circle, client_of):
    client = client_of(circle.leader)
    past = in_days(circle.group, -1)
    assert f'"/sessions/{past.pk}/afterwards/"' in text_of(client, f"/sessions/{past.pk}/")
    off = in_days(circle.group, 3, phase=Phase.CANCELLED)
    page = text_of(client, f"/sessions/{off.pk}/")
    assert f'action="/sessions/{off.pk}/restore/"' in page
    assert "/afterwards/" not in page
    assert "We expect you." not in page


LINK = "https://call.example/valley"


def online(circle, minutes: float, **fields) -> Session:
    with as_owner():
        Entrance.objects.update_or_create(group=circle.group, defaults={"join_link": LINK})
    starts_at = timezone.now() + timedelta(minutes=minutes)
    return make_session(circle.group, starts_at, setting=Setting.ONLINE, place="", **fields)


@pytest.mark.parametrize(
    ("persona", "minutes", "shown"),
    [
        ("member", 16, False),
        ("member", 14, True),
        ("leader", 14, True),
        ("on_leave", 14, False),
        ("admin", 14, False),
    ],
)
def test_the_link_of_the_call_stands_there_from_fifteen_minutes_before(
    circle, client_of, persona, minutes, shown
):
    session = online(circle, minutes)
    page = text_of(client_of(getattr(circle, persona)), f"/sessions/{session.pk}/")
    assert (LINK in page) == shown


def test_while_the_group_meets_the_page_says_so(circle, client_of):
    here = make_session(circle.group, timezone.now() - timedelta(minutes=20))
    page = text_of(client_of(circle.member), f"/sessions/{here.pk}/")
    assert "The group is meeting." in page
    assert f"/sessions/{here.pk}/room/" not in page
    assert "We expect you." not in page


def test_while_it_meets_online_a_link_leads_to_the_room(circle, client_of):
    there = online(circle, -20, phase=Phase.STORY, opened_at=timezone.now())
    page = text_of(client_of(circle.member), f"/sessions/{there.pk}/")
    assert "The group is meeting." in page
    assert f'href="/sessions/{there.pk}/room/"' in page


def test_in_a_running_meeting_nothing_changes_before_the_morning(circle, client_of):
    session = make_session(circle.group, timezone.now() - timedelta(minutes=20))
    with as_owner():
        Membership.objects.filter(group=circle.group, member=circle.member).update(
            ended_at=timezone.now()
        )
        Agreement.objects.create(
            group=circle.group, version=2, text="New.", in_force_at=timezone.now()
        )
    for persona in ("member", "absent"):
        page = text_of(client_of(getattr(circle, persona)), f"/sessions/{session.pk}/")
        assert "The group is meeting." in page
    assert client_of(circle.member).get(f"/groups/{circle.group.pk}/").status_code == 404


def test_the_changes_of_a_meeting_stand_in_their_order_with_their_reasons(
    circle, thursday, client_of
):
    change(thursday, "cancelled", "Ruth is ill", circle.leader)
    change(thursday, "restored", "Ruth is well", circle.leader)
    page = text_of(client_of(circle.member), f"/sessions/{thursday.pk}/")
    assert 0 < page.index("Ruth is ill") < page.index("Ruth is well")
    outside = text_of(client_of(circle.admin), f"/sessions/{thursday.pk}/")
    assert "Ruth is" not in outside


def test_the_title_bar_never_names_a_group(circle, thursday, client_of):
    client = client_of(circle.member)
    for path in ("/", "/groups/", f"/groups/{circle.group.pk}/", f"/sessions/{thursday.pk}/"):
        assert "<title>Balint</title>" in text_of(client, path)


def test_looking_changes_nothing(circle, thursday, client_of):
    def state() -> list:
        with as_owner():
            return [list(model.objects.order_by("pk").values()) for model in (Session, Group)]

    before = state()
    client = client_of(circle.leader)
    for path in ("/", "/calendar/", "/groups/", f"/groups/{circle.group.pk}/",
                 f"/sessions/{thursday.pk}/", f"/sessions/{thursday.pk}/balint.ics"):  # fmt: skip
        client.get(path)
        client.head(path)
    assert state() == before
