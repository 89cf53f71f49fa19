"""“Before you open the door”: what the leaders want in mind before an evening, and nothing more."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.humanize.templatetags.humanize import apnumber
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from groups import visible
from groups.models import Ending, Entrance, Leave, Membership, Preference, during
from members import audit
from members.models import Member, Phone
from sessions import answers, conduct, observing, words
from sessions.models import Session
from sessions.phases import Phase

DAYS_OF_A_MONTH = 30.4


@dataclass(frozen=True)
class Before:
    """Names of those to think of; empty lists are nothing to say."""

    away: Sequence[str]
    back: Sequence[str]
    new: Sequence[str]
    farewells: Sequence[str]
    observers: Sequence[str]
    door: str
    phones: Sequence[tuple[str, str]]
    # The last session, if there is a word about it that this leader may read.
    word: Session | None


def of(session: Session, *, to: Member, at: datetime) -> Before:
    """What the leader `to` may know before the session; a constant number of queries."""
    seats = conduct.seats(session)
    names = known_as(seats)
    before = neighbours(session, "-starts_at").first()
    since = before.starts_at if before else None
    return Before(
        away=_named(names, away(session)),
        back=_back(session, names, since, visible.leaves(to, at)),
        new=_new(session, seats, names, since),
        farewells=_farewells(session, names),
        observers=_named(names, observing.of(session)),
        door=_door(session),
        phones=_phones(session, names, to),
        word=before if before and words.waits(before, to, at) else None,
    )


def known_as(seats: Sequence[Membership]) -> dict[UUID, str]:
    """What people call each other, in the circle's order; the whole name where two share it."""
    shared = Counter(seat.member.first_name for seat in seats)
    return {
        seat.member_id: str(seat.member)
        if shared[seat.member.first_name] > 1
        else seat.member.first_name
        for seat in seats
    }


def away(session: Session) -> set[UUID]:
    """Who said they cannot come, and who is on leave; for leaders."""
    leaves = Leave.objects.filter(during(session.starts_at), group=session.group_id)
    return answers.away(session) | set(leaves.values_list("member", flat=True))


def neighbours(session: Session, order: str) -> QuerySet[Session]:
    """Sessions that take place before (`-starts_at`) or after (`starts_at`) this one."""
    side = "starts_at__lt" if order.startswith("-") else "starts_at__gt"
    others = Session.objects.filter(
        group=session.group_id, settled_at__isnull=False, **{side: session.starts_at}
    )
    return others.exclude(phase=Phase.CANCELLED).order_by(order)


def _named(names: dict[UUID, str], people: Iterable[UUID]) -> list[str]:
    wanted = set(people)
    return [name for pk, name in names.items() if pk in wanted]


def _back(
    session: Session, names: dict[UUID, str], since: datetime | None, seen: QuerySet[Leave]
) -> list[str]:
    """“Hanna, after three months”: whose leave ended since the last session."""
    if since is None:
        return []
    ended = seen.filter(group=session.group_id, ended_at__gt=since, ended_at__lte=session.starts_at)
    return [
        _("%(name)s, %(after)s") % {"name": names[leave.member_id], "after": _after(leave)}
        for leave in ended.order_by("ended_at", "pk")
        if leave.member_id in names
    ]


def _after(leave: Leave) -> str:
    days = ((leave.ended_at or leave.starts_at) - leave.starts_at).days
    months = round(days / DAYS_OF_A_MONTH)
    if months < 2:
        weeks = max(1, round(days / 7))
        words = ngettext("after %(count)s week", "after %(count)s weeks", weeks)
        return words % {"count": apnumber(weeks)}
    words = ngettext("after %(count)s month", "after %(count)s months", months)
    return words % {"count": apnumber(months)}


def _new(
    session: Session, seats: Sequence[Membership], names: dict[UUID, str], since: datetime | None
) -> list[str]:
    """Whose first meeting it is; nobody's where it is everybody's."""
    if since is None:
        return []
    arrived = {seat.member_id for seat in seats if seat.starts_at > since}
    known = Membership.objects.filter(
        group=session.group_id, member__in=arrived, starts_at__lte=since
    )
    return _named(names, arrived - set(known.values_list("member", flat=True)))


def _farewells(session: Session, names: dict[UUID, str]) -> list[str]:
    endings = Ending.objects.filter(
        group=session.group_id,
        confirmed_at__isnull=False,
        withdrawn_at=None,
        ends_at__gt=session.starts_at,
    ).select_related("membership")
    ahead = list(neighbours(session, "starts_at").values_list("starts_at", flat=True)[:2])
    said = []
    for ending in endings.order_by("ends_at", "pk"):
        left = sum(start < ending.ends_at for start in ahead)
        name = names.get(ending.membership.member_id)
        if name and left < len(LAST_MEETINGS):
            said.append(LAST_MEETINGS[left]() % {"name": name})
    return said


LAST_MEETINGS = (
    lambda: _("%(name)s’s last meeting"),
    lambda: _("%(name)s’s last meeting but one"),
)


def _door(session: Session) -> str:
    entrance = Entrance.objects.filter(group=session.group_id).first()
    return entrance.door if entrance else ""


def _phones(session: Session, names: dict[UUID, str], to: Member) -> list[tuple[str, str]]:
    """Names and numbers of those who share theirs, in the circle's order."""
    shared = numbers(session, names, to)
    return [(name, shared[pk]) for pk, name in names.items() if pk in shared]


def numbers(session: Session, names: dict[UUID, str], to: Member) -> dict[UUID, str]:
    """Numbers of those among `names` who share theirs with this group's leaders; put on record."""
    sharing = Preference.objects.filter(
        group=session.group_id, shares_phone=True, member__in=names
    ).exclude(member=to)
    shared = Phone.objects.filter(member__in=sharing.values("member"))
    found = dict(shared.values_list("member", "number"))
    if found:
        group = session.group_id
        audit.note(audit.READ, audit.Thing.PHONE, group=group, about=group)
    return found
