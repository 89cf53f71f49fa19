"""From proposed to settled: nothing stands outside before it is settled, and then all at once."""

from collections import Counter
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest
from django.db.models import Q

from groups.models import Acceptance, Leave
from members.letters import engine
from members.models import Letter, LetterState, Member
from sessions import answers, feeds, planning, reminders, upkeep
from sessions.models import Answer, Change, DatesReply, Series, Session
from sessions.planning import letters, proposed, refusals
from tests.sessions.rhythm import (
    LIBRARY,
    LONG_AGO,
    NOVEMBER,
    SUMMER,
    THIRD_THURSDAY,
    Led,
    cadence,
    day,
    make_led,
)
from tests.world import as_member, as_owner, join, make_member, utc

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LATER = NOVEMBER + DAY


@pytest.fixture
def led(db: None) -> Led:
    return make_led()


@pytest.fixture
def dana(led: Led) -> Member:
    return member_of(led, "Dr Dana Green", time_zone="Europe/London")


def member_of(led: Led, name: str, **fields: Any) -> Member:
    member = make_member(name, **fields)
    join(led.group, member, since=LONG_AGO)
    with as_owner():
        Acceptance.objects.filter(member=member).update(accepted_at=LONG_AGO)
    return member


def propose(led: Led, at: Any = NOVEMBER, **changes: Any) -> Series:
    year = cadence(**({"breaks": (SUMMER,)} | changes))
    with as_member(led.leader):
        return planning.plan_year(led.group, year, LIBRARY, by=led.leader, at=at, propose=True)


def mark(led: Led, member: Member, *sessions: Session, at: Any = LATER) -> None:
    with as_member(member):
        seen = proposed.as_shown(proposed.dates(led.group, at))
        planning.reply(led.group, [s.pk for s in sessions], seen=seen, by=member, at=at)


def settle(led: Led, at: Any = LATER) -> list[Session]:
    with as_member(led.leader):
        return planning.settle(led.group, by=led.leader, at=at)


def waiting(kind: Any = "") -> list[Letter]:
    with as_owner():
        kinds = Q(kind=kind) if kind else Q()
        return list(Letter.objects.filter(kinds, state=LetterState.PENDING))


def standings(led: Led) -> dict[date, list[str]]:
    with as_member(led.leader):
        found = proposed.standings(led.group, led.leader, LATER)
        return {day(one.session): sorted(one.cannot) for one in found if one.cannot}


def not_answered(led: Led) -> list[str]:
    with as_member(led.leader):
        return sorted(proposed.not_answered(led.group, led.leader, LATER))


def test_a_proposed_year_is_neither_settled_nor_reminded_of_nor_in_a_feed(led: Led, dana: Member):
    series = propose(led)
    assert (series.proposed_at, series.settled_at) == (NOVEMBER, None)
    assert {session.settled_at for session in led.sessions} == {None}
    assert {letter.kind for letter in waiting()} == {"dates-proposed"}
    with as_owner():
        assert reminders.reconcile(at=led.sessions[0].starts_at - 3 * DAY) == 0
    with as_member(dana):
        assert b"VEVENT" not in feeds.render(dana, at=NOVEMBER)


def test_everyone_is_asked_once_but_who_is_away_the_whole_year(led: Led, dana: Member):
    away, new = member_of(led, "Dr Hanna Lind"), make_member("Dr Nina Neu")
    with as_owner():
        Leave.objects.create(group=led.group, member=away, starts_at=LONG_AGO)
    join(led.group, new, since=LONG_AGO, agreed=False)
    propose(led)
    asked = [letter.recipient_id for letter in waiting("dates-proposed")]
    assert Counter(asked) == Counter([led.leader.pk, dana.pk])


def test_somebody_marks_what_they_cannot_and_their_leaders_see_the_sum(led: Led, dana: Member):
    owen = member_of(led, "Dr Owen Wells")
    propose(led)
    assert not_answered(led) == ["Dana", "Owen"]
    mark(led, dana, led.on(1, 21), led.on(2, 18))
    assert not_answered(led) == ["Owen"]
    mark(led, owen, led.on(2, 18))
    mark(led, dana, led.on(2, 18))
    assert not_answered(led) == []
    assert standings(led) == {date(2027, 2, 18): ["Dana", "Owen"]}
    with as_owner():
        assert {answer.reason for answer in Answer.objects.all()} == {""}


def test_nobody_else_reads_who_has_marked_and_who_has_looked(led: Led, dana: Member):
    owen = member_of(led, "Dr Owen Wells")
    propose(led)
    january = led.on(1, 21)
    mark(led, dana, january)
    with as_member(owen):
        assert not DatesReply.objects.exists()
        assert not Answer.objects.exists()
    with as_member(dana):
        assert proposed.marked([january], dana) == {january.pk}
        assert proposed.replied_at(led.group, dana) == LATER


