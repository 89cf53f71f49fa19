"""What happens by itself: under the worker's rights, each step on its own."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from groups.models import Consent, LeavingReason, Proposal
from members.models import Letter
from sessions import upkeep
from sessions.models import Answer, CasePresence, CasePresentation, Session
from sessions.phases import Phase
from sessions.tasks import run as task
from tests.members.letters.conftest import make_letter
from tests.sessions.meetings import cannot_come, make_session
from tests.sessions.round import alone, meeting, planned
from tests.world import as_owner

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
NOTHING = dict.fromkeys(upkeep.STEPS, 0)


def run():
    with as_owner():
        return upkeep.run()


def in_days(days):
    return timezone.now() + timedelta(days=days)


def left(letters):
    with as_owner():
        there = set(Letter.objects.values_list("pk", flat=True))
    return {name for name, letter in letters.items() if letter.pk in there}


def test_with_nothing_to_do_nothing_is_done():
    assert run() == NOTHING


def test_missing_reminders_are_planned_and_the_second_time_none():
    group, member = alone()
    session = meeting(group, in_days(10), "week:1:3")
    assert run() == NOTHING | {"letters planned": 1}
    assert planned(session) == {"reminder-1": [member.email]}
    assert run() == NOTHING


def test_a_session_nobody_touched_is_closed_the_next_morning_and_nothing_else():
    group, _ = alone()
    over = make_session(group, in_days(-2))
    still = make_session(group, timezone.now(), runs_until=in_days(1))
    assert run()["sessions closed"] == 1
    with as_owner():
        phases = dict(Session.objects.values_list("pk", "phase"))
    assert phases == {over.pk: Phase.CLOSED, still.pk: Phase.PLANNED}


def test_cases_whose_day_has_come_are_forgotten_with_all_that_hangs_on_them():
    group, member = alone()
    session = make_session(group, in_days(-121))
    with as_owner():
        for order, forget_on in enumerate((date.today(), date.today() + 2 * DAY)):
            case = CasePresentation.objects.create(
                session=session, group=group, order=order, presenter=member, forget_on=forget_on
            )
            CasePresence.objects.create(case=case, group=group, member=member)
    assert run()["cases forgotten"] == 1
    with as_owner():
        assert (CasePresentation.objects.count(), CasePresence.objects.count()) == (1, 1)


def test_answers_are_forgotten_thirty_days_after_the_session():
    group, member = alone()
    old = make_session(group, in_days(-31))
    recent = make_session(group, in_days(-29))
    for session in (old, recent):
        cannot_come(session, member, "a wedding")
    assert run()["words forgotten"] == 1
    with as_owner():
        assert list(Answer.objects.values_list("session", flat=True)) == [recent.pk]
        assert LeavingReason.objects.count() == 0


def test_sent_letters_go_after_thirty_days_and_a_no_stays_until_after_the_session():
    sent = {"state": "sent"}
    letters = {
        "sent long ago": make_letter(send_after=in_days(-32)),
        "sent lately": make_letter(send_after=in_days(-40)),
        "a no to a coming session": make_letter(
            send_after=in_days(-40), send_before=in_days(20), state="cancelled"
        ),
        "a no to a past session": make_letter(
            send_after=in_days(-40), send_before=in_days(-31), state="cancelled"
        ),
        "expired": make_letter(send_after=in_days(-40), send_before=in_days(-31), state="expired"),
        "waiting": make_letter(send_after=in_days(-1)),
        "to come": make_letter(send_after=in_days(100), send_before=in_days(101)),
    }
    with as_owner():
        change = Letter.objects.filter
        change(pk=letters["sent long ago"].pk).update(accepted_at=in_days(-31), **sent)
        change(pk=letters["sent lately"].pk).update(accepted_at=in_days(-29), **sent)
    assert run()["letters removed"] == 3
    assert left(letters) == {"sent lately", "a no to a coming session", "waiting", "to come"}


def test_dead_invitations_go_after_thirty_days_with_the_answers_to_them():
    group, member = alone()

    def proposal(**fields):
        with as_owner():
            made = Proposal.objects.create(
                programme=group.programme,
                group=group,
                role="member",
                address=f"{uuid4()}@example.org",
                proposed_as="admin",
                proposed_at=in_days(-100),
                **fields,
            )
            Consent.objects.create(
                group=group, proposal=made, member=member, yes=True, given_at=in_days(-90)
            )
        return made.pk

    long_ago, lately = in_days(-31), in_days(-29)
    for field in ("refused_at", "withdrawn_at", "declined_at", "expires_at"):
        proposal(**{field: long_ago})
    living = {
        proposal(),
        proposal(refused_at=lately),
        proposal(expires_at=lately),
        # The place it opened stands by itself; until then it says who said yes.
        proposal(consented_at=long_ago, accepted_at=lately, expires_at=long_ago),
    }
    proposal(consented_at=long_ago, accepted_at=long_ago, expires_at=long_ago)
    assert run()["invitations removed"] == 5
    with as_owner():
        assert set(Proposal.objects.values_list("pk", flat=True)) == living
        assert Consent.objects.count() == 4


def test_a_step_that_fails_does_not_keep_the_others_from_theirs():
    def fail():
        raise ValueError("broken")

    group, _ = alone()
    make_session(group, in_days(-2))
    with as_owner(), pytest.raises(ExceptionGroup) as failed:
        upkeep.run({"first": fail} | upkeep.STEPS)
    assert [type(error) for error in failed.value.exceptions] == [ValueError]
    assert run() == NOTHING


def test_the_clock_calls_it_without_arguments():
    group, member = alone()
    session = meeting(group, in_days(10), "week:1:3")
    with as_owner():
        task()
    assert planned(session) == {"reminder-1": [member.email]}
