"""Who may: one table from role to actions gives both the queryset and the check of one group.

Roles are rows with dates; what they may do is here and nowhere else. `is_superuser` is never asked.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from uuid import UUID

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
from members.prepared import prepared


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
    END_GROUP = "end the group"
    CONFIRM_GROUP_END = "confirm the end of a group led by one"
    SEE_GROUP_LIST = "see the group list"
    OPEN_RECORD = "open the record"


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
            Action.OPEN_RECORD,
            Action.END_GROUP,
        }
    ),
    Role.ADMIN: frozenset(
        {
            Action.SEE_DATES,
            Action.EDIT_FRAME,
            Action.PROPOSE,
            Action.ASK_ENDING,
            Action.CONFIRM_GROUP_END,
            Action.SEE_GROUP_LIST,
            Action.OPEN_RECORD,
        }
    ),
}


def agreement_in_force(group: Group | OuterRef, at: datetime) -> QuerySet[Agreement]:
    """The versions in force at `at`, newest first; `group` may be an OuterRef."""
    return Agreement.objects.filter(group=group, in_force_at__lte=at).order_by("-version")


def _agreed(member: Member, at: datetime, group: str = "pk") -> Exists:
    newest = Subquery(agreement_in_force(OuterRef(OuterRef(group)), at).values("pk")[:1])
    return Exists(Acceptance.objects.filter(member=member, agreement=newest))


def _away(member: Member, at: datetime, group: str = "pk") -> Exists:
    return Exists(Leave.objects.filter(during(at), group=OuterRef(group), member=member))


Condition = Callable[[Member, datetime], Q]


def _inside(member: Member, at: datetime, **more: str) -> Q:
    held = Membership.objects.filter(during(at), group=OuterRef("pk"), member=member, **more)
    return Q(Exists(held))


def _leader(member: Member, at: datetime) -> Q:
    leads = _inside(member, at, role=MembershipRole.LEADER)
    return leads & Q(_agreed(member, at), ~_away(member, at))


def _member(member: Member, at: datetime) -> Q:
    belongs = _inside(member, at, role=MembershipRole.MEMBER)
    return belongs & Q(_agreed(member, at), ~_away(member, at))


def _present(member: Member, at: datetime) -> Q:
    return _inside(member, at) & Q(_agreed(member, at), ~_away(member, at))


def _newcomer(member: Member, at: datetime) -> Q:
    return _inside(member, at) & ~Q(_agreed(member, at))


def _on_leave(member: Member, at: datetime) -> Q:
    return _inside(member, at) & Q(_agreed(member, at), _away(member, at))


def _admin(member: Member, at: datetime) -> Q:
    # No look at leaves: the office's database role could not take it.
    held = ProgrammeAdmin.objects.filter(during(at), programme=OuterRef("programme"), member=member)
    return Q(Exists(held)) & ~_inside(member, at)


# For each role, when a group counts somebody among it.
CONDITIONS: dict[Role, Condition] = {
    Role.LEADER: _leader,
    Role.MEMBER: _member,
    Role.NEWCOMER: _newcomer,
    Role.AWAY: _on_leave,
    Role.ADMIN: _admin,
}
OFFICE = frozenset({Role.ADMIN})
EVERY_ROLE = frozenset(Role)
INSIDE = EVERY_ROLE - OFFICE
# Roles that are one question together.
TOGETHER: tuple[tuple[frozenset[Role], Condition], ...] = (
    (INSIDE, _inside),
    (frozenset({Role.LEADER, Role.MEMBER}), _present),
)


def groups_where(
    member: Member, action: Action, at: datetime, *, roles: frozenset[Role] = EVERY_ROLE
) -> QuerySet[Group]:
    """The groups in which `member` may do `action` at `at`.

    `roles` narrows to what the person is there as: the office's pages pass OFFICE.
    """
    may = frozenset(role for role in roles if action in GRANTS[role])
    return _groups_of(member, at, may) if may else Group.objects.none()


@prepared
def _groups_of(member: Member, at: datetime, roles: frozenset[Role]) -> QuerySet[Group]:
    """The groups to which `member` is one of these at `at`."""
    fitting = Q(pk__in=[])
    for together, condition in (*TOGETHER, *_each(CONDITIONS)):
        if together <= roles:
            fitting |= condition(member, at)
            roles -= together
    return Group.objects.filter(fitting)


def _each(conditions: Mapping[Role, Condition]) -> Iterator[tuple[frozenset[Role], Condition]]:
    for role, condition in conditions.items():
        yield frozenset({role}), condition


def may(
    member: Member,
    action: Action,
    group: Group,
    at: datetime,
    *,
    roles: frozenset[Role] = EVERY_ROLE,
) -> bool:
    """Whether `member` may do `action` in `group` at `at`: the same table, one group."""
    return groups_where(member, action, at, roles=roles).filter(pk=group.pk).exists()


def roles_of(member: Member, group: Group, at: datetime) -> frozenset[Role]:
    """What `member` is to `group` at `at`."""
    inside = roles_by_group(member, at).get(group.pk)
    if inside is not None:
        return inside
    looks_after = programmes_of(member, at).filter(programme=group.programme_id)
    return OFFICE if looks_after.exists() else frozenset()


def roles_by_group(member: Member, at: datetime) -> dict[UUID, frozenset[Role]]:
    """What `member` is to each group they belong to at `at`.

    The table's conditions from three facts of one query; a test holds the two equal.
    """
    rows = Membership.objects.filter(during(at), member=member).values_list(
        "group", "role", _agreed(member, at, "group"), _away(member, at, "group")
    )
    roles: dict[UUID, frozenset[Role]] = {}
    for group, held, agreed_now, away_now in rows:
        role = _role(held, agreed=agreed_now, away=away_now)
        roles[group] = roles.get(group, frozenset()) | {role}
    return roles


def _role(held: str, *, agreed: bool, away: bool) -> Role:
    if not agreed:
        return Role.NEWCOMER
    if away:
        return Role.AWAY
    return Role.LEADER if held == MembershipRole.LEADER else Role.MEMBER


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
