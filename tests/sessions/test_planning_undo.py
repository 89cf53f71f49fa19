"""A move or a cancelling undone: what stands again, and who is told."""

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from members.models import Letter, LetterState, Member
from sessions import planning
from sessions.letters import CANCELLED, MOVED, NOTICES, RESTORED
from sessions.models import Change, Session
from sessions.phases import Phase
from sessions.planning import refusals
from tests.sessions.desk import text
from tests.sessions.meetings import cannot_come, make_session
from tests.sessions.rhythm import LIBRARY, LONG_AGO, NOVEMBER, Led, cadence, make_led
from tests.sessions.round import make_round
from tests.world import as_member, as_owner, join, make_member, utc

TO = utc(2027, 1, 28, 17)
SOON = NOVEMBER + timedelta(minutes=1)


@pytest.fixture
def led(db: None) -> Led:
    led = make_led()
    led.plan(cadence(), at=NOVEMBER - timedelta(days=1))
    return led


@pytest.fixture
def january(led: Led) -> Session:
    return led.on(1, 21)


def undo(led: Led, session: Session, at: Any = SOON, **more: Any) -> Session:
    with as_member(led.leader):
        return planning.undo(session, by=led.leader, at=at, **more)


def waiting(session: Session) -> list[tuple[str, int]]:
    """The notices that will go, by kind and version."""
    with as_owner():
        letters = Letter.objects.filter(about_id=session.pk, kind__in=NOTICES)
        pending = letters.filter(state=LetterState.PENDING)
        return sorted(pending.values_list("kind", "about_version"))


def went(session: Session, person: Member) -> None:
    with as_owner():
        letters = Letter.objects.filter(about_id=session.pk, recipient=person, kind__in=NOTICES)
        letters.update(state=LetterState.SENT, attempts=1)


def test_a_move_undone_puts_everything_back(led: Led, january: Session):
    led.move(january, place="Garden", at=NOVEMBER - timedelta(hours=1))
    led.move(january, starts_at=TO, minutes=60, setting="online", reason="Snow.")
    back = undo(led, january)
    assert (back.starts_at, back.minutes, back.place, back.setting) == (
        january.starts_at,
        90,
        "Garden",
        "in_person",
    )
    assert (back.overrides, back.sequence) == ({"place": "Garden"}, 3)
    assert back.runs_until == january.runs_until
    with as_owner():
        last = Change.objects.order_by("at").last()
    assert last
    assert (last.kind, last.reason, last.before) == ("undone", "", None)


def test_a_cancelling_undone_takes_place_as_moved_before(led: Led, january: Session):
    moved = led.move(january, starts_at=TO)
    led.cancel(january)
    back = undo(led, january)
    assert (back.phase, back.starts_at) == (Phase.PLANNED, TO)
    assert back.overrides == moved.overrides


def test_where_nobody_had_heard_nobody_is_told(led: Led, january: Session):
    join(led.group, make_member(), since=LONG_AGO)
    led.cancel(january)
    assert waiting(january) == [(CANCELLED, 1)] * 2
    back = undo(led, january)
    assert waiting(january) == []
    with as_member(led.leader):
        assert not planning.is_told(back)
    with as_owner():
        reminders = Letter.objects.filter(about_id=january.pk, state=LetterState.PENDING)
        assert {letter.about_version for letter in reminders} == {2}


@pytest.mark.parametrize(
    ("change", "notice"),
    [
        (lambda led, s: led.cancel(s), RESTORED),
        (lambda led, s: led.move(s, starts_at=TO), MOVED),
    ],
)
def test_who_had_heard_is_told_and_nobody_else(
    led: Led, january: Session, change: Any, notice: str
):
    join(led.group, make_member(), since=LONG_AGO)
    change(led, january)
    went(january, led.leader)
    undo(led, january)
    with as_owner():
        told = Letter.objects.get(about_id=january.pk, about_version=2, kind__in=NOTICES)
    assert (told.kind, told.recipient_id) == (notice, led.leader.pk)


def test_a_move_before_it_that_nobody_heard_of_is_still_told(led: Led, january: Session):
    led.move(january, starts_at=TO)
    led.move(january, place="Garden")
    undo(led, january)
    assert waiting(january) == [(MOVED, 3)]


def test_an_answer_holds_again_when_its_day_is_back(led: Led, january: Session):
    member = make_member()
    join(led.group, member, since=LONG_AGO)
    cannot_come(january, member)
    led.move(january, starts_at=TO)
    undo(led, january)
    with as_owner():
        reminders = Letter.objects.filter(
            about_id=january.pk, recipient=member, state=LetterState.PENDING
        )
        assert list(reminders) == []


def put_back(led: Led, january: Session) -> None:
    led.cancel(january)
    led.restore(january)


def planned_anew(led: Led, january: Session) -> None:
    led.move(january, minutes=60)
    led.plan(cadence(), "Town hall")


