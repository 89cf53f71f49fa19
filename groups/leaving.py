"""Leaving for a time or for good: by the person, or by the leaders together; kindly, with a date.

The reason stands in a row of its own that the leaders alone read. An admin may ask, and sees the
date. Nobody confirms his own wish for somebody else: where two lead, both say yes.
"""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from groups.cadence import instant, next_midnight
from groups.models import (
    AskedAs,
    Consent,
    Ending,
    Group,
    GroupEnd,
    Leave,
    LeavingReason,
    Membership,
    during,
)
from groups.policy import OFFICE, Action, leaders, may
from groups.signals import leave_changed, membership_ended
from members import audit
from members.models import Member
from members.refusals import Refused

REASONS_KEPT = timedelta(days=90)


class NotYours(Refused):
    sentence = _("This is not yours to do.")


class SettledBefore(Refused):
    sentence = _(
        "Your last day was settled with the leaders before, so it stays. "
        "They can propose you again."
    )


class NotInTheGroup(Refused):
    sentence = _("This person is not in the group any more.")


class EndingStands(Refused):
    sentence = _("A last day is set already. Take it back first, if it shall be another.")


class LeaveByYourself(Refused):
    sentence = _("Your own leaving is on a page of its own, and needs nobody’s yes.")


class OwnWish(Refused):
    sentence = _("Nobody confirms their own wish. Somebody else has to say yes.")


class EndingIsSettled(Refused):
    sentence = _("This has been settled in the meantime. Load the page again.")


class LastDayIsPast(Refused):
    sentence = _("The last day lies in the past. Choose today or a later day.")


class ComesBackBeforeLeaving(Refused):
    sentence = _("The day of return must come after the first day away.")


class AwayAlready(Refused):
    sentence = _("A time away is set already. End it first, if it shall be another.")


class NotAway(Refused):
    sentence = _("No time away is set.")


@transaction.atomic
def leave(
    group: Group, *, by: Member, at: datetime, last_on: date | None = None, reason: str = ""
) -> Ending:
    """The person goes, now or after a last day; it is always theirs to do, and settled at once."""
    _locked(group.pk)
    membership = _running(group, by, at)
    _replace_standing(membership, _end_of(last_on, group, at), at)
    ending = _ask(membership, AskedAs.PERSON, by, at, last_on, reason)
    _confirm(ending, at)
    return ending


@transaction.atomic
def end_membership(
    membership: Membership, *, by: Member, at: datetime, last_on: date | None, reason: str = ""
) -> Ending:
    """A leader asks that somebody goes; with two leaders the other has to say yes as well."""
    group = _locked(membership.group_id)
    if not may(by, Action.END_MEMBERSHIP, group, at):
        raise NotYours
    if membership.member_id == by.pk:
        raise LeaveByYourself
    ending = _ask(_running(group, membership.member, at), AskedAs.LEADER, by, at, last_on, reason)
    _consent(ending, by, at)
    audit.note(audit.ASKED, audit.Thing.ENDING, group=group.pk)
    _settle(ending, at)
    return ending


@transaction.atomic
def ask_ending(membership: Membership, *, by: Member, at: datetime, last_on: date | None) -> Ending:
    """The office asks for an ending, by date alone; the leaders decide."""
    group = _locked(membership.group_id)
    if not may(by, Action.ASK_ENDING, group, at, roles=OFFICE):
        raise NotYours
    audit.note(audit.ASKED, audit.Thing.ENDING, group=group.pk)
    return _ask(_running(group, membership.member, at), AskedAs.ADMIN, by, at, last_on, "")


@transaction.atomic
def confirm_ending(ending: Ending, *, by: Member, at: datetime) -> Ending:
    """A leader's yes; when all present leaders have said it, the date stands."""
    group = _locked(ending.group_id)
    ending = _open_ending(ending)
    if not may(by, Action.END_MEMBERSHIP, group, at):
        raise NotYours
    if ending.asked_as == AskedAs.ADMIN and ending.asked_by_id == by.pk:
        raise OwnWish
    if not Consent.objects.filter(ending=ending, member=by).exists():
        _consent(ending, by, at)
    elif needed(ending, at):
        raise EndingIsSettled
    audit.note(audit.AGREED, audit.Thing.ENDING, group=group.pk)
    # Who said yes already may settle it when the leader still to be asked has left since.
    _settle(ending, at)
    return ending


