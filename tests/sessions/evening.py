"""Evenings to test with: a session of the circle's group, people in its room, a case told."""

from datetime import datetime, timedelta

from django.utils import timezone

from sessions import afterwards, cases, conduct
from sessions.models import CasePresentation, Session
from sessions.phases import Phase
from tests.world import Circle, as_member, as_owner


def soon(minutes: float) -> datetime:
    """An instant from now; the database keeps its own clock."""
    return timezone.now() + timedelta(minutes=minutes)


def make_session(circle: Circle, *, begins: float = -20, **fields) -> Session:
    """A settled session that began `begins` minutes from now (20 minutes ago), online."""
    starts_at = soon(begins)
    values = {
        "starts_at": starts_at,
        "minutes": 90,
        "time_zone": circle.group.time_zone,
        "setting": "online",
        "phase": Phase.PLANNED,
        "settled_at": starts_at - timedelta(days=60),
        "runs_until": starts_at + timedelta(hours=12),
        "updated_at": starts_at - timedelta(days=60),
    }
    with as_owner():
        return Session.objects.create(group=circle.group, **(values | fields))


def at_phase(circle: Circle, phase: Phase, **fields) -> Session:
    """A session that stands at `phase`, opened as it began, with nobody in its room."""
    session = make_session(circle, phase=phase, **fields)
    with as_owner():
        Session.objects.filter(pk=session.pk).update(opened_at=session.starts_at, step=1)
    return fresh(session)


def fresh(session: Session) -> Session:
    """The session as it stands; afterwards nobody is signed in."""
    with as_owner():
        return Session.objects.select_related("group").get(pk=session.pk)


def enter(session: Session, *people, at: datetime | None = None) -> None:
    for person in people:
        with as_member(person):
            conduct.enter_room(session, by=person, at=at or timezone.now())


def move(session: Session, to: Phase, by, *, seen: int | None = None, presenter=None) -> Session:
    """One step, having seen the present state unless told otherwise."""
    session = fresh(session)
    with as_member(by):
        return conduct.move(
            session,
            to=to,
            seen=session.step if seen is None else seen,
            by=by,
            at=timezone.now(),
            presenter=presenter.pk if presenter else None,
        )


def listens(session: Session, person) -> bool:
    session = fresh(session)
    with as_member(person):
        return conduct.sits_back(session, person, timezone.now())


def tell(circle: Circle, *people, presenter=None, phase: Phase = Phase.STORY) -> CasePresentation:
    """An online evening that stands at `phase`, with `people` and the leader in the room."""
    session = at_phase(circle, Phase.CALL)
    presenter = presenter or circle.presenter
    enter(session, circle.leader, *(people or (circle.presenter, circle.member)))
    move(session, Phase.STORY, circle.leader, presenter=presenter)
    if phase is not Phase.STORY:
        move(session, phase, circle.leader)
    with as_owner():
        return CasePresentation.objects.select_related("session__group").get(session=session)


def put_down(session: Session, by, present, *entries, seen: int | None = None) -> Session:
    session = fresh(session)
    with as_member(by):
        return afterwards.put_down(
            session,
            present={person.pk for person in present},
            cases=entries,
            seen=session.step if seen is None else seen,
            by=by,
            at=timezone.now(),
        )


def entry(presenter, *present, **more) -> afterwards.CaseEntry:
    return afterwards.CaseEntry(
        presenter=presenter.pk, present=frozenset(person.pk for person in present), **more
    )


def titled(case: CasePresentation, title: str) -> None:
    """The presenter gives the title."""
    with as_member(case.presenter):
        cases.describe(case, title=title, by=case.presenter, at=timezone.now())
