"""A group's month and agenda: the pages of one's own calendar with one group's dates alone."""

from datetime import date, time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sessions.models import Session
from sessions.phases import Phase
from tests.sessions.meetings import cannot_come, change, groups_of, in_days, on_wall

VIEWS = ["2027/12/", "agenda/"]


def text_of(client, path: str) -> str:
    """The page's words, in one line."""
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.fixture
def path(circle) -> str:
    return f"/groups/{circle.group.pk}/"


@pytest.fixture
def thursday(circle) -> Session:
    """Thursday 16 December 2027, 19:30 in Jerusalem."""
    return on_wall(circle.group, date(2027, 12, 16), place="Clinic, library")


def test_a_groups_month_has_its_dates_alone_with_time_and_place(circle, thursday, path, client_of):
    (other,) = groups_of(circle.member, 1)
    elsewhere = on_wall(other, date(2027, 12, 14))
    client = client_of(circle.member)
    page = text_of(client, f"{path}2027/12/")
    assert page.count(f'href="/sessions/{thursday.pk}/"') == 1
    assert "<b>19:30–21:00</b> Clinic, library" in page
    assert "Meetings of Valley group, day by day" in page
    assert "All in Jerusalem time." in page
    assert str(elsewhere.pk) not in page
    assert str(elsewhere.pk) in text_of(client, "/calendar/2027/12/")


def test_a_groups_agenda_has_its_dates_alone_and_no_past(circle, path, client_of):
    past, soon, beyond = (in_days(circle.group, days) for days in (-1, 1, 370))
    (other,) = groups_of(circle.member, 1)
    elsewhere = in_days(other, 2)
    page = text_of(client_of(circle.member), f"{path}agenda/")
    shown = [page.count(str(session.pk)) for session in (past, soon, beyond, elsewhere)]
    assert shown == [0, 1, 0, 0]


def test_month_agenda_and_year_of_a_group_lead_to_each_other(circle, thursday, path, client_of):
    client, today = client_of(circle.member), timezone.localdate()
    here = {
        "month": f"{path}2027/12/",
        "agenda": f"{path}agenda/",
        "year": f"{path}?year=2027",
    }
    tabs = {
        "month": [f"{path}2027/12/", f"{path}agenda/", f"{path}?year=2027"],
        "agenda": [f"{path}{today:%Y}/{today.month}/", f"{path}agenda/", f"{path}?year={today:%Y}"],
        "year": [f"{path}{today:%Y}/{today.month}/", f"{path}agenda/", f"{path}?year=2027"],
    }
    for view, address in here.items():
        page = text_of(client, address)
        nav = page.partition('<nav class="tabs"')[2].partition("</nav>")[0]
        assert [link.partition('#view"')[0] for link in nav.split('href="')[1:]] == tabs[view]
        assert nav.count('aria-current="page"') == 1
    turned = text_of(client, here["month"])
    for address in (f"{path}2027/11/#turn", f"{path}2028/1/#turn", path, "/groups/"):
        assert f'href="{address}"' in turned


def test_ones_own_calendar_keeps_to_its_own_addresses(circle, thursday, path, client_of):
    client = client_of(circle.member)
    for address in ("/", "/calendar/2027/12/", "/calendar/agenda/", "/calendar/2027/"):
        page = text_of(client, address)
        assert f'href="{path}2' not in page
        assert f'href="{path}agenda' not in page


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
def test_who_reaches_a_groups_month_and_agenda(circle, thursday, path, client_of, persona, status):
    client = client_of(getattr(circle, persona) if persona else None)
    for view in VIEWS:
        answer = client.get(f"{path}{view}")
        assert answer.status_code == status
        if persona == "newcomer":
            assert answer.headers["Location"] == f"{path}agreement/"
        assert client.post(f"{path}{view}").status_code == (302 if persona is None else 405)


@pytest.mark.parametrize("view", VIEWS)
def test_a_foreign_groups_calendar_is_the_same_nothing_as_none(circle, path, client_of, view):
    client, absent = client_of(circle.outsider), "/groups/00000000-0000-4000-8000-000000000000/"
    assert client.get(f"{path}{view}").content == client.get(f"{absent}{view}").content


@pytest.mark.parametrize("month", ["2027/13/", "2027/0/", "1989/1/", "2200/1/"])
def test_a_month_no_calendar_has_is_not_there_in_a_group_either(circle, path, client_of, month):
    assert client_of(circle.member).get(f"{path}{month}").status_code == 404


def test_the_office_finds_its_way_back_to_the_group_and_not_to_groups_of_its_own(
    circle, thursday, path, client_of
):
    for view in VIEWS:
        page = text_of(client_of(circle.admin), f"{path}{view}")
        crumbs = page.partition('<nav class="breadcrumb"')[2].partition("</nav>")[0]
        assert f'href="{path}"' in crumbs
        assert 'href="/groups/"' not in crumbs


def test_reasons_answers_and_proposed_dates_are_for_the_same_people_as_everywhere(
    circle, path, client_of
):
    off = in_days(circle.group, 3, phase=Phase.CANCELLED)
    change(off, "cancelled", "The library is being painted", circle.leader)
    cannot_come(in_days(circle.group, 10), circle.absent)
    in_days(circle.group, 17, settled_at=None)
    said = {}
    for persona in ("member", "absent", "on_leave", "admin"):
        page = text_of(client_of(getattr(circle, persona)), f"{path}agenda/")
        words = ("is being painted", "you cannot come", ">proposed<", ">cancelled<")
        said[persona] = [page.count(word) for word in words]
    assert said == {
        "member": [1, 0, 1, 1],
        "absent": [1, 1, 1, 1],
        "on_leave": [0, 0, 0, 1],
        "admin": [0, 0, 0, 1],
    }


@pytest.mark.parametrize("persona", ["leader", "on_leave", "admin"])
def test_a_groups_calendar_costs_the_same_with_thirty_dates(circle, path, client_of, persona):
    client, today = client_of(getattr(circle, persona)), timezone.localdate()
    pages = [f"{path}{today:%Y}/{today.month}/", f"{path}agenda/"]
    in_days(circle.group, 1, time(23, 50))

    def asked() -> list[int]:
        counts = []
        for page in pages:
            client.get(page)
            with CaptureQueriesContext(connection) as queries:
                client.get(page)
            counts.append(len(queries))
        return counts

    for_one = asked()
    for number in range(30):
        change(in_days(circle.group, 1 + number % 9, time(number % 24)), "moved", "Painting")
    assert asked() == for_one
