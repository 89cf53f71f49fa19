"""What is worth knowing about a planned date: a holiday, another clock, another group that evening.

Warnings only; nothing here refuses a date. Whose other group meets is told to that person alone:
nobody else is to learn where a leader sits on other evenings.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from groups import zones
from groups.cadence import instant
from groups.models import Group, Membership, during
from groups.policy import GRANTS, Action, roles_by_group
from groups.publicdays import public_day
from members.models import Member
from sessions.models import Session
from sessions.phases import Phase
from sessions.planning.draft import Draft, Fate, Line
from sessions.planning.words import Cautions, Note

A_DAY = timedelta(days=1)


def cautions(draft: Draft, group: Group, viewer: Member, at: datetime) -> Cautions:
    """Notes for each meeting of the draft that still lies ahead, by its start. Three queries."""
    ahead = [line for line in draft.meetings if line.fate is not Fate.PAST and line.starts_at > at]
    found: dict[datetime, list[Note]] = defaultdict(list)
    if ahead:
        elsewhere = _elsewhere(ahead, group, viewer, at)
        for starts_at, note in [
            *holidays(ahead),
            *other_clocks(ahead, _zones(group, at)),
            *clashes(ahead, elsewhere),
        ]:
            found[starts_at].append(note)
    return found


def cautions_of_date(line: Line, group: Group, viewer: Member, at: datetime) -> list[Note]:
    """Notes for one date that a hand puts where `line` says; none for one that has passed.

    Of a meeting that is moved only what its date before did not have. Three queries, or six.
    """
    found = _of_date(line, group, viewer, at)
    moved = line.session
    if not found or moved is None:
        return found
    known = _of_date(Line.of_session(Fate.FOLLOWS, moved), group, viewer, at)
    return [note for note in found if note not in known]


def holidays(lines: Iterable[Line]) -> Iterator[tuple[datetime, Note]]:
    """Public holidays where the group's clock is."""
    for line in lines:
        if name := public_day(line.on, line.zone):
            yield line.starts_at, Note(_("public holiday: %(name)s") % {"name": name}, "rose")


def other_clocks(
    lines: Sequence[Line], member_zones: Iterable[str]
) -> Iterator[tuple[datetime, Note]]:
    """Where a meeting is at another hour than the one before for those in another zone."""
    for before, line in pairwise(lines):
        places = defaultdict(list)
        for zone in sorted(member_zones):
            if _ahead_of(line, zone) != _ahead_of(before, zone):
                local = line.starts_at.astimezone(ZoneInfo(zone))
                changed = zones.date_words(_changed_on(line, zone))
                places[changed, zones.time_words(local)].append(zones.place(zone))
        for (changed, time), cities in places.items():
            words = {"date": changed, "time": time, "cities": ", ".join(cities)}
            said = _("from %(date)s it is %(time)s for those in %(cities)s") % words
            yield line.starts_at, Note(said, "ochre")


def clashes(lines: Iterable[Line], elsewhere: Sequence[Session]) -> Iterator[tuple[datetime, Note]]:
    """Meetings of the reader's other groups at the same time."""
    for line in lines:
        ends_at = line.starts_at + timedelta(minutes=line.minutes)
        for session in elsewhere:
            if session.starts_at < ends_at and session.ends_at > line.starts_at:
                when = zones.when_words(session.starts_at, session.minutes, session.time_zone)
                words = {"group": session.group.name, "times": when.times}
                said = _("%(group)s meets then too: %(times)s") % words
                yield line.starts_at, Note(said, "rose")


def _of_date(line: Line, group: Group, viewer: Member, at: datetime) -> list[Note]:
    if line.starts_at <= at:
        return []
    beside = [*_before(line, group), line]
    found = [
        *holidays([line]),
        *other_clocks(beside, _zones(group, at)),
        *clashes([line], _elsewhere([line], group, viewer, at)),
    ]
    return [note for _starts_at, note in found]


def _before(line: Line, group: Group) -> list[Line]:
    """The meeting of the group that comes before, by whose hour people know theirs."""
    others = Session.objects.filter(group=group, starts_at__lt=line.starts_at)
    if line.session:
        others = others.exclude(pk=line.session.pk)
    last = others.exclude(phase=Phase.CANCELLED).order_by("-starts_at").first()
    return [Line.of_session(Fate.FOLLOWS, last)] if last else []


def _ahead_of(line: Line, zone: str, starts_at: datetime | None = None) -> timedelta:
    """How far clocks in `zone` are ahead of those of the meeting."""
    starts_at = starts_at or line.starts_at
    theirs, here = (starts_at.astimezone(ZoneInfo(name)) for name in (zone, line.zone))
    return (theirs.utcoffset() or timedelta()) - (here.utcoffset() or timedelta())


def _changed_on(line: Line, zone: str) -> date:
    """The first day from which the clocks stand to each other as at this meeting."""
    on, wanted = line.on, _ahead_of(line, zone)
    hour = line.starts_at.astimezone(ZoneInfo(line.zone)).time()
    while _ahead_of(line, zone, instant(on - A_DAY, hour, line.zone)) == wanted:
        on -= A_DAY
    return on


def _zones(group: Group, at: datetime) -> set[str]:
    """The zones of those in the group that are a place."""
    held = Membership.objects.filter(during(at), group=group)
    found = held.values_list("member__time_zone", flat=True).distinct()
    return {zone for zone in found if zones.is_place(zone)}


def _elsewhere(lines: Sequence[Line], group: Group, viewer: Member, at: datetime) -> list[Session]:
    """The meetings of the viewer's other groups from the first of these dates to the last."""
    groups = [
        key
        for key, roles in roles_by_group(viewer, at).items()
        if key != group.pk and any(Action.ENTER in GRANTS[role] for role in roles)
    ]
    near = Session.objects.filter(
        group__in=groups,
        starts_at__gt=lines[0].starts_at - A_DAY,
        starts_at__lt=lines[-1].starts_at + A_DAY,
    )
    return list(near.exclude(phase=Phase.CANCELLED).select_related("group").order_by("starts_at"))
