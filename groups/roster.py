"""Who is in a group, as lists show it: to its leaders with all that they look after, and counted.

The office's pages use `inside` and `companies` only: they read nothing but the frame.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, TypedDict
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from groups import visible
from groups.cadence import last_day
from groups.models import (
    Acceptance,
    AskedAs,
    Ending,
    Group,
    Leave,
    Membership,
    Proposal,
    ProposedRole,
    during,
)
from groups.policy import agreement_in_force, current
from groups.zones import date_words
from members import audit
from members.letters import health
from members.models import Member

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class Agreed(TypedDict):
    """What `inside` adds to a membership."""

    agreed: bool


def inside(
    groups: Iterable[Group], at: datetime
) -> "QuerySet[WithAnnotations[Membership, Agreed]]":
    """Who is in these groups, leaders first, each with `agreed` to the version in force."""
    newest = Subquery(agreement_in_force(OuterRef(OuterRef("group")), at).values("pk")[:1])
    agreed = Acceptance.objects.filter(member=OuterRef("member"), agreement=newest)
    return (
        Membership.objects.filter(during(at), group__in=groups)
        .select_related("member")
        .annotate(agreed=Exists(agreed))
        .order_by("role", "starts_at", "member__name", "pk")
    )


def names(group: Group, at: datetime) -> "QuerySet[Membership, str]":
    """The names of those in the group, for the check of a text: asked only if there is one."""
    return current(group, at).order_by().values_list("member__name", flat=True)


@dataclass
class Company:
    """A group's people, counted: leaders by name, members, and newcomers already said yes to."""

    group: Group
    leaders: list[Member] = field(default_factory=list)
    members: int = 0
    newcomers: int = 0
    not_agreed: int = 0
    unanswered: int = 0

    @property
    def room(self) -> int:
        return max(self.group.cap - self.members - self.newcomers, 0)

    @property
    def words(self) -> str:
        """“7 members, room for 3”."""
        if not self.room:
            return _("%(members)s, no room") % {"members": self.counted}
        return _("%(members)s, room for %(room)d") % {"members": self.counted, "room": self.room}

    def words_with(self, endings: Iterable[Ending], at: datetime) -> str:
        """The same; of a full group that will have room, “10 members, a place from January”."""
        going = [row for row in endings if row.confirmed_at and not row.membership.leads]
        if self.room or not going:
            return self.words
        first = min(going, key=lambda ending: ending.ends_at)
        month = _month(first.ends_at.astimezone(self.group.zone).date(), self.group, at)
        return _("%(members)s, a place from %(month)s") % {"members": self.counted, "month": month}

    @property
    def counted(self) -> str:
        """“7 members”."""
        words = ngettext("%(count)d member", "%(count)d members", self.members)
        return words % {"count": self.members}

    @property
    def leaders_counted(self) -> str:
        """“2 leaders”, “no leader”."""
        count = len(self.leaders)
        words = ngettext("%(count)d leader", "%(count)d leaders", count)
        return words % {"count": count} if count else _("no leader")


def companies(groups: Iterable[Group], at: datetime) -> dict[UUID, Company]:
    """The people of each group. Two queries."""
    found = {group.pk: Company(group) for group in groups}
    for membership in inside([company.group for company in found.values()], at):
        company = found[membership.group_id]
        company.not_agreed += not membership.agreed
        if membership.leads:
            company.leaders.append(membership.member)
        else:
            company.members += 1
    open_ones = Proposal.objects.filter(Proposal.OPEN, group__in=list(found))
    for proposal in open_ones.exclude(expires_at__lte=at):
        assert proposal.group_id is not None  # noqa: S101 - for the type checker
        company = found[proposal.group_id]
        company.unanswered += proposal.consented_at is None
        invited = proposal.consented_at is not None
        company.newcomers += invited and proposal.role == ProposedRole.MEMBER
    return found


@dataclass(frozen=True)
class Person:
    """One person as the leaders of their group see them at `at`."""

    membership: Membership
    at: datetime
    agreed: bool
    leave: Leave | None
    ending: Ending | None
    unreached: bool = False

    @property
    def pills(self) -> list[str]:
        """What the leaders should know at a glance: away, going, not agreed yet."""
        words = [_leave_words(self.leave, self.membership.group, self.at) if self.leave else ""]
        if self.ending and self.ending.confirmed_at:
            words.append(farewell_words(self.ending, self.at))
        if not self.agreed:
            words.append(_("has not agreed yet"))
        if self.unreached:
            words.append(_("we could not reach this person"))
        return [word for word in words if word]

    @property
    def since(self) -> str:
        return since_words(self.membership, self.at)

    @property
    def reason_of_ending(self) -> str:
        return _reason(self.ending) if self.ending and self.ending.confirmed_at else ""

    @property
    def may_take_back(self) -> bool:
        """A farewell the leaders settled; a person's own is theirs, an asked one stands above."""
        if self.ending is None or self.ending.confirmed_at is None:
            return False
        return self.ending.asked_as != AskedAs.PERSON