def test_settled_dates_are_reminded_of_and_sent_in_one_letter_each(led: Led, dana: Member):
    propose(led)
    mark(led, dana, led.on(1, 21))
    settle(led)
    assert {session.settled_at for session in led.sessions} == {LATER}
    sent = waiting("dates")
    assert Counter(letter.recipient_id for letter in sent) == Counter([led.leader.pk, dana.pk])
    assert not waiting("dates-proposed")
    of_dana = [
        letter for letter in waiting() if letter.recipient_id == dana.pk and letter.kind != "dates"
    ]
    january = led.on(1, 21)
    assert january.pk not in {letter.about_id for letter in of_dana}
    assert len(of_dana) == 2 * 9
    with as_member(dana):
        assert answers.own(january, dana) is not None
        assert feeds.render(dana, at=LATER).count(b"BEGIN:VEVENT") == 10
    with as_owner():
        assert not DatesReply.objects.exists()
        assert Series.objects.get().settled_at == LATER


def test_the_letter_has_all_dates_on_both_clocks_and_no_name_but_two(led: Led, dana: Member):
    with as_owner():
        led.group.alias = "Valley"
        led.group.save()
    propose(led, first_on=date(2027, 6, 1))
    settle(led)
    [letter] = [letter for letter in waiting("dates") if letter.recipient_id == dana.pk]
    with as_owner():
        text = letters._telling(letter).text
    assert text.splitlines()[:5] == [
        "Dear Dana,",
        "",
        "Valley meets on:",
        "",
        "Thursday 17 June 2027, 19:30–21:00, Jerusalem time (for you 17:30–19:00, London time)",
    ]
    assert text.count("Jerusalem time") == 5
    assert text.endswith(f"/groups/{led.group.pk}/\n\nDr Ruth Marks\n")


def test_the_leaders_read_the_letter_before_it_goes(led: Led, dana: Member):
    propose(led)
    with as_member(led.leader):
        shown = letters.preview(led.group, led.leader, at=LATER)
    settle(led)
    [letter] = [letter for letter in waiting("dates") if letter.recipient_id == led.leader.pk]
    with as_owner():
        # The file of the dates comes with it when it goes.
        assert replace(letters._telling(letter), calendar=None) == shown


def test_a_proposal_that_changes_is_asked_about_anew_and_only_then(led: Led, dana: Member):
    propose(led)
    mark(led, dana, led.on(1, 21))
    propose(led, at=LATER + DAY)
    assert len(waiting("dates-proposed")) == 2
    propose(led, at=LATER + 2 * DAY, breaks=())
    assert {letter.about_version for letter in waiting("dates-proposed")} == {2}
    assert not_answered(led) == ["Dana"]
    assert standings(led) == {date(2027, 1, 21): ["Dana"]}


def test_a_dropped_date_is_not_settled_and_stays_dropped(led: Led, dana: Member):
    propose(led)
    led.cancel(led.on(4, 15), at=LATER)
    settle(led)
    assert date(2027, 4, 15) not in led.days
    assert led.on(4, 15).settled_at is None
    assert not waiting("cancelled")
    with as_owner():
        assert not Change.objects.exists()
    led.restore(led.on(4, 15), at=LATER)
    assert led.on(4, 15).settled_at == LATER
    assert not waiting("restored")


def test_a_proposed_date_moved_to_another_day_asks_anew_of_that_date(led: Led, dana: Member):
    propose(led)
    mark(led, dana, led.on(4, 15))
    led.move(led.on(4, 15), starts_at=led.on(4, 15).starts_at + 7 * DAY, at=LATER + DAY)
    with as_member(led.leader):
        [moved] = [
            one
            for one in proposed.standings(led.group, led.leader, LATER)
            if day(one.session) == date(2027, 4, 22)
        ]
    assert (moved.cannot, moved.changed_since) == ([], True)
    assert not waiting("moved")


def test_an_extra_date_may_be_proposed_beside_them(led: Led, dana: Member):
    propose(led)
    january = led.on(1, 21)
    with as_member(led.leader):
        extra = planning.add_date(
            led.group,
            starts_at=january.starts_at + 9 * DAY,
            minutes=240,
            zone="Asia/Jerusalem",
            place="",
            setting="in_person",
            by=led.leader,
            at=LATER,
            propose=True,
        )
    mark(led, dana, extra)
    assert len(settle(led)) == 11
    with as_owner():
        assert Session.objects.get(pk=extra.pk).settled_at == LATER


