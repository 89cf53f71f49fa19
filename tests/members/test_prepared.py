"""A prepared filter answers as the filter it was made from, for everybody and at every time."""

from datetime import timedelta
from inspect import unwrap

import pytest
from django.utils import timezone

from groups import policy
from groups.policy import Action, Role
from members import prepared
from members.prepared import Prepared
from sessions import visible
from sessions.models import CasePresentation, Session
from tests.balint.installation import install
from tests.world import as_owner

FILTERS = [
    *(visible.circle, visible.conducted, visible.entered, visible.rooms, visible.sessions),
]
DAYS = [-800, -30, -0.5, 0, 0.02, 10, 400]


def keys(rows):
    return set(rows.values_list("pk", flat=True))


@pytest.mark.parametrize("days", DAYS)
def test_it_shows_everybody_what_the_filter_shows(circle, days):
    everything, at = install(circle), timezone.now() + timedelta(days=days)
    shown = 0
    with as_owner():
        for person in everything.personas.values():
            for rule in FILTERS:
                found = keys(rule(person, at))
                assert found == keys(unwrap(rule)(person, at)), rule
                shown += len(found)
            for roles in (frozenset({role}) for role in Role):
                found = keys(policy._groups_of(person, at, roles))
                assert found == keys(unwrap(policy._groups_of)(person, at, roles))
    assert shown or days < -400


def test_the_filters_of_these_tests_are_prepared():
    for rule in FILTERS:
        assert unwrap(rule) is not rule


def test_roles_asked_together_are_the_roles_asked_one_by_one(circle):
    everything, at = install(circle), timezone.now()
    with as_owner():
        for person in everything.personas.values():
            each = {role: keys(policy._groups_of(person, at, frozenset({role}))) for role in Role}
            for action in Action:
                may = [each[role] for role in Role if action in policy.GRANTS[role]]
                assert keys(policy.groups_where(person, action, at)) == set().union(*may)


def test_what_is_reckoned_from_the_instant_goes_with_it(circle):
    at, day = timezone.now(), timedelta(days=1)

    def rule(member, at):
        told = CasePresentation.objects.filter(presenter=member, session__starts_at__gte=at - day)
        return told.filter(forget_on__gt=at.date() + 2 * day, order=1)

    made = Prepared.of(rule(prepared.NOBODY, prepared.NO_TIME))
    given = {value(circle.member, at) for value in made.values}
    assert given == {circle.member.pk, at - day, at.date() + 2 * day, 1}


def test_a_filter_that_asks_nothing_of_the_person_is_refused(db):
    with pytest.raises(ValueError, match="asks nothing of the person"):
        Prepared.of(Session.objects.filter(starts_at__lte=prepared.NO_TIME))


def test_forgotten_it_is_written_again(circle):
    written = []

    @prepared.prepared
    def rule(member, at, role=None):
        written.append(role)
        return Session.objects.filter(group__memberships__member=member)

    for role in (None, "leader", None, "leader"):
        rule(circle.member, timezone.now(), role)
    assert written == [None, "leader"]
    prepared.forget()
    rule(circle.leader, timezone.now())
    assert written == [None, "leader", None]
