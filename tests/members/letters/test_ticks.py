"""Nothing waits in a queue: the clock's ticks carry nothing and may be lost."""

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from balint.celery import app
from members.letters.health import of_letters
from members.letters.mail import address_of
from members.tasks import dispatch
from tests.members.letters.conftest import look, make_letter
from tests.servers import ROOT
from tests.world import as_owner

# An ETA is redelivered when it is longer than the broker's visibility timeout, and lost with it.
QUEUED = {"apply_async", "delay", "send_task", "si", "signature"}
LATER = {"eta", "countdown"}
FILES = [
    file
    for folder in ("balint", "members", "groups", "sessions")
    for file in sorted((ROOT / folder).rglob("*.py"))
]


def calls(file: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node


def test_no_code_puts_a_letter_or_anything_else_into_a_queue():
    found = [
        f"{file.relative_to(ROOT)}:{call.lineno}"
        for file in FILES
        for call in calls(file)
        if (isinstance(call.func, ast.Attribute) and call.func.attr in QUEUED)
        or any(keyword.arg in LATER for keyword in call.keywords)
    ]
    assert found == []
    assert len(FILES) > 50


def test_the_clock_ticks_without_arguments_and_a_tick_too_late_is_dropped():
    app.loader.import_default_modules()
    schedule: dict[str, Any] = settings.CELERY_BEAT_SCHEDULE
    for entry in schedule.values():
        assert entry["task"] in app.tasks
        assert "args" not in entry
        assert "kwargs" not in entry
        assert 0 < entry["options"]["expires"] < entry["schedule"]


def test_a_killed_worker_gives_its_tick_back_and_a_worker_takes_one_at_a_time():
    conf = app.conf
    assert (conf.task_acks_late, conf.task_reject_on_worker_lost) == (True, True)
    assert (conf.worker_prefetch_multiplier, conf.task_ignore_result) == (1, True)
    assert (conf.task_serializer, conf.accept_content) == ("json", ["json"])


@pytest.mark.django_db
@pytest.mark.usefixtures("note")
def test_a_tick_sends_what_is_due_and_is_seen(mailoutbox):
    letter = make_letter()
    with as_owner():
        dispatch()
        health = of_letters(at=timezone.now())
    assert look(letter).state == "sent"
    assert [mail.to for mail in mailoutbox] == [[address_of(letter)]]
    assert health.silent_for
    assert health.silent_for < timedelta(seconds=30)
    assert health.overdue_by == timedelta()
