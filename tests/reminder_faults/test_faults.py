"""Each fault of the list by its name, F1 to F24 but F23: nothing lost, late or doubled.

Kills are real: of processes forked for the purpose, or in the small run of real Celery workers.
"""

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from groups import leaving
from members.letters import engine, lease
from members.letters.health import of_letters
from members.models import Letter, Member
from sessions.models import Session
from sessions.phases import Phase
from tests import servers
from tests.members.letters.conftest import change, look, make_letter, note, own_database, server
from tests.members.letters.test_workers import invite, let_the_leases_run_out, states
from tests.reminder_faults import circles, points
from tests.reminder_faults.hands import COMMITTED, KILLED, NOT_COMMITTED, CouldNot, Hands
from tests.sessions import round as rounds
from tests.smtp import MailServer
from tests.world import as_member, as_owner

__all__ = ["note", "own_database", "server"]

ONE = circles.Size(
    groups=1, people=4, kills=0, workers=0, spread=300, soon=0, soon_in=0, grey_every=9
)
Send = Callable[..., int]


@pytest.fixture(scope="module")
def hands() -> Iterator[Hands]:
    environment = servers.environment(servers.TEMPLATE) | {
        "BALINT_LOGIN": "app",
        "BALINT_STARTUP_CHECKS": "0",
        "PYTHONPATH": str(servers.ROOT),
    }
    with Hands(environment) as ready:
        yield ready


@pytest.fixture
def send(hands: Hands, own_database: str, tmp_path: Path) -> Send:
    """A worker in a process of its own sends what is due; -9 when it was killed."""
    (tmp_path / "orders").mkdir()
    where = {"database": servers.url("balint_test", own_database), "folder": str(tmp_path)}

    def sending(post: MailServer, lease: float = 3.0, timeout: float = 0.5) -> int:
        here = {"host": "127.0.0.1", "port": post.port}
        return hands.do("dispatch", lease=lease, timeout=timeout, **here, **where)

    return sending


def act(hands: Hands, database: str, deed: str, meeting: circles.Meeting, **more: Any) -> int:
    return hands.do(
        deed,
        database=servers.url("balint_test", database),
        session=str(meeting.pk),
        by=str(meeting.circle.leader),
        **more,
    )


def planned() -> Counter[tuple[str, int, str]]:
    """How many letters of each kind, for each state of its meeting."""
    with as_owner():
        return Counter(Letter.objects.values_list("kind", "about_version", "state"))


def dispatch() -> dict[str, int]:
    with as_owner():
        return dict(engine.dispatch())


def test_f1_and_f2_killed_before_the_plan_is_committed_or_after_it_and_asked_again(
    own_database, hands
):
    meeting = circles.seed(ONE, datetime.now(UTC))[0].meetings[1]
    before = planned()
    to = (meeting.starts_at + timedelta(hours=3)).isoformat()
    assert act(hands, own_database, "move", meeting, starts_at=to, die=NOT_COMMITTED) == KILLED
    assert planned() == before
    assert act(hands, own_database, "move", meeting, starts_at=to, die=COMMITTED) == KILLED
    moved = planned()
    assert moved["moved", 1, "pending"] == 4
    assert moved["reminder-7", 1, "pending"] == 4
    # Who saw no answer does it once more: nothing is different, so nothing is planned twice.
    assert act(hands, own_database, "move", meeting, starts_at=to) == 0
    assert planned() == moved


# Where a worker is killed, and how many mails then come twice.
KILLED_AT = (
    ("F3 after the claim", "claim: done", 0),
    ("F4 before the last look", "look: begun", 0),
    ("F5 before SMTP connects", "line: opening", 0),
    ("F6 after MAIL", "MAIL: answered", 0),
    ("F6 after RCPT", "RCPT: answered", 0),
    ("F6 within the mail", "DATA: half sent", 0),
    ("F7 taken, the answer unread", "DATA: answer unread", 1),
    ("F7 taken, not marked", "answer: read", 1),
    ("F8 after the mark", "mark: done", 0),
)


def test_f3_to_f8_a_worker_killed_there_loses_nothing_and_doubles_only_what_was_taken(
    send, tmp_path
):
    for count, (fault, point, twice) in enumerate(KILLED_AT, start=1):
        invite(3)
        with MailServer() as post:
            points.order(tmp_path, point, "child")
            assert send(post) == KILLED, fault
            assert states()["leased"] > 0, fault
            let_the_leases_run_out()
            assert send(post) == 0, fault
        assert states() == {"sent": 3 * count}, fault
        assert len({mail.message_id for mail in post.mails}) == 3, fault
        assert len(post.mails) == 3 + twice, fault


