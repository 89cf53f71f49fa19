"""What a screen of the room shows: one look at the rows, the same circle for everyone.

A screen asks when it hears of a newer version, or every few seconds where no stream comes through,
and says what it shows (`screen`, `step`, `mark`); it hears nothing while that is still true.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from hashlib import blake2s
from uuid import UUID

from django.utils.translation import gettext as _

from groups.circle import Chair, called, initials_of
from groups.models import Membership, Setting
from groups.zones import city, same_wall_clock, time_words
from members.models import Member
from sessions import before, cases, conduct, live, observing, showing_out, whereabouts
from sessions.firstpage import names_in_words
from sessions.models import CasePresentation, Session
from sessions.phases import (
    NAMES,
    ORDER,
    WITH_CASE,
    Phase,
    Switches,
    enabled,
    may_follow,
    next_step_label,
    presenter_listens,
    sentence,
    usual_next,
)
from sessions.whereabouts import not_here_yet

# Until the first case the leaders see whom they wait for; then the group is who is there.
WAITING = {Phase.PLANNED, Phase.ARRIVING, Phase.FOLLOW_UP, Phase.CALL}


class Screen(StrEnum):
    """What somebody's page of the room is at the moment."""

    LEADER = "leader"
    MEMBER = "member"
    SITTING_BACK = "back"
    # Stepped out of the case: nothing of it is shown.
    OUTSIDE = "outside"
    # In person: phones away.
    CALM = "calm"
    OVER = "over"


@dataclass(frozen=True)
class Line:
    """A phase in the list of the evening: done, now or coming."""

    phase: Phase
    name: str
    state: str


@dataclass(frozen=True)
class Ring:
    """A presenter who has lost the connection; no number where none is shared."""

    name: str
    number: str


@dataclass(frozen=True)
class Going:
    """Whose part in the meeting ends, and the leaders who say so, in words."""

    value: str
    name: str
    by: str
    in_force: bool
    said_by_me: bool


