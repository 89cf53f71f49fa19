"""Who may: the table, and that filter and check are the same table."""

import pytest
from django.utils import timezone

from groups.models import Leave
from groups.policy import (
    GRANTS,
    OFFICE,
    Action,
    Role,
    actions_of,
    groups_where,
    may,
    roles_by_group,
    roles_of,
)
from tests.world import as_member, as_owner

PERSONAS = {
    "leader": {Role.LEADER},
    "second_leader": {Role.LEADER},
    "presenter": {Role.MEMBER},
    "member": {Role.MEMBER},
    "absent": {Role.MEMBER},
    "newcomer": {Role.NEWCOMER},
    "on_leave": {Role.AWAY},
    "former": set(),
    "admin": {Role.ADMIN},
    "outsider": set(),
    "superuser": set(),
}


@pytest.mark.parametrize(("persona", "roles"), PERSONAS.items(), ids=PERSONAS)
def test_everyone_is_what_their_rows_say(circle, persona, roles):
    person = getattr(circle, persona)
    with as_member(person):
        assert roles_of(person, circle.group, timezone.now()) == roles


@pytest.mark.parametrize("persona", PERSONAS)
def test_filter_and_check_come_from_one_table(circle, persona):
    person, now = getattr(circle, persona), timezone.now()
    granted = {action for role in PERSONAS[persona] for action in GRANTS[role]}
    with as_member(person):
        assert actions_of(person, circle.group, now) == granted
        for action in Action:
            expected = action in granted
            assert may(person, action, circle.group, now) == expected
            assert groups_where(person, action, now).filter(pk=circle.group.pk).exists() == expected


@pytest.mark.parametrize("persona", [name for name in PERSONAS if name != "admin"])
def test_roles_by_group_are_those_of_each_group(circle, persona):
    person, now = getattr(circle, persona), timezone.now()
    with as_member(person):
        groups = [circle.group, circle.other_group]
        each = {group.pk: roles_of(person, group, now) for group in groups}
        held = {pk: roles for pk, roles in each.items() if roles}
        assert roles_by_group(person, now) == held


def test_every_action_is_granted_to_somebody():
    assert set().union(*GRANTS.values()) == set(Action)


def test_an_admin_in_the_group_is_no_admin_of_it(circle):
    from tests.world import join

    join(circle.group, circle.admin)
    with as_member(circle.admin):
        assert roles_of(circle.admin, circle.group, timezone.now()) == {Role.MEMBER}
        assert not may(circle.admin, Action.PROPOSE, circle.group, timezone.now())


def test_the_office_may_ask_without_any_right_on_content(circle):
    now = timezone.now()
    with as_member(circle.admin, "balint_roster"):
        assert may(circle.admin, Action.SEE_DATES, circle.group, now, roles=OFFICE)
        assert not may(circle.outsider, Action.SEE_DATES, circle.group, now, roles=OFFICE)


def test_a_leave_gives_the_role_back_at_its_end(circle):
    with as_owner():
        Leave.objects.update(ended_at=timezone.now())
    with as_member(circle.on_leave):
        assert roles_of(circle.on_leave, circle.group, timezone.now()) == {Role.MEMBER}


def test_a_new_version_in_force_makes_everyone_a_newcomer_until_they_agree(circle):
    from groups.models import Agreement

    with as_owner():
        Agreement.objects.create(
            group=circle.group, version=2, text="New.", in_force_at=timezone.now()
        )
    with as_member(circle.leader):
        assert roles_of(circle.leader, circle.group, timezone.now()) == {Role.NEWCOMER}
