"""The office's two lists, read under its database role: frame and counts, nothing from inside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from groups import ending, joining, roster, visible
from groups.models import AskedAs, Ending, Group, Membership, Programme, ProgrammeAdmin, during
from groups.policy import OFFICE, memberships_of
from groups.zones import date_words
from members.models import Member
from sessions import office
from sessions.office import Year


@dataclass(frozen=True)
class Line:
    """A group in the programme's list."""

    group: Group
    company: roster.Company
    year: Year
    over: bool

    @property
    def lacks(self) -> list[str]:
        """What the office should look after, in a few words each."""
        if self.over and not (self.company.leaders or self.company.unanswered):
            return [_("has ended")]
        unanswered, not_agreed = self.company.unanswered, self.company.not_agreed
        words = [
            _("no leader") if not self.company.leaders else "",
            _("no dates") if self.year.next is None else "",
            ngettext("%(n)d proposal unanswered", "%(n)d proposals unanswered", unanswered)
            % {"n": unanswered}
            if unanswered
            else "",
            ngettext("%(n)d has not agreed yet", "%(n)d have not agreed yet", not_agreed)
            % {"n": not_agreed}
            if not_agreed
            else "",
        ]
        return [word for word in words if word]


@dataclass(frozen=True)
class Entry:
    """A person in the group list: what the office may know of them."""

    membership: Membership
    in_group: str
    pill: str


def programme(
    found: Programme, groups: Sequence[Group], *, to: Member, at: datetime
) -> dict[str, Any]:
    """The page of a programme; the number of queries does not depend on its groups."""
    companies, years = roster.companies(groups, at), office.years(groups, at)
    over = set(ending.over(at).filter(group__in=groups).values_list("group", flat=True))
    admins = ProgrammeAdmin.objects.filter(during(at), programme=found).select_related("member")
    invited = visible.proposals(to, at, OFFICE).filter(group=None, programme=found)
    own = memberships_of(to, at).filter(group__programme=found)
    return {
        "programme": found,
        "lines": [
            Line(group, companies[group.pk], years[group.pk], group.pk in over) for group in groups
        ],
        "admins": [row.member for row in admins.order_by("member__name")],
        "invited": list(invited.order_by("proposed_at")),
        "own_groups": [membership.group for membership in own],
        "now": at,
    }


def group(found: Group, *, to: Member, at: datetime) -> dict[str, Any]:
    """The page of one group."""
    inside = list(roster.inside([found], at).select_related("member", "group"))
    endings = _endings(found, to, at)
    kept = office.places_kept(found)
    company = roster.companies([found], at)[found.pk]
    proposals = joining.waiting(found, member=to, at=at, office=True)
    return {
        "programme": found.programme,
        "group": found,
        "entries": [_entry(row, endings.get(row.pk), kept, at) for row in inside],
        "company": company,
        "place": company.words_with(endings.values(), at),
        "proposals": proposals,
        "proposed": _proposed(proposals),
        "asked": [
            (row, roster.day_of(row, at)) for row in endings.values() if not row.confirmed_at
        ],
        "askable": [row for row in inside if row.pk not in endings],
        "year": office.years([found], at)[found.pk],
        **_end(found, at),
    }


def _end(found: Group, at: datetime) -> dict[str, Any]:
    """The group's last day, and whether the office's yes is asked."""
    end = ending.standing(found)
    if end is None:
        return {"end": None}
    asked = not end.confirmed_at and ending.leads_alone(found, end.asked_by_id)
    return {"end": end, "last_day": ending.day_of(end, at), "end_asked": asked}


def _endings(found: Group, to: Member, at: datetime) -> dict[UUID, Ending]:
    """What the group knows, and what the office itself asked; never what leaders still weigh."""
    shown = visible.endings(to, at, OFFICE).filter(during(at, "membership__"), group=found)
    rows = shown.select_related("membership__member", "group").order_by("ends_at", "pk")
    return {
        row.membership_id: row for row in rows if row.confirmed_at or row.asked_as == AskedAs.ADMIN
    }


def _entry(membership: Membership, ending: Ending | None, kept: set[UUID], at: datetime) -> Entry:
    if ending and ending.confirmed_at:
        until = _("until %(day)s") % {"day": roster.day_of(ending, at)}
        return Entry(membership, until, roster.free_words(ending, at))
    pill = _("place kept") if membership.member_id in kept else ""
    return Entry(membership, roster.since_words(membership, at), pill)


def _proposed(rows: Sequence[joining.Waiting]) -> str:
    """“One person, on 2 November. The leaders have not answered yet.”"""
    if not rows:
        return ""
    oldest = rows[0].proposal
    assert oldest.group is not None  # noqa: S101 - for the type checker
    on = date_words(oldest.proposed_at.astimezone(oldest.group.zone).date())
    people = ngettext("One person, on %(on)s.", "%(n)d people, the first on %(on)s.", len(rows))
    said = people % {"n": len(rows), "on": on}
    if all(row.proposal.consented_at for row in rows):
        return said
    return said + " " + _("The leaders have not answered yet.")