def test_f9_to_f14_pool_children_and_workers_killed_two_beats_none_redis_and_postgresql_gone():
    done = subprocess.run(
        [sys.executable, "-m", "tests.reminder_faults", "--small"],
        cwd=servers.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *told, killed, checked, last = map(json.loads, done.stdout.splitlines())
    faults = {line["fault"] for line in told if "fault" in line}
    assert faults == {circles.FAULTS[name] for name in circles.SMALL_FAULTS}
    assert set(killed["killed"]) >= {"child", "group"}
    assert len(killed["killed_at"]) >= 12
    assert {name: last[name] for name in ("lost", "late", "to_departed", "other_message_id")} == {
        "lost": 0,
        "late": 0,
        "to_departed": 0,
        "other_message_id": 0,
    }
    assert last["reminders"] > 80
    assert {count for name, count in checked.items() if name not in {"mails", "seconds"}} == {0}


@pytest.mark.django_db
@pytest.mark.usefixtures("note")
def test_f11_after_two_hours_without_a_beat_everyone_knows_and_all_goes_at_the_next(server):
    two_hours = timedelta(hours=2)
    make_letter(send_after=timezone.now() - two_hours)
    with as_owner():
        behind = of_letters(at=timezone.now())
    assert behind.overdue_by >= two_hours
    assert dispatch() == {"sent": 1}


def test_f15_without_a_connection_nothing_happens_and_with_one_again_everything(
    send, own_database, tmp_path
):
    invite(3)
    with MailServer() as post, servers.superuser() as connection:
        connection.execute(f'alter database "{own_database}" connection limit 0')
        with pytest.raises(CouldNot):
            send(post)
        connection.execute(f'alter database "{own_database}" connection limit -1')
        assert states() == {"pending": 3}
        assert send(post) == 0
    assert states() == {"sent": 3}
    assert len(post.mails) == 3


def test_f16_while_a_server_does_not_answer_no_second_worker_sends_the_letter(send):
    invite(1)
    with MailServer() as post:
        post.script = ["hold"]
        first = threading.Thread(target=send, args=[post], kwargs={"lease": 90.0, "timeout": 60.0})
        first.start()
        assert post.held.wait(30)
        assert dispatch() == {}
        post.release()
        first.join()
        assert states() == {"sent": 1}
        assert len(post.mails) == 1


def test_f16_a_server_that_hangs_longer_than_a_lease_is_left_within_it_and_tried_again(send):
    (letter,) = invite(1)
    with MailServer() as post:
        post.script = ["hang"]
        assert send(post, lease=3.0, timeout=0.5) == 0
        hung = look(letter)
        assert (hung.state, hung.lease_token, hung.attempts) == ("uncertain", None, 1)
        change(letter, not_before=None)
        assert send(post) == 0
    assert states() == {"sent": 1}
    assert [mail.message_id for mail in post.mails] == [letter.message_id] * 2


@pytest.mark.django_db
@pytest.mark.usefixtures("note")
@pytest.mark.parametrize(
    ("script", "ends", "state"),
    [
        pytest.param(["451"], 1, "sent", id="451"),
        pytest.param(["451", "451", "451"], 3, "sent", id="greylisted"),
        pytest.param(["550"], 0, "failed", id="550"),
    ],
)
def test_f17_refused_for_now_it_comes_again_and_refused_for_good_it_stays_with_us(
    server, script, ends, state
):
    server.script = script
    letter = make_letter()
    assert dispatch() == ({"failed": 1} if state == "failed" else {"put off": 1})
    for _ in range(ends):
        change(letter, not_before=None)
        dispatch()
    assert look(letter).state == state
    assert len(server.mails) == (state == "sent")


@pytest.mark.django_db
@pytest.mark.usefixtures("note")
def test_f18_dropped_after_it_was_taken_it_comes_again_as_the_same_mail(server):
    server.script = ["drop"]
    letter = make_letter()
    assert dispatch() == {"put off": 1}
    assert look(letter).state == "uncertain"
    change(letter, not_before=None)
    assert dispatch() == {"sent": 1}
    assert [mail.message_id for mail in server.mails] == [letter.message_id] * 2


@pytest.mark.django_db
@pytest.mark.usefixtures("note")
@pytest.mark.parametrize("hours", [-2, 2])
def test_f19_a_worker_whose_clock_is_two_hours_wrong_goes_by_the_database(
    server, monkeypatch, hours
):
    now, hour = timezone.now(), timedelta(hours=1)
    early = make_letter(send_after=now + hour)
    due = make_letter(send_after=now - hour, send_before=now + hour)
    late = make_letter(send_after=now - 3 * hour, send_before=now - hour)
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(hours=hours))
    assert dispatch() == {"sent": 1, "expired": 1}
    assert [look(letter).state for letter in (early, due, late)] == ["pending", "sent", "expired"]