def persons(group: Group, endings: Sequence[Ending], *, at: datetime) -> list[Person]:
    """The group's people with their leaves and these endings, for its leaders. Three queries."""
    leaves = Leave.objects.filter(Q(ended_at=None) | Q(ended_at__gt=at), group=group)
    away = {leave.member_id: leave for leave in leaves.order_by("-starts_at")}
    for leave in away.values():
        if leave.reason:
            _note_reading(group, leave.pk, of=leave.member_id)
    going = {ending.membership_id: ending for ending in endings}
    unreached = health.unreached(group.pk)
    return [
        Person(
            membership,
            at,
            membership.agreed,
            away.get(membership.member_id),
            going.get(membership.pk),
            membership.member_id in unreached,
        )
        for membership in inside([group], at).select_related("member", "group")
    ]


def endings(group: Group, *, to: Member, at: datetime) -> list[Ending]:
    """Endings set or asked for, of people still in the group, as its leaders see them."""
    shown = visible.endings(to, at).filter(during(at, "membership__"), group=group)
    found = list(
        shown.select_related("membership__member", "leaving_reason", "group", "asked_by")
        .prefetch_related("consents")
        .order_by("ends_at", "pk")
    )
    for ending in found:
        if hasattr(ending, "leaving_reason"):
            _note_reading(group, ending.pk, of=ending.asked_by_id)
    return found


def _note_reading(group: Group, about: UUID, of: UUID | None) -> None:
    audit.note(audit.READ, audit.Thing.REASON, group=group.pk, about=about, of=of)


@dataclass(frozen=True)
class Asked:
    """An ending that waits for a yes, and what one leader can do with it."""

    ending: Ending
    on: str
    asks_me: bool

    @property
    def reason(self) -> str:
        return _reason(self.ending)


def waiting(rows: Sequence[Ending], *, to: Member, at: datetime) -> list[Asked]:
    """Endings that wait; whoever said yes waits for the other, and nobody confirms an own wish."""
    return [
        Asked(ending, day_of(ending, at), asks_me=_asks(ending, to))
        for ending in rows
        if ending.confirmed_at is None
    ]


def _asks(ending: Ending, member: Member) -> bool:
    own = ending.asked_as == AskedAs.ADMIN and ending.asked_by_id == member.pk
    return not own and member.pk not in {consent.member_id for consent in ending.consents.all()}


def _reason(ending: Ending) -> str:
    """Why, as far as it was told and is not forgotten; the leaders alone read it."""
    kept = getattr(ending, "leaving_reason", None)
    return kept.text if kept else ""


def day_of(ending: Ending, at: datetime) -> str:
    """“21 January”, with the year if it is another: the last day."""
    return _day(last_day(ending.ends_at, ending.group.time_zone), ending.group, at)


def inside_day(moment: datetime, group: Group, at: datetime) -> str:
    """“21 January”: the group's own date of an instant, with the year if it is far away."""
    return _day(moment.astimezone(group.zone).date(), group, at)


@dataclass(frozen=True)
class Away:
    """A person's own time away, in the group's days."""

    begun: bool
    first: str
    back: str

    @classmethod
    def of(cls, leave: Leave | None, group: Group, at: datetime) -> "Away | None":
        if leave is None:
            return None
        first, back = (
            inside_day(moment, group, at) if moment else ""
            for moment in (leave.starts_at, leave.ended_at)
        )
        return cls(leave.starts_at <= at, first, back)


def farewell_words(ending: Ending, at: datetime) -> str:
    """“farewell 21 January”."""
    return _("farewell %(day)s") % {"day": day_of(ending, at)}


def free_words(ending: Ending, at: datetime) -> str:
    """“free from January”: the month in which the place becomes free."""
    month = _month(ending.ends_at.astimezone(ending.group.zone).date(), ending.group, at)
    return _("free from %(month)s") % {"month": month}


def since_words(membership: Membership, at: datetime) -> str:
    """“since 2024”; for those who came this year or the last, the month as well."""
    came = membership.starts_at.astimezone(membership.group.zone).date()
    if came.year >= at.year - 1:
        return _("since %(when)s") % {"when": date_format(came, pgettext("Jan 2025", "M Y"))}
    return _("since %(when)s") % {"when": came.year}


def _leave_words(leave: Leave, group: Group, at: datetime) -> str:
    if leave.starts_at > at:
        return _("away from %(day)s") % {"day": inside_day(leave.starts_at, group, at)}
    if leave.ended_at is None:
        return _("away")
    back = leave.ended_at.astimezone(group.zone).date()
    return _("away until %(when)s") % {"when": _day_or_month(back, group, at)}


def _day_or_month(on: date, group: Group, at: datetime) -> str:
    """The month of a first of it, the day of any other."""
    return _month(on, group, at) if on.day == 1 else _day(on, group, at)


def _month(on: date, group: Group, at: datetime) -> str:
    soon = (on - at.astimezone(group.zone).date()).days < 330
    plain, with_year = pgettext("month alone", "F"), pgettext("month and year", "F Y")
    return date_format(on, plain if soon else with_year)


def _day(on: date, group: Group, at: datetime) -> str:
    return date_words(on, with_year=abs((on - at.astimezone(group.zone).date()).days) > 330)
