"""Templates of an evening and the card with phases and times."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.phases import ORDER, USUAL_MINUTES, Phase, Switches, enabled
from sessions.timetable import (
    DURATIONS,
    Stretch,
    duration_choices,
    durations_for,
    durations_of,
    stretches,
    timetable,
)

ALL_ON = Switches()
EVENING = datetime(2027, 1, 21, 19, 30, tzinfo=ZoneInfo("Asia/Jerusalem"))

some_switches = st.builds(Switches, st.booleans(), st.booleans())
some_durations = st.sampled_from([None, *DURATIONS.values()])


def test_the_select_of_templates():
    assert duration_choices() == [
        ("60", "60 minutes, one case"),
        ("75", "75 minutes, one case"),
        ("90", "90 minutes, one case"),
        ("90-two", "90 minutes, two cases"),
        ("120", "120 minutes, two cases"),
    ]


@pytest.mark.parametrize("durations", DURATIONS.values(), ids=str)
def test_a_template_keeps_each_phase_within_what_groups_usually_take(durations):
    for phase, minutes in durations.stretches:
        fewest, most = USUAL_MINUTES[phase]
        assert fewest <= minutes <= most
    assert [stretch.phase for stretch in durations.stretches].count(Phase.STORY) == durations.cases


def test_the_card_of_ninety_minutes():
    card = timetable(90, ALL_ON, EVENING)
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
    assert stretches(60, Switches(questions=False, sitting_back=False)) == (
        Stretch(Phase.ARRIVING, 3),
        Stretch(Phase.FOLLOW_UP, 3),
        Stretch(Phase.CALL, 2),
        Stretch(Phase.STORY, 5),
        Stretch(Phase.GROUP_WORK, 42),
        Stretch(Phase.CLOSING, 5),
    )


@pytest.mark.parametrize(
    ("minutes", "key"), [(30, "60"), (60, "60"), (74, "60"), (80, "75"), (90, "90"), (180, "120")]
)
def test_the_longest_template_that_fits(minutes: int, key: str):
    assert durations_for(minutes).key == key


def test_a_groups_own_minutes_and_ninety_minutes_for_what_it_does_not_say():
    own = durations_of({"story": 10, "questions": 0})
    assert dict(own.stretches)[Phase.STORY] == 10
    assert dict(own.stretches)[Phase.GROUP_WORK] == 52
    assert Phase.QUESTIONS not in {slot.phase for slot in timetable(90, ALL_ON, EVENING, own)}


def test_a_card_over_a_clock_change_counts_real_minutes():
    new_york = ZoneInfo("America/New_York")
    night = datetime(2027, 3, 14, 1, 30, tzinfo=new_york)
    assert timetable(60, ALL_ON, night)[-1].ends_at == datetime(2027, 3, 14, 3, 30, tzinfo=new_york)


@given(minutes=st.integers(15, 720), switches=some_switches, durations=some_durations)
def test_a_card_fills_the_meeting_without_gaps_in_phases_the_group_uses(
    minutes: int, switches: Switches, durations
):
    card = timetable(minutes, switches, EVENING.astimezone(UTC), durations)
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
    card = timetable(minutes, ALL_ON, EVENING.astimezone(UTC), durations_of(own, cases))
    assert card[0].starts_at == EVENING
    assert card[-1].ends_at - card[0].starts_at == timedelta(minutes=minutes)
