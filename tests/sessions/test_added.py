"""A meeting that is added: everyone hears of it, and the page says what is true."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from members.models import Member
from sessions import planning
from sessions.models import Session
from tests.sessions.desk import text
from tests.sessions.round import Round, emails, make_round, planned, recipients, send, text_of
from tests.sessions.test_planning_letters import dates, known, plan, rhythm
from tests.world import as_member, as_owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours(db: None) -> Round:
    ours = make_round()
    with as_owner():
        Member.objects.update(quiet_from="00:00", quiet_until="00:00")
    return ours


def add(ours: Round, starts_at: datetime, *, propose: bool = False) -> Session:
    with as_member(ours.leader):
        return planning.add_date(
            ours.group,
            starts_at=starts_at,
            minutes=90,
            zone="Europe/London",
            place="Garden",
            setting="in_person",
            by=ours.leader,
            at=timezone.now(),
            propose=propose,
        )


def everyone(ours: Round) -> list[str]:
    """All but who is away, whether they want reminders or not."""
    return emails([*ours.reminded, ours.opted_out])


def test_of_an_extra_meeting_tomorrow_everyone_hears_at_once(ours: Round):
    add(ours, timezone.now() + timedelta(hours=20))
    mails = send()
    assert recipients(mails) == everyone(ours)
    assert str(mails[0]["Subject"]).startswith("A new date: Valley meets on ")
    assert "Place: Garden" in text_of(mails[0])
    calendars = [part for part in mails[0].walk() if part.get_content_type() == "text/calendar"]
    assert {part.get_param("method") for part in calendars} == {"REQUEST"}


def test_of_a_past_or_proposed_date_nobody_hears(ours: Round):
    add(ours, timezone.now() - timedelta(days=2))
    add(ours, timezone.now() + timedelta(days=2), propose=True)
    assert send() == []


def test_moved_before_anybody_read_of_it_it_is_still_a_new_date(ours: Round):
    session = add(ours, timezone.now() + timedelta(days=20))
    with as_member(ours.leader):
        planning.move(known(session), place="Cellar", by=ours.leader, at=timezone.now())
    mails = send()
    assert {str(mail["Subject"])[:10] for mail in mails} == {"A new date"}
    assert "Place: Cellar" in text_of(mails[0])


def test_cancelled_before_anybody_read_of_it_it_never_was(ours: Round):
    session = add(ours, timezone.now() + timedelta(days=20))
    with as_member(ours.leader):
        planning.cancel(known(session), by=ours.leader, at=timezone.now())
    assert send() == []


def test_a_dropped_date_put_back_after_settling_is_told_as_new(ours: Round, client_of: Any):
    dropped = proposed_and_dropped(ours)
    with as_member(ours.leader):
        planning.settle(ours.group, by=ours.leader, at=timezone.now())
    send()
    page = client_of(ours.leader).post(reverse("session_restore", args=[dropped.pk]), follow=True)
    assert "Everyone in the group is told by mail." in text(page)
    assert recipients(send()) == everyone(ours)
    assert list(planned(dropped, state="sent")) == ["added"]


def test_a_dropped_date_is_put_back_where_the_dates_are_settled(ours: Round, client_of: Any):
    dropped = proposed_and_dropped(ours)
    send()
    leader, settles = client_of(ours.leader), reverse("dates_settle", args=[ours.group.pk])
    back = reverse("session_restore", args=[dropped.pk])
    assert back in leader.get(settles).content.decode()
    page = leader.post(back, follow=True)
    assert page.redirect_chain == [(settles, 302)]
    assert "The date is proposed again. Nobody is told by mail before it is settled." in text(page)
    assert send() == []


def proposed_and_dropped(ours: Round) -> Session:
    cadence = rhythm((timezone.now() + timedelta(days=3)).date())
    with as_member(ours.leader):
        planning.plan_year(
            ours.group, cadence, "Library", by=ours.leader, at=timezone.now(), propose=True
        )
    dropped = dates(ours)[1]
    with as_member(ours.leader):
        return planning.cancel(known(dropped), by=ours.leader, at=timezone.now())


def test_where_an_extra_date_is_all_that_is_settled_it_is_told_alone(ours: Round):
    session = add(ours, timezone.now() + timedelta(days=20), propose=True)
    with as_member(ours.leader):
        planning.settle(ours.group, by=ours.leader, at=timezone.now())
    assert list(planned(session)) == ["added", "reminder-1", "reminder-7"]


def test_the_page_says_who_is_told_of_an_extra_date(ours: Round, client_of: Any):
    plan(ours)
    on = (timezone.now() + timedelta(days=40)).date()
    typed = {"on": on.isoformat(), "starts_at": "11:00", "minutes": 90, "place": ""}
    typed |= {"setting": "in_person", "time_zone": "Europe/London", "heeded": "on"}
    url = reverse("session_new", args=[ours.group.pk])
    page = client_of(ours.leader).post(url, typed, follow=True)
    assert "The date is saved. Everyone in the group is told by mail." in text(page)
