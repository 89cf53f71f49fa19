"""Templates of an evening: what a programme offers its groups, and how its admins change them.

A group knows its template by key. What came with the site is nobody's to change: edited, it is
copied for the programme, and the copy stands in its place until it is taken back.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from groups.evening_models import PHASES, EveningTemplate
from groups.models import Group, Programme
from groups.policy import programmes_of
from members.models import Member
from members.refusals import Refused

SHORTEST, LONGEST = 15, 720
# Where no template is chosen, forms begin with what fits the usual length.
USUAL_LENGTH = 90
SWITCHES = ("asks_questions", "sits_back", "keeps_time", "has_observers")


class NotYourTemplate(Refused):
    sentence = _("This is not yours to do.")


class TooShortOrTooLong(Refused):
    sentence = _(
        "A meeting lasts between 15 minutes and 12 hours; this one would last %(minutes)d."
    )


def of_programme(programme: UUID) -> list[EveningTemplate]:
    """All a programme has, in order, its own rows in place of the site's. One query."""
    rows = EveningTemplate.objects.filter(Q(programme=None) | Q(programme=programme))
    own = {row.key: row for row in rows if row.programme_id}
    shown = [row for row in rows if row.programme_id or row.key not in own]
    return sorted(shown, key=lambda row: (row.position, row.total, row.name, row.key))


def offered(group: Group) -> list[EveningTemplate]:
    """What this group may choose from; the one it has stays among them."""
    return [
        row for row in of_programme(group.programme_id) if row.offered or row.key == group.evening
    ]


def of_group(group: Group, minutes: int) -> EveningTemplate | None:
    """The group's template, or the one that fits meetings of so many minutes. One query."""
    rows = of_programme(group.programme_id)
    chosen = next((row for row in rows if row.key == group.evening), None)
    return chosen or fitting(rows, minutes)


def fitting(templates: Iterable[EveningTemplate], minutes: int) -> EveningTemplate | None:
    """The longest usual one that fits, one case rather than two; the shortest where none does."""
    usual = [row for row in templates if row.offered and _is_usual(row)]
    longest = [row for row in usual if row.total <= minutes]
    if longest:
        return max(longest, key=lambda row: (row.total, -row.cases, -row.position))
    return min(usual, key=lambda row: row.total, default=None)


def _is_usual(row: EveningTemplate) -> bool:
    return row.sessions == 1 and not row.keeps_time and not row.has_observers


def usual_length(group: Group) -> int:
    """How many minutes a meeting lasts where no rhythm says so: the group's template, or 90."""
    if not group.evening:
        return USUAL_LENGTH
    chosen = of_group(group, USUAL_LENGTH)
    return chosen.total if chosen else USUAL_LENGTH


def minutes_of(template: EveningTemplate | None, own: Mapping[str, int]) -> dict[str, int]:
    """Minutes by phase: the template's, and the group's own where it says another number."""
    usual = template.minutes if template else {}
    return {phase: int(own.get(phase, usual.get(phase, 0))) for phase in PHASES}


def beginning(programme: Programme) -> EveningTemplate:
    """What the form of a new template begins with; not saved."""
    usual = fitting(of_programme(programme.pk), USUAL_LENGTH)
    return EveningTemplate(programme=programme, minutes=minutes_of(usual, {}))


@transaction.atomic
def save(
    programme: Programme,
    template: EveningTemplate | None,
    *,
    by: Member,
    at: datetime,
    **values: Any,
) -> EveningTemplate:
    """A new template, a changed one, or the programme's copy of one that came with the site."""
    _check_admin(programme, by, at)
    row = _own(programme, template)
    for name, value in values.items():
        setattr(row, name, value)
    if not SHORTEST <= row.total <= LONGEST:
        raise TooShortOrTooLong(minutes=row.total)
    row.save()
    return row


@transaction.atomic
def take_back(template: EveningTemplate, *, by: Member, at: datetime) -> None:
    """A programme's own row goes; groups have the site's again, or the one that fits."""
    if template.programme is None:
        raise NotYourTemplate
    _check_admin(template.programme, by, at)
    template.delete()


def _own(programme: Programme, template: EveningTemplate | None) -> EveningTemplate:
    if template is None:
        return EveningTemplate(programme=programme, key=uuid4().hex)
    if template.programme_id is None:
        return EveningTemplate(programme=programme, key=template.key, position=template.position)
    if template.programme_id != programme.pk:
        raise NotYourTemplate
    return template


def _check_admin(programme: Programme, by: Member, at: datetime) -> None:
    if not programmes_of(by, at).filter(programme=programme).exists():
        raise NotYourTemplate
