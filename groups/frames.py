"""A group's frame: made by the office, edited by it and the leaders; its inside by leaders."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from groups import agreements, evenings, joining
from groups.models import Entrance, Group, Programme
from groups.policy import INSIDE as ROLES_INSIDE
from groups.policy import OFFICE, Action, current, may, programmes_of
from groups.signals import reminder_days_changed
from members import audit
from members.models import Member
from members.refusals import Refused

FRAME = ("name", "setting", "place", "time_zone", "cap", "contact")
INSIDE = (
    "alias",
    "presenter_camera",
    "shows_absences",
    "keeps_cases_days",
    "reminder_days",
    *evenings.SWITCHES,
    "evening",
    "minutes",
    "follow_up_words",
    "call_words",
    "talk_minutes",
)


class NotYours(Refused):
    sentence = _("This is not yours to do.")


class MoreMembersThanThat(Refused):
    sentence = _(
        "%(taken)s places are taken, by members and by newcomers invited already. "
        "There cannot be room for fewer."
    )


class KeepingLongerNeedsAll(Refused):
    sentence = _(
        "Keeping cases longer needs the yes of every member. Choose at most %(days)s days."
    )


@transaction.atomic
def create_group(programme: Programme, *, by: Member, at: datetime, **frame: Any) -> Group:
    """A group of the programme, with the ready agreement in force at once."""
    if not programmes_of(by, at).filter(programme=programme).exists():
        raise NotYours
    group = Group.objects.create(programme=programme, **frame)
    agreements.begin(group, by=by, at=at)
    audit.note(audit.MADE, audit.Thing.GROUP, group=group.pk)
    return group


@transaction.atomic
def edit_frame(
    group: Group, *, by: Member, at: datetime, office: bool = False, **frame: Any
) -> Group:
    """Change name, place, zone or size; meetings planned already stay as they are."""
    roles = OFFICE if office else ROLES_INSIDE
    if not may(by, Action.EDIT_FRAME, group, at, roles=roles):
        raise NotYours
    group = Group.objects.select_for_update().get(pk=group.pk)
    taken = joining.taken(group, at)
    if frame.get("cap", group.cap) < min(taken, group.cap):
        raise MoreMembersThanThat(taken=taken)
    return _changed(group, {name: frame[name] for name in FRAME if name in frame})


@transaction.atomic
def edit_inside(
    group: Group, *, by: Member, at: datetime, entrance: Mapping[str, str], **inside: Any
) -> Group:
    """Change how the group works, its name outside, and how one gets in."""
    if not may(by, Action.EDIT_INSIDE, group, at):
        raise NotYours
    group = Group.objects.select_for_update().get(pk=group.pk)
    if inside.get("keeps_cases_days", 0) > group.keeps_cases_days and _has_others(group, by, at):
        raise KeepingLongerNeedsAll(days=group.keeps_cases_days)
    _change_entrance(group, dict(entrance))
    before = group.reminder_days
    group = _changed(group, {name: inside[name] for name in INSIDE if name in inside})
    if group.reminder_days != before:
        reminder_days_changed.send(Group, group=group, at=at)
    return group


def _has_others(group: Group, by: Member, at: datetime) -> bool:
    return current(group, at).exclude(member=by).exists()


def _change_entrance(group: Group, given: dict[str, str]) -> None:
    stands = Entrance.objects.filter(group=group).values(*given).first()
    if stands != given:
        Entrance.objects.update_or_create(group=group, defaults=given)
        audit.note(audit.CHANGED, audit.Thing.ENTRANCE, group=group.pk)


def _changed(group: Group, values: Mapping[str, Any]) -> Group:
    new = {name for name, value in values.items() if getattr(group, name) != value}
    for name, value in values.items():
        setattr(group, name, value)
    group.save(update_fields=list(values))
    if new - {"keeps_cases_days"}:
        audit.note(audit.CHANGED, audit.Thing.FRAME, group=group.pk)
    if "keeps_cases_days" in new:
        audit.note(audit.CHANGED, audit.Thing.KEEPING, group=group.pk)
    return group
