"""One of everything an address can name, with texts in it that could leak."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from groups import invitations, optout
from groups.evening_models import EveningTemplate
from groups.models import AskedAs, Ending, Entrance, Leave, LeavingReason, Membership, Proposal
from members.models import Member, Phone
from sessions import answerlinks, feeds
from sessions.models import (
    Answer,
    Attendance,
    CasePresence,
    CasePresentation,
    Change,
    DatesReply,
    LeadersNote,
    Reflection,
    RoomPresence,
    Series,
    Session,
    Step,
)
from sessions.phases import Phase
from tests.world import Circle, as_member, as_owner

DAY = timedelta(days=1)

# Who may read each of these, and nobody else, wherever they look.
TITLE = "The locked drawer"
AWAY = "A night on call in Haifa"
ON_LEAVE = "A small child at home"
LEAVING = "Moves to another town"
CANCELLED = "The library is being painted"
LINK = "https://call.example/valley-circle"
DOOR = "code 4471#"
PHONE = "+972 4 555 0199"
REFLECTION = "The waiting room stayed with me"
WORD = "The second half was hurried"
SHARED_WORD = "Let us begin with the silence"


@dataclass
class Installation:
    """The circle, its evenings, and what stands in each place of an address."""

    circle: Circle
    held: Session
    running: Session
    planned: Session
    cancelled: Session
    told: CasePresentation
    being_told: CasePresentation
    proposal: Proposal
    invited: Proposal
    ending: Ending
    leave: Leave
    answer: Answer
    leaving: LeavingReason
    reflection: Reflection
    evening: EveningTemplate
    feed: str

    @property
    def personas(self) -> dict[str, Member]:
        people = vars(self.circle)
        return {name: one for name, one in people.items() if isinstance(one, Member)}

    @property
    def known(self) -> dict[str, Sequence[Any]]:
        """What there is for each place of an address: of evenings one of every sort."""
        membership = Membership.objects.get(group=self.circle.group, member=self.circle.member)
        return {
            "groups": [self.circle.group.pk],
            "programmes": [self.circle.programme.pk],
            "evenings": [self.evening.pk],
            "roster": [membership.pk],
            "sessions": [self.running.pk, self.held.pk, self.planned.pk, self.cancelled.pk],
            "live": [self.running.pk, self.held.pk, self.planned.pk, self.cancelled.pk],
            "cases": [self.told.pk, self.being_told.pk],
            "proposals": [self.proposal.pk, self.invited.pk],
            "endings": [self.ending.pk],
            "answers": [self.answer.pk],
            "leaves": [self.leave.pk],
            "leaving": [self.leaving.pk],
            "reflections": [self.reflection.pk],
            "invitations": [invitations.token(self.invited)],
            "calendar": [self.feed],
            "answer": [answerlinks.token(self.planned, self.circle.member)],
            "unsubscribe": [optout.token(self.circle.member, [self.circle.group])],
            "year": [timezone.now().year],
            "number": [timezone.now().month],
            "rest": ["nothing/here"],
            "keys": [1],
            "uidb36": ["1"],
            "key": ["no-such-key"],
        }


def install(circle: Circle) -> Installation:
    """An evening held, one that runs, one ahead and one cancelled, and all that hangs on them."""
    now = timezone.now()
    with as_owner():
        Entrance.objects.create(group=circle.group, join_link=LINK, door=DOOR)
        Phone.objects.create(member=circle.member, number=PHONE)
        evening, _ = circle.programme.evenings.get_or_create(
            key="own", defaults={"name": "Our evening", "minutes": {"story": 10, "group_work": 80}}
        )
        circle.group.has_observers = True
        circle.group.save()
        leave = circle.group.leaves.get()
        leave.reason = ON_LEAVE
        leave.save()
        held = _session(circle, now - 20 * DAY, Phase.CLOSED, closed_at=now - 20 * DAY)
        running = _running(circle, now)
        planned = _session(circle, now + 7 * DAY, Phase.PLANNED)
        cancelled = _session(circle, now + 14 * DAY, Phase.CANCELLED)
        answer, _ = [_answer(session, circle.absent, now) for session in (held, planned)]
        _sealed(
            Change(session=cancelled, group=circle.group, kind="cancelled", at=now),
            reason=CANCELLED,
        )
        _proposed(circle, now)
        told = _case(held, circle.presenter, [circle.leader, circle.member], TITLE)
        being_told = _case(running, circle.presenter, [circle.leader], "", now=True)
        _attended(held, circle, now)
        proposal = _proposal(circle, now, name="Dr Lea Stern")
        invited = _proposal(circle, now, name="Dr Jan Wolf", consented_at=now, sends=1)
        leaving = _leaving(circle, now)
        reflection = _reflection(held, circle.member, now)
        _word(held, circle.leader, now, WORD)
        _word(held, circle.second_leader, now, SHARED_WORD, shared=True)
    with as_member(circle.member):
        feed = feeds.make(circle.member, at=now)
    return Installation(
        circle=circle,
        held=held,
        running=running,
        planned=planned,
        cancelled=cancelled,
        told=told,
        being_told=being_told,
        proposal=proposal,
        invited=invited,
        ending=leaving.ending,
        leave=leave,
        answer=answer,
        leaving=leaving,
        reflection=reflection,
        evening=evening,
        feed=feed,
    )


def _session(circle: Circle, starts_at: datetime, phase: str, **fields: Any) -> Session:
    values: dict[str, Any] = {
        "minutes": 90,
        "time_zone": "Asia/Jerusalem",
        "setting": "in_person",
        "place": "Kfar Vitkin clinic",
        "settled_at": starts_at - 60 * DAY,
        "runs_until": starts_at + timedelta(hours=12),
        "updated_at": starts_at - 60 * DAY,
    }
    return Session.objects.create(
        group=circle.group, starts_at=starts_at, phase=phase, **(values | fields)
    )


def _running(circle: Circle, now: datetime) -> Session:
    began = now - timedelta(minutes=30)
    session = _session(circle, began, Phase.GROUP_WORK, setting="online", opened_at=began, step=2)
    for number, (came_from, phase) in enumerate(
        [(Phase.PLANNED, Phase.STORY), (Phase.STORY, Phase.GROUP_WORK)], start=1
    ):
        Step.objects.create(
            session=session,
            group=circle.group,
            number=number,
            phase=phase,
            came_from=came_from,
            began_case=1 if phase is Phase.STORY else None,
            by=circle.leader,
            at=began,
        )
    for member in (circle.leader, circle.presenter):
        RoomPresence.objects.create(
            session=session, group=circle.group, member=member, entered_at=began, seen_at=now
        )
    return session


def _proposed(circle: Circle, now: datetime) -> None:
    """A year of one date that is not settled; one member has looked at it."""
    series = Series.objects.create(
        group=circle.group,
        rule="week:4:3",
        starts_at=time(19, 30),
        minutes=90,
        time_zone="Asia/Jerusalem",
        first_on=now.date() + 45 * DAY,
        last_on=now.date() + 80 * DAY,
        planned_by=circle.leader,
        planned_at=now - DAY,
        proposed_at=now - DAY,
    )
    _session(circle, now + 47 * DAY, Phase.PLANNED, series=series, settled_at=None)
    DatesReply.objects.create(
        series=series, group=circle.group, member=circle.absent, replied_at=now - DAY
    )


def _case(
    session: Session, presenter: Member, others: list[Member], title: str, *, now: bool = False
) -> CasePresentation:
    case = CasePresentation(
        session=session,
        group_id=session.group_id,
        order=1,
        presenter=presenter,
        being_told=now,
        forget_on=date.today() + 100 * DAY,
    )
    _sealed(case, title=title)
    for member in (presenter, *others):
        CasePresence.objects.create(case=case, group_id=session.group_id, member=member)
    return case


def _answer(session: Session, member: Member, now: datetime) -> Answer:
    on = session.starts_at.astimezone(session.zone).date()
    answer = Answer(
        session=session, group_id=session.group_id, member=member, on=on, answered_at=now
    )
    return _sealed(answer, reason=AWAY)


def _attended(session: Session, circle: Circle, now: datetime) -> None:
    for member in circle.inside:
        Attendance.objects.create(
            session=session,
            group=circle.group,
            member=member,
            present=member != circle.absent,
            put_down_by=circle.leader,
            put_down_at=now,
        )


def _proposal(circle: Circle, now: datetime, **fields: Any) -> Proposal:
    return Proposal.objects.create(
        programme=circle.programme,
        group=circle.group,
        role="member",
        address=f"{fields['name'].split()[-1].lower()}@example.org",
        proposed_by=circle.admin,
        proposed_as="admin",
        proposed_at=now,
        expires_at=now + 30 * DAY,
        **fields,
    )


def _leaving(circle: Circle, now: datetime) -> LeavingReason:
    ending = Ending.objects.create(
        group=circle.group,
        membership=Membership.objects.get(group=circle.group, member=circle.absent),
        asked_by=circle.leader,
        asked_as=AskedAs.LEADER,
        asked_at=now,
        ends_at=now + 40 * DAY,
    )
    reason = LeavingReason(
        group=circle.group,
        member=circle.absent,
        ending=ending,
        forget_on=date.today() + 130 * DAY,
    )
    return _sealed(reason, text=LEAVING)


def _reflection(session: Session, member: Member, now: datetime) -> Reflection:
    reflection = Reflection(session=session, member=member, written_at=now, changed_at=now)
    return _sealed(reflection, text=REFLECTION)


def _word(
    session: Session, author: Member, now: datetime, text: str, *, shared: bool = False
) -> None:
    word = LeadersNote(
        session=session,
        group_id=session.group_id,
        author=author,
        shared=shared,
        written_at=now,
        forget_on=date.today() + 90 * DAY,
    )
    _sealed(word, text=text)


def _sealed(row: Any, **texts: str) -> Any:
    for name, text in texts.items():
        setattr(row, name, text)
    row.save(force_insert=True)
    return row
