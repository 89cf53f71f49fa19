"""What of a group's life a person may see, from the table in `groups/policy.py`; the rest is 404.

The database holds the same rules once more (row-level security); each layer is enough alone.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Least

from groups.models import Acceptance, Leave, Membership, MembershipRole, during
from groups.policy import Action, agreement_in_force, groups_where
from members.models import Member
from members.prepared import prepared
from sessions.models import (
    Answer,
    Attendance,
    CasePresence,
    CasePresentation,
    Change,
    DatesReply,
    LeadersNote,
    NoticeSeen,
    Reflection,
    RoomPresence,
    Session,
    ShownOut,
    Step,
)
from sessions.phases import Phase

ROOM_OPENS_BEFORE = timedelta(minutes=15)


@prepared
def sessions(member: Member, at: datetime) -> QuerySet[Session]:
    """Dates and places: settled ones for all inside and the office, planned ones for leaders."""
    seen = Q(group__in=groups_where(member, Action.SEE_DATES, at), settled_at__isnull=False)
    planned = Q(group__in=groups_where(member, Action.PLAN, at))
    return Session.objects.filter(seen | planned | Q(pk__in=circle(member, at)))


def running(at: datetime) -> QuerySet[Session]:
    """Sessions that run at `at`: from start or opening until the next morning, not cancelled."""
    return (
        Session.objects.annotate(began=Least("starts_at", F("opened_at")))
        .filter(began__lte=at, runs_until__gt=at, settled_at__isnull=False)
        .exclude(phase=Phase.CANCELLED)
    )


@prepared
def circle(member: Member, at: datetime, role: str | None = None) -> QuerySet[Session]:
    """Running sessions whose circle the person is in: rights as of the instant each began.

    Inside, agreed and not on leave at that instant; whatever changed since waits for the morning,
    but for what all its leaders say together.
    """
    roles = Q(role=role) if role else Q()
    belonged = Membership.objects.filter(
        roles,
        Q(ended_at=None) | Q(ended_at__gt=OuterRef("began")),
        group=OuterRef("group"),
        member=member,
        starts_at__lte=OuterRef("began"),
    )
    away = Leave.objects.filter(
        Q(ended_at=None) | Q(ended_at__gt=OuterRef("began")),
        group=OuterRef("group"),
        member=member,
        starts_at__lte=OuterRef("began"),
    )
    in_force = agreement_in_force(OuterRef(OuterRef("group")), OuterRef(OuterRef("began")))  # type: ignore[arg-type]
    agreed = Acceptance.objects.filter(
        member=member,
        agreement=Subquery(in_force.values("pk")[:1]),
        accepted_at__lte=OuterRef("began"),
    )
    out = ShownOut.objects.filter(session=OuterRef("pk"), member=member, in_force=True)
    return running(at).filter(Exists(belonged), Exists(agreed), ~Exists(away), ~Exists(out))


@prepared
def conducted(member: Member, at: datetime) -> QuerySet[Session]:
    """Sessions the person may conduct or put down: of the own lead's time, while it lasts.

    One that runs is conducted by the leaders of its circle, whatever has changed since it began.
    """
    led_then = Membership.objects.filter(
        during(at),
        group=OuterRef("group"),
        member=member,
        role=MembershipRole.LEADER,
        starts_at__lte=Least(OuterRef("starts_at"), OuterRef("opened_at")),
    )
    leads = Q(group__in=groups_where(member, Action.CONDUCT, at)) & Exists(led_then)
    still = leads & ~Q(pk__in=running(at).values("pk"))
    return Session.objects.filter(still | Q(pk__in=circle(member, at, MembershipRole.LEADER)))


@prepared
def entered(member: Member, at: datetime) -> QuerySet[Session]:
    """Sessions whose inside the person may enter: active and agreed, or of the running circle."""
    active = Q(group__in=groups_where(member, Action.ENTER, at), settled_at__isnull=False)
    return Session.objects.filter(active | Q(pk__in=circle(member, at)))


@prepared
def rooms(member: Member, at: datetime) -> QuerySet[Session]:
    """Sessions whose room the person may be in: the running circle's, others a little before."""
    soon = Q(
        group__in=groups_where(member, Action.ENTER, at),
        phase=Phase.PLANNED,
        settled_at__isnull=False,
        starts_at__gt=at,
        starts_at__lte=at + ROOM_OPENS_BEFORE,
    )
    return Session.objects.filter(soon | Q(pk__in=circle(member, at)))


