"""No more reminders of a group, from a letter: one click, in the mail program itself (RFC 8058).

The address is bound to the person and the groups the letter was about, and stays good: whoever
clicks on an old letter, or has left since, reads the same. Word of a change still comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from groups.models import Group, Preference
from groups.policy import memberships_of
from groups.signals import preference_changed
from members import links
from members.letters.compose import page
from members.models import Member

PURPOSE = "unsubscribe"


@dataclass(frozen=True)
class Reader:
    """Whose letter it was, and of which groups; nobody when the account has gone."""

    member: Member | None
    groups: Sequence[Group]


def url(member: Member, groups: Sequence[Group]) -> str:
    """The address a letter holds, absolute."""
    return page("unsubscribe", token(member, groups))


def token(member: Member, groups: Sequence[Group]) -> str:
    return links.make(PURPOSE, [member.pk, *(group.pk for group in groups)])


def read(text: str) -> Reader | None:
    """Whose letter a token comes from; None for one we did not make."""
    link = links.read(text)
    if link is None or len(link.ids) < 2 or not link.holds(PURPOSE):
        return None
    member = Member.objects.filter(pk=link.ids[0], is_active=True).first()
    groups = Group.objects.filter(pk__in=link.ids[1:]).order_by("name", "pk")
    return Reader(member, list(groups) if member else [])


@transaction.atomic
def stop(reader: Reader, *, at: datetime) -> None:
    """No more reminders of these groups, as if said in the settings; who left has none to stop."""
    member = reader.member
    if member is None:
        return
    inside = set(memberships_of(member, at).values_list("group", flat=True))
    for group in reader.groups:
        if group.pk in inside:
            Preference.objects.update_or_create(
                group=group, member=member, defaults={"reminders": False}
            )
            preference_changed.send(Preference, group=group, member=member, at=at)
