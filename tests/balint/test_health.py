"""What machines ask of us: whether the process lives, and whether to send people here."""

import json
import os
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from members.letters import health
from members.models import Heartbeat, Letter, LetterState
from tests import servers
from tests.journeys.conftest import free_port, serving
from tests.world import Circle, as_owner

Json = dict[str, Any]


def asked(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def ready(client: Client) -> tuple[int, Json]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()


def beat(ago: timedelta = timedelta(seconds=5)) -> None:
    with as_owner():
        Heartbeat.objects.update_or_create(
            name=health.WORKER, defaults={"beat_at": timezone.now() - ago}
        )


def overdue(by: timedelta, circle: Circle, state: str = LetterState.PENDING) -> None:
    with as_owner():
        Letter.objects.create(
            kind="reminder",
            about_id=circle.group.pk,
            recipient=circle.member,
            send_after=timezone.now() - by,
            state=state,
            message_id="<1@balint.test>",
        )


@pytest.fixture
def redis(settings: Any) -> None:
    settings.REDIS_URL = os.environ["BALINT_TEST_REDIS"]


def test_without_a_database_the_process_still_says_that_it_lives(tmp_path: Path) -> None:
    # In local mode pages share connections as in production, and wait for one.
    port = free_port()
    environment = servers.environment(
        "nowhere",
        BALINT_MODE="local",
        DATABASE_URL=f"postgres://balint_app:word@/balint?host={tmp_path}",
        SECRET_KEY="a test",
        ALLOWED_HOSTS="127.0.0.1",
        SITE_URL=f"http://127.0.0.1:{port}",
        EMAIL_URL="memory://",
        DEFAULT_FROM_EMAIL="balint@balint.test",
    )
    with serving(environment, port, tmp_path / "web.log"):
        assert asked(f"http://127.0.0.1:{port}/healthz") == (200, b"ok\n")
        status, body = asked(f"http://127.0.0.1:{port}/readyz")
    assert (status, json.loads(body)) == (503, {"ready": False, "why": "no database"})
    assert "word" not in (tmp_path / "web.log").read_text()


def test_the_process_lives_without_asking_the_database(
    circle: Circle, client_of: Any, django_assert_num_queries: Any
) -> None:
    client = client_of(circle.leader)
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_ready_means_that_everything_is_there(client: Client, redis: None, db: None) -> None:
    beat()
    assert ready(client) == (200, {"ready": True, "degraded": [], "oldest_overdue_seconds": 0})


def test_pending_migrations_mean_not_ready(client: Client, db: None) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("delete from django_migrations where app = 'groups'")
    assert ready(client) == (503, {"ready": False, "why": "pending migrations"})


def test_without_redis_we_are_ready_and_say_so(client: Client, db: None, settings: Any) -> None:
    beat()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    status, body = ready(client)
    assert (status, body["degraded"]) == (200, ["redis"])


@pytest.mark.parametrize("silent_for", [None, timedelta(minutes=10)])
def test_without_a_worker_we_are_ready_and_say_so(
    client: Client, db: None, redis: None, silent_for: timedelta | None
) -> None:
    if silent_for:
        beat(silent_for)
    status, body = ready(client)
    assert (status, body["degraded"]) == (200, ["worker"])


def test_a_worker_that_missed_a_few_ticks_is_still_there(
    client: Client, db: None, redis: None, settings: Any
) -> None:
    beat(timedelta(seconds=settings.LETTER_TICK_SECONDS * 3))
    assert ready(client)[1]["degraded"] == []


def test_a_letter_that_should_have_gone_long_ago_is_told(
    client: Client, circle: Circle, redis: None
) -> None:
    beat()
    overdue(timedelta(minutes=20), circle)
    status, body = ready(client)
    assert (status, body["degraded"]) == (200, ["letters"])
    assert 1200 <= body["oldest_overdue_seconds"] < 1260


@pytest.mark.parametrize("state", [LetterState.SENT, LetterState.CANCELLED, LetterState.EXPIRED])
def test_a_letter_that_is_done_with_is_never_overdue(
    client: Client, circle: Circle, redis: None, state: str
) -> None:
    beat()
    overdue(timedelta(days=20), circle, state)
    assert ready(client)[1] == {"ready": True, "degraded": [], "oldest_overdue_seconds": 0}


def test_the_answer_names_nobody_and_no_address(client: Client, circle: Circle) -> None:
    overdue(timedelta(minutes=20), circle)
    text = client.get("/readyz").content.decode()
    assert set(json.loads(text)) == {"ready", "degraded", "oldest_overdue_seconds"}
    assert circle.member.email not in text
