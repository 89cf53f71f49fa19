"""A person's dates, as their pages show them: of which group, when in words, and what stands.

All dates are on the session's own wall clock; the viewer's own time is said beside it where it
differs. Before signing, a newcomer knows the next date only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from groups.models import Group
from groups.policy import GRANTS, Action, Role, roles_by_group
from groups.zones import When, date_words, same_wall_clock, time_words, when_words
from members.models import Member
from sessions import answers, notices, places
from sessions.models import Change, EveningLead, Session
from sessions.phases import Phase

# No zone is further from UTC, so a local date lies within it of the same date in UTC.
FURTHEST = timedelta(hours=15)
# Less than a year, with a month to spare.
NEAR_DAYS = 330
_AHEAD = frozenset({Phase.PLANNED, Phase.CANCELLED})


@dataclass(frozen=True)
class Viewer:
    """Who looks, when, and what they are to each group they belong to."""

    member: Member
    at: datetime
    roles: dict[UUID, frozenset[Role]]

    @property
    def today(self) -> date:
        return self.at.astimezone(ZoneInfo(self.member.time_zone)).date()

    def as_(self, role: Role) -> set[UUID]:
        """The ids of the groups to which the viewer is this."""
        return {group for group, held in self.roles.items() if role in held}

    def where(self, action: Action) -> set[UUID]:
        """The ids of the groups in which the viewer may do this, from the table of the policy."""
        granting = {role for role, actions in GRANTS.items() if action in actions}
        return {group for group, held in self.roles.items() if held & granting}


@dataclass(frozen=True)
class Entry:
    """One session as one person's page shows it.

    `cannot_come` is that person's own answer; `changes` are what was done to the date, the oldest
    first, and `lead` is who leads tonight if it is not as always: for those inside the group only.
    """

    session: Session
    viewer: Viewer
    cannot_come: bool = False
    changes: Sequence[Change] = ()
    lead: EveningLead | None = None
    # The latest change of all, that something was undone among them.
    latest: Change | None = None

    @cached_property
    def on(self) -> date:
        return answers.day_of(self.session)

    @property
    def group(self) -> Group:
        return self.session.group

    @property
    def date_words(self) -> str:
        """“21 January”, for the inside of a sentence; with its year when it is far away."""
        return date_words(self.on, with_year=not is_near(self.on, self.viewer.today))

    @property
    def yours_briefly(self) -> str:
        """The start on the viewer's clock, for a narrow place: “17:30”, “Thu 10 Dec, 02:00”."""
        yours = self.when.yours
        if yours is None or yours.on == self.on:
            return yours.from_ if yours else ""
        return f"{yours.short_day}, {yours.from_}"

    @property
    def where(self) -> str:
        """“Clinic, library”, “Online”, “Clinic, library · in person and online”."""
        return self._where(self.session.place)

    @property
    def where_outside(self) -> str:
        """The same for what leaves the site."""
        return self._where(places.place(self.session))

    def _where(self, place: str) -> str:
        how = str(self.session.get_setting_display()) if self.session.online else ""
        return capfirst(" · ".join(part for part in (place, how) if part))

    @cached_property
    def when(self) -> When:
        session, viewer = self.session, self.viewer
        return when_words(
            session.starts_at,
            session.minutes,
            session.time_zone,
            viewer.member.time_zone,
            viewer.today,
        )

    @property
    def zone_differs(self) -> bool:
        """Whether the viewer's clock shows another time."""
        return not same_wall_clock(
            self.session.time_zone, self.viewer.member.time_zone, self.session.starts_at
        )

    @property
    def ahead(self) -> bool:
        """Whether its start still lies ahead and its room is not open yet."""
        return self.session.phase in _AHEAD and self.session.starts_at > self.viewer.at

    @property
    def over(self) -> bool:
        """Closed, or past its planned end with nobody in its room."""
        session = self.session
        if session.is_open:
            return False
        return session.phase == Phase.CLOSED or session.ends_at <= self.viewer.at

    @property
    def takes_place(self) -> bool:
        return not self.session.cancelled

    @property
    def proposed(self) -> bool:
        """Whether it is not settled yet: those asked may say that they cannot."""
        return self.session.settled_at is None

    @property
    def url(self) -> str:
        """Its page, or for a proposed one the page on which all of them are marked."""
        if self.proposed:
            return reverse("dates_answer", args=[self.session.group_id])
        return reverse("session", args=[self.session.pk])

    @property
    def moved(self) -> bool:
        return self.takes_place and any(change.kind == "moved" for change in self.changes)

    @property
    def why(self) -> str:
        """The reason of the latest change, as its leader wrote it; the group's own business."""
        return self.changes[-1].reason if self.changes else ""

    @property
    def change_tonight(self) -> Change | None:
        """The latest change, if it was made at short notice and tonight is not over."""
        last = self.latest
        if last is None or not notices.is_tonight(self.session, self.viewer.at):
            return None
        return last if last.at >= notices.opens_at(self.session) else None

    @property
    def news_at(self) -> datetime | None:
        """When something last changed for tonight; None if nothing did."""
        return max(
            (change.at for change in (self.change_tonight, self.lead) if change), default=None
        )

    @property
    def has_news(self) -> bool:
        """Whether something changed for tonight."""
        return self.news_at is not None

    @property
    def led(self) -> bool:
        """Whether the viewer leads its group."""
        return Role.LEADER in self.viewer.roles.get(self.session.group_id, frozenset())

    @property
    def talk_minutes(self) -> int:
        """Of the leaders' own talk afterwards; 0 for everybody else."""
        return self.group.talk_minutes if self.led and self.takes_place else 0

    @property
    def talk_words(self) -> str:
        """“then the leaders’ talk, until 21:20”, on the session's clock; empty without one."""
        if not self.talk_minutes:
            return ""
        until = self.session.ends_at + timedelta(minutes=self.talk_minutes)
        time = time_words(until.astimezone(self.session.zone))
        return _("then the leaders’ talk, until %(time)s") % {"time": time}

    @property
    def lead_words(self) -> str:
        """“Ruth leads alone.”; empty where it is as always, or nobody leads."""
        return notices.lead_words(self.lead) if self.lead and self.takes_place else ""

    @property
    def expects_answer(self) -> bool:
        """Whether “I can't come” may still be said, or taken back."""
        roles = self.viewer.roles.get(self.session.group_id, frozenset())
        stands = self.ahead and self.takes_place and not self.proposed
        return stands and bool(roles & {Role.MEMBER, Role.LEADER})