def test_settling_at_once_is_still_one_save_and_sends_the_letter(led: Led, dana: Member):
    propose(led)
    mark(led, dana, led.on(1, 21))
    series = led.plan(cadence(breaks=(SUMMER,)), at=LATER)
    assert (series.settled_at, series.revision) == (LATER, 2)
    assert {session.settled_at for session in led.sessions} == {LATER}
    assert len(waiting("dates")) == 2
    with as_owner():
        assert not DatesReply.objects.exists()


def test_one_changed_date_is_a_notice_and_several_are_one_letter(led: Led, dana: Member):
    led.plan(cadence())
    led.plan(cadence(last_on=date(2027, 12, 1)), at=LATER)
    assert {letter.about_version for letter in waiting("dates")} == {1}
    assert len(waiting("cancelled")) == 2
    led.plan(cadence(last_on=date(2027, 12, 1), minutes=100), at=LATER + DAY)
    assert not waiting("moved")
    changed = waiting("dates")
    assert [letter.about_version for letter in changed] == [2, 2]
    with as_owner():
        message = letters._telling(changed[0])
    assert message.subject.endswith("some dates have changed")
    assert "There is no meeting on:\n\nThursday 16 December 2027" in message.text


def test_who_has_left_before_it_goes_gets_no_letter(led: Led, dana: Member):
    propose(led)
    settle(led)
    planned = waiting("dates")
    with as_owner():
        dana.memberships.update(ended_at=LATER)
        wanted = {letter.recipient_id: letters._is_told(letter) for letter in planned}
    assert wanted == {led.leader.pk: True, dana.pk: False}


def test_of_an_older_letter_about_the_same_dates_nothing_goes(led: Led):
    propose(led)
    [question] = waiting("dates-proposed")
    settle(led)
    with as_owner():
        assert not letters._is_asked(question)


def test_the_letter_waits_for_the_morning_unless_a_date_would_not(led: Led, dana: Member):
    propose(led)
    night = utc(2027, 1, 20, 23)
    settle(led, at=night)
    assert [letter.send_after for letter in waiting("dates") if letter.recipient_id == dana.pk] == [
        utc(2027, 1, 21, 7)
    ]
    led.plan(cadence(breaks=(SUMMER,), starts_at=time(3)), at=night)
    assert {letter.send_after for letter in waiting("dates")} == {night}


@pytest.mark.parametrize(
    ("refusal", "attempt"),
    [
        (refusals.NothingIsProposed, lambda led, dana: settle(led)),
        (refusals.NothingIsProposed, lambda led, dana: mark(led, dana)),
    ],
)
def test_where_nothing_is_proposed_nothing_is_marked_or_settled(led, dana, refusal, attempt):
    led.plan(cadence())
    with pytest.raises(refusal):
        attempt(led, dana)


def test_members_do_not_settle_and_strangers_do_not_mark(led: Led, dana: Member):
    propose(led)
    stranger = make_member()
    with pytest.raises(refusals.NotYoursToPlan), as_member(dana):
        planning.settle(led.group, by=dana, at=LATER)
    with pytest.raises(refusals.NotYoursToMark), as_member(stranger):
        planning.reply(led.group, [], seen="", by=stranger, at=LATER)


def test_a_page_of_before_a_change_is_refused(led: Led, dana: Member):
    propose(led)
    with as_member(dana):
        seen = proposed.as_shown(proposed.dates(led.group, NOVEMBER))
    with as_member(led.leader):
        state = proposed.as_marked(led.group, led.leader, NOVEMBER)
    led.cancel(led.on(4, 15), at=LATER)
    with pytest.raises(refusals.ProposedDatesHaveChanged), as_member(dana):
        planning.reply(led.group, [], seen=seen, by=dana, at=LATER)
    with pytest.raises(refusals.ChangedMeanwhile), as_member(led.leader):
        planning.settle(led.group, seen=state, by=led.leader, at=LATER)


def test_what_is_settled_is_not_proposed_again(led: Led):
    led.plan(cadence(THIRD_THURSDAY))
    with pytest.raises(refusals.SettledAlready):
        propose(led)


def test_who_has_looked_is_forgotten_with_the_year_that_was_never_settled(led: Led, dana: Member):
    propose(led)
    mark(led, dana)
    assert upkeep.run()["replies forgotten"] == 0
    with as_owner():
        Series.objects.update(first_on=date(2020, 1, 1), last_on=date(2020, 12, 31))
    assert upkeep.run()["replies forgotten"] == 1


def test_the_letters_are_known_to_the_engine():
    assert {engine.kind_of(Letter(kind=kind)).name for kind in ("dates", "dates-proposed")} == {
        "dates",
        "dates-proposed",
    }