@transaction.atomic
def withdraw_ending(ending: Ending, *, by: Member, at: datetime, office: bool = False) -> None:
    """Take it back, before its day: the person what is their own, leaders and office theirs."""
    group = _locked(ending.group_id)
    ending = Ending.objects.select_for_update().get(pk=ending.pk)
    if ending.withdrawn_at or (ending.confirmed_at and ending.ends_at <= at):
        raise EndingIsSettled
    if not _may_withdraw(ending, group, by, at, office):
        raise NotYours
    _take_back(ending, at)
    audit.note(audit.WITHDRAWN, audit.Thing.ENDING, group=group.pk)


@transaction.atomic
def go_on_leave(
    group: Group,
    member: Member,
    *,
    starts_on: date,
    until_on: date | None,
    by: Member,
    at: datetime,
    reason: str = "",
) -> Leave:
    """Away from the start of one day to the start of another; no reminders, no link, place kept."""
    _check_leave(group, member, by, at)
    _running(group, member, at)
    starts_at = max(at, instant(starts_on, time.min, group.time_zone))
    ended_at = instant(until_on, time.min, group.time_zone) if until_on else None
    if ended_at and ended_at <= starts_at:
        raise ComesBackBeforeLeaving
    if standing_leave(group, member, at):
        raise AwayAlready
    away = Leave(group=group, member=member, starts_at=starts_at, ended_at=ended_at)
    away.reason = reason
    away.save(force_insert=True)
    audit.note(audit.CHANGED, audit.Thing.LEAVE, group=group.pk, of=member.pk)
    leave_changed.send(Leave, group=group, member=member, at=at)
    return away


@transaction.atomic
def come_back(group: Group, member: Member, *, by: Member, at: datetime) -> None:
    """End a time away now; one that has not begun never was."""
    _check_leave(group, member, by, at)
    away = standing_leave(group, member, at)
    if away is None:
        raise NotAway
    _end_leave(away, at)
    audit.note(audit.CHANGED, audit.Thing.LEAVE, group=group.pk, of=member.pk)
    leave_changed.send(Leave, group=group, member=member, at=at)


def thing_of(membership: Membership) -> audit.Thing:
    """What its beginning and its end are called on record."""
    return audit.Thing.LEADER if membership.leads else audit.Thing.MEMBERSHIP


def needed(ending: Ending, at: datetime) -> set[UUID]:
    """Leaders whose yes is still missing; for the leaders themselves to ask, since leaves count."""
    said = set(Consent.objects.filter(ending=ending, yes=True).values_list("member", flat=True))
    return asked(ending, at) - said


def asked(ending: Ending, at: datetime) -> set[UUID]:
    """Whose yes it takes: every leader who is not away; about a leader, that leader's as well."""
    away = Leave.objects.filter(during(at), group=ending.group_id).values("member")
    here = leaders(ending.group, at).exclude(pk__in=away)
    voices = set(here.values_list("pk", flat=True))
    return voices | {ending.membership.member_id} if ending.membership.leads else voices


def end_old_leave(group: Group, member: Member, *, at: datetime) -> None:
    """Somebody who comes into the group again is not away, whatever was set before they left."""
    away = standing_leave(group, member, at)
    if away is not None:
        _end_leave(away, at)


def _ask(
    membership: Membership,
    asked_as: AskedAs,
    by: Member,
    at: datetime,
    last_on: date | None,
    reason: str,
) -> Ending:
    group = membership.group
    ends_at = _end_of(last_on, group, at)
    if Ending.objects.filter(membership=membership, withdrawn_at=None).exists():
        raise EndingStands
    ending = Ending.objects.create(
        group=group,
        membership=membership,
        asked_by=by,
        asked_as=asked_as,
        asked_at=at,
        ends_at=ends_at,
    )
    if reason.strip():
        kept = LeavingReason(
            group=group,
            member=membership.member,
            ending=ending,
            forget_on=(ends_at + REASONS_KEPT).date(),
        )
        kept.text = reason.strip()
        kept.save(force_insert=True)
    return ending


def _end_of(last_on: date | None, group: Group, at: datetime) -> datetime:
    """The midnight that ends the last day, or now where no day is named."""
    ends_at = next_midnight(last_on, group.time_zone) if last_on else at
    if ends_at < at:
        raise LastDayIsPast
    return ends_at


def _consent(ending: Ending, by: Member, at: datetime) -> None:
    Consent.objects.create(
        group_id=ending.group_id, ending=ending, member=by, yes=True, given_at=at
    )


def _settle(ending: Ending, at: datetime) -> None:
    if not needed(ending, at):
        _confirm(ending, at)


