"""T7: a case is seen by who was present for it and is inside now, however they came and went."""

import os
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groups import visible as frame
from groups.models import Leave, Membership
from sessions import visible
from sessions.models import Answer, CasePresence, CasePresentation, Session
from tests.world import as_member, as_owner, make_member

# Hours before (−) and after now; days and evenings that touch, overlap, leave gaps and begin again.
HOURS = st.sampled_from([-960, -720, -480, -481, -240, -48, -3, -2, -1, 1, 24])
STAYS = st.lists(st.tuples(HOURS, st.none() | HOURS), max_size=4)
EVENINGS = st.lists(
    st.tuples(st.sampled_from([-950, -720, -480, -241, -47, -2]), st.booleans()),
    min_size=1,
    max_size=3,
)
QUIETLY = settings(
    # More of them where the long proofs are asked for.
    max_examples=25 * int(os.environ.get("BALINT_SEQUENCES", "1")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@contextmanager
def taken_back():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def at(hours):
    return NOW + timedelta(hours=hours)


NOW = timezone.now()


def holds(stays, hours):
    return any(begin <= hours and (end is None or end > hours) for begin, end in stays)


def sane(stays):
    """What the frame's constraints let be: ends after it begins, and one without an end."""
    kept = [(begin, end) for begin, end in stays if end is None or end >= begin]
    open_ones = [stay for stay in kept if stay[1] is None]
    return [stay for stay in kept if stay[1] is not None] + open_ones[:1]


def make_evening(circle, hours, *, runs):
    ends = timedelta(hours=4) if runs else timedelta(minutes=30)
    return Session.objects.create(
        group=circle.group,
        starts_at=at(hours),
        opened_at=at(hours),
        minutes=90,
        time_zone="UTC",
        phase="closed",
        settled_at=at(-2000),
        runs_until=at(hours) + ends,
        updated_at=at(hours),
    )


def make_case(session, circle, person, *, present):
    case = CasePresentation.objects.create(
        session=session,
        group=circle.group,
        order=1,
        presenter=circle.presenter,
        forget_on=(NOW + timedelta(days=50)).date(),
    )
    for who in [circle.presenter, *([person] if present else [])]:
        CasePresence.objects.create(case=case, group=circle.group, member=who)
    return case


def seed(circle, person, stays, leaves, role="member"):
    for begin, end in stays:
        ended_at = None if end is None else at(end)
        Membership.objects.create(
            group=circle.group, member=person, role=role, starts_at=at(begin), ended_at=ended_at
        )
    for begin, end in leaves:
        ended_at = None if end is None else at(end)
        Leave.objects.create(
            group=circle.group, member=person, starts_at=at(begin), ended_at=ended_at
        )
    agreement = circle.group.agreements.get()
    agreement.acceptances.create(group=circle.group, member=person, accepted_at=at(-1500))


@pytest.fixture
def person(circle):
    return make_member("Dr Pat Later")


@QUIETLY
@given(stays=STAYS, leaves=st.lists(st.tuples(HOURS, st.none() | HOURS), max_size=1), told=EVENINGS)
def test_a_case_is_seen_by_who_was_present_and_is_inside(circle, person, stays, leaves, told):
    stays, leaves = sane(stays), sane(leaves)
    here = holds(stays, 0) and not holds(leaves, 0)
    expected = set()
    with taken_back():
        with as_owner():
            seed(circle, person, stays, leaves)
            for hours, present in told:
                runs = hours == -2
                session = make_evening(circle, hours, runs=runs)
                case = make_case(session, circle, person, present=present)
                in_circle = runs and holds(stays, hours) and not holds(leaves, hours)
                if present and (here or in_circle):
                    expected.add(case.pk)
        with as_member(person):
            by_database = set(CasePresentation.objects.values_list("pk", flat=True))
        with as_owner():
            by_application = set(visible.cases(person, NOW).values_list("pk", flat=True))
        assert (by_database, by_application) == (expected, expected)


@QUIETLY
@given(stays=STAYS, told=EVENINGS)
def test_a_leader_reads_reasons_of_the_time_of_the_own_lead_alone(circle, person, stays, told):
    stays = sane(stays)
    running = [begin for begin, end in stays if begin <= 0 and (end is None or end > 0)]
    answers = {}
    with taken_back():
        with as_owner():
            seed(circle, person, stays, [], role="leader")
            for hours, _ in told:
                session = make_evening(circle, hours, runs=False)
                answer = Answer.objects.create(
                    session=session,
                    group=circle.group,
                    member=circle.absent,
                    on=session.starts_at.date(),
                    answered_at=at(hours),
                )
                answers[answer.pk] = hours
        expected = {pk for pk, hours in answers.items() if any(b <= hours for b in running)}
        with as_member(person):
            by_database = set(Answer.objects.values_list("pk", flat=True))
        with as_owner():
            by_application = set(visible.answers(person, NOW).values_list("pk", flat=True))
        assert (by_database, by_application) == (expected, expected)


@QUIETLY
@given(stays=STAYS, leaves=st.lists(st.tuples(HOURS, HOURS), min_size=1, max_size=2))
def test_a_leader_knows_leaves_that_ran_in_the_time_of_the_own_lead(circle, person, stays, leaves):
    stays, leaves = sane(stays), sane(leaves)
    running = [begin for begin, end in stays if begin <= 0 and (end is None or end > 0)]
    with taken_back():
        with as_owner():
            Leave.objects.filter(group=circle.group).delete()
            seed(circle, person, stays, [], role="leader")
            made = {
                Leave.objects.create(
                    group=circle.group, member=circle.absent, starts_at=at(b), ended_at=at(e)
                ).pk: e
                for b, e in leaves
            }
        expected = {pk for pk, end in made.items() if any(begin < end for begin in running)}
        with as_member(person):
            by_database = set(Leave.objects.values_list("pk", flat=True))
        with as_owner():
            by_application = set(frame.leaves(person, NOW).values_list("pk", flat=True))
        assert (by_database, by_application) == (expected, expected)
