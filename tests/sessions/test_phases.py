"""The table of phases is total, says what the method says, and its page is current."""

import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from sessions.phases import (
    MAY_FOLLOW,
    NAMED_SENTENCES,
    NAMED_STEP_LABELS,
    NAMES,
    NEXT,
    ORDER,
    RUNNING,
    SECOND_CASE,
    SENTENCES,
    STEP_LABELS,
    USUAL_MINUTES,
    VOICES,
    WITH_CASE,
    Phase,
    Switches,
    Voice,
    as_markdown,
    enabled,
    may_follow,
    next_step_label,
    presenter_listens,
    sentence,
    usual_next,
    voices,
)

ROOT = Path(__file__).parents[2]
ALL_SWITCHES = [Switches(asks, back) for asks, back in product((True, False), repeat=2)]
NO_QUESTIONS = Switches(questions=False)
NOBODY_SITS_BACK = Switches(sitting_back=False)


@pytest.mark.parametrize("table", [NEXT, MAY_FOLLOW, VOICES, NAMES, SENTENCES])
def test_tables_know_every_phase(table: dict):
    assert list(table) == list(Phase)


def test_tables_of_the_running_session_know_its_phases():
    assert set(USUAL_MINUTES) == RUNNING == set(ORDER)
    assert set(STEP_LABELS) == RUNNING | {Phase.CLOSED}
    assert set(NAMED_SENTENCES) == WITH_CASE
    assert set(NAMED_STEP_LABELS) < set(STEP_LABELS)


def test_phases_are_stored_by_these_words():
    assert [str(phase) for phase in Phase] == [
        "planned",
        "arriving",
        "follow_up",
        "call",
        "story",
        "questions",
        "group_work",
        "return",
        "closing",
        "closed",
        "cancelled",
    ]


@pytest.mark.parametrize("phase", ORDER)
def test_while_it_runs_any_step_may_follow_any_other_or_the_end(phase: Phase):
    assert MAY_FOLLOW[phase] == (RUNNING - {phase}) | {Phase.CLOSED}


def test_a_planned_session_may_be_opened_anywhere_put_down_or_cancelled():
    assert MAY_FOLLOW[Phase.PLANNED] == RUNNING | {Phase.CLOSED, Phase.CANCELLED}


def test_nothing_follows_a_closed_session_and_a_cancelled_one_may_be_planned_again():
    assert MAY_FOLLOW[Phase.CLOSED] == frozenset()
    assert MAY_FOLLOW[Phase.CANCELLED] == {Phase.PLANNED}


@pytest.mark.parametrize("switches", ALL_SWITCHES)
def test_the_usual_way_is_allowed_leaves_out_what_the_group_does_not_use_and_ends(
    switches: Switches,
):
    way, phase = [], Phase.PLANNED
    while (following := usual_next(phase, switches)) is not None:
        assert following in may_follow(phase, switches)
        way.append(following)
        phase = following
    assert way == [*(phase for phase in ORDER if enabled(phase, switches)), Phase.CLOSED]


def test_switches_leave_out_questions_and_coming_back_in():
    assert [phase for phase in Phase if not enabled(phase, NO_QUESTIONS)] == [Phase.QUESTIONS]
    assert [phase for phase in Phase if not enabled(phase, NOBODY_SITS_BACK)] == [Phase.RETURN]
    assert usual_next(Phase.STORY, NO_QUESTIONS) is Phase.GROUP_WORK
    assert usual_next(Phase.GROUP_WORK, NOBODY_SITS_BACK) is Phase.CLOSING
    assert Phase.QUESTIONS not in may_follow(Phase.STORY, NO_QUESTIONS)


def test_a_second_case_may_follow_the_first_and_closing_usually_does():
    assert usual_next(Phase.RETURN) is Phase.CLOSING
    assert may_follow(Phase.RETURN) >= SECOND_CASE


@pytest.mark.parametrize("switches", ALL_SWITCHES)
@pytest.mark.parametrize("phase", Phase)
def test_the_presenter_listens_in_the_groups_work_alone_and_only_if_sitting_back(
    phase: Phase, switches: Switches
):
    listens = phase is Phase.GROUP_WORK and switches.sitting_back
    assert presenter_listens(phase, switches) is listens


@pytest.mark.parametrize("switches", ALL_SWITCHES)
@pytest.mark.parametrize("phase", ORDER)
def test_leaders_always_have_a_voice_and_the_group_in_all_but_the_story(
    phase: Phase, switches: Switches
):
    assert Voice.LEADERS in voices(phase, switches)
    assert (Voice.GROUP in voices(phase, switches)) is (phase is not Phase.STORY)


@pytest.mark.parametrize("phase", [Phase.PLANNED, Phase.CLOSED, Phase.CANCELLED])
def test_nobody_has_a_voice_where_nothing_runs(phase: Phase):
    assert voices(phase) == frozenset()


def test_sentences_of_the_strip_with_and_without_the_presenters_name():
    assert sentence(Phase.GROUP_WORK, "Amit") == "The group’s work. Amit is sitting back."
    assert sentence(Phase.GROUP_WORK) == "The group’s work. The presenter is sitting back."
    assert sentence(Phase.GROUP_WORK, "Amit", NOBODY_SITS_BACK) == "The group’s work."
    assert sentence(Phase.CALL, "Amit") == "The call. Who has a case?"


@pytest.mark.parametrize("phase", Phase)
def test_a_sentence_names_the_presenter_while_a_case_is_worked_on(phase: Phase):
    assert ("Amit" in sentence(phase, "Amit")) is (phase in WITH_CASE)
    assert sentence(phase, "50% Amit").count("50% Amit") == (phase in WITH_CASE)


def test_the_button_says_what_it_does():
    assert [next_step_label(phase, "Amit") for phase in Phase] == [
        "open the meeting",
        "ask for a follow-up report",
        "ask who has a case",
        "begin the story",
        "go on to questions of fact",
        "let Amit sit back",
        "ask Amit back in",
        "go on to closing",
        "end the meeting",
        "",
        "",
    ]
    assert next_step_label(Phase.GROUP_WORK) == "ask the presenter back in"
    assert next_step_label(Phase.QUESTIONS) == "let the presenter sit back"
    assert next_step_label(Phase.QUESTIONS, "Amit", NOBODY_SITS_BACK) == "go on to the group’s work"
    assert next_step_label(Phase.GROUP_WORK, "Amit", NOBODY_SITS_BACK) == "go on to closing"


def test_the_page_on_phases_is_current():
    assert (ROOT / "docs" / "phases.md").read_text(encoding="utf-8") == as_markdown()


def test_the_page_is_written_without_a_site_around_it():
    command = [sys.executable, "-m", "sessions.phases"]
    written = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, check=True)
    assert written.stdout.decode() == as_markdown()
