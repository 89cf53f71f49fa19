"""The year ahead in words: each date with what is worth knowing about it before it is saved."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from groups import zones
from groups.cadence import Break, Gap, words
from groups.models import Setting
from sessions.models import Series, Session
from sessions.planning.draft import Draft, Fate, Line
from sessions.planning.plans import Plan, plan_of

# Fates whose date is struck through: the group does not meet then.
OUT = frozenset({Fate.LEFT_OUT, Fate.CANCELLED, Fate.GOES})


class Note(NamedTuple):
    """A pill beside a date; `tone` is its colour's name in the style sheet, or nothing."""

    text: str
    tone: str = ""


@dataclass(frozen=True)
class Row:
    """One date as the page shows it; `aside` is said in plain text."""

    on: date
    day: str
    times: str
    yours: str
    notes: tuple[Note, ...]
    aside: str
    out: bool


Cautions = Mapping[datetime, Sequence[Note]]


def rows(draft: Draft, viewer_zone: str, cautions: Cautions | None = None) -> list[Row]:
    """Every date of the draft in order, in the group's time and the viewer's where it differs.

    `cautions` are notes by the start of the meeting they belong to.
    """
    gaps = {gap.before: gap for gap in draft.long_gaps()}
    made = [_row(line, draft, gaps.pop(line.on, None), viewer_zone) for line in draft.lines]
    more = [(cautions or {}).get(line.starts_at, ()) for line in draft.lines]
    return [replace(row, notes=(*row.notes, *notes)) for row, notes in zip(made, more, strict=True)]


def summary(draft: Draft) -> str:
    """“10 dates: every month on the third Thursday, 19:30–21:00, Jerusalem time.” and the gap."""
    count = len(draft.meetings)
    dates = ngettext("%(count)d date: %(rhythm)s.", "%(count)d dates: %(rhythm)s.", count)
    return " ".join(
        [dates % {"count": count, "rhythm": _rhythm(draft.plan)}, *_gap_sentence(draft)]
    )


def save_label(count: int) -> str:
    """“Save these 10 dates”, with the true number."""
    return ngettext("Save this date", "Save these %(count)d dates", count) % {"count": count}


def propose_label(count: int) -> str:
    """“Propose these 10 dates”."""
    return ngettext("Propose this date", "Propose these %(count)d dates", count) % {"count": count}


def settle_label(count: int) -> str:
    """“Settle these 10 dates and send the letter”."""
    return ngettext(
        "Settle this date and send the letter",
        "Settle these %(count)d dates and send the letter",
        count,
    ) % {"count": count}


def settled(count: int) -> str:
    """What is said once proposed dates are settled."""
    return ngettext(
        "%(count)d date is settled. Everyone gets it by mail.",
        "%(count)d dates are settled. Everyone gets them by mail, in one letter.",
        count,
    ) % {"count": count}


def proposed(count: int) -> str:
    """What is said once dates are proposed."""
    return ngettext(
        "%(count)d date is proposed. Everyone is asked by mail whether they can.",
        "%(count)d dates are proposed. Everyone is asked by mail which they cannot.",
        count,
    ) % {"count": count}


def past_label(count: int) -> str:
    """What the box says that must be ticked before dates in the past are put down."""
    return ngettext(
        "I know that %(count)d of these dates has passed",
        "I know that %(count)d of these dates have passed",
        count,
    ) % {"count": count}


def consequence(draft: Draft) -> str:
    """What saving sets off, said beside the button."""
    going = len([line for line in draft.told if line.fate is Fate.GOES])
    changing = len(draft.told) - going
    said = []
    if changing:
        said.append(
            ngettext("%(n)d meeting changes.", "%(n)d meetings change.", changing) % {"n": changing}
        )
    if going:
        said.append(
            ngettext("%(n)d meeting is cancelled.", "%(n)d meetings are cancelled.", going)
            % {"n": going}
        )
    if said:
        return " ".join([*said, _("Everyone in the group is told by mail.")])
    if draft.proposable:
        return _(
            "Proposed, nothing is settled yet: everyone is asked by mail which dates they cannot, "
            "and you settle the year. Saved, the dates are settled at once: everyone gets them by "
            "mail, in one letter."
        )
    if draft.added:
        return _("Everyone gets the dates by mail, in one letter.")
    return _(
        "Everyone sees the dates in the calendar at once, and is reminded by mail before each."
    )