@pytest.mark.django_db
def test_f20_after_26_hours_without_anything_nothing_goes_about_what_has_begun():
    group, _ = rounds.alone(circles.noon_zone(timezone.now()))
    begun = rounds.meeting(group, timezone.now() + timedelta(days=1, hours=1, minutes=30))
    ahead = rounds.meeting(group, timezone.now() + timedelta(days=8))
    for session in (begun, ahead):
        rounds.sync(session, at=timezone.now() - timedelta(days=30))
    rounds.let_days_pass(26 / 24)
    mails = rounds.send()
    assert [str(mail["Message-ID"]) for mail in mails] == [
        letter.message_id for letter in letters_about(ahead, "sent")
    ]
    assert len(mails) == 1
    assert letters_about(begun, "sent") == letters_about(begun, "pending") == []


def letters_about(session: Session, state: str) -> list[Letter]:
    with as_owner():
        return list(Letter.objects.filter(about_id=session.pk, state=state))


def cancelled(session: Session, member: Member) -> None:
    rounds.change_session(session, "cancelled", timezone.now(), phase=Phase.CANCELLED)


def moved(session: Session, member: Member) -> None:
    later = session.starts_at + timedelta(days=3)
    rounds.change_session(session, "moved", timezone.now(), starts_at=later)


def left(session: Session, member: Member) -> None:
    with as_member(member):
        leaving.leave(session.group, by=member, at=timezone.now())


@pytest.mark.django_db
@pytest.mark.parametrize("deed", [cancelled, moved, left])
def test_f21_what_changes_between_the_claim_and_the_sending_is_seen_at_the_last_look(
    mailoutbox, deed
):
    group, member = rounds.alone()
    session = rounds.meeting(group, timezone.now() + timedelta(hours=20))
    rounds.sync(session, at=timezone.now() - timedelta(days=2))
    with as_owner():
        ours = lease.claim()
    assert len(ours.letters) == 1
    deed(session, member)
    with as_owner():
        assert engine._look_again(ours.letters[0], ours) in {"cancelled", engine.LEFT_ALONE}
    with as_owner():
        assert Letter.objects.get(pk=ours.letters[0]).state == "cancelled"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "starts_at", "moments"),
    [
        pytest.param(
            "Europe/London",
            datetime(2027, 3, 28, 19, 30),
            [datetime(2027, 3, 21, 19, 30), datetime(2027, 3, 27, 19, 30)],
            id="an hour is skipped",
        ),
        pytest.param(
            "America/New_York",
            datetime(2027, 11, 7, 19, 30),
            [datetime(2027, 10, 31, 19, 30), datetime(2027, 11, 6, 19, 30)],
            id="an hour comes twice",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            datetime(2027, 10, 4, 12, 15),
            [datetime(2027, 9, 27, 12, 15), datetime(2027, 10, 3, 12, 15)],
            id="half an hour is skipped",
        ),
        pytest.param(
            "Asia/Jerusalem",
            datetime(2028, 3, 1, 19, 30),
            [datetime(2028, 2, 23, 19, 30), datetime(2028, 2, 29, 19, 30)],
            id="a leap day",
        ),
    ],
)
def test_f22_reminders_keep_the_wall_time_over_both_changes_of_clocks_and_a_leap_day(
    zone, starts_at, moments
):
    here = ZoneInfo(zone)
    begins = starts_at.replace(tzinfo=here)
    group, member = rounds.alone(zone)
    session = rounds.meeting(group, begins)
    rounds.sync(session, at=begins - timedelta(days=30))
    found = sorted(rounds.moments(session, member).values())
    assert [moment.astimezone(here).replace(tzinfo=None) for moment in found] == moments


@pytest.mark.django_db
def test_f22_a_group_that_moves_to_another_zone_is_reminded_of_its_old_dates_as_before():
    group, member = rounds.alone("Europe/London")
    session = rounds.meeting(group, timezone.now() + timedelta(days=30))
    rounds.sync(session, at=timezone.now())
    before = rounds.moments(session, member)
    with as_owner():
        type(group).objects.filter(pk=group.pk).update(time_zone="Asia/Tokyo")
    rounds.sync(session, at=timezone.now())
    assert rounds.moments(session, member) == before
    assert len(before) == 2


@pytest.mark.django_db
@pytest.mark.usefixtures("note")
def test_f24_many_due_in_one_minute_go_out_in_one_round_each_once(mailoutbox):
    now = timezone.now()
    for number in range(60):
        make_letter(address=f"person{number}@example.org", send_after=now)
    assert dispatch() == {"sent": 60}
    assert sorted(mail.to[0] for mail in mailoutbox) == sorted(
        f"person{number}@example.org" for number in range(60)
    )
