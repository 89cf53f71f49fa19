"""A circle with something of every kind in it, and everyone who might want to see it.

One meeting lies ten days back, one runs tonight online; people came and went between and during.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone

from groups.models import Ending, Entrance, Leave, LeavingReason, Membership, Preference
from members.models import Member, Phone
from sessions.models import (
    Answer,
    Attendance,
    CaseCount,
    CasePresence,
    CasePresentation,
    Change,
    DatesReply,
    LeadersNote,
    NoticeSeen,
    Observer,
    Reflection,
    RoomPresence,
    Series,
    Session,
    ShownOut,
    Step,
    SteppedOut,
)
from tests.world import Circle, as_owner, join, make_member, years_ago


@dataclass
class Inside:
    """The circle's people by name, the two sessions, and one row of each kind by name."""

    circle: Circle
    people: dict[str, Member | None]
    past: Session
    tonight: Session
    rows: dict[str, object]

    def __getattr__(self, name: str) -> Member:
        return self.__dict__["people"][name]


def ago(**units: float) -> datetime:
    return timezone.now() - timedelta(**units)


def furnish(circle: Circle) -> Inside:
    """Seed everything, as the owner of the tables."""
    people = _people(circle)
    with as_owner():
        past = _session(circle, ago(days=10), phase="closed", setting="in_person")
        tonight = _session(circle, ago(hours=1), phase="story", setting="online")
        inside = Inside(circle, people, past, tonight, {})
        _frame(inside)
        _evenings(inside)
        _cases(inside)
        _written(inside)
    return inside


def _people(circle: Circle) -> dict[str, Member | None]:
    names = [
        *("leader", "second_leader", "presenter", "member", "absent", "newcomer", "on_leave"),
        *("former", "admin", "outsider", "superuser"),
    ]
    people: dict[str, Member | None] = {name: getattr(circle, name) for name in names}
    people["nobody"] = None
    came_and_went: dict[str, tuple[str, dict[str, Any]]] = {
        "new_leader": ("leader", {"since": ago(days=2)}),
        "late_leader": ("leader", {"since": ago(minutes=30)}),
        "latecomer": ("member", {"since": ago(minutes=30)}),
        "just_left": ("member", {"until": ago(minutes=30)}),
        "former_leader": ("leader", {"until": ago(days=5)}),
        "former_presenter": ("member", {"until": ago(days=5)}),
    }
    for name, (role, times) in came_and_went.items():
        people[name] = person = make_member(name.replace("_", " "))
        join(circle.group, person, role, **times)
    people["leader_elsewhere"] = elsewhere = make_member("leader elsewhere")
    join(circle.other_group, elsewhere, "leader")
    return people


def _session(circle: Circle, starts_at: datetime, **fields: str) -> Session:
    return Session.objects.create(
        group=circle.group,
        starts_at=starts_at,
        opened_at=starts_at,
        minutes=90,
        time_zone=circle.group.time_zone,
        settled_at=years_ago(0.2),
        runs_until=starts_at + timedelta(hours=11),
        updated_at=starts_at,
        **fields,
    )


def _frame(inside: Inside) -> None:
    group, rows = inside.circle.group, inside.rows
    rows["entrance"] = Entrance.objects.create(group=group, door="4471#", join_link="https://x.y/z")
    leave = Leave.objects.get(member=inside.on_leave)
    leave.reason = "A long illness"
    leave.save()
    rows["leave"] = leave
    Preference.objects.create(group=group, member=inside.member, shares_phone=True)
    rows["phone"] = Phone.objects.create(member=inside.member, number="+972 2 5550199")
    rows["own_reason"] = _reason(inside, inside.on_leave, inside.on_leave, "person")
    rows["leaders_reason"] = _reason(inside, inside.absent, inside.leader, "leader")
    rows["count"] = CaseCount.objects.create(group=group, year=2025, cases=11)
    rows["reply"] = DatesReply.objects.create(
        group=group, series=_proposed(inside), member=inside.member, replied_at=ago(days=1)
    )


def _proposed(inside: Inside) -> Series:
    today = timezone.now().date()
    return Series.objects.create(
        group=inside.circle.group,
        rule="month:1:3:3",
        starts_at=time(19, 30),
        minutes=90,
        time_zone=inside.circle.group.time_zone,
        first_on=today + timedelta(days=300),
        last_on=today + timedelta(days=600),
        planned_by=inside.leader,
        planned_at=ago(days=2),
        proposed_at=ago(days=2),
    )


