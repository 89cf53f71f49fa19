"""When a past meeting was cannot be changed by SQL, or its words would open to a later leader."""

from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone

from sessions import afterwards
from sessions.models import LeadersNote, Session
from sessions.phases import Phase
from tests.sessions.evening import fresh, make_session, soon
from tests.world import Circle, as_member, as_owner, join, make_member

DAY = timedelta(days=1)


@pytest.fixture
def later(circle: Circle):
    """Who leads since an hour ago."""
    member = make_member("Dr Nora New")
    join(circle.group, member, "leader", since=timezone.now() - timedelta(hours=1))
    return member


@pytest.fixture
def held(circle: Circle) -> Session:
    """A meeting of yesterday, with a word of both leaders."""
    session = make_session(
        circle, begins=-60 * 20, setting="in_person", phase=Phase.CLOSED, runs_until=soon(-60)
    )
    session = fresh(session)
    with as_owner():
        word = LeadersNote(
            session=session,
            group=circle.group,
            author=circle.leader,
            shared=True,
            written_at=timezone.now(),
            forget_on=timezone.now().date() + 60 * DAY,
        )
        word.text = "It went quiet."
        word.save(force_insert=True)
    return session


@pytest.mark.parametrize(
    "change",
    [
        lambda: {"starts_at": timezone.now()},
        lambda: {"starts_at": timezone.now() + DAY},
        lambda: {"opened_at": timezone.now()},
        lambda: {"settled_at": None},
        lambda: {"runs_until": timezone.now() - 10 * DAY},
    ],
    ids=["to now", "to tomorrow", "opened now", "unsettled", "over earlier"],
)
def test_a_later_leader_moves_no_meeting_of_before_into_the_own_lead(held, later, change):
    with as_member(later):
        with pytest.raises(ProgrammingError, match="stays when it was"), transaction.atomic():
            Session.objects.filter(pk=held.pk).update(**change())
        assert not LeadersNote.objects.exists()


@pytest.mark.parametrize("phase", [Phase.CANCELLED, Phase.PLANNED])
def test_neither_one_that_was_cancelled_nor_one_that_nobody_opened(held, later, phase):
    with as_owner():
        Session.objects.filter(pk=held.pk).update(phase=phase)
    with as_member(later):
        with pytest.raises(ProgrammingError, match="stays when it was"), transaction.atomic():
            Session.objects.filter(pk=held.pk).update(starts_at=timezone.now() + DAY)


def test_a_meeting_nobody_opened_is_put_down_the_day_after(circle, held):
    with as_owner():
        Session.objects.filter(pk=held.pk).update(phase=Phase.PLANNED)
    session = fresh(held)
    with as_member(circle.leader):
        afterwards.put_down(
            session,
            present={circle.leader.pk},
            cases=[],
            seen=session.step,
            by=circle.leader,
            at=timezone.now(),
        )
    assert fresh(held).phase == Phase.CLOSED
