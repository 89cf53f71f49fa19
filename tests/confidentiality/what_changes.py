"""Everything inside a group that somebody may not see, made different: what stands, and how much.

Three rings, each with the ones before: what is hidden even from an absent member; what is hidden
from the programme's admin too; what is hidden from whoever does not belong. What is left out is
what the person may see, and the reason stands beside it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from groups.models import (
    Acceptance,
    Agreement,
    Consent,
    Ending,
    Entrance,
    Group,
    Leave,
    LeavingReason,
    Membership,
    Programme,
    Proposal,
)
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
    Reflection,
    RoomPresence,
    Session,
    Step,
)
from tests.balint.installation import Installation

DAY = timedelta(days=1)
OTHER = "quite another text, and a longer one, number {number}"


@dataclass
class Changing:
    """The group, and the person for whom everything must look the same."""

    there: Installation
    persona: Member | None

    @property
    def group(self) -> Any:
        return self.there.circle.group

    @property
    def own(self) -> Q:
        return Q(member=self.persona)

    def others(self, model: Any) -> Any:
        """Rows of this group that are not the person's own."""
        return model.objects.filter(group=self.group).exclude(self.own)

    def reseal(self, rows: Any, name: str) -> None:
        for number, row in enumerate(rows.order_by("pk")):
            setattr(row, name, OTHER.format(number=number))
            row.save()


def change(there: Installation, persona: Member | None, ring: str) -> int:
    """Everything of this ring and those before it; how many kinds of things were changed.

    As PostgreSQL's superuser without triggers: no rule of ours decides what may differ.
    """
    changing = Changing(there, persona)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set local session_replication_role = replica")
        for step in RINGS[ring]:
            step(changing)
    return len(RINGS[ring])


# Hidden from an absent member of the group.


def titles_and_numbers(changing: Changing) -> None:
    """Titles, who told, that there was a case at all, and how many."""
    told = CasePresentation.objects.filter(group=changing.group, being_told=False)
    mine = told.filter(presenter=changing.persona)
    changing.reseal(told, "title")  # Of an own case too: who has left sees its date alone.
    others = told.exclude(pk__in=mine)
    others.update(presenter=changing.there.circle.member, follow_up=True)
    new = CasePresentation(
        group=changing.group,
        session=changing.there.held,
        order=7,
        presenter=changing.there.circle.leader,
        forget_on=date.today() + 50 * DAY,
    )
    new.title = OTHER.format(number="new")
    new.save(force_insert=True)
    others.filter(order=1, session=changing.there.held).exclude(pk=new.pk).first().delete()


def presences(changing: Changing) -> None:
    """Who was present for a case."""
    rows = changing.others(CasePresence).filter(case__being_told=False)
    rows.filter(member=changing.there.circle.member).delete()
    for case in CasePresentation.objects.filter(group=changing.group, being_told=False):
        for member in (changing.there.circle.second_leader, changing.there.circle.on_leave):
            CasePresence.objects.get_or_create(case=case, group=changing.group, member=member)


def attendances(changing: Changing) -> None:
    rows = changing.others(Attendance)
    rows.filter(member=changing.there.circle.leader).delete()
    rows.update(present=~F("present"))
    Attendance.objects.create(
        session=changing.there.planned,
        group=changing.group,
        member=changing.there.circle.member,
        present=False,
        put_down_by=changing.there.circle.leader,
        put_down_at=timezone.now(),
    )


def answers(changing: Changing) -> None:
    """Who cannot come, and why."""
    changing.reseal(changing.others(Answer), "reason")
    for member in (changing.there.circle.presenter, changing.there.circle.member):
        answer = Answer(
            session=changing.there.planned,
            group=changing.group,
            member=member,
            on=changing.there.planned.starts_at.astimezone(changing.group.zone).date(),
            answered_at=timezone.now(),
        )
        answer.reason = OTHER.format(number="new")
        answer.save(force_insert=True)
    _marks(changing)


def _marks(changing: Changing) -> None:
    """Who has looked at proposed dates, and which they cannot."""
    proposed = Session.objects.filter(group=changing.group, settled_at=None).first()
    assert proposed is not None
    assert proposed.series is not None
    new = {"group": changing.group, "member": changing.there.circle.presenter}
    changing.others(DatesReply).delete()
    DatesReply.objects.create(series=proposed.series, replied_at=timezone.now(), **new)
    on = proposed.starts_at.astimezone(changing.group.zone).date()
    Answer.objects.create(session=proposed, on=on, answered_at=timezone.now(), **new)


def leaves(changing: Changing) -> None:
    """Why somebody is away, and that somebody will be."""
    changing.reseal(changing.others(Leave), "reason")
    new = Leave(group=changing.group, member=changing.there.circle.member)
    # Not tonight: whoever is away tonight is missing in the room, which an absent member may enter.
    new.starts_at = timezone.now() + DAY
    new.reason = OTHER.format(number="new")
    new.save(force_insert=True)


def leaving(changing: Changing) -> None:
    changing.reseal(changing.others(LeavingReason), "text")


