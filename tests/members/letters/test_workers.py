"""Real workers on a database of their own: at once, killed at the worst moment, without Redis."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from groups import letters
from groups.models import Programme, Proposal
from members.identity import acting_as
from members.letters import engine, lease
from members.models import Heartbeat, Letter
from tests import servers
from tests.members.letters.conftest import make_letter, use, wait_until
from tests.smtp import MailServer
from tests.world import as_owner

TICK = {"LETTER_TICK_SECONDS": "0.3"}


def invite(count: int) -> list[Letter]:
    """So many invitations that are due."""
    now = timezone.now()
    with as_owner():
        programme = Programme.objects.create(name="North programme")
        for number in range(count):
            proposal = Proposal.objects.create(
                programme=programme,
                role="admin",
                address=f"person{number:02}@example.org",
                proposed_as="command",
                proposed_at=now,
                consented_at=now,
                expires_at=now + timedelta(days=30),
                sends=1,
            )
            letters.invite(proposal, at=now - timedelta(minutes=1))
        return list(Letter.objects.all())


def environment(database: str, server: MailServer) -> dict[str, str]:
    more = TICK | {"EMAIL_URL": f"smtp://127.0.0.1:{server.port}", "BALINT_LOGIN": "worker"}
    # A database of Redis that is nobody else's.
    broker = f"{os.environ['BALINT_TEST_REDIS']}?virtual_host=7"
    return servers.environment(database, **more, REDIS_URL=broker)


@contextmanager
def running(log: Path, env: dict[str, str], *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours with its children in a group of its own; gone at the end, also by force."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=servers.ROOT,
            env=env,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9 of the worker and of every child it forked."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def celery(*arguments: str) -> tuple[str, ...]:
    return ("-m", "celery", "-A", "balint", *arguments)


WORKER = celery("worker", "--concurrency=1", "--without-gossip", "--without-mingle", "-l", "INFO")


def states() -> Counter[str]:
    with acting_as(None, "balint_worker"):
        return Counter(Letter.objects.values_list("state", flat=True))


def let_the_leases_run_out() -> None:
    """Two minutes later."""
    with as_owner():
        Letter.objects.filter(state="leased").update(lease_until=timezone.now())


def test_workers_killed_mid_batch_lose_nothing_and_what_comes_twice_is_the_same_mail(
    own_database, tmp_path
):
    planned = invite(25)
    # Killed before the third mail is handed over, and after the ninth was taken, before the answer.
    moments = [["", "", "hold-rcpt"], [""] * 6 + ["hold"]]
    with MailServer() as server:
        env, log = environment(own_database, server), tmp_path / "celery.log"
        beat = celery("beat", "--schedule", str(tmp_path / "beat"), "--pidfile", "")
        with running(tmp_path / "beat.log", env, *beat):
            for script in moments:
                server.script = list(script)
                with running(log, env, *WORKER):
                    wait_until(server.held.is_set)
                server.release()
                assert states()["leased"] > 0
                let_the_leases_run_out()
            with running(log, env, *WORKER):
                wait_until(lambda: states() == {"sent": 25})
    assert {mail.message_id for mail in server.mails} == {letter.message_id for letter in planned}
    by_person = Counter(mail.to for mail in server.mails)
    assert sorted(by_person) == [f"person{number:02}@example.org" for number in range(25)]
    assert sum(by_person.values()) - 25 == 1
    twice = next(to for to, count in by_person.items() if count == 2)
    assert len({mail.message_id for mail in server.mails if mail.to == twice}) == 1


def test_two_commands_at_once_send_each_letter_once_with_redis_away(own_database, tmp_path):
    invite(30)
    with MailServer() as server:
        server.delay = 0.002
        env = environment(own_database, server) | {"REDIS_URL": "redis://127.0.0.1:1/0"}
        # Without a word about the login: the command knows its own.
        del env["BALINT_LOGIN"]
        both = [
            subprocess.Popen(
                [sys.executable, "manage.py", "dispatch_letters"],
                cwd=servers.ROOT, env=env, stdout=subprocess.PIPE, text=True,
            )
            for _ in range(2)
        ]  # fmt: skip
        printed = [process.communicate(timeout=30)[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert server.recipients == [f"person{number:02}@example.org" for number in range(30)]
    assert sum(int(line.split()[0]) for line in printed if line.endswith(" sent")) == 30


def test_the_loop_sends_without_celery_beats_and_stops_when_asked(own_database, tmp_path):
    with MailServer() as server:
        env = environment(own_database, server) | {"REDIS_URL": "redis://127.0.0.1:1/0"}
        log = tmp_path / "loop.log"
        with running(log, env, "manage.py", "dispatch_letters", "--loop") as process:
            wait_until(lambda: beats() == 1)
            invite(3)
            wait_until(lambda: states() == {"sent": 3})
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
    assert len(server.mails) == 3
    assert log.read_text() == ""


def beats() -> int:
    with acting_as(None, "balint_worker"):
        return Heartbeat.objects.count()


@pytest.mark.usefixtures("note")
def test_a_claim_waits_for_nobody_and_takes_what_no_other_worker_is_taking(own_database):
    letters = {make_letter().pk for _ in range(5)}
    with psycopg.connect(servers.url("balint_worker", own_database)) as other:
        rows = other.execute("select id from members_letter limit 2 for update").fetchall()
        with acting_as(None, "balint_worker"):
            with connection.cursor() as cursor:
                cursor.execute("set local lock_timeout = '2s'")
            claimed = lease.claim()
    assert set(claimed.letters) == letters - {pk for (pk,) in rows}


@pytest.mark.usefixtures("note")
def test_no_transaction_is_open_while_the_mail_server_is_talked_to(own_database, settings):
    make_letter()
    seen: list[str] = []

    def look() -> None:
        with servers.superuser() as connection:
            rows = connection.execute(
                "select state from pg_stat_activity"
                " where datname = %s and backend_type = 'client backend'",
                [own_database],
            )
            seen.extend(row[0] for row in rows)

    with MailServer() as server:
        use(server, settings)
        server.on_mail = look
        assert engine.dispatch() == {"sent": 1}
    assert seen == ["idle"]
