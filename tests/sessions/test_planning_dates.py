"""One date moved, cancelled, put back, or added: what changes, what is told, what is refused."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from groups.cadence import Rule, Unit, next_morning
from groups.models import Acceptance, Agreement, Setting
from members.models import Letter, LetterState
from sessions import answers, conduct, planning
from sessions.letters import CANCELLED, MOVED, RESTORED
from sessions.models import Change, Session
from sessions.phases import Phase
from sessions.planning import refusals
from tests.sessions.meetings import cannot_come
from tests.sessions.rhythm import LIBRARY, LONG_AGO, NOVEMBER, SUMMER, Led, cadence, day, make_led
from tests.world import as_member, as_owner, join, make_member, utc

TO = utc(2027, 1, 28, 17)
LATER = NOVEMBER + timedelta(days=1)


@pytest.fixture
def led(db: None) -> Led:
    """A group whose 2027 is planned."""
    led = make_led()
    led.plan(cadence())
    return led


@pytest.fixture
def january(led: Led) -> Session:
    return led.on(1, 21)


def add(led: Led, at: Any = NOVEMBER, **changes: Any) -> Session:
    values: dict[str, Any] = {
        "starts_at": utc(2027, 1, 23, 8),
        "minutes": 360,
        "zone": "Asia/Jerusalem",
        "place": "Monastery",
        "setting": Setting.IN_PERSON,
    } | changes
    with as_member(led.leader):
        return planning.add_date(led.group, by=led.leader, at=at, **values)


def change_of(session: Session) -> tuple[str, str]:
    with as_owner():
        change = Change.objects.get(session=session)
        return change.kind, change.reason


def stored(session: Session) -> Any:
    with as_owner():
        return Session.objects.filter(pk=session.pk).values().get()


def notices(session: Session) -> list[tuple[str, int]]:
    with as_owner():
        letters = Letter.objects.filter(about_id=session.pk, kind__in=[MOVED, CANCELLED, RESTORED])
        return sorted(letters.values_list("kind", "about_version"))


def as_it_was(session: Session, **fields: Any) -> Session:
    with as_owner():
        Session.objects.filter(pk=session.pk).update(**fields)
        return Session.objects.select_related("group").get(pk=session.pk)


def test_a_move_changes_only_what_it_says(led: Led, january: Session):
    moved = led.move(january, starts_at=TO, reason="The library is being painted.", at=LATER)
    assert (moved.starts_at, moved.minutes, moved.place) == (TO, 90, LIBRARY)
    assert moved.overrides == {"starts_at": TO.isoformat()}
    assert (moved.sequence, moved.uid, moved.period) == (1, january.uid, january.period)
    assert moved.runs_until == next_morning(moved.ends_at, "Asia/Jerusalem")
    assert moved.updated_at == LATER
    assert change_of(moved) == ("moved", "The library is being painted.")
    assert notices(moved) == [(MOVED, 1)]


def test_a_reason_lies_sealed(led: Led, january: Session):
    led.move(january, starts_at=TO, reason="The library is being painted.")
    with as_owner():
        row = Change.objects.values().get(session=january)
    assert row["reason_sealed"]
    assert b"painted" not in bytes(row["reason_sealed"] or b"")


def test_a_reason_may_stay_empty(led: Led, january: Session):
    assert change_of(led.move(january, minutes=60)) == ("moved", "")


@pytest.mark.parametrize(
    ("wish", "override"),
    [
        ({"minutes": 60}, {"minutes": 60}),
        ({"place": "Garden"}, {"place": "Garden"}),
        ({"place": ""}, {"place": ""}),
        ({"setting": "online"}, {"setting": "online"}),
        ({"minutes": 90, "place": "Garden"}, {"place": "Garden"}),
    ],
)
def test_length_place_and_way_of_meeting_are_news_too(
    led: Led, january: Session, wish: dict[str, Any], override: dict[str, Any]
):
    moved = led.move(january, **wish)
    assert (moved.overrides, moved.sequence) == (override, 1)


def test_a_move_of_nothing_writes_nothing(led: Led, january: Session):
    before = stored(january)
    led.move(january, starts_at=january.starts_at, minutes=90, place=LIBRARY, setting="in_person")
    assert stored(january) == before
    with as_owner():
        assert not Change.objects.exists()


def test_what_is_put_back_to_the_rule_follows_the_rule_again(led: Led, january: Session):
    moved = led.move(january, starts_at=TO, minutes=60)
    back = led.move(moved, starts_at=january.starts_at, minutes=90)
    assert (back.overrides, back.sequence) == ({}, 2)


def test_moved_to_another_day_an_answer_lapses_moved_by_an_hour_it_stays(led: Led):
    member = make_member()
    join(led.group, member, since=LONG_AGO)
    session = led.on(1, 21)
    cannot_come(session, member)
    moved = led.move(session, starts_at=session.starts_at + timedelta(hours=1))
    with as_member(led.leader):
        assert answers.away(moved) == {member.pk}
    moved = led.move(moved, starts_at=TO)
    with as_member(led.leader):
        assert answers.away(moved) == set()


def test_a_cancelled_date_keeps_its_reason_in_the_group(led: Led, january: Session):
    cancelled = led.cancel(january, "Both leaders are ill.", at=LATER)
    assert (cancelled.phase, cancelled.sequence) == (Phase.CANCELLED, 1)
    assert cancelled.overrides == {"cancelled": True}
    assert change_of(cancelled) == ("cancelled", "Both leaders are ill.")
    assert notices(cancelled) == [(CANCELLED, 1)]


def test_cancelling_takes_its_reminders_back(led: Led, january: Session):
    led.cancel(january)
    with as_owner():
        waiting = Letter.objects.filter(about_id=january.pk, state=LetterState.PENDING)
        assert list(waiting.values_list("kind", flat=True)) == [CANCELLED]


def test_a_date_put_back_follows_the_rule_as_before(led: Led, january: Session):
    led.cancel(january)
    restored = led.restore(january, at=LATER)
    assert (restored.phase, restored.sequence, restored.overrides) == (Phase.PLANNED, 2, {})
    with as_owner():
        kinds = Change.objects.order_by("at").values_list("kind", flat=True)
        assert list(kinds) == ["cancelled", "restored"]


def test_a_move_survives_cancelling_and_putting_back(led: Led, january: Session):
    moved = led.move(january, starts_at=TO)
    led.cancel(moved)
    restored = led.restore(moved)
    assert (restored.starts_at, restored.overrides) == (TO, moved.overrides)


def test_an_extra_date_has_no_series_and_is_settled_at_once(led: Led):
    extra = add(led)
    assert (extra.series_id, extra.period, extra.phase) == (None, None, Phase.PLANNED)
    assert (extra.settled_at, extra.sequence, extra.place) == (NOVEMBER, 0, "Monastery")
    assert extra.runs_until == next_morning(extra.ends_at, "Asia/Jerusalem")
    assert extra in led.sessions


def test_an_extra_date_can_be_moved_cancelled_and_put_back(led: Led):
    extra = led.move(add(led), starts_at=utc(2027, 1, 24, 8))
    assert led.restore(led.cancel(extra)).phase == Phase.PLANNED


def test_an_extra_date_in_the_past_makes_no_mail(led: Led):
    extra = add(led, starts_at=utc(2026, 9, 5, 8))
    with as_owner():
        assert not Letter.objects.filter(about_id=extra.pk).exists()


def test_cancelling_an_evening_nobody_opened_makes_no_mail_after_its_start(led: Led):
    session = led.on(1, 21)
    cancelled = led.cancel(session, at=session.starts_at + timedelta(hours=2))
    assert cancelled.cancelled
    assert notices(session) == []


BEGUN = utc(2027, 1, 21, 18)
NEXT_NOON = utc(2027, 1, 22, 10)
Verb = Callable[[Led, Session], object]
REFUSED: list[tuple[str, dict[str, Any], Verb, type, str]] = [
    (
        "moving an open meeting",
        {"phase": Phase.STORY},
        lambda led, s: led.move(s, minutes=60),
        refusals.MeetingIsOpen,
        "The group is meeting. Close the meeting before you change its date.",
    ),
    (
        "moving a closed meeting",
        {"phase": Phase.CLOSED},
        lambda led, s: led.move(s, minutes=60),
        refusals.MeetingIsOver,
        "This meeting is over; its date stays as it was.",
    ),
    (
        "moving a meeting of yesterday",
        {},
        lambda led, s: led.move(s, minutes=60, at=NEXT_NOON),
        refusals.MeetingIsOver,
        "This meeting is over; its date stays as it was.",
    ),
    (
        "moving a cancelled meeting",
        {"phase": Phase.CANCELLED},
        lambda led, s: led.move(s, minutes=60),
        refusals.MeetingIsCancelled,
        "This meeting is cancelled. Put it back before you change it.",
    ),
    (
        "moving a meeting that has begun",
        {},
        lambda led, s: led.move(s, minutes=60, at=BEGUN),
        refusals.MeetingHasBegun,
        "This meeting has begun; it cannot be moved any more.",
    ),
    (
        "moving into the past",
        {},
        lambda led, s: led.move(s, starts_at=NOVEMBER - timedelta(days=1)),
        refusals.TimeHasPassed,
        "That time has passed. Choose one that lies ahead.",
    ),
    (
        "moving onto another meeting",
        {},
        lambda led, s: led.move(s, starts_at=utc(2027, 2, 18, 18, 59)),
        refusals.AlreadyMeetsThen,
        "The group already meets on Thursday 18 February 2027, 19:30–21:00, Jerusalem time. "
        "Choose another time.",
    ),
    (
        "moving what another has changed",
        {"sequence": 3},
        lambda led, s: led.move(s, minutes=60, seen=2),
        refusals.ChangedMeanwhile,
        "These dates have been changed meanwhile. Look at them as they are now, then save again.",
    ),
    (
        "cancelling what another has changed",
        {"sequence": 3},
        lambda led, s: planning_cancel(led, s, seen=2),
        refusals.ChangedMeanwhile,
        "These dates have been changed meanwhile. Look at them as they are now, then save again.",
    ),
    (
        "cancelling twice",
        {"phase": Phase.CANCELLED},
        lambda led, s: led.cancel(s),
        refusals.CancelledAlready,
        "This meeting is cancelled already.",
    ),
    (
        "cancelling an open meeting",
        {"phase": Phase.CALL},
        lambda led, s: led.cancel(s),
        refusals.MeetingIsOpen,
        "The group is meeting. Close the meeting before you change its date.",
    ),
    (
        "cancelling a closed meeting",
        {"phase": Phase.CLOSED},
        lambda led, s: led.cancel(s),
        refusals.MeetingIsOver,
        "This meeting is over; its date stays as it was.",
    ),
    (
        "cancelling a meeting of yesterday",
        {},
        lambda led, s: led.cancel(s, at=NEXT_NOON),
        refusals.MeetingIsOver,
        "This meeting is over; its date stays as it was.",
    ),
    (
        "putting back what is not cancelled",
        {},
        lambda led, s: led.restore(s),
        refusals.NotCancelled,
        "This meeting is not cancelled; it takes place.",
    ),
    (
        "putting back what has passed",
        {"phase": Phase.CANCELLED},
        lambda led, s: led.restore(s, at=BEGUN),
        refusals.TimeHasPassed,
        "That time has passed. Choose one that lies ahead.",
    ),
    (
        "adding what is there already",
        {},
        lambda led, s: add(led, starts_at=s.starts_at, minutes=90),
        refusals.AlreadyMeetsThen,
        "The group already meets on Thursday 21 January 2027, 19:30–21:00, Jerusalem time. "
        "Choose another time.",
    ),
]


def planning_cancel(led: Led, session: Session, **more: Any) -> Session:
    with as_member(led.leader):
        return planning.cancel(session, by=led.leader, at=NOVEMBER, **more)


@pytest.mark.parametrize(
    ("state", "verb", "reason", "sentence"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
def test_each_refusal_has_its_sentence_and_changes_nothing(
    led: Led, january: Session, state: dict[str, Any], verb: Verb, reason: type, sentence: str
):
    session = as_it_was(january, **state) if state else january
    before = [stored(one) for one in led.sessions]
    with pytest.raises(reason) as refused:
        verb(led, session)
    assert str(refused.value) == sentence
    assert [stored(one) for one in led.sessions] == before


def test_every_refusal_of_planning_is_tried():
    tried = {case[3] for case in REFUSED}
    elsewhere = {refusals.NotYoursToPlan, refusals.NoDateIsLeft, refusals.OverlapsAnotherRhythm}
    elsewhere |= {refusals.NothingIsProposed, refusals.NotYoursToMark, refusals.SettledAlready}
    elsewhere |= {refusals.ProposedDatesHaveChanged, refusals.NothingToUndo}
    elsewhere |= {refusals.StandsAlone, refusals.LastDayHasPassed, refusals.EndsAnyway}
    elsewhere |= {refusals.NoMeetings, refusals.LedByALeader}
    known = {
        kind
        for kind in vars(refusals).values()
        if isinstance(kind, type) and kind.__module__ == refusals.__name__
    }
    assert tried | elsewhere == known


@pytest.mark.parametrize("verb", ["move", "cancel", "restore", "add_date"])
def test_a_member_changes_no_date(led: Led, january: Session, verb: str):
    member = make_member()
    join(led.group, member, since=LONG_AGO)
    arguments: dict[str, dict[str, Any]] = {
        "move": {"minutes": 60},
        "add_date": {
            "starts_at": TO,
            "minutes": 60,
            "zone": "UTC",
            "place": "",
            "setting": "online",
        },
    }
    about = led.group if verb == "add_date" else january
    with as_member(member), pytest.raises(refusals.NotYoursToPlan) as refused:
        getattr(planning, verb)(about, by=member, at=NOVEMBER, **arguments.get(verb, {}))
    assert str(refused.value) == "Only the group’s leaders plan its dates."
    assert len(led.days) == 12


def test_right_after_one_another_is_not_at_the_same_time(led: Led, january: Session):
    after = add(led, starts_at=january.ends_at, minutes=60)
    assert day(after) == date(2027, 1, 21)


def test_a_cancelled_meeting_takes_no_time(led: Led, january: Session):
    led.cancel(january)
    assert add(led, starts_at=january.starts_at).phase == Phase.PLANNED


def test_what_was_cancelled_cannot_come_back_onto_another_meeting(led: Led, january: Session):
    led.cancel(january)
    add(led, starts_at=january.starts_at)
    with pytest.raises(refusals.AlreadyMeetsThen):
        led.restore(january)


def test_a_date_in_a_break_is_wanted_once_it_is_put_back(led: Led):
    july = led.on(7, 15)
    led.plan(cadence(breaks=(SUMMER,)))
    assert led.restore(july).overrides == {"cancelled": False}


def a_leader_of_later(led: Led) -> Led:
    """Somebody who leads the group, but agreed only when tonight's meeting had begun."""
    later = make_member("Dr Late Comer")
    join(led.group, later, "leader", since=LONG_AGO, agreed=False)
    with as_owner():
        newest = Agreement.objects.filter(group=led.group).latest("version")
        Acceptance.objects.create(
            agreement=newest, member=later, group=led.group, accepted_at=timezone.now()
        )
    return Led(led.group, later)


def tonight(led: Led) -> Session:
    began = timezone.now().replace(second=0, microsecond=0) - timedelta(hours=1)
    session = led.on(1, 21)
    return as_it_was(session, starts_at=began, runs_until=began + timedelta(hours=11))


def test_a_leader_who_is_not_of_the_running_circle_is_told_so_when_cancelling(led: Led):
    session, later = tonight(led), a_leader_of_later(led)
    with pytest.raises(conduct.CircleIsFixed, match="until tomorrow morning"):
        later.cancel(session, "Ill", at=timezone.now())
    led.cancel(session, "Ill", at=timezone.now())
    assert change_of(session) == ("cancelled", "Ill")


def test_and_does_not_turn_its_rhythm_of_months_into_one_of_weeks(led: Led):
    session, later = tonight(led), a_leader_of_later(led)
    weekly = cadence(rule=Rule(Unit.WEEK, 2, weekday=3))
    with pytest.raises(conduct.CircleIsFixed):
        later.plan(weekly, at=timezone.now())
    led.plan(weekly, at=timezone.now())
    assert stored(session)["period"] is None