def notes(changing: Changing) -> None:
    """Reflections, and the leaders' words for themselves."""
    own = Q(member=changing.persona)
    changing.reseal(Reflection.objects.exclude(own), "text")
    Reflection.objects.exclude(own).order_by("pk").first().delete()
    changing.reseal(LeadersNote.objects.filter(group=changing.group), "text")
    LeadersNote.objects.filter(group=changing.group).update(shared=~F("shared"))
    LeadersNote.objects.filter(group=changing.group).order_by("pk").last().delete()


def phones(changing: Changing) -> None:
    inside = Membership.objects.filter(group=changing.group).values("member")
    Phone.objects.filter(member__in=inside).exclude(changing.own).update(number="+44 1 000 0000")
    Phone.objects.create(member=changing.there.circle.leader, number="+44 2 000 0000")


def counts(changing: Changing) -> None:
    CaseCount.objects.filter(group=changing.group).update(cases=F("cases") + 30)
    CaseCount.objects.create(group=changing.group, year=1999, cases=41)


# Hidden from the programme's admin, who knows names, dates, place and who shall come and go. An
# absent member may enter tonight's room, and is told why a date was moved.


def room(changing: Changing) -> None:
    """Who is in the room, its steps, and the case that is being told."""
    circle = changing.there.circle
    RoomPresence.objects.filter(group=changing.group, member=circle.leader).delete()
    RoomPresence.objects.create(
        session=changing.there.running,
        group=changing.group,
        member=circle.member,
        entered_at=timezone.now(),
        seen_at=timezone.now(),
    )
    Step.objects.filter(group=changing.group, number=1).delete()
    being_told = CasePresentation.objects.filter(group=changing.group, being_told=True)
    being_told.update(presenter=circle.member)
    changing.reseal(being_told, "title")


def entrance(changing: Changing) -> None:
    Entrance.objects.filter(group=changing.group).update(
        join_link="https://elsewhere.example/another", door="7"
    )


def why_moved(changing: Changing) -> None:
    changing.reseal(Change.objects.filter(group=changing.group), "reason")
    Change.objects.filter(group=changing.group).order_by("pk").first().delete()


# Hidden from whoever does not belong: the frame as well.


def people(changing: Changing) -> None:
    """Names and professions of those inside, one gone and another come."""
    inside = Membership.objects.filter(group=changing.group)
    ids = inside.exclude(changing.own).values("member")
    Member.objects.filter(pk__in=ids).update(name="Dr Somebody Else", profession="astronomer")
    inside.filter(member=changing.there.circle.newcomer).delete()
    new = Member.objects.create(name="Dr Quite New", email="new@example.org", password="!")
    Membership.objects.create(
        group=changing.group, member=new, role="member", starts_at=timezone.now() - 99 * DAY
    )
    Acceptance.objects.filter(group=changing.group).exclude(changing.own).delete()


def frame(changing: Changing) -> None:
    Group.objects.filter(pk=changing.group.pk).update(
        place="On the moon",
        contact="Nobody, +1",
        cap=3,
        shows_absences=True,
        sits_back=False,
        keeps_cases_days=9,
    )
    texts = Agreement.objects.filter(group=changing.group)
    texts.update(text="We agreed on something else.")


def name(changing: Changing) -> None:
    """A former member knows the name of the group left; nobody else outside does."""
    Group.objects.filter(pk=changing.group.pk).update(
        name="Moon", alias="M", time_zone="Asia/Tokyo"
    )


def dates(changing: Changing) -> None:
    """The dates but of the evening held: a former member was there and may know it."""
    rows = Session.objects.filter(group=changing.group).exclude(pk=changing.there.held.pk)
    rows.update(starts_at=F("starts_at") + timedelta(hours=3), place="On the moon", minutes=45)
    rows.filter(pk=changing.there.cancelled.pk).update(phase="planned")
    Session.objects.create(
        group=changing.group,
        starts_at=timezone.now() + 9 * DAY,
        minutes=60,
        phase="planned",
        time_zone="UTC",
        settled_at=timezone.now(),
        runs_until=timezone.now() + 10 * DAY,
        updated_at=timezone.now(),
    )


def coming_and_going(changing: Changing) -> None:
    Consent.objects.filter(group=changing.group).delete()
    LeavingReason.objects.filter(group=changing.group).exclude(changing.own).delete()
    mine = Q(membership__member=changing.persona)
    Ending.objects.filter(group=changing.group).exclude(mine).delete()
    Proposal.objects.filter(group=changing.group).update(name="X", address="x@example.org")


def programme(changing: Changing) -> None:
    """Of people who belong to no group of it."""
    found = Programme.objects.filter(pk=changing.there.circle.programme.pk)
    found.update(name="South programme")


_INNER: tuple[Callable[[Changing], None], ...] = (
    titles_and_numbers,
    presences,
    attendances,
    answers,
    leaves,
    leaving,
    notes,
    phones,
    counts,
)
_INSIDE = (*_INNER, room, entrance, why_moved)
_FORMER = (*_INSIDE, people, frame, dates, coming_and_going)
RINGS: Mapping[str, tuple[Callable[[Changing], None], ...]] = {
    "absent": _INNER,
    "admin": _INSIDE,
    "former": _FORMER,
    "neighbour": (*_FORMER, name),
    "stranger": (*_FORMER, name, programme),
}
