"""A group's own page: its next meeting, the dates of a year, who leads, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Max, Min

from groups import ending, record
from groups.models import Group, GroupEnd
from groups.policy import GRANTS, Action, Role, current
from members.models import Member
from sessions import dates
from sessions.calendar import YEARS
from sessions.dates import Entry, Viewer
from sessions.firstpage import Card, names_in_words, next_card
from sessions.models import Session
from sessions.planning import proposed


@dataclass(frozen=True)
class GroupYear:
    """What somebody may see of a group's year; `leaders` is empty for who may not see names.

    `end` is the group's, if one is set, or for leaders asked for.
    """

    card: Card
    leaders: str
    year: int
    entries: Sequence[Entry]
    zone: str
    today: date
    earlier: int | None
    later: int | None
    # Dates are proposed, and the viewer is asked which they cannot.
    asks: bool
    end: GroupEnd | None
    last_day: str
    # Two people read the group's record at present; everyone inside is told.
    record_is_open: bool

    @property
    def group(self) -> Group:
        return self.card.group

    @property
    def inside(self) -> bool:
        return self._may(Action.ENTER)

    @property
    def leads(self) -> bool:
        return self._may(Action.PLAN)

    @property
    def office(self) -> bool:
        return Role.ADMIN in self.card.roles

    def _may(self, action: Action) -> bool:
        return any(action in GRANTS[role] for role in self.card.roles)


def of(
    group: Group, member: Member, roles: frozenset[Role], *, at: datetime, year: int | None = None
) -> GroupYear:
    """The year asked for; else this one, or the next that has a meeting."""
    viewer = Viewer(member, at, {group.pk: roles})
    card = next_card(group, roles, dates.coming(viewer))
    asked = _asked(group, roles, at)
    soonest = card.entry.on if card.entry else asked or viewer.today
    year = year or soonest.year
    shown = dates.between(viewer, date(year, 1, 1), date(year, 12, 31), proposed=True)
    earlier, later = _beyond(group, year, asked=asked is not None)
    end = _end(group, roles)
    return GroupYear(
        card=card,
        leaders=_leaders(group, roles, at),
        year=year,
        entries=shown,
        zone=dates.one_zone(shown),
        today=viewer.today,
        earlier=earlier,
        later=later,
        asks=asked is not None,
        end=end,
        last_day=ending.day_of(end, at) if end else "",
        record_is_open=Role.ADMIN not in roles and record.is_open(group, at),
    )


def _end(group: Group, roles: frozenset[Role]) -> GroupEnd | None:
    end = ending.standing(group)
    known = end is not None and end.confirmed_at is not None
    return end if known or Role.LEADER in roles else None


def _leaders(group: Group, roles: frozenset[Role], at: datetime) -> str:
    named = {Action.SEE_NAMES, Action.SEE_GROUP_LIST}
    if not any(named & GRANTS[role] for role in roles):
        return ""
    return names_in_words([row.member.first_name for row in current(group, at) if row.leads])


def _asked(group: Group, roles: frozenset[Role], at: datetime) -> date | None:
    """The first of the proposed dates, for those who are asked about them."""
    if not any(Action.ANSWER in GRANTS[role] for role in roles):
        return None
    first = proposed.dates(group, at).first()
    return first.starts_at.astimezone(group.zone).date() if first else None


def _beyond(group: Group, year: int, *, asked: bool) -> tuple[int | None, int | None]:
    """The year before and after, where the group has dates the viewer knows of."""
    known = Session.objects.filter(group=group)
    ends = (known if asked else known.filter(settled_at__isnull=False)).aggregate(
        first=Min("starts_at"), last=Max("starts_at")
    )
    if ends["first"] is None:
        return None, None
    first, last = (ends[end].astimezone(group.zone).year for end in ("first", "last"))
    return (
        year - 1 if first < year and year - 1 in YEARS else None,
        year + 1 if last > year and year + 1 in YEARS else None,
    )