def saved(draft: Draft) -> str:
    """What is said once it is saved."""
    count = len(draft.meetings)
    dates = ngettext("%(count)d date is saved.", "%(count)d dates are saved.", count)
    sentences = [dates % {"count": count}]
    if draft.told:
        sentences.append(_("Everyone in the group is told of the changes by mail."))
    elif draft.added:
        sentences.append(_("Everyone gets the dates by mail, in one letter."))
    return " ".join(sentences)


def added(*, told: bool) -> str:
    """What is said once a date beside the rhythm is saved."""
    if told:
        return _("The date is saved. Everyone in the group is told by mail.")
    return _("The date is saved.")


def restored(*, settled: bool, told: bool) -> str:
    """What is said once a date is put back: whether it stands, and who hears of it."""
    if not settled:
        return _("The date is proposed again. Nobody is told by mail before it is settled.")
    if told:
        return _("The meeting takes place. Everyone in the group is told by mail.")
    return _("The meeting takes place. Nobody had been told that it was cancelled.")


def end_label(draft: Draft) -> str:
    """What the button says that ends a rhythm, with the true number of dates that go."""
    count = len(draft.of(Fate.GOES))
    if not count:
        return _("End the rhythm")
    return ngettext(
        "End the rhythm and cancel this date", "End the rhythm and cancel %(count)d dates", count
    ) % {"count": count}


def ended(draft: Draft) -> str:
    """What is said once a rhythm has an end."""
    last_on = draft.plan.cadence.last_on
    said = [_("The rhythm ends on %(day)s.") % {"day": zones.date_words(last_on, with_year=True)}]
    if draft.told:
        said.append(_("Everyone in the group is told of the changes by mail."))
    return " ".join(said)


def undone(*, told: bool) -> str:
    """What is said once a change is undone: whether anybody had heard of it."""
    if told:
        return _("It is as it was before. Whoever had been told of the change hears of it by mail.")
    return _("It is as it was before. Nobody had been told of the change yet.")


def rhythm(series: Series | None) -> str:
    """“every month on the third Thursday, 19:30–21:00, Jerusalem time”; empty without one."""
    return "" if series is None else _rhythm(plan_of(series))


def span_words(first: date, last: date) -> str:
    """“2027”, “2026 and 2027”, or “September 2026 to June 2027”."""
    if first.year == last.year:
        return str(first.year)
    if last.year == first.year + 1 and (last.month, last.day) == (12, 31):
        return _("%(first)d and %(last)d") % {"first": first.year, "last": last.year}
    return part_words(first, last)


def part_words(first: date, last: date) -> str:
    """“May to December 2027”, where the year alone would not tell two rhythms apart."""
    if (first.year, first.month) == (last.year, last.month):
        return _month(first)
    begins = _month(first) if first.year != last.year else date_format(first, "F")
    return _("%(first)s to %(last)s") % {"first": begins, "last": _month(last)}


def spans_words(spans: Sequence[tuple[date, date]]) -> list[str]:
    """Each span in words, by its years if that tells them all apart."""
    by_years = [span_words(*span) for span in spans]
    if len(set(by_years)) == len(by_years):
        return by_years
    return [part_words(*span) for span in spans]


def _rhythm(plan: Plan) -> str:
    cadence = plan.cadence
    return words(cadence.rule, cadence.starts_at, cadence.minutes, cadence.zone)


def _month(on: date) -> str:
    return date_format(on, pgettext("month, as in June 2027", "F Y"))


def _gap_sentence(draft: Draft) -> list[str]:
    longest = draft.longest_gap()
    if longest is None:
        return []
    if draft.long_gaps():
        return [_("%(gap)s.") % {"gap": longest}]
    weeks = {"weeks": longest.weeks}
    if longest.weeks == 0:
        return []
    return [
        ngettext(
            "Never more than %(weeks)d week apart.",
            "Never more than %(weeks)d weeks apart.",
            longest.weeks,
        )
        % weeks
    ]


def _row(line: Line, draft: Draft, gap: Gap | None, viewer_zone: str) -> Row:
    when = zones.when_words(line.starts_at, line.minutes, line.zone, viewer_zone)
    here = line.zone == draft.plan.cadence.zone
    times = f"{when.from_}–{when.to}" if here else when.times
    out = line.fate in OUT
    return Row(
        on=line.on,
        day=when.short_day,
        times="" if line.fate is Fate.LEFT_OUT else times,
        yours="" if out else when.yours_words,
        notes=tuple(_notes(line, draft, gap)),
        aside=_aside(line),
        out=out,
    )


