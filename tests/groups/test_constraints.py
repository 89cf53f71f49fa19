"""Every named constraint of this app, tripped through the database."""

from datetime import timedelta

import pytest
from django.utils import timezone

from groups.evening_models import EveningTemplate
from groups.models import (
    Acceptance,
    Agreement,
    Consent,
    Ending,
    Group,
    GroupEnd,
    Leave,
    LeavingReason,
    Membership,
    Preference,
    ProgrammeAdmin,
    Proposal,
    RecordOpening,
)
from tests.constraints import named, tripped
from tests.world import make_group

NOW = timezone.now()
BEFORE = NOW - timedelta(days=1)


def membership(c, **fields):
    return Membership(**({"group": c.group, "role": "member", "starts_at": NOW} | fields))


def proposal(c, **fields):
    given = {"programme": c.programme, "group": c.group, "role": "member", "proposed_at": NOW}
    return Proposal(**(given | {"address": "a@example.org", "proposed_as": "admin"} | fields))


def ending(c, **fields):
    held = Membership.objects.get(member=c.member)
    given = {"group": c.group, "membership": held, "asked_as": "leader", "asked_at": NOW}
    return Ending(**(given | {"ends_at": NOW} | fields))


def opening(c, **fields):
    given = {"group": c.group, "asked_by": c.leader.pk, "asked_at": NOW}
    return RecordOpening(**(given | fields))


def end(c, **fields):
    given = {"group": c.group, "asked_by": c.leader, "asked_at": NOW, "ends_at": NOW}
    return GroupEnd(**(given | fields))


def saved(row):
    row.save(force_insert=True)
    return row


def agreement(c):
    return Agreement.objects.get(group=c.group)


def consent(c, **fields):
    return Consent(
        **({"group": c.group, "member": c.leader, "yes": True, "given_at": NOW} | fields)
    )


def twice_to_a_proposal(c):
    about = saved(proposal(c))
    return [consent(c, proposal=about), consent(c, proposal=about)]


def twice_to_an_ending(c):
    about = saved(ending(c))
    return [consent(c, ending=about), consent(c, ending=about)]


def reason_elsewhere(c):
    about = saved(ending(c))
    return LeavingReason(group=c.other_group, member=c.member, ending=about, forget_on=NOW.date())


def template(c, **fields):
    return EveningTemplate(**({"programme": c.programme, "key": "mine"} | fields))


TRIPS = {
    "one_template_per_programme_and_key": lambda c: template(c, programme=None, key="90"),
    "leaders_talk_for_at_most_two_hours": lambda c: Group(
        programme=c.programme, name="Talks long", talk_minutes=121
    ),
    "evening_has_1_to_3_cases_and_a_day_1_to_6_sessions": lambda c: template(c, cases=4),
    "one_running_admin_role_per_programme": lambda c: ProgrammeAdmin(
        programme=c.programme, member=c.admin, starts_at=NOW
    ),
    "group_has_at_most_fifteen_members": lambda c: Group(programme=c.programme, cap=16),
    "cases_are_kept_7_to_365_days": lambda c: Group(programme=c.programme, keeps_cases_days=366),
    "one_running_membership_per_group": lambda c: membership(c, member=c.member),
    "membership_ends_after_it_starts": lambda c: membership(c, member=c.outsider, ended_at=BEFORE),
    "membership_role_is_known": lambda c: membership(c, member=c.outsider, role="guest"),
    "leave_ends_after_it_starts": lambda c: Leave(
        group=c.group, member=c.member, starts_at=NOW, ended_at=BEFORE
    ),
    "one_preference_per_member_and_group": lambda c: [
        Preference(group=c.group, member=c.member) for _time in range(2)
    ],
    "one_agreement_per_group_and_version": lambda c: Agreement(
        group=c.group, version=1, text="Another", in_force_at=NOW
    ),
    "one_acceptance_per_agreement_and_member": lambda c: Acceptance(
        group=c.group, agreement=agreement(c), member=c.member, accepted_at=NOW
    ),
    "acceptance_in_its_agreements_group": lambda c: Acceptance(
        group=c.other_group, agreement=agreement(c), member=c.outsider, accepted_at=NOW
    ),
    "proposal_is_for_a_group_or_an_admin": lambda c: proposal(c, role="admin"),
    "accepted_proposal_had_its_yes": lambda c: proposal(c, accepted_at=NOW),
    "one_ending_per_membership": lambda c: [ending(c), ending(c)],
    "ending_in_its_memberships_group": lambda c: ending(c, group=c.other_group),
    "consent_is_about_one_thing": lambda c: consent(c),
    "one_consent_per_proposal_and_member": twice_to_a_proposal,
    "one_consent_per_ending_and_member": twice_to_an_ending,
    "consent_in_its_proposals_group": lambda c: consent(
        c, proposal=saved(proposal(c)), group=c.other_group
    ),
    "consent_in_its_endings_group": lambda c: consent(
        c, ending=saved(ending(c)), group=c.other_group
    ),
    "reason_in_its_endings_group": reason_elsewhere,
    "one_asking_for_a_record": lambda c: [opening(c), opening(c)],
    "opened_record_has_an_end": lambda c: opening(c, confirmed_at=NOW, until=NOW),
    "one_open_end_per_group": lambda c: [end(c), end(c)],
    "nobody_confirms_their_own_end_of_a_group": lambda c: end(
        c, confirmed_by=c.leader, confirmed_at=NOW
    ),
    "only_a_confirmed_end_forgets": lambda c: end(c, forgotten_at=NOW),
    "nobody_opens_a_record_alone": lambda c: opening(
        c, confirmed_by=c.leader.pk, confirmed_at=NOW, until=NOW
    ),
}


@pytest.mark.parametrize("name", TRIPS)
def test_the_database_refuses_what_breaks(circle, name):
    assert tripped(lambda: TRIPS[name](circle)) == name


def test_every_constraint_is_tripped(db):
    assert named("groups") == set(TRIPS)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"cap": 16}, "room for 2 to 15 members"),
        ({"keeps_cases_days": 6}, "for 7 to 365 days"),
        ({"talk_minutes": 121}, "At most two hours"),
    ],
)
def test_what_a_form_can_break_has_a_sentence(circle, fields, sentence):
    group = make_group(circle.programme)
    for name, value in fields.items():
        setattr(group, name, value)
    with pytest.raises(Exception, match=sentence):
        group.validate_constraints()