def _confirm(ending: Ending, at: datetime) -> None:
    """The date stands; one that has passed while a yes was missing means now."""
    if ending.ends_at < at:
        ending.ends_at = at
        LeavingReason.objects.filter(ending=ending).update(forget_on=(at + REASONS_KEPT).date())
    ending.confirmed_at = at
    ending.save(update_fields=["confirmed_at", "ends_at"])
    membership = ending.membership
    membership.ended_at = min(ending.ends_at, _end_of_group(ending) or ending.ends_at)
    membership.save(update_fields=["ended_at"])
    audit.note(audit.ENDED, thing_of(membership), group=ending.group_id)
    membership_ended.send(Membership, group=ending.group, member=membership.member, at=at)


def _end_of_group(ending: Ending) -> datetime | None:
    """When the whole group ends, if that is set."""
    set_ = GroupEnd.objects.filter(withdrawn_at=None, forgotten_at=None, confirmed_at__isnull=False)
    return set_.filter(group=ending.group_id).values_list("ends_at", flat=True).first()


def _take_back(ending: Ending, at: datetime) -> None:
    _withdraw(ending, at)
    if ending.confirmed_at:
        _goes_on(ending, at)


def _withdraw(ending: Ending, at: datetime) -> None:
    ending.withdrawn_at = at
    ending.save(update_fields=["withdrawn_at"])
    if ending.asked_as != AskedAs.ADMIN:
        # The office gives no reason, and its database role could not look for one.
        LeavingReason.objects.filter(ending=ending).delete()


def _goes_on(ending: Ending, at: datetime) -> None:
    """On until the group's own end, if one is set; nobody takes back what others settled."""
    membership = ending.membership
    settled = Ending.objects.filter(membership=membership, confirmed_at__isnull=False)
    if ending.asked_as == AskedAs.PERSON and settled.exclude(asked_as=AskedAs.PERSON).exists():
        raise SettledBefore
    if membership.ended_at != ending.ends_at:
        # The group itself ends before, and that stands.
        return
    membership.ended_at = _end_of_group(ending)
    membership.save(update_fields=["ended_at"])
    membership_ended.send(Membership, group=ending.group, member=membership.member, at=at)


def _replace_standing(membership: Membership, ends_at: datetime, at: datetime) -> None:
    """A person's own leaving replaces any other, but not a settled one by a later day."""
    standing = Ending.objects.filter(membership=membership, withdrawn_at=None).first()
    if standing is None:
        return
    if standing.confirmed_at and standing.asked_as != AskedAs.PERSON and standing.ends_at < ends_at:
        raise EndingStands
    if standing.confirmed_at and standing.ends_at < ends_at:
        _take_back(standing, at)
    else:
        # A sooner day takes the place of the one that stands, which nobody reopens meanwhile.
        _withdraw(standing, at)


def _may_withdraw(ending: Ending, group: Group, by: Member, at: datetime, office: bool) -> bool:
    asked_only = ending.asked_as == AskedAs.ADMIN and ending.confirmed_at is None
    if asked_only and may(by, Action.ASK_ENDING, group, at, roles=OFFICE):
        return True
    if office:
        return False
    if ending.asked_as == AskedAs.PERSON:
        return ending.membership.member_id == by.pk
    return may(by, Action.END_MEMBERSHIP, group, at)


def _running(group: Group, member: Member, at: datetime) -> Membership:
    held = Membership.objects.filter(during(at), group=group, member=member)
    membership = held.select_related("group", "member").select_for_update(of=("self",)).first()
    if membership is None:
        raise NotInTheGroup
    return membership


def _locked(pk: UUID) -> Group:
    return Group.objects.select_for_update().get(pk=pk)


def _open_ending(ending: Ending) -> Ending:
    fresh = Ending.objects.select_for_update().get(pk=ending.pk)
    if fresh.withdrawn_at or fresh.confirmed_at:
        raise EndingIsSettled
    return fresh


def _check_leave(group: Group, member: Member, by: Member, at: datetime) -> None:
    if by.pk != member.pk and (
        not may(by, Action.SEE_LEAVES, group, at) or member in leaders(group, at)
    ):
        # A leader who is away is not asked for a yes: so no leader puts the other there.
        raise NotYours


def standing_leave(group: Group, member: Member, at: datetime) -> Leave | None:
    """The time away that is set, begun or not; for the person and the leaders."""
    standing = Q(ended_at=None) | Q(ended_at__gt=at)
    return Leave.objects.filter(standing, group=group, member=member).first()


def _end_leave(away: Leave, at: datetime) -> None:
    if away.starts_at > at:
        away.delete()
    else:
        away.ended_at = at
        away.save(update_fields=["ended_at"])