def _aside(line: Line) -> str:
    if line.fate is Fate.TAKEN:
        return _("the group meets that day already")
    return break_words(line.left_out) if line.left_out and line.fate in OUT else ""


def break_words(pause: Break) -> str:
    """“summer break”; just the name if it says so itself, as in “half-term break”."""
    if not pause.name:
        return _("break")
    if _("break") in pause.name.casefold():
        return pause.name
    return _("%(name)s break") % {"name": pause.name}


def _notes(line: Line, draft: Draft, gap: Gap | None) -> list[Note]:
    notes = [*_fate_notes(line, draft), *_hand_notes(line), *_change_notes(line)]
    if line.fate in {Fate.NEW, Fate.FOLLOWS} and line.occurrence:
        clock = draft.plan.cadence.clock_words(line.occurrence)
        notes += [Note(clock, "ochre")] if clock else []
    return [*notes, Note(gap.before_words, "ochre")] if gap and line.meets else notes


def _fate_notes(line: Line, draft: Draft) -> list[Note]:
    if line.fate is Fate.PAST:
        return [Note(_("has passed"))]
    if line.fate is Fate.NEW and line.starts_at <= draft.at:
        return [Note(_("has passed: makes no mail"), "ochre")]
    if line.fate is Fate.CANCELLED:
        return [Note(_("cancelled"), "rose")]
    if line.fate is Fate.GOES:
        return [Note(_("will be cancelled"), "rose")]
    if line.fate is Fate.STAYS and line.occurrence:
        on = zones.date_words(line.occurrence.on)
        return [Note(_("stays: %(date)s has passed") % {"date": on}, "ochre")]
    return []


def _hand_notes(line: Line) -> list[Note]:
    """What stays as a hand put it, whatever the rule says now."""
    if line.fate is not Fate.BY_HAND or line.session is None:
        return []
    session, hand = line.session, line.session.overrides
    said = []
    if "starts_at" in hand:
        said.append(_("stays as you moved it: %(when)s") % {"when": _when(session)})
    elif hand.get("cancelled") is False:
        said.append(_("stays: you put it back"))
    if "minutes" in hand and "starts_at" not in hand:
        said.append(_("stays %(minutes)d minutes long") % {"minutes": session.minutes})
    if "place" in hand:
        said.append(_("stays at: %(place)s") % {"place": session.place or "–"})
    if "setting" in hand:
        said.append(_("stays %(setting)s") % {"setting": Setting(session.setting).label})
    return [Note(text) for text in said]


def _change_notes(line: Line) -> list[Note]:
    session = line.session
    if session is None or line.fate is Fate.GOES:
        return []
    if "phase" in line.changes:
        return [Note(_("takes place again"), "ochre")]
    if {"starts_at", "minutes"} & line.changes.keys():
        return [Note(_("was %(when)s") % {"when": _when(session)}, "ochre")]
    if line.is_told:
        return [Note(_("the place changes"), "ochre")]
    return []


def _when(session: Session) -> str:
    """“24 Mar 19:00–20:30”."""
    when = zones.when_words(session.starts_at, session.minutes, session.time_zone)
    day = date_format(when.on, pgettext("date, as in 24 Mar", "j M"))
    return _("%(day)s %(from)s–%(to)s") % {"day": day, "from": when.from_, "to": when.to}


@dataclass(frozen=True)
class Planned:
    """A session that stands in the calendar, as the pages of planning list it."""

    session: Session
    when: zones.When
    passed: bool

    @property
    def by_hand(self) -> bool:
        """Whether it no longer stands where the rhythm put it, or never belonged to one."""
        return not self.session.cancelled and (
            self.session.series_id is None or "starts_at" in self.session.overrides
        )


def planned(sessions: Iterable[Session], viewer_zone: str, at: datetime) -> list[Planned]:
    """Sessions with their times in words, in the viewer's zone too where it differs."""
    return [
        Planned(
            session,
            zones.when_words(session.starts_at, session.minutes, session.time_zone, viewer_zone),
            session.starts_at <= at,
        )
        for session in sessions
    ]


def one_zone(dates: Iterable[Planned]) -> str:
    """“Jerusalem time” where all dates are on one clock, so that it need be said only once."""
    names = {date.when.zone for date in dates}
    return names.pop() if len(names) == 1 else ""
