"""The end of a group: one leader asks with a last day, and nobody confirms his own wish.

The other leader says yes; where one leads alone, an admin of the programme does, who sees the date
and nothing else. Until that day it may be taken back. What the group held is deleted once the day
and its last meeting are over (`balint_end_groups_due`); own hours and reflections stay.
"""

from contextlib import nullcontext
from datetime import date, datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from groups.cadence import last_day, next_midnight
from groups.leaving import LastDayIsPast, NotYours, OwnWish
from groups.models import Group, GroupEnd
from groups.policy import OFFICE, Action, may
from groups.signals import group_end_confirmed, group_end_withdrawn
from groups.zones import day_words
from members import audit
from members.identity import acting_as
from members.models import Member
from members.refusals import Refused


class EndStands(Refused):
    sentence = _("A last day of the group is set already. Take it back first.")


class EndIsSettled(Refused):
    sentence = _("This has been settled in the meantime. Load the page again.")


class AnotherLeads(Refused):
    sentence = _("The leader who asked does not lead alone: another leader has to say yes.")


def standing(group: Group) -> GroupEnd | None:
    """The end that is asked for or set, if there is one, with who asked."""
    open_ = GroupEnd.objects.filter(group=group, withdrawn_at=None, forgotten_at=None)
    return open_.select_related("asked_by", "group").first()


def over(at: datetime) -> QuerySet[GroupEnd]:
    """Ends whose day has come; a group that nobody leads since is no group to look after."""
    return GroupEnd.objects.filter(confirmed_at__isnull=False, withdrawn_at=None, ends_at__lte=at)


def day_of(end: GroupEnd, at: datetime) -> str:
    """The group's last day, as people say it."""
    zone = end.group.zone
    return day_words(last_day(end.ends_at, end.group.time_zone), at.astimezone(zone).date())


def leads_alone(group: Group, leader: UUID | None) -> bool:
    """Whether that person leads and no other leader is there at present; for those concerned.

    The database answers, for the office may not look at leaves.
    """
    with connection.cursor() as cursor:
        cursor.execute("select public.balint_leads_alone(%s, %s)", [group.pk, leader])
        return bool(cursor.fetchone()[0])


@transaction.atomic
def ask(group: Group, *, by: Member, at: datetime, last_on: date) -> GroupEnd:
    """A leader asks that the group ends after a day; nothing changes yet. Raises Refused."""
    group = _locked(group.pk)
    if not may(by, Action.END_GROUP, group, at):
        raise NotYours
    ends_at = next_midnight(last_on, group.time_zone)
    if ends_at <= at:
        raise LastDayIsPast
    if standing(group):
        raise EndStands
    audit.note(audit.ASKED, audit.Thing.GROUP, group=group.pk)
    return GroupEnd.objects.create(group=group, asked_by=by, asked_at=at, ends_at=ends_at)


@transaction.atomic
def confirm(end: GroupEnd, *, by: Member, at: datetime, office: bool = False) -> GroupEnd:
    """The yes of somebody else: memberships get their end, the dates after it are cancelled.

    Raises Refused.
    """
    group, end = _locked(end.group_id), _open(end)
    _check_confirm(end, group, by, at, office)
    if end.ends_at <= at:
        raise LastDayIsPast
    end.confirmed_by, end.confirmed_at = by, at
    end.save(update_fields=["confirmed_by", "confirmed_at"])
    audit.note(audit.AGREED, audit.Thing.GROUP, group=group.pk)
    # The office plans no dates: they are cancelled in the name of the leader who asked for it, and
    # the record says who did it.
    asker = end.asked_by if office else by
    with acting_as(asker, "balint_app", keeps_actor=True) if office else nullcontext():
        group_end_confirmed.send(GroupEnd, group=group, end=end, by=asker, at=at)
    return end


@transaction.atomic
def withdraw(end: GroupEnd, *, by: Member, at: datetime) -> GroupEnd:
    """A leader takes it back, or says no: everything is as it was. Raises Refused."""
    group = _locked(end.group_id)
    end = GroupEnd.objects.select_for_update(of=("self",)).get(pk=end.pk)
    if not may(by, Action.END_GROUP, group, at):
        raise NotYours
    if end.withdrawn_at or end.forgotten_at or end.ends_at <= at:
        raise EndIsSettled
    end.withdrawn_at = at
    end.save(update_fields=["withdrawn_at"])
    audit.note(audit.WITHDRAWN, audit.Thing.GROUP, group=group.pk)
    if end.confirmed_at:
        group_end_withdrawn.send(GroupEnd, group=group, end=end, by=by, at=at)
    return end


def _check_confirm(end: GroupEnd, group: Group, by: Member, at: datetime, office: bool) -> None:
    wanted = Action.CONFIRM_GROUP_END if office else Action.END_GROUP
    if not may(by, wanted, group, at, **({"roles": OFFICE} if office else {})):
        raise NotYours
    if end.asked_by_id == by.pk:
        raise OwnWish
    if office and not leads_alone(group, end.asked_by_id):
        raise AnotherLeads


def _locked(pk: UUID) -> Group:
    return Group.objects.select_for_update(no_key=True).get(pk=pk)


def _open(end: GroupEnd) -> GroupEnd:
    fresh = GroupEnd.objects.select_for_update(of=("self",)).get(pk=end.pk)
    if fresh.withdrawn_at or fresh.confirmed_at:
        raise EndIsSettled
    return fresh
