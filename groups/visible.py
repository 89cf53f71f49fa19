"""What of the frame a person may see, from the table in `policy.py`; the rest is 404.

The office's pages pass `roles=OFFICE`: their database role may not look at leaves.
"""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from groups.models import (
    Ending,
    Group,
    Leave,
    Membership,
    MembershipRole,
    Programme,
    Proposal,
    ProposedRole,
    during,
)
from groups.policy import EVERY_ROLE, Action, Role, groups_where, programmes_of
from members.models import Member

Roles = frozenset[Role]


def groups(member: Member, at: datetime, roles: Roles = EVERY_ROLE) -> QuerySet[Group]:
    """Groups whose name, dates and place the person may see: inside, on leave, or of the office."""
    return groups_where(member, Action.SEE_DATES, at, roles=roles)


def programmes(member: Member, at: datetime) -> QuerySet[Programme]:
    """The programmes the person looks after."""
    return Programme.objects.filter(pk__in=programmes_of(member, at).values("programme"))


def memberships(member: Member, at: datetime, roles: Roles = EVERY_ROLE) -> QuerySet[Membership]:
    """Who is in a group, for those inside and its office; and always one's own, past ones too."""
    named = Q(group__in=groups_where(member, Action.SEE_NAMES, at, roles=roles))
    listed = Q(group__in=groups_where(member, Action.SEE_GROUP_LIST, at, roles=roles))
    return Membership.objects.filter((during(at) & (named | listed)) | Q(member=member))


def proposals(member: Member, at: datetime, roles: Roles = EVERY_ROLE) -> QuerySet[Proposal]:
    """Open proposals: for the leaders, the office, and in a leaderless group for a leader, all."""
    led = Q(group__in=groups_where(member, Action.ANSWER_PROPOSAL, at, roles=roles))
    office = Q(group__in=groups_where(member, Action.PROPOSE, at, roles=roles))
    has_leader = Membership.objects.filter(
        during(at), group=OuterRef("group"), role=MembershipRole.LEADER
    )
    joined = (
        Q(role=ProposedRole.LEADER)
        & Q(group__in=groups_where(member, Action.CONSENT_TO_LEADER, at, roles=roles))
        & ~Exists(has_leader)
    )
    admins = Q(group=None, programme__in=programmes(member, at))
    return Proposal.objects.filter(Proposal.OPEN).filter(led | office | joined | admins)


def leaves(member: Member, at: datetime) -> QuerySet[Leave]:
    """Times away: one's own, and for leaders those that ran in the time of their own lead."""
    led = Membership.objects.filter(
        during(at), group=OuterRef("group"), member=member, role=MembershipRole.LEADER
    )
    ran = Q(ended_at=None) | Exists(led.filter(starts_at__lt=OuterRef("ended_at")))
    groups = groups_where(member, Action.SEE_LEAVES, at)
    return Leave.objects.filter(Q(member=member) | (Q(group__in=groups) & ran))


def endings(member: Member, at: datetime, roles: Roles = EVERY_ROLE) -> QuerySet[Ending]:
    """Endings not withdrawn: one's own, the leaders' all, the office's all without a reason."""
    led = Q(group__in=groups_where(member, Action.END_MEMBERSHIP, at, roles=roles))
    office = Q(group__in=groups_where(member, Action.ASK_ENDING, at, roles=roles))
    own = Q(membership__member=member)
    return Ending.objects.filter(withdrawn_at=None).filter(led | office | own)
