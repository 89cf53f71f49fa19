"""The record of a group: opened for a complaint, by two people of whom one leads, for a day.

Asking and confirming are put on record themselves. The database decides who reads what: what
happened inside only the two of an opening, as far as they lead the group; the frame its admins too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from groups import visible
from groups.models import Group, ProgrammeAdmin, RecordOpening, during
from groups.policy import EVERY_ROLE, OFFICE, Action, leaders, may
from groups.recordwords import sentence
from members import audit
from members.models import Member
from members.refusals import Refused

PAGE = 50


class NotYours(Refused):
    sentence = _("This is not yours to do.")


class AskedAlready(Refused):
    sentence = _("Somebody has asked for this already. Load the page again.")


class NobodyAlone(Refused):
    sentence = _("Nobody opens a record alone. Somebody else has to say yes.")


class OneOfYouLeads(Refused):
    sentence = _("One of the two who open a record leads the group.")


class AskingIsSettled(Refused):
    sentence = _("This has been settled in the meantime. Load the page again.")


@dataclass(frozen=True)
class Line:
    """One event as it is read: when, who in words, and what in words."""

    number: int
    at: datetime
    who: str
    what: str


@dataclass(frozen=True)
class Page:
    """Some of a record, newest first; `before` asks for older ones, if there are any."""

    lines: Sequence[Line]
    before: int | None


def standing(group: Group, at: datetime) -> RecordOpening | None:
    """The opening that is asked for, or open at `at`."""
    found = RecordOpening.objects.filter(group=group, withdrawn_at=None).order_by("-asked_at")
    opening = found.first()
    if opening is None or (opening.until is not None and opening.until <= at):
        return None
    return opening


def is_open(group: Group, at: datetime) -> bool:
    """Whether two people may read the record at `at`; everyone in the group is told."""
    return RecordOpening.objects.filter(group=group, withdrawn_at=None, until__gt=at).exists()


@transaction.atomic
def ask(group: Group, *, by: Member, at: datetime, office: bool = False) -> None:
    """Ask that the record is opened; nobody reads anything before somebody else confirms."""
    _check(group, by, at, office)
    Group.objects.select_for_update(no_key=True).get(pk=group.pk)
    if standing(group, at):
        raise AskedAlready
    _call("select public.balint_ask_for_record(%s)", group.pk)
    audit.note(audit.ASKED, audit.Thing.RECORD, group=group.pk)


@transaction.atomic
def confirm(opening: RecordOpening, *, by: Member, at: datetime, office: bool = False) -> None:
    """Somebody else's yes: open for a day, to those of the two who lead the group."""
    group, opening = _held(opening)
    _check(group, by, at, office)
    if opening.confirmed_at or opening.withdrawn_at:
        raise AskingIsSettled
    if opening.asked_by == by.pk:
        raise NobodyAlone
    if not leaders(group, at).filter(pk__in=[opening.asked_by, by.pk]).exists():
        raise OneOfYouLeads
    _call("select public.balint_confirm_record(%s)", opening.pk)
    audit.note(audit.AGREED, audit.Thing.RECORD, group=group.pk)


@transaction.atomic
def close(opening: RecordOpening, *, by: Member, at: datetime, office: bool = False) -> None:
    """Take the asking back, say no to it, or end the opening before its day is over."""
    group, opening = _held(opening)
    _check(group, by, at, office)
    if opening.withdrawn_at or (opening.until is not None and opening.until <= at):
        raise AskingIsSettled
    _call("select public.balint_close_record(%s)", opening.pk)
    audit.note(audit.WITHDRAWN, audit.Thing.RECORD, group=group.pk)


def read(
    group: Group, *, to: Member, at: datetime, office: bool = False, before: int | None = None
) -> Page:
    """What the database gives `to` of the record; to a leader without an opening nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select number, at, actor, verb, thing, frame from public.balint_record(%s, %s, %s)",
            [group.pk, before, PAGE + 1],
        )
        rows = cursor.fetchall()
    shown, more = rows[:PAGE], len(rows) > PAGE
    names = _names(group, {row[2] for row in shown}, to=to, at=at, office=office)
    lines = [
        Line(number, when, names[actor], sentence(verb, thing))
        for number, when, actor, verb, thing, _frame in shown
    ]
    opening = standing(group, at)
    if lines and opening is not None and to.pk in (opening.asked_by, opening.confirmed_by):
        about = opening.pk
        audit.note(audit.READ, audit.Thing.RECORD, group=group.pk, about=about)
    return Page(lines, shown[-1][0] if more else None)


def _names(
    group: Group, actors: Iterable[UUID | None], *, to: Member, at: datetime, office: bool
) -> dict[UUID | None, str]:
    """Leaders know everybody who was ever there; the office whom its list shows, and itself."""
    ids = {actor for actor in actors if actor is not None}
    gone = _t("somebody who is not in the group") if office else _t("an account that is deleted")
    names: dict[UUID | None, str] = {None: _t("somebody who was not signed in")}
    names |= dict.fromkeys(ids, gone)
    return names | {pk: str(one) for pk, one in _known(group, ids, to, at, office).items()}


def _known(
    group: Group, ids: set[UUID], to: Member, at: datetime, office: bool
) -> dict[UUID, Member]:
    if not office:
        return Member.objects.in_bulk(ids)
    inside = visible.memberships(to, at, OFFICE).filter(during(at), group=group)
    admins = ProgrammeAdmin.objects.filter(during(at), programme=group.programme_id)
    listed = Q(pk__in=inside.values("member")) | Q(pk__in=admins.values("member"))
    return Member.objects.filter(listed).in_bulk(ids)


def _check(group: Group, by: Member, at: datetime, office: bool) -> None:
    if not may(by, Action.OPEN_RECORD, group, at, roles=OFFICE if office else EVERY_ROLE - OFFICE):
        raise NotYours


def _held(opening: RecordOpening) -> tuple[Group, RecordOpening]:
    group = Group.objects.select_for_update(no_key=True).get(pk=opening.group_id)
    return group, RecordOpening.objects.get(pk=opening.pk)


def _call(question: str, *values: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(question, list(values))
