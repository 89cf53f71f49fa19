"""What each person sees first: the next meeting, the one thing to do, or what waits for them.

A member sees everyone alike: no aways, no counts. Leaders see the same, and what needs them; the
office sees which groups lack something.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from groups.circle import Chair, initials_of
from groups.models import Group, Membership
from groups.policy import Role, current, memberships_of
from groups.zones import date_words
from members.letters import health
from members.models import Member
from sessions import conduct, dates, needs, visible
from sessions.answers import day_of
from sessions.calendar import Month, month, month_words, span
from sessions.dates import Entry, Viewer, is_near
from sessions.needs import Need

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Card:
    """A group as its member's first page shows it: the next meeting and the one after it."""

    group: Group
    roles: frozenset[Role]
    entry: Entry | None
    after: Entry | None
    called_off: Sequence[Entry]

    @property
    def expected(self) -> bool:
        return bool(self.roles & {Role.MEMBER, Role.LEADER})

    @property
    def leads(self) -> bool:
        return Role.LEADER in self.roles

    @property
    def away(self) -> bool:
        return Role.AWAY in self.roles

    @property
    def new(self) -> bool:
        return Role.NEWCOMER in self.roles

    @property
    def meeting(self) -> bool:
        """“The group is meeting.”"""
        return self.entry is not None and conduct.is_meeting(
            self.entry.session, self.entry.viewer.at
        )


@dataclass(frozen=True)
class Circle:
    """Who sits in the group, in the order that is the same for everyone."""

    leaders: str
    chairs: Sequence[Chair]


@dataclass(frozen=True)
class FirstPage:
    """All that `/` shows to someone who belongs to a group.

    `letters` is for leaders: a sentence when letters do not go out as they should.
    """

    to_agree: Sequence[Card]
    card: Card | None
    circle: Circle | None
    others: Sequence[Card]
    news: Sequence[Entry]
    needs: Sequence[Need]
    month: Month[Entry] | None
    zone: str
    kept: str
    letters: str


def of(member: Member, *, at: datetime) -> FirstPage | None:
    """The first page of somebody who belongs to a group; None for who belongs to none."""
    viewer = dates.viewer(member, at)
    if not viewer.roles:
        return None
    ahead = dates.coming(viewer)
    cards = _cards(viewer, ahead)
    settled = [card for card in cards if not card.new]
    first = settled[0] if settled else None
    shown = _month(viewer, first) if first else None
    return FirstPage(
        to_agree=[card for card in cards if card.new],
        card=first,
        circle=circle(first.group, at) if first and first.expected else None,
        others=settled[1:],
        news=[entry for entry in ahead if entry.has_news],
        needs=needs.of_leaders(viewer, ahead),
        month=shown,
        zone=dates.one_zone(shown.entries) if shown else "",
        kept=kept_words(member, at),
        letters=health.of_letters(at=at).words if viewer.as_(Role.LEADER) else "",
    )


def circle(group: Group, at: datetime) -> Circle:
    """Leaders in words, and a chair for everyone; one query."""
    people = list(current(group, at))
    leaders = [row.member.first_name for row in people if row.leads]
    return Circle(names_in_words(leaders), _chairs(people))


def next_card(group: Group, roles: frozenset[Role], ahead: Sequence[Entry]) -> Card:
    """The next date of a group that takes place, the one after it, and those called off before."""
    own = [entry for entry in ahead if entry.session.group_id == group.pk]
    standing = [entry for entry in own if entry.takes_place]
    first = standing[0] if standing else None
    off = [
        entry
        for entry in own
        if not entry.takes_place
        and (first is None or entry.session.starts_at < first.session.starts_at)
    ]
    return Card(group, roles, first, standing[1] if len(standing) > 1 else None, off)


def kept_words(member: Member, at: datetime) -> str:
    """What is kept about the person, in one true sentence from their own rows."""
    told = list(
        visible.told_by(member, at)
        .select_related("session")
        .order_by("-forget_on", "-session__starts_at")
    )
    if not told:
        return _("Your groups and dates. No case of yours.")
    today, first = at.astimezone(ZoneInfo(member.time_zone)).date(), told[0]
    on = day_of(first.session)
    return ngettext(
        "Your groups and dates; one case you told in %(month)s, forgotten on %(day)s.",
        "Your groups and dates; %(count)d cases you told, the last forgotten on %(day)s.",
        len(told),
    ) % {
        "count": len(told),
        "month": month_words(on, with_year=not is_near(on, today)),
        "day": date_words(first.forget_on, with_year=not is_near(first.forget_on, today)),
    }


def names_in_words(names: Sequence[str]) -> str:
    """“Ruth and Erik”; empty where nobody leads yet."""
    if len(names) < 2:
        return "".join(names)
    return _("%(names)s and %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}


def _cards(viewer: Viewer, ahead: Sequence[Entry]) -> list[Card]:
    """A card for each group, the soonest meeting first, groups without one at the end."""
    groups = [row.group for row in memberships_of(viewer.member, viewer.at)]
    cards = [next_card(group, viewer.roles[group.pk], ahead) for group in groups]
    return sorted(cards, key=lambda card: card.entry.session.starts_at if card.entry else _NEVER)


def _chairs(people: Sequence[Membership]) -> list[Chair]:
    names = [str(row.member) for row in people]
    return [
        Chair(letters, name, "leader" if row.leads else "member")
        for letters, name, row in zip(initials_of(names), names, people, strict=True)
    ]


def _month(viewer: Viewer, card: Card) -> Month[Entry]:
    """The month of the next meeting, or this one."""
    on = card.entry.on if card.entry else viewer.today
    shown = dates.between(viewer, *span(on.year, on.month), proposed=True)
    return month(on.year, on.month, shown, viewer.today)
