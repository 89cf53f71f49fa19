"""Every step from every state, without a database: what the table allows happens, nothing else."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from groups.models import Group
from members.refusals import Refused
from sessions import conduct
from sessions.models import Session
from sessions.phases import MAY_FOLLOW, ORDER, RUNNING, WITH_CASE, Phase, Switches, enabled

STARTS = datetime(2026, 3, 24, 17, 30, tzinfo=UTC)
MORNING = STARTS + timedelta(hours=11)
MOMENTS = {
    "long before": STARTS - timedelta(hours=3),
    "before": STARTS - timedelta(minutes=90),
    "during": STARTS + timedelta(minutes=30),
    "next morning": MORNING,
}
SWITCHES = [Switches(asks, back) for asks, back in product((True, False), repeat=2)]


def session_at(phase: Phase, switches: Switches) -> Session:
    group = Group(asks_questions=switches.questions, sits_back=switches.sitting_back)
    return Session(
        group=group, phase=phase, starts_at=STARTS, runs_until=MORNING, time_zone="UTC", minutes=90
    )


def refusal(phase: Phase, to: Phase, switches: Switches, at: datetime) -> type[Refused] | None:
    try:
        conduct._check_step(session_at(phase, switches), to, at)
    except Refused as refused:
        return type(refused)
    return None


@pytest.mark.parametrize("when", MOMENTS)
def test_each_step_is_taken_or_refused_by_a_sentence_of_its_own(when):
    for phase, to, switches in product(Phase, Phase, SWITCHES):
        found = refusal(phase, to, switches, MOMENTS[when])
        if phase is Phase.CANCELLED:
            assert found is conduct.SessionIsCancelled
        elif phase is Phase.CLOSED or when == "next morning":
            assert found is conduct.SessionIsOver
        elif phase is Phase.PLANNED and when == "long before":
            assert found is conduct.NotOpenYet
        else:
            runs = to in RUNNING or (to is Phase.CLOSED and phase in RUNNING)
            possible = to in MAY_FOLLOW[phase] and enabled(to, switches) and runs
            assert found is (None if possible else conduct.NotFromHere), (phase, to, switches)


@pytest.mark.parametrize("switches", SWITCHES)
def test_every_phase_a_group_uses_is_reached_and_the_end_from_each_of_them(switches):
    reached, ahead = {Phase.PLANNED}, [Phase.PLANNED]
    while ahead:
        phase = ahead.pop()
        steps = {to for to in Phase if refusal(phase, to, switches, MOMENTS["during"]) is None}
        assert phase not in RUNNING or Phase.CLOSED in steps
        ahead += steps - reached
        reached |= steps
    used = {phase for phase in ORDER if enabled(phase, switches)}
    assert reached == {Phase.PLANNED, Phase.CLOSED} | used


def test_a_case_is_left_behind_by_every_way_out_of_it_and_by_none_within_it():
    for before, to in product(WITH_CASE, RUNNING | {Phase.CLOSED}):
        second = before is Phase.RETURN and to in {Phase.CALL, Phase.STORY}
        assert conduct.ends_telling(before, to) is (second or to not in WITH_CASE)


def test_the_same_case_goes_on_where_the_database_counts_no_other_beginning():
    """`balint_out_of_case` counts the steps that begin a case: into its phases, or a second one."""
    for before, to in product(RUNNING, WITH_CASE):
        if before is to:
            continue
        begins = before not in WITH_CASE or (before is Phase.RETURN and to is Phase.STORY)
        assert begins is (before not in WITH_CASE or conduct.ends_telling(before, to))
