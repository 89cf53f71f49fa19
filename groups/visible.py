"""What of the frame a person may see, from the table in `policy.py`; the rest is 404."""

from datetime import datetime

from django.db.models import Q, QuerySet

from groups.models import Ending, Group, Membership, Programme, Proposal, ProposedRole, during
from groups.policy import Action, groups_where, programmes_of
from members.models import Member


def groups(member: Member, at: datetime) -> QuerySet[Group]:
    """Groups whose name, dates and place the person may see: inside, on leave, or of the office."""
    return groups_where(member, Action.SEE_DATES, at)


def programmes(member: Member, at: datetime) -> QuerySet[Programme]:
    """The programmes the person looks after."""
    return Programme.objects.filter(pk__in=programmes_of(member, at).values("programme"))


def memberships(member: Member, at: datetime) -> QuerySet[Membership]:
    """Who is in a group, for those inside it and its office; and always one's own, past ones too."""
    named = Q(group__in=groups_where(member, Action.SEE_NAMES, at))
    listed = Q(group__in=groups_where(member, Action.SEE_GROUP_LIST, at))
    return Membership.objects.filter((during(at) & (named | listed)) | Q(member=member))


def proposals(member: Member, at: datetime) -> QuerySet[Proposal]:
    """Open proposals: for the leaders, the office, and in a leaderless group for a leader, all."""
    led = Q(group__in=groups_where(member, Action.ANSWER_PROPOSAL, at))
    office = Q(group__in=groups_where(member, Action.PROPOSE, at))
    joined = Q(role=ProposedRole.LEADER) & Q(
        group__in=groups_where(member, Action.CONSENT_TO_LEADER, at)
    )
    admins = Q(group=None, programme__in=programmes(member, at))
    return Proposal.objects.filter(Proposal.OPEN).filter(led | office | joined | admins)


def endings(member: Member, at: datetime) -> QuerySet[Ending]:
    """Endings not withdrawn: one's own, the leaders', and for the office those it asked for."""
    led = Q(group__in=groups_where(member, Action.END_MEMBERSHIP, at))
    own = Q(membership__member=member)
    return Ending.objects.filter(withdrawn_at=None).filter(led | own)
