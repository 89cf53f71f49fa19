"""No page asks more often because there is more to show: every address, before and after growth."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from groups.models import Leave, Proposal
from members.models import Phone
from sessions.models import Attendance, CasePresence, CasePresentation, Change, Session
from sessions.phases import Phase
from tests.balint.addresses import ADDRESSES
from tests.balint.installation import Installation, install
from tests.sessions.meetings import cannot_come, in_days
from tests.world import Circle, as_owner, join, make_group, make_member

DAY = timedelta(days=1)
MORE = 8


@pytest.fixture
def everything(circle: Circle) -> Installation:
    return install(circle)


def grow(there: Installation, numbers: range) -> None:
    """More people in the group, more groups for its people, more dates, cases and proposals."""
    for number in numbers:
        _another_person(there, number)
        _another_group(there, number)
        _another_date(there, number)
        _another_case(there, number)


def _another_person(there: Installation, number: int) -> None:
    person = make_member(f"Dr Guest Number{number}")
    join(there.circle.group, person)
    with as_owner():
        Phone.objects.create(member=person, number=f"+972 4 555 02{number:02}")
        if number % 2:
            Leave.objects.create(
                group=there.circle.group, member=person, starts_at=timezone.now() - DAY
            )
        Attendance.objects.create(
            session=there.held,
            group=there.circle.group,
            member=person,
            present=True,
            put_down_at=timezone.now(),
        )
    cannot_come(there.planned, person, "Away.")


def _another_group(there: Installation, number: int) -> None:
    group = make_group(there.circle.programme, name=f"Group {number}")
    join(group, there.circle.leader, "leader")
    join(group, there.circle.presenter)
    in_days(group, 3 + number)
    with as_owner():
        for place in (group, there.circle.group):
            Proposal.objects.create(
                programme=place.programme,
                group=place,
                role="member",
                address=f"new{number}@example.org",
                proposed_by=there.circle.admin,
                proposed_as="admin",
                proposed_at=timezone.now(),
            )


def _another_date(there: Installation, number: int) -> None:
    session = in_days(there.circle.group, 20 + number)
    with as_owner():
        for about in (session, there.planned):
            Change.objects.create(
                session=about, group=there.circle.group, kind="moved", at=timezone.now()
            )


def _another_case(there: Installation, number: int) -> None:
    circle, earlier = there.circle, in_days(there.circle.group, -30 - number, phase=Phase.CLOSED)
    with as_owner():
        for session in (earlier, there.held):
            case = CasePresentation.objects.create(
                session=session,
                group=circle.group,
                order=2 + number,
                presenter=circle.presenter,
                forget_on=date.today() + 90 * DAY,
            )
            for member in (circle.presenter, circle.leader):
                CasePresence.objects.create(case=case, group=circle.group, member=member)


def counted(client: Client, paths: list[str]) -> dict[str, int]:
    """For each page that is shown how many queries it took."""
    counts = {}
    for path in paths:
        with CaptureQueriesContext(connection) as asked:
            status = client.get(path).status_code
        if status == 200:
            counts[path] = len(asked)
    return counts


@pytest.mark.parametrize(
    ("persona", "at_least"), [("leader", 25), ("presenter", 20), ("admin", 10)]
)
def test_every_page_asks_as_often_after_growth_as_before(
    everything: Installation, client_of: Any, persona: str, at_least: int
) -> None:
    client = client_of(everything.personas[persona])
    known = everything.known
    paths = [
        path
        for one in ADDRESSES
        if not one.pattern.startswith("accounts/")
        for path in one.paths(known)
    ]
    grow(everything, range(1))
    # Whoever opens a room is in it from then on, and what is loaded once is loaded.
    shown = list(counted(client, paths))
    before = counted(client, shown)
    grow(everything, range(1, MORE))
    client = client_of(everything.personas[persona])
    # What somebody reads for the first time today is put on record, which asks once more.
    counted(client, shown)
    after = counted(client, shown)
    assert len(before) >= at_least
    assert set(after) == set(before)
    assert {path: asked for path, asked in after.items() if asked > before[path]} == {}


def test_growth_is_shown(everything: Installation, client_of: Any) -> None:
    page = f"/groups/{everything.circle.group.pk}/roster/"
    client = client_of(everything.circle.leader)
    before = len(client.get(page).content)
    grow(everything, range(MORE))
    assert len(client.get(page).content) > before + 1000
    with as_owner():
        assert Session.objects.filter(group=everything.circle.group).count() == 5 + 2 * MORE
