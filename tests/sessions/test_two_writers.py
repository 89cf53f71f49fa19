"""Evenings of random taps by random people, two at once: no impossible state, all refusals said."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from random import Random
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from members.refusals import Refused
from sessions import cases, conduct, outside
from sessions.models import CasePresence, CasePresentation, RoomPresence, Session, Step, SteppedOut
from sessions.phases import ORDER, RUNNING, WITH_CASE, Phase
from tests.sessions.evening import enter, fresh, make_session
from tests.sessions.test_conduct import open_session
from tests.sessions.test_room_at_once import circle
from tests.world import Circle, as_member, as_owner

EVENINGS, ROUNDS = 3, 18
SENTENCE = re.compile(r"[A-Z].+\.$")
LEADERS = ("leader", "second_leader")
CIRCLE = (*LEADERS, "presenter", "member", "absent")
ANYBODY = (*LEADERS * 4, *CIRCLE * 2, "newcomer", "former", "outsider")
# These move the session on by one step when they are done.
MOVING = ("move", "move", "move", "undo", "name", "name", "step out", "let in", "forget")
COMING = ("open", "enter", "leave", "ask")
__all__ = ["circle"]


class Tap:
    """One random act of one random person, who saw the state as it is or as it was."""

    def __init__(self, chance: Random, circle: Circle, session: Session) -> None:
        self.session, self.circle = session, circle
        self.by = getattr(circle, chance.choice(ANYBODY))
        self.name = chance.choice(MOVING + COMING)
        self.seen = session.step - (chance.random() < 0.1)
        self.to = chance.choice([*ORDER, *WITH_CASE, Phase.CLOSED, Phase.PLANNED])
        whom = chance.choice([*CIRCLE, "outsider"])
        self.whom = None if chance.random() < 0.2 else getattr(circle, whom).pk

    def __repr__(self) -> str:
        return f"{self.by.first_name}: {self.name} {self.to} {self.whom}"

    def __call__(self) -> bool:
        """Whether the session moved on by it; a refusal has to say why."""
        try:
            with as_member(self.by):
                self._act()
        except Refused as refused:
            if not SENTENCE.match(str(refused)):
                raise RuntimeError(f"No sentence: {refused!r} at {self}") from refused
            return False
        finally:
            connection.close()
        return self.name in MOVING

    def _act(self) -> None:
        saw = {"seen": self.seen, "by": self.by, "at": timezone.now()}
        person = self.whom or self.by.pk
        acts: dict[str, Callable[[], Any]] = {
            "move": lambda: conduct.move(self.session, to=self.to, presenter=self.whom, **saw),
            "undo": lambda: conduct.undo(self.session, **saw),
            "name": lambda: conduct.name_presenter(self.session, presenter=self.whom, **saw),
            "step out": lambda: outside.step_out(self.session, person=person, **saw),
            "let in": lambda: outside.let_back_in(self.session, person=person, **saw),
            "forget": self._forget,
            "open": lambda: conduct.open_session(self.session, by=self.by, at=timezone.now()),
            "enter": lambda: conduct.enter_room(self.session, by=self.by, at=timezone.now()),
            "leave": lambda: conduct.leave_room(self.session, by=self.by, at=timezone.now()),
            "ask": lambda: conduct.still_here(self.session, by=self.by, at=timezone.now()),
        }
        acts[self.name]()

    def _forget(self) -> None:
        """The own case while it is told; others have nothing to forget."""
        own = CasePresentation.objects.filter(presenter=self.by, being_told=True)
        case = own.select_related("session", "group").first()
        if case is None:
            raise cases.OnlyThePresenter
        cases.forget(case, by=self.by, at=timezone.now())


def at_once(taps: list[Tap]) -> int:
    """Both at the same instant, each on a connection of its own; how many moved the session on."""
    barrier = Barrier(len(taps))

    def run(tap: Tap) -> bool:
        barrier.wait(timeout=10)
        return tap()

    with ThreadPoolExecutor(len(taps)) as pool:
        return sum(pool.map(run, taps))


def check(session: Session, circle: Circle) -> None:
    """What has to be true of any evening at any moment."""
    seats = {getattr(circle, who).pk for who in CIRCLE}
    told = list(CasePresentation.objects.filter(session=session).order_by("order"))
    now = [case for case in told if case.being_told]
    steps = list(Step.objects.filter(session=session).order_by("number"))
    assert session.phase in RUNNING | {Phase.CLOSED}
    assert (session.closed_at is not None) is (session.phase == Phase.CLOSED)
    assert steps[-1].phase == session.phase
    assert steps[-1].number <= session.step
    assert all(one.phase == other.came_from for one, other in pairwise(steps))
    assert len(now) <= 1
    assert not now or session.phase in WITH_CASE
    for case in told:
        assert case.presenter_id in people(CasePresence, case=case) <= seats
    for case in now:
        gone = people(SteppedOut, session=session, telling=begun(steps)) - {case.presenter_id}
        assert not gone & people(CasePresence, case=case)
    assert people(RoomPresence, session=session) <= seats


def people(rows: Any, **which: Any) -> set[UUID]:
    """Whom these rows are about."""
    return set(rows.objects.filter(**which).values_list("member", flat=True))


def begun(steps: list[Step]) -> int:
    """How many cases the evening has begun, as its steps say."""
    return sum(
        step.phase in WITH_CASE
        and (step.came_from not in WITH_CASE or (step.came_from, step.phase) == ("return", "story"))
        for step in steps
    )


@pytest.mark.parametrize("seed", range(EVENINGS))
def test_whatever_two_people_tap_at_once_the_evening_stays_possible(circle, seed):
    chance = Random(seed)
    session = open_session(make_session(circle), circle.leader)
    enter(session, *(getattr(circle, who) for who in CIRCLE))
    for number in range(ROUNDS):
        session = fresh(session)
        taps = [Tap(chance, circle, session) for _writer in range(2)]
        moved = at_once(taps)
        after = fresh(session)
        assert after.step == session.step + moved, (seed, number, taps)
        with as_owner():
            check(after, circle)
        if after.phase == Phase.CLOSED:
            session = open_session(make_session(circle, begins=-number), circle.leader)
            enter(session, *(getattr(circle, who) for who in CIRCLE))