def _reason(inside: Inside, who: Member, by: Member, asked_as: str) -> LeavingReason:
    group = inside.circle.group
    ending = Ending.objects.create(
        group=group,
        membership=Membership.objects.get(group=group, member=who),
        asked_by=by,
        asked_as=asked_as,
        asked_at=ago(days=1),
        ends_at=timezone.now() + timedelta(days=30),
    )
    reason = LeavingReason(
        group=group, member=who, ending=ending, forget_on=(ending.ends_at).date()
    )
    reason.text = "Why somebody goes"
    reason.save(force_insert=True)
    return reason


def _evenings(inside: Inside) -> None:
    group, rows, past, tonight = inside.circle.group, inside.rows, inside.past, inside.tonight
    here = {"group": group, "session": past}
    change = Change(**here, kind="moved", by=inside.leader, at=ago(days=20))
    change.reason = "The house is closed"
    change.save(force_insert=True)
    rows["change"] = change
    on = past.starts_at.astimezone(past.zone).date()
    answer = Answer(**here, member=inside.absent, on=on, answered_at=ago(days=12))
    answer.reason = "A funeral"
    answer.save(force_insert=True)
    rows["answer"] = answer
    for name, session in (("attendance", past), ("attendance_tonight", tonight)):
        rows[name] = Attendance.objects.create(
            group=group,
            session=session,
            member=inside.member,
            present=True,
            put_down_by=inside.leader,
            put_down_at=session.starts_at,
        )
    moment = tonight.starts_at
    rows["step"] = Step.objects.create(
        group=group,
        session=tonight,
        number=1,
        phase="story",
        came_from="call",
        by=inside.leader,
        at=moment,
    )
    rows["seen"] = NoticeSeen.objects.create(
        group=group, session=tonight, member=inside.member, seen_at=moment
    )
    rows["observer"] = Observer.objects.create(group=group, session=tonight, member=inside.absent)
    rows["out"] = SteppedOut.objects.create(
        group=group, session=tonight, member=inside.absent, telling=1
    )
    rows["shown_out"] = ShownOut.objects.create(
        group=group, session=tonight, member=inside.absent, leader=inside.leader
    )
    rows["room"] = RoomPresence.objects.create(
        group=group, session=tonight, member=inside.member, entered_at=moment, seen_at=moment
    )


def _cases(inside: Inside) -> None:
    group, rows, past, tonight = inside.circle.group, inside.rows, inside.past, inside.tonight
    present = {
        "case": "leader presenter member on_leave former_leader just_left",
        "case_of_former": "leader former_presenter",
        "case_tonight": "leader presenter just_left",
    }
    told = {"case": past, "case_of_former": past, "case_tonight": tonight}
    presenters = {"case_of_former": inside.former_presenter}
    for order, (name, names) in enumerate(present.items(), 1):
        case = CasePresentation(
            group=group,
            session=told[name],
            order=order,
            presenter=presenters.get(name, inside.presenter),
            being_told=name == "case_tonight",
            forget_on=(timezone.now() + timedelta(days=60)).date(),
        )
        case.title = f"Title of {name}"
        case.save(force_insert=True)
        rows[name] = case
        for who in names.split():
            row = CasePresence.objects.create(group=group, case=case, member=getattr(inside, who))
            rows[f"presence_{name}_{who}"] = row


def _written(inside: Inside) -> None:
    """Private reflections of four who wrote one, and words of leaders who lead still or no more."""
    group, rows, past, tonight = inside.circle.group, inside.rows, inside.past, inside.tonight
    now = timezone.now()
    for name in ("member", "presenter", "former_presenter", "leader"):
        reflection = Reflection(
            session=past, member=getattr(inside, name), written_at=now, changed_at=now
        )
        reflection.text = "For nobody else"
        reflection.save(force_insert=True)
        rows[f"reflection_{name}"] = reflection
    words = {
        "word_own": (past, "leader", False),
        "word_shared": (past, "second_leader", True),
        "word_of_former": (past, "former_leader", True),
        "word_tonight": (tonight, "second_leader", True),
    }
    for name, (session, author, shared) in words.items():
        word = LeadersNote(
            group=group,
            session=session,
            author=getattr(inside, author),
            shared=shared,
            written_at=now,
            forget_on=(now + timedelta(days=90)).date(),
        )
        word.text = f"Text of {name}"
        word.save(force_insert=True)
        rows[name] = word
