"""Who may: one table from role to actions gives both the queryset and the check of one group.

Roles are rows with dates; what they may do is here and nowhere else. `is_superuser` is never asked.
"""

from datetime import datetime
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from groups.models import (
    Acceptance,
    Agreement,
    Group,
    Leave,
    Membership,
    MembershipRole,
    ProgrammeAdmin,
    during,
)
from members.models import Member


class Role(StrEnum):
    """What somebody is to a group at an instant."""

    LEADER = "leader"
    MEMBER = "member"
    # Belongs to the group, has not agreed to the version in force.
    NEWCOMER = "newcomer"
    # Agreed, on leave: own data and the dates.
    AWAY = "away"
    # Admin of the programme, and not in the group.
    ADMIN = "admin"


class Action(StrEnum):
    SEE_DATES = "see dates"
    SEE_NAMES = "see names"
    AGREE = "agree"
    ENTER = "enter"
    ANSWER = "answer"
    LEAVE = "leave the group"
    CONSENT_TO_LEADER = "consent to a leader"
    PLAN = "plan"
    CONDUCT = "conduct"
    PUT_DOWN = "put down"
    SEE_ANSWERS = "see answers"
    EDIT_INSIDE = "edit inside"
    EDIT_FRAME = "edit frame"
    INVITE = "invite"
    ANSWER_PROPOSAL = "answer a proposal"
    END_MEMBERSHIP = "end a membership"
    SEE_LEAVES = "see leaves"
    PROPOSE = "propose"
    ASK_ENDING = "ask for an ending"
    SEE_GROUP_LIST = "see the group list"


_ANYONE_INSIDE = {Action.SEE_DATES, Action.LEAVE}
_MEMBER = _ANYONE_INSIDE | {
    Action.SEE_NAMES,
    Action.ENTER,
    Action.ANSWER,
    Action.CONSENT_TO_LEADER,
}

GRANTS: dict[Role, frozenset[Action]] = {
    Role.NEWCOMER: frozenset(_ANYONE_INSIDE | {Action.AGREE}),
    Role.AWAY: frozenset(_ANYONE_INSIDE),
    Role.MEMBER: frozenset(_MEMBER),
    Role.LEADER: frozenset(
        _MEMBER
        | {
            Action.PLAN,
            Action.CONDUCT,
            Action.PUT_DOWN,
            Action.SEE_ANSWERS,
            Action.EDIT_INSIDE,
            Action.EDIT_FRAME,
            Action.INVITE,
            Action.ANSWER_PROPOSAL,
            Action.END_MEMBERSHIP,
            Action.SEE_LEAVES,
        }
    ),
    Role.ADMIN: frozenset(
        {
            Action.SEE_DATES,
            Action.EDIT_FRAME,
            Action.PROPOSE,
            Action.ASK_ENDING,
            Action.SEE_GROUP_LIST,
        }
    ),
}


def agreement_in_force(group: object, at: datetime) -> QuerySet[Agreement]:
    """The versions in force at `at`, newest first; `group` may be an OuterRef."""
    return Agreement.objects.filter(group=group, in_force_at__lte=at).order_by("-version")


def _agreed(member: Member, at: datetime) -> Exists:
    newest = Subquery(agreement_in_force(OuterRef(OuterRef("pk")), at).values("pk")[:1])
    return Exists(Acceptance.objects.filter(member=member, agreement=newest))


def _conditions(member: Member, at: datetime) -> dict[Role, Q]:
    """For each role, when a group counts `member` among it at `at`."""
    mine = Membership.objects.filter(during(at), group=OuterRef("pk"), member=member)
    inside = Q(Exists(mine))
    leads = Q(Exists(mine.filter(role=MembershipRole.LEADER)))
    agreed = Q(_agreed(member, at))
    away = Q(Exists(Leave.objects.filter(during(at), group=OuterRef("pk"), member=member)))
    admin = ProgrammeAdmin.objects.filter(
        during(at), programme=OuterRef("programme"), member=member
    )
    present = inside & agreed & ~away
    return {
        Role.LEADER: present & leads,
        Role.MEMBER: present & ~leads,
        Role.NEWCOMER: inside & ~agreed,
        Role.AWAY: inside & agreed & away,
        Role.ADMIN: Q(Exists(admin)) & ~inside,
    }


def groups_where(member: Member, action: Action, at: datetime) -> QuerySet[Group]:
    """The groups in which `member` may do `action` at `at`."""
    conditions = _conditions(member, at)
    fitting = Q(pk__in=[])
    for role, actions in GRANTS.items():
        if action in actions:
            fitting |= conditions[role]
    return Group.objects.filter(fitting)


def may(member: Member, action: Action, group: Group, at: datetime) -> bool:
    """Whether `member` may do `action` in `group` at `at`: the same table, one group."""
    return groups_where(member, action, at).filter(pk=group.pk).exists()


def roles_of(member: Member, group: Group, at: datetime) -> frozenset[Role]:
    """What `member` is to `group` at `at`, in one query."""
    conditions = _conditions(member, at)
    row = (
        Group.objects.filter(pk=group.pk)
        .annotate(**{f"is_{role}": condition for role, condition in conditions.items()})
        .values(*[f"is_{role}" for role in conditions])
        .first()
    )
    return frozenset(role for role in conditions if row and row[f"is_{role}"])


def actions_of(member: Member, group: Group, at: datetime) -> frozenset[Action]:
    """Everything `member` may do in `group` at `at`."""
    return frozenset(action for role in roles_of(member, group, at) for action in GRANTS[role])


def current(group: Group, at: datetime) -> QuerySet[Membership]:
    """Memberships of the group at `at`, those on leave among them, in the order of the circle."""
    return (
        Membership.objects.filter(during(at), group=group)
        .select_related("member")
        .order_by("starts_at", "pk")
    )


def leaders(group: Group, at: datetime) -> QuerySet[Member]:
    """The group's leaders at `at`."""
    held = Membership.objects.filter(during(at), role=MembershipRole.LEADER, group=group)
    return Member.objects.filter(pk__in=held.values("member")).order_by("name")


def programmes_of(member: Member, at: datetime) -> QuerySet[ProgrammeAdmin]:
    """The programmes `member` looks after at `at`."""
    return ProgrammeAdmin.objects.filter(during(at), member=member).select_related("programme")


def memberships_of(member: Member, at: datetime) -> QuerySet[Membership]:
    """The groups `member` belongs to at `at`, those on leave among them."""
    return (
        Membership.objects.filter(during(at), member=member)
        .select_related("group")
        .order_by("group__name", "pk")
    )