def answers(member: Member, at: datetime) -> QuerySet[Answer]:
    """Who cannot come: one's own, and for leaders all of the time of their own lead."""
    return Answer.objects.filter(Q(session__in=conducted(member, at)) | Q(member=member))


def replies(member: Member, at: datetime) -> QuerySet[DatesReply]:
    """Who has looked at proposed dates: one's own, and for leaders all of the group."""
    led = groups_where(member, Action.SEE_ANSWERS, at)
    return DatesReply.objects.filter(Q(group__in=led) | Q(member=member))


def seen_notices(member: Member, at: datetime) -> QuerySet[NoticeSeen]:
    """Whom tonight's news has reached: oneself, and for those who conduct the session all."""
    return NoticeSeen.objects.filter(Q(session__in=conducted(member, at)) | Q(member=member))


def changes(member: Member, at: datetime) -> QuerySet[Change]:
    """Why a session was moved or cancelled: for those inside."""
    return Change.objects.filter(group__in=groups_where(member, Action.ENTER, at))


def attendances(member: Member, at: datetime) -> QuerySet[Attendance]:
    """Who was there: one's own, and for leaders all of the time of their own lead."""
    return Attendance.objects.filter(Q(session__in=conducted(member, at)) | Q(member=member))


def cases(member: Member, at: datetime) -> QuerySet[CasePresentation]:
    """Cases one was present for, while inside the group, until they are forgotten.

    Whose part in a running meeting has ended sees its cases again in the morning.
    """
    present = CasePresence.objects.filter(case=OuterRef("pk"), member=member)
    out = ShownOut.objects.filter(session=OuterRef("session"), member=member, in_force=True)
    inside = Q(group__in=groups_where(member, Action.ENTER, at)) | Q(session__in=circle(member, at))
    known = CasePresentation.objects.filter(Exists(present), inside, forget_on__gt=at.date())
    return known.filter(~Exists(out))


def told_by(member: Member, at: datetime) -> QuerySet[CasePresentation]:
    """Own cases, not yet forgotten, in whatever group: the dates, and “forget now”."""
    return CasePresentation.objects.filter(presenter=member, forget_on__gt=at.date())


def steps(member: Member, at: datetime) -> QuerySet[Step]:
    """The steps of running sessions whose circle one is in."""
    return Step.objects.filter(session__in=circle(member, at))


def in_room(member: Member, at: datetime) -> QuerySet[RoomPresence]:
    """Who is in the rooms one may be in."""
    return RoomPresence.objects.filter(session__in=rooms(member, at))


def shown_out(member: Member, at: datetime) -> QuerySet[ShownOut]:
    """Whose part in a running meeting ends: for its leaders, and once it has for the person."""
    led = Q(session__in=circle(member, at, MembershipRole.LEADER))
    return ShownOut.objects.filter(led | Q(member=member, in_force=True))


def reflections(member: Member) -> QuerySet[Reflection]:
    """Private reflections: the author's alone, wherever they stand now."""
    return Reflection.objects.filter(member=member)


def words(member: Member, at: datetime) -> QuerySet[LeadersNote]:
    """Leaders' words to themselves: one's own and shared ones, of the time of one's own lead."""
    readable = Q(author=member) | Q(shared=True)
    return LeadersNote.objects.filter(
        readable, session__in=conducted(member, at), forget_on__gt=at.date()
    )
