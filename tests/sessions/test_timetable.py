"""Templates of an evening and the card with phases and times."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.card import durations_for
from sessions.phases import ORDER, USUAL_MINUTES, Phase, Switches, enabled
from sessions.timetable import Stretch, durations, stretches, timetable
from tests.groups.test_evenings import SITES_OWN
from tests.world import as_owner

ALL_ON = Switches()
EVENING = datetime(2027, 1, 21, 19, 30, tzinfo=ZoneInfo("Asia/Jerusalem"))

some_switches = st.builds(Switches, st.booleans(), st.booleans())
DURATIONS = {key: durations(row.minutes, row.cases) for key, row in SITES_OWN.items()}
some_durations = st.sampled_from(list(DURATIONS.values()))


@pytest.mark.parametrize("key", DURATIONS)
def test_a_template_keeps_each_phase_within_what_groups_usually_take(key):
    for phase, minutes in DURATIONS[key].stretches:
        fewest, most = USUAL_MINUTES[phase]
        assert fewest <= minutes <= most
    cases = [stretch.phase for stretch in DURATIONS[key].stretches].count(Phase.STORY)
    assert (cases, DURATIONS[key].minutes) == (SITES_OWN[key].cases, SITES_OWN[key].total)


def test_the_card_of_ninety_minutes():
    card = timetable(90, ALL_ON, EVENING, DURATIONS["90"])
    assert [(slot.phase, f"{slot.starts_at:%H:%M}", f"{slot.ends_at:%H:%M}") for slot in card] == [
        (Phase.ARRIVING, "19:30", "19:35"),
        (Phase.FOLLOW_UP, "19:35", "19:40"),
        (Phase.CALL, "19:40", "19:43"),
        (Phase.STORY, "19:43", "19:50"),
        (Phase.QUESTIONS, "19:50", "19:55"),
        (Phase.GROUP_WORK, "19:55", "20:47"),
        (Phase.RETURN, "20:47", "20:55"),
        (Phase.CLOSING, "20:55", "21:00"),
    ]


def test_the_card_of_two_cases_has_the_middle_of_the_evening_twice():
    middle = list(ORDER[2:-1])
    card = timetable(90, ALL_ON, EVENING, DURATIONS["90-two"])
    assert [slot.phase for slot in card] == [*ORDER[:2], *middle, *middle, Phase.CLOSING]


def test_what_a_group_does_not_use_goes_to_its_work():
    off = Switches(questions=False, sitting_back=False)
    assert stretches(60, off, DURATIONS["60"]) == (
        Stretch(Phase.ARRIVING, 3),
        Stretch(Phase.FOLLOW_UP, 3),
        Stretch(Phase.CALL, 2),
        Stretch(Phase.STORY, 5),
        Stretch(Phase.GROUP_WORK, 42),
        Stretch(Phase.CLOSING, 5),
    )


def test_a_groups_own_minutes_and_its_templates_for_what_it_does_not_say(circle):
    with as_owner():
        circle.group.minutes = {"story": 10, "questions": 0}
        circle.group.evening = "120"
        own = durations_for(circle.group, 90)
    assert (own.cases, own.minutes) == (2, 2 * (10 - 7) - 2 * 5 + 120)
    assert dict(own.stretches)[Phase.STORY] == 10
    assert dict(own.stretches)[Phase.GROUP_WORK] == 33
    assert Phase.QUESTIONS not in {slot.phase for slot in timetable(90, ALL_ON, EVENING, own)}


def test_a_card_over_a_clock_change_counts_real_minutes():
    new_york = ZoneInfo("America/New_York")
    night = datetime(2027, 3, 14, 1, 30, tzinfo=new_york)
    card = timetable(60, ALL_ON, night, DURATIONS["60"])
    assert card[-1].ends_at == datetime(2027, 3, 14, 3, 30, tzinfo=new_york)


@given(minutes=st.integers(15, 720), switches=some_switches, template=some_durations)
def test_a_card_fills_the_meeting_without_gaps_in_phases_the_group_uses(
    minutes: int, switches: Switches, template
):
    card = timetable(minutes, switches, EVENING.astimezone(UTC), template)
    assert card[0].starts_at == EVENING
    assert card[-1].ends_at == EVENING.astimezone(UTC) + timedelta(minutes=minutes)
    assert all(a.ends_at == b.starts_at for a, b in pairwise(card))
    assert all(slot.starts_at < slot.ends_at for slot in card)
    assert all(enabled(slot.phase, switches) for slot in card)


@given(
    minutes=st.integers(15, 720),
    own=st.dictionaries(st.sampled_from([str(phase) for phase in ORDER]), st.integers(0, 200)),
    cases=st.sampled_from([1, 2]),
)
def test_any_minutes_a_group_writes_add_up_to_the_meeting(
    minutes: int, own: dict[str, int], cases: int
):
    card = timetable(minutes, ALL_ON, EVENING.astimezone(UTC), durations(own, cases))
    assert card[0].starts_at == EVENING
    assert card[-1].ends_at - card[0].starts_at == timedelta(minutes=minutes)