@dataclass(frozen=True)
class Look:
    """The room as one person sees it at an instant."""

    session: Session
    member: Member
    at: datetime
    leads: bool
    here: frozenset[UUID]
    telling: CasePresentation | None
    # In the room, and silent for a minute.
    lost: frozenset[UUID] = frozenset()
    came: frozenset[UUID] = frozenset()
    # Who has stepped out of the case, as far as the person may know.
    out: frozenset[UUID] = frozenset()
    # Who sits outside the circle this evening and observes.
    observers: frozenset[UUID] = frozenset()
    # For leaders: whose part in the meeting is to end.
    showings: tuple[showing_out.Showing, ...] = ()
    # At least: what came to pass while we looked is in the next one.
    version: int = 0

    @property
    def phase(self) -> Phase:
        return Phase(self.session.phase)

    @property
    def switches(self) -> Switches:
        return conduct.switches_of(self.session.group)

    @property
    def screen(self) -> Screen:
        if is_over(self.session, self.at):
            return Screen.OVER
        if not self.session.online:
            return Screen.CALM
        if self.is_outside:
            return Screen.OUTSIDE
        if self.listening and self.telling and self.telling.presenter_id == self.member.pk:
            return Screen.SITTING_BACK
        return Screen.LEADER if self.leads else Screen.MEMBER

    @property
    def listening(self) -> bool:
        return presenter_listens(self.phase, self.switches)

    @property
    def still(self) -> bool:
        """Nothing moves on the page, whatever the group does, until it is another page."""
        return self.screen in {Screen.SITTING_BACK, Screen.OUTSIDE}

    @property
    def mark(self) -> str:
        """Changes when the circle or the minute does; a still page changes with neither."""
        return "" if self.still else f"{self.people_mark}.{self.minute}"

    @property
    def people_mark(self) -> str:
        """Changes with who is where, and who tells."""
        told_by = str(self.telling.presenter_id) if self.telling else ""
        lists = (sorted(map(str, people)) for people in self._where)
        shown = "|".join(" ".join(people) for people in lists)
        return blake2s(f"{shown}|{told_by}".encode(), digest_size=6).hexdigest()

    @property
    def _where(self) -> tuple[frozenset[UUID], ...]:
        return self.here, self.lost, self.came, self.out, self.observers

    @property
    def minute(self) -> int:
        """Whole minutes since the start, for the thin line."""
        passed = int((self.at - self.session.starts_at).total_seconds() // 60)
        return max(0, min(passed, self.session.minutes))

    @property
    def begins_ms(self) -> int:
        """For the script that moves the thin line on: milliseconds since 1970."""
        return int(self.session.starts_at.timestamp() * 1000)

    @cached_property
    def seats(self) -> list[Membership]:
        return conduct.seats(self.session)

    @property
    def chairs(self) -> list[Chair]:
        """Everyone's chair, dashed for who is not in the room; in a mixed one for nobody.

        Who is not connected for a minute keeps the chair, dashed in another way.
        """
        away = {seat.member_id for seat in self.seats} - self.here - self.lost
        presenter = self.telling.presenter_id if self.telling else None
        return chairs(
            self.seats,
            set() if self.mixed else away,
            presenter,
            outside=self.listening,
            lost=frozenset() if self.mixed else self.lost,
            observers=self.observers,
        )

    @property
    def mixed(self) -> bool:
        """Some sit in one room, with or without a screen, so that silence says nothing."""
        return self.session.setting == Setting.MIXED

    @cached_property
    def not_yet(self) -> str:
        """Whom the leaders wait for, in words, until the first case; nobody in a mixed one."""
        if not self.leads or self.mixed or self.phase not in WAITING:
            return ""
        return self._names(not_here_yet(self.session, self.came))

    @cached_property
    def ring(self) -> Ring | None:
        """For leaders: the presenter has lost the connection, and may be rung."""
        if not self.leads or self.mixed or self.telling is None:
            return None
        pk = self.telling.presenter_id
        if pk not in self.lost:
            return None
        numbers = before.numbers(self.session, {pk: self.presenter_name}, self.member)
        return Ring(self.presenter_name, numbers.get(pk, ""))

    @property
    def before_the_door(self) -> bool:
        """Until the group has arrived, everyone is told what an online meeting needs."""
        return self.phase in {Phase.PLANNED, Phase.ARRIVING}

    @property
    def may_lead_alone(self) -> bool:
        """Whether one of two leaders may still tell the group that the other does not come."""
        ahead = self.phase is Phase.PLANNED and self.at < self.session.starts_at
        return ahead and self.leads and sum(seat.leads for seat in self.seats) > 1

    @property
    def outside(self) -> list[tuple[str, str]]:
        """Whom a leader may let back in: another leader than oneself has to do it."""
        return [(pk, name) for pk, name in self.people if UUID(pk) in self.out]

    @property
    def going(self) -> list[Going]:
        """For leaders: whose part ends, and who still stays unless all of them say so."""
        names = dict(self.people)
        return [
            Going(
                value=str(showing.person),
                name=names.get(str(showing.person), ""),
                by=self._names(set(showing.by)),
                in_force=showing.in_force,
                said_by_me=self.member.pk in showing.by,
            )
            for showing in self.showings
        ]

    @property
    def asked_to_end(self) -> list[Going]:
        """Whose part another leader wants to end, waiting for this one."""
        return [one for one in self.going if not one.in_force and not one.said_by_me]

    @property
    def may_be_shown_out(self) -> list[tuple[str, str]]:
        """Members whose part this leader may say ends now; who tells a case stays."""
        said = {one.value for one in self.going if one.in_force or one.said_by_me}
        tells = {str(self.telling.presenter_id)} if self.telling else set()
        leaders = {str(seat.member_id) for seat in self.seats if seat.leads}
        return [one for one in self.people if one[0] not in said | tells | leaders]

    @property
    def may_step_out(self) -> list[tuple[str, str]]:
        """Everyone a leader can say has stepped out; who tells stays."""
        stay = self.out | ({self.telling.presenter_id} if self.telling else set())
        return [(pk, name) for pk, name in self.people if UUID(pk) not in stay]

    @property
    def has_way_out(self) -> bool:
        """Whether the person may step out of the case that is worked on."""
        tells = self.telling is not None and self.telling.presenter_id == self.member.pk
        return self.may_name and not self.is_outside and not tells

    @property
    def is_outside(self) -> bool:
        return self.member.pk in self.out

    def _names(self, people: set[UUID]) -> str:
        return names_in_words([name for pk, name in self.people if UUID(pk) in people])

    @property
    def presenter_name(self) -> str:
        return called(self.telling.presenter.name) if self.telling else ""

    @property
    def sentence(self) -> str:
        return sentence(self.phase, self.presenter_name, self.switches)

    @property
    def next_phase(self) -> Phase | None:
        return usual_next(self.phase, self.switches)

    @property
    def next_label(self) -> str:
        return next_step_label(self.phase, self.presenter_name, self.switches)

    @property
    def lines(self) -> list[Line]:
        """The phases this group uses: before the present one done, after it coming."""
        used = [phase for phase in ORDER if enabled(phase, self.switches)]
        now = ORDER.index(self.phase) if self.phase in ORDER else -1
        return [Line(p, str(NAMES[p]), _state(ORDER.index(p), now)) for p in used]

    @property
    def others(self) -> list[tuple[str, str]]:
        """Every other step a leader may take, one level deeper: value and what the button says."""
        possible = may_follow(self.phase, self.switches) - {self.next_phase}
        return [(p.value, self._other(p)) for p in (*ORDER, Phase.CLOSED) if p in possible]

    def _other(self, phase: Phase) -> str:
        if phase is Phase.CLOSED:
            return _("end the meeting")
        if self.phase is Phase.RETURN and phase is Phase.CALL:
            return _("A second case: the call")
        return str(NAMES[phase])

    @property
    def asks_who_tells(self) -> bool:
        """Online the one who tells may be named as the story begins."""
        return self.session.online and self.next_phase is Phase.STORY

    @property
    def may_name(self) -> bool:
        return self.session.online and self.phase in WITH_CASE

    @property
    def people(self) -> list[tuple[str, str]]:
        """Everyone by name, in the order of the circle."""
        return [(str(pk), name) for pk, name in before.known_as(self.seats).items()]

    @property
    def may_tell(self) -> list[tuple[str, str]]:
        """Whom a leader can name as telling a case: who observes tells none."""
        return [(pk, name) for pk, name in self.people if UUID(pk) not in self.observers]

    @cached_property
    def can_undo(self) -> bool:
        return self.session.is_open and conduct.last_step(self.session) is not None

    @property
    def wall_clock(self) -> str:
        return time_words(self.at.astimezone(self.session.zone))

    @property
    def ends(self) -> str:
        return time_words(self.session.ends_at.astimezone(self.session.zone))

    @property
    def zone_words(self) -> str:
        """The zone's city, only for somebody whose own clock shows another time."""
        mine, theirs = self.member.time_zone, self.session.time_zone
        return "" if same_wall_clock(mine, theirs, self.at) else city(theirs)

    @cached_property
    def link(self) -> str:
        return whereabouts.join_link(self.session, self.member, self.at)


def is_over(session: Session, at: datetime) -> bool:
    """Closed, or gone by: in person with its planned end, online the next morning."""
    unopened = session.phase == Phase.PLANNED and not session.online
    ends = session.ends_at if unopened else session.runs_until
    return session.phase == Phase.CLOSED or at >= ends


def look(session: Session, member: Member, at: datetime) -> Look:
    """A constant number of queries: who leads, who is where, who tells."""
    version = live.version(session) or 0
    telling = cases.being_told(session, member, at) if session.phase in WITH_CASE else None
    found = whereabouts.of(session, at)
    leads = conduct.may_conduct(session, member, at)
    ends = showing_out.of(session, member, at) if leads and session.is_open else ()
    return Look(
        session=session,
        member=member,
        at=at,
        leads=leads,
        here=found.here,
        telling=telling,
        lost=found.lost,
        came=found.came,
        out=cases.out_of_it(session),
        observers=observing.of(session),
        showings=tuple(ends),
        version=version,
    )


def chairs(
    seats: list[Membership],
    away: set[UUID] | frozenset[UUID] = frozenset(),
    presenter: UUID | None = None,
    *,
    outside: bool = False,
    lost: frozenset[UUID] = frozenset(),
    observers: frozenset[UUID] = frozenset(),
) -> list[Chair]:
    """Chairs of a circle, in its order; `outside` moves the presenter out of the ring."""
    letters = initials_of([str(seat.member) for seat in seats])
    return [
        Chair(
            initials=initials,
            name=str(seat.member),
            role="leader" if seat.leads else "member",
            away=seat.member_id in away,
            presenter=seat.member_id == presenter,
            outside=outside and seat.member_id == presenter,
            disconnected=seat.member_id in lost,
            value=str(seat.member_id),
            observes=seat.member_id in observers,
        )
        for seat, initials in zip(seats, letters, strict=True)
    ]


def _state(place: int, now: int) -> str:
    if place == now:
        return "now"
    return "done" if place < now else "coming"
