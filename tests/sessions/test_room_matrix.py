"""Who may do what in the room, and when: every persona, in every phase, every action."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone

from members.identity import become
from members.refusals import Refused
from sessions import cases, conduct, outside
from sessions.models import CasePresentation, Session
from sessions.phases import ORDER, RUNNING, WITH_CASE, Phase
from tests.sessions.evening import enter, fresh, make_session, move
from tests.sessions.test_conduct import open_session
from tests.world import as_owner

LEADERS = ("leader", "second_leader")
MEMBERS = ("presenter", "member", "absent")
CIRCLE = (*LEADERS, *MEMBERS)
OUTSIDE = ("newcomer", "on_leave", "former", "admin", "outsider", "superuser")
# What refuses where nothing runs.
STILL = {Phase.CLOSED: "SessionIsOver", Phase.CANCELLED: "SessionIsCancelled"}
NO_CASE = frozenset(Phase) - WITH_CASE


def tapped(verb: Callable[..., Any], **fields: Any) -> Callable[..., Any]:
    """A tap of somebody who sees the state as it is."""
    return lambda s, c, by: verb(s, seen=s.step, by=by, at=timezone.now(), **fields)


def step(s: Session, c: Any, by: Any) -> Any:
    to = Phase.CLOSING if s.phase == Phase.CALL else Phase.CALL
    return tapped(conduct.move, to=to)(s, c, by)


def forget(s: Session, c: Any, by: Any) -> Any:
    """The own case, or the one somebody has heard of."""
    case = CasePresentation(pk=vars(s)["told"], session=s, group=s.group, presenter=c.presenter)
    return cases.forget(case, by=by, at=timezone.now())


ACTIONS: dict[str, Callable[..., Any]] = {
    "open": lambda s, c, by: conduct.open_session(s, by=by, at=timezone.now()),
    "step": step,
    "end": tapped(conduct.move, to=Phase.CLOSED),
    "undo": tapped(conduct.undo),
    "name": lambda s, c, by: tapped(conduct.name_presenter, presenter=c.member.pk)(s, c, by),
    "name nobody": tapped(conduct.name_presenter, presenter=None),
    "step out": lambda s, c, by: tapped(outside.step_out, person=by.pk)(s, c, by),
    "put out": lambda s, c, by: tapped(outside.step_out, person=c.member.pk)(s, c, by),
    "let in": lambda s, c, by: tapped(outside.let_back_in, person=c.member.pk)(s, c, by),
    "enter": lambda s, c, by: conduct.enter_room(s, by=by, at=timezone.now()),
    "leave": lambda s, c, by: conduct.leave_room(s, by=by, at=timezone.now()),
    "forget": forget,
}


def of_leaders(phase: Phase) -> dict[str, str]:
    """What each action of a leader comes to; whatever is not named is done."""
    still = dict.fromkeys(("open", "step", "end", "enter"), STILL.get(phase, ""))
    if phase is Phase.PLANNED:
        still["end"] = "NotFromHere"
    if phase in {Phase.PLANNED, Phase.ARRIVING, *STILL}:
        still["undo"] = "NothingToUndo"
    if phase in NO_CASE:
        case = dict.fromkeys(("name", "name nobody", "step out", "put out", "let in"))
        still |= dict.fromkeys(case, "NotFromHere")
    else:
        # Nobody is out who could be let in.
        still["let in"] = "SessionMovedOn"
    if phase is Phase.CANCELLED:
        still |= dict.fromkeys(("step out", "put out", "let in"), "NotYours")
    return still | {"forget": "OnlyThePresenter"}


def of_members(phase: Phase, who: str) -> dict[str, str]:
    """Nothing moves by a member: coming, going, and stepping out of a case oneself."""
    may = of_leaders(phase)
    taps = ("open", "step", "end", "undo", "name", "name nobody", "let in")
    may |= dict.fromkeys(taps, "NotYours")
    if phase in WITH_CASE:
        # Of oneself; whoever tells has no way out of the own case.
        may["put out"] = "" if who == "member" else "NotYours"
        may["step out"] = "TellsIt" if who == "presenter" else ""
    return may | ({"forget": ""} if who == "presenter" else {})


def of_others(phase: Phase) -> dict[str, str]:
    """Whoever is not of the circle does nothing at all."""
    nothing = dict.fromkeys(ACTIONS, "NotYours")
    fixed = STILL.get(phase, "CircleIsFixed")
    return nothing | {"enter": fixed, "leave": "", "forget": "OnlyThePresenter"}


def expected(phase: Phase, who: str) -> dict[str, str]:
    if who in OUTSIDE:
        return of_others(phase)
    return of_leaders(phase) if who in LEADERS else of_members(phase, who)


def evening(circle: Any, phase: Phase) -> Session:
    """It came to `phase` step by step, everyone but one in the room; a case told on its way."""
    if phase in {Phase.PLANNED, *STILL}:
        return make_session(circle, phase=phase)
    session = open_session(make_session(circle), circle.leader)
    enter(session, *(getattr(circle, who) for who in CIRCLE if who != "absent"))
    for to in ORDER[1 : ORDER.index(phase) + 1]:
        move(session, to, circle.leader, presenter=circle.presenter if to == "story" else None)
    return fresh(session)


def outcome(action: str, session: Session, circle: Any, who: str) -> str:
    """Nothing if it is done, else the refusal by name; taken back either way."""
    person = getattr(circle, who)
    with transaction.atomic():
        become(person, "balint_app")
        try:
            ACTIONS[action](session, circle, person)
        except Refused as refused:
            said = str(refused)
            return type(refused).__name__ if said.endswith(".") else f"no sentence: {said}"
        finally:
            transaction.set_rollback(True)
    return ""


def test_every_persona_in_every_phase_may_do_this_and_nothing_else(circle):
    for number, phase in enumerate(Phase):
        session = evening(circle, phase)
        assert session.phase == phase
        with as_owner():
            told = CasePresentation.objects.filter(session=session).first()
        vars(session)["told"] = told.pk if told else None
        actions = [name for name in ACTIONS if told or name != "forget"]
        # Leaders, who are equal, and those outside, who may nothing, take turns by phase.
        for who in (LEADERS[number % 2], *MEMBERS, *OUTSIDE[number % 3 :: 3]):
            may = expected(phase, who)
            came = {name: outcome(name, session, circle, who) for name in actions}
            assert came == {name: may.get(name, "") for name in actions}, (phase, who)


def test_it_names_every_phase_and_persona(circle):
    people = {name for name in vars(circle) if hasattr(getattr(circle, name), "email")}
    assert people == {*CIRCLE, *OUTSIDE}
    assert set(Phase) == {Phase.PLANNED, *RUNNING, *STILL}