def viewer(member: Member, at: datetime) -> Viewer:
    """Who looks, with their place in each group. One query."""
    return Viewer(member, at, roles_by_group(member, at))


def between(viewer: Viewer, first: date, last: date, *, proposed: bool = False) -> list[Entry]:
    """The person's settled dates from one local date to another, both included, in order.

    With `proposed` those put to the person that are not settled stand among them; they are for
    pages only.
    """
    begins, ends = (datetime.combine(on, time(12), UTC) for on in (first, last))
    half = timedelta(hours=12) + FURTHEST
    known = _or_proposed(viewer) if proposed else _settled(viewer)
    rows = known.filter(starts_at__gte=begins - half, starts_at__lte=ends + half)
    found = entries(viewer, _as_far_as_known(viewer, rows))
    return [entry for entry in found if first <= entry.on <= last]


def coming(viewer: Viewer) -> list[Entry]:
    """What lies ahead or runs now, cancelled dates among it, the soonest first."""
    rows = _settled(viewer).filter(
        # The morning after is never two days behind the start.
        starts_at__gt=viewer.at - timedelta(days=2),
        runs_until__gt=viewer.at,
    )
    ahead = [entry for entry in entries(viewer, rows) if not entry.over]
    return _first_of(ahead, viewer.as_(Role.NEWCOMER))


def is_near(on: date, today: date) -> bool:
    """Whether day and month alone leave no doubt about the year."""
    return abs((on - today).days) < NEAR_DAYS


def one_zone(shown: Sequence[Entry]) -> str:
    """“Jerusalem time” when all are in one zone that is also the viewer's clock; else empty."""
    zones = {entry.when.zone for entry in shown}
    return zones.pop() if len(zones) == 1 and not any(e.zone_differs for e in shown) else ""


def _settled(viewer: Viewer) -> QuerySet[Session]:
    # The groups are few and known by now: asked for by id, their dates come by the index.
    return (
        Session.objects.filter(settled_at__isnull=False, group__in=viewer.where(Action.SEE_DATES))
        .select_related("group")
        .order_by("starts_at", "pk")
    )


def _or_proposed(viewer: Viewer) -> QuerySet[Session]:
    asked = Q(settled_at=None, phase=Phase.PLANNED, starts_at__gt=viewer.at)
    asked &= Q(group__in=viewer.where(Action.ANSWER))
    return (
        Session.objects.filter(
            Q(settled_at__isnull=False) | asked, group__in=viewer.where(Action.SEE_DATES)
        )
        .select_related("group")
        .order_by("starts_at", "pk")
    )


def entries(viewer: Viewer, sessions: Iterable[Session]) -> list[Entry]:
    """Dress sessions for the viewer. Two queries, for however many, and one if tonight is near."""
    sessions = list(sessions)
    declined = answers.declined(sessions, viewer.member)
    changes: dict[UUID, list[Change]] = {}
    latest: dict[UUID, Change] = {}
    inside = viewer.where(Action.ENTER)
    for change in Change.objects.filter(session__in=sessions, group__in=inside).order_by(
        "at", "pk"
    ):
        _put_to(changes.setdefault(change.session_id, []), change)
        latest[change.session_id] = change
    leads = notices.leads([s for s in sessions if s.group_id in inside], viewer.at)
    return [
        Entry(
            session,
            viewer,
            session.pk in declined,
            changes.get(session.pk, ()),
            leads.get(session.pk),
            latest.get(session.pk),
        )
        for session in sessions
    ]


def _put_to(standing: list[Change], change: Change) -> None:
    """What was undone stands no more: the date is as if it had never been done."""
    if change.kind == "undone":
        del standing[-1:]
    else:
        standing.append(change)


def _as_far_as_known(viewer: Viewer, rows: QuerySet[Session]) -> Sequence[Session]:
    """Without the dates a newcomer does not know of yet."""
    new_in = viewer.as_(Role.NEWCOMER)
    if not new_in:
        return list(rows)
    known = {entry.session.pk for entry in coming(viewer)}
    return [row for row in rows if row.group_id not in new_in or row.pk in known]


def _first_of(ahead: list[Entry], groups: set[UUID]) -> list[Entry]:
    """Of these groups only the first date that takes place; of the others all."""
    kept, seen = [], set()
    for entry in ahead:
        group = entry.session.group_id
        if group in groups and (group in seen or not entry.takes_place):
            continue
        seen.add(group)
        kept.append(entry)
    return kept
