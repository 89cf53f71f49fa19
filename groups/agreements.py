"""What everyone in a group agrees to: versioned, in force from a date, the gate to its pages."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from groups.models import Acceptance, Agreement, Group
from groups.policy import Action, agreement_in_force, may
from groups.signals import agreement_accepted
from members import audit
from members.models import Member
from members.refusals import Refused

READY_TEXT = _(
    "What is said in this group stays in this group. We do not speak of it outside, not with "
    "colleagues, not at home, and not with one another in the corridor. We do not go and help, "
    "however well we mean it, because of something we heard here.\n\n"
    "Patients are told of from memory, without names, places or anything a neighbour would "
    "recognise. If I know the patient, or believe I do, I say so and step out for this case; "
    "nobody asks me why.\n\n"
    "Nothing is recorded: no sound, no picture, no transcript, no notes by an assistant of any "
    "kind. Phones are away, or we are alone in the room when we meet online.\n\n"
    "Confidentiality has limits that our professions and the law set: danger to somebody’s life, "
    "or harm to a child. If that comes up, we say so in the group first.\n\n"
    "This is not therapy, and it is not a staff meeting. We give no advice. We try to understand "
    "one relationship with one patient. Nobody has to bring a case, to speak, or to explain "
    "themselves.\n\n"
    "I come when I can and say when I cannot. If I want to leave the group I tell it, so that we "
    "can say farewell. If something here troubles me, I can turn to the leaders."
)

# Parts that know dates add a reason why a version may not begin at an instant.
objections: list[Callable[[Group, datetime], str | None]] = []


class NotYours(Refused):
    sentence = _("This is not yours to do.")


class NothingToAgreeTo(Refused):
    sentence = _("You have agreed to this version already.")


class TextHasChanged(Refused):
    sentence = _("The text has changed since you opened this page. Please read it once more.")


class NothingToTakeBack(Refused):
    sentence = _("No new version is waiting to begin.")


class BeginsInThePast(Refused):
    sentence = _("A new version begins on a day to come.")


class TooCloseToAMeeting(Refused):
    sentence = _("A new version begins at least a day away from any meeting. %(why)s")


def begin(group: Group, *, by: Member | None, at: datetime) -> Agreement:
    """The ready text as version 1, in force from now on."""
    return Agreement.objects.create(
        group=group, version=1, text=str(READY_TEXT), in_force_at=at, written_by=by
    )


def in_force(group: Group, at: datetime) -> Agreement | None:
    """The version in force at `at`."""
    return agreement_in_force(group, at).first()


def coming(group: Group, at: datetime) -> Agreement | None:
    """The next version, if one is written."""
    later = Agreement.objects.filter(group=group, in_force_at__gt=at)
    return later.order_by("in_force_at").first()


@transaction.atomic
def accept(group: Group, *, by: Member, at: datetime, version: int | None = None) -> Acceptance:
    """Agree to the version in force, the one that was read; the group's pages open with it."""
    Group.objects.select_for_update().get(pk=group.pk)
    agreement = in_force(group, at)
    if agreement is None or not may(by, Action.AGREE, group, at):
        raise NothingToAgreeTo
    if version is not None and version != agreement.version:
        raise TextHasChanged
    acceptance = Acceptance.objects.create(
        agreement=agreement, group=group, member=by, accepted_at=at
    )
    agreement_accepted.send(Acceptance, group=group, member=by, at=at)
    return acceptance


@transaction.atomic
def write_version(
    group: Group, *, text: str, in_force_at: datetime, by: Member, at: datetime
) -> Agreement:
    """A new version; everyone is asked again when it begins, and stays agreed until then."""
    Group.objects.select_for_update().get(pk=group.pk)
    if not may(by, Action.EDIT_INSIDE, group, at):
        raise NotYours
    if in_force_at <= at:
        raise BeginsInThePast
    for objection in objections:
        if why := objection(group, in_force_at):
            raise TooCloseToAMeeting(why=why)
    Agreement.objects.filter(group=group, in_force_at__gt=at).delete()
    audit.note(audit.CHANGED, audit.Thing.AGREEMENT, group=group.pk)
    newest = Agreement.objects.filter(group=group).order_by("-version").first()
    return Agreement.objects.create(
        group=group,
        version=newest.version + 1 if newest else 1,
        text=text.strip(),
        in_force_at=in_force_at,
        written_by=by,
    )


@transaction.atomic
def take_back_version(group: Group, *, by: Member, at: datetime) -> None:
    """A version that has not begun never was."""
    if not may(by, Action.EDIT_INSIDE, group, at):
        raise NotYours
    taken, _kinds = Agreement.objects.filter(group=group, in_force_at__gt=at).delete()
    if not taken:
        raise NothingToTakeBack
    audit.note(audit.WITHDRAWN, audit.Thing.AGREEMENT, group=group.pk)