@pytest.mark.parametrize(
    ("change", "at"),
    [
        (lambda led, s: None, SOON),
        (lambda led, s: led.cancel(s), NOVEMBER + timedelta(days=1, minutes=1)),
        (lambda led, s: undo(led, led.cancel(s)), SOON),
        (put_back, SOON),
        (planned_anew, SOON),
    ],
    ids=["nothing done", "a day ago", "undone already", "put back", "planned anew"],
)
def test_what_cannot_be_undone_is_refused(led: Led, january: Session, change: Any, at: Any):
    change(led, january)
    with pytest.raises(refusals.NothingToUndo):
        undo(led, january, at)


def test_nothing_goes_back_to_a_time_that_has_passed(led: Led, january: Session):
    at = january.starts_at - timedelta(hours=1)
    led.move(january, starts_at=TO, at=at)
    with pytest.raises(refusals.NothingToUndo):
        undo(led, january, january.starts_at)


def test_nothing_goes_back_onto_another_meeting(led: Led, january: Session):
    led.move(january, starts_at=TO)
    led.move(led.on(2, 18), starts_at=january.starts_at)
    with pytest.raises(refusals.AlreadyMeetsThen):
        undo(led, january)


def test_a_stale_undo_undoes_nothing(led: Led, january: Session):
    led.cancel(january)
    with pytest.raises(refusals.ChangedMeanwhile):
        undo(led, january, seen=0)


def test_only_leaders_undo(led: Led, january: Session):
    member = make_member()
    join(led.group, member, since=LONG_AGO)
    led.cancel(january)
    with as_member(member), pytest.raises(refusals.NotYoursToPlan):
        planning.undo(january, by=member, at=SOON)


def test_after_a_change_undo_is_one_quiet_button_and_the_page_says_who_was_told(
    led: Led, january: Session, client_of: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("django.utils.timezone.now", lambda: SOON)
    leader = client_of(led.leader)
    cancel = reverse("session_cancel", args=[january.pk])
    page = leader.post(cancel, {"reason": "", "seen": "0"}, follow=True)
    address = reverse("session_undo", args=[january.pk])
    assert page.content.decode().count(address) == 1
    assert "Thursday 21 January 2027 is cancelled. Undo" in text(page)
    session = reverse("session", args=[january.pk])
    assert address in leader.get(session).content.decode()
    later = SOON + timedelta(minutes=1)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    page = leader.post(address, {"seen": "1"}, follow=True)
    assert "It is as it was before. Nobody had been told of the change yet." in text(page)
    assert address not in page.content.decode()
    read = leader.get(session)
    assert "moved" not in text(read)
    assert "cancelled" not in text(read)
    assert LIBRARY in text(read)


def test_who_had_been_told_is_said(
    led: Led, january: Session, client_of: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("django.utils.timezone.now", lambda: SOON)
    led.cancel(january)
    went(january, led.leader)
    address = reverse("session_undo", args=[january.pk])
    page = client_of(led.leader).post(address, {"seen": "1"}, follow=True)
    assert "Whoever had been told of the change hears of it by mail." in text(page)


def test_without_the_state_it_saw_a_form_undoes_nothing(led: Led, january: Session, client_of: Any):
    led.cancel(january)
    page = client_of(led.leader).post(reverse("session_undo", args=[january.pk]))
    assert page.status_code == 409
    assert "This can no longer be undone." in text(page)


def test_cancelled_tonight_it_is_undone_on_the_same_page(client_of: Any):
    ours = make_round()
    session = make_session(ours.group, timezone.now() + timedelta(hours=3))
    leader, address = client_of(ours.leader), reverse("tonight", args=[session.pk])
    undo_at = reverse("session_undo", args=[session.pk])
    assert undo_at not in leader.get(address).content.decode()
    page = leader.post(address, {"do": "cancel", "reason": "", "seen": "0"}, follow=True)
    assert page.content.decode().count(undo_at) == 1
    page = leader.post(undo_at, {"seen": "1"}, follow=True)
    assert "It is as it was before." in text(page)
    assert undo_at not in leader.get(address).content.decode()


@pytest.mark.parametrize(
    "change",
    [
        lambda led, s: led.plan(cadence(starts_at=time(20)), "Garden", at=SOON),
        lambda led, s: followed(led, led.on(2, 18)),
    ],
    ids=["the rhythm", "this and following"],
)
def test_a_cancelling_before_the_rhythm_changed_is_not_undone(
    led: Led, january: Session, change: Any
):
    february = led.on(2, 18)
    led.cancel(february)
    change(led, february)
    with pytest.raises(refusals.NothingToUndo):
        undo(led, february, SOON + timedelta(minutes=1))
    assert led.on(2, 18).phase == Phase.CANCELLED


def followed(led: Led, after: Session) -> None:
    """This and following from the date before, of which the cancelled one is part."""
    with as_member(led.leader):
        session = Session.objects.select_related("group", "series").get(
            group=led.group, starts_at__lt=after.starts_at
        )
        plan = planning.plan_from(session)
        later = replace(plan.cadence, starts_at=time(20))
        planning.plan_following(session, later, plan.place, by=led.leader, at=SOON)
