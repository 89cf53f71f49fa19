"""Canaries: texts nobody could guess, typed into a running site, and looked for all round it.

Real web, worker and clock, real PostgreSQL that logs every statement, real Redis, real mail; pages
that fail with a text in hand among them. They may be found in the pages that may show them, and
nowhere else. That the search would find them is shown by another word, typed where text stands
open: a group's name and alias.
"""

import os
import re
import secrets
import string
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from itertools import cycle, product
from pathlib import Path
from threading import Thread
from typing import Any

import redis
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from tests import servers
from tests.balint.installation import Installation, install
from tests.confidentiality import site, traces
from tests.confidentiality.ground import Size, own_database, speaking_to
from tests.confidentiality.site import Browser, RunningSite
from tests.world import as_owner, make_circle

MARKERS = {"small": 60, "whole": 1_000}
SECONDS = 40
SAVED = HTTPStatus.FOUND
# As loud as an operator could make it by hand, but for parameters, which our settings keep out.
LOUD = {
    "log_statement": "all",
    "log_min_duration_statement": "0",
    "log_min_error_statement": "error",
    "log_error_verbosity": "verbose",
    "log_min_messages": "info",
}


def word(length: int) -> str:
    """Small letters alone, so that no check of a text takes it for a name or a number."""
    return "".join(secrets.choice("bcdfghjklmnpqrstvwxz") for _letter in range(length))


@dataclass
class Flock:
    """The canaries: one beginning, and three letters for each."""

    beginning: str = field(default_factory=lambda: word(10))
    control: str = field(default_factory=lambda: word(13))
    let_fly: int = 0
    shown: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    others: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.endings = ("".join(three) for three in product(string.ascii_lowercase, repeat=3))

    def next(self) -> str:
        return self.beginning + next(self.endings)


@dataclass
class Hand:
    """Somebody at a browser, typing canaries into one form after the other."""

    flock: Flock
    there: Installation
    browsers: dict[str, Browser]

    def type_into(self, kind: str, who: str, path: str, name: str, **more: str) -> str:
        """One canary; counted when the page says it was saved."""
        canary = self.flock.next()
        status, _body = self.browsers[who].post(path, **{name: canary}, **more)
        if status == SAVED:
            self.flock.let_fly += 1
        else:
            self.flock.refused[f"{kind} {status}"] += 1
        return canary

    def title(self) -> None:
        path = f"/cases/{self.there.told.pk}/"
        canary = self.type_into("title", "presenter", f"{path}title/", "title")
        self._look("title", canary, path, "presenter", "member")

    def answer(self) -> None:
        path = f"/sessions/{self.there.planned.pk}/answer/"
        self._look("answer", self.type_into("answer", "member", path, "reason"), path, "member")

    def reflection(self) -> None:
        path = f"/sessions/{self.there.held.pk}/reflection/"
        canary = self.type_into("reflection", "presenter", path, "text")
        self._look("reflection", canary, path, "presenter")

    def leaders_word(self) -> None:
        path = f"/sessions/{self.there.held.pk}/word/"
        canary = self.type_into("word", "leader", path, "word-text")
        self._look("word", canary, path, "leader")

    def why_cancelled(self) -> None:
        """Cancelled with a reason, and put back."""
        path = f"/sessions/{self.there.planned.pk}/"
        seen = self.browsers["leader"].value(f"{path}cancel/", "seen")
        canary = self.type_into("cancel", "leader", f"{path}cancel/", "reason", seen=seen)
        self._look("cancel", canary, path, "member", "leader")
        self.browsers["leader"].post(f"{path}restore/")

    def leaving(self) -> None:
        """Why somebody goes, and why somebody else will be away."""
        path = f"/groups/{self.there.circle.group.pk}/leave/"
        last_on = (timezone.now() + timedelta(days=60)).date().isoformat()
        more = {"do": "leave", "leave-when": "later", "leave-last_on": last_on}
        self.type_into("leaving", "presenter", path, "leave-reason", **more)
        away = {"do": "away", "away-starts_on": last_on}
        self.type_into("away", "second_leader", path, "away-reason", **away)

    def _look(self, kind: str, canary: str, path: str, *who: str) -> None:
        """A page that may show it does; not looked at each time."""
        if self.flock.let_fly > 80 and self.flock.let_fly % 5:
            return
        for one in who:
            self.flock.shown[kind] += canary in self.browsers[one].get(path)[1]


def run(size: Size) -> dict[str, Any]:
    """Let them fly, force errors, wait for mail, and look everywhere."""
    flock = Flock()
    with own_database() as name, tempfile.TemporaryDirectory(prefix="balint-canaries-") as folder:
        _make_loud(name)
        there = _circle(flock)
        heard = Path(folder) / "redis-commands.log"
        with (
            _listening_to_redis(heard),
            site.running(
                name,
                Path(folder),
                application="tests.confidentiality.failing:application",
                worker=True,
            ) as running,
            _browsers(running, there) as browsers,
        ):
            hand = Hand(flock, there, browsers)
            _type(hand, MARKERS[size])
            _second_factor(hand)
            failed = _fail(hand)
            _typed_too_late(hand)
            mails = _wait_for_mail(running.mail, flock.control)
            _open_words(flock)
            canaries = traces.Search([flock.beginning, *flock.others])
            control = traces.Search([flock.control])
            with speaking_to(name, "SUPERUSER"):
                for search in (canaries, control):
                    _look_everywhere(search, name, Path(folder))
    return _report(flock, canaries, control, mails, failed)


def _report(
    flock: Flock, canaries: traces.Search, control: traces.Search, mails: int, failed: int
) -> dict[str, Any]:
    unseen = sorted(OPEN_PLACES - control.found.keys())
    found = sum(canaries.found.values())
    return {
        "canaries": flock.let_fly + len(flock.others),
        "canaries_found": found,
        "canaries_found_in": canaries.found,
        "canaries_refused": dict(flock.refused),
        "canaries_shown": dict(flock.shown),
        "canary_places": len(canaries.looked_at),
        "canary_bytes": sum(canaries.looked_at.values()),
        "canary_control_in": sorted(control.found),
        "canary_control_missed": unseen,
        "canary_mails": mails,
        "canary_errors": failed,
        "failed": found + len(unseen) + (not mails) + sum(flock.refused.values()),
    }


# Where a word typed in clear must be found, or the search is blind there.
OPEN_PLACES = {
    "pg_dump",
    "heap",
    "WAL",
    "PostgreSQL's log",
    "web.log",
    "mails",
    "Redis",
    "RDB",
    "Redis' commands",
    "HTTP sessions",
}


def _make_loud(name: str) -> None:
    with servers.superuser() as superuser:
        for setting, value in LOUD.items():
            superuser.execute(f"alter database \"{name}\" set {setting} = '{value}'")
    # What is open already does not hear of it.
    from django.db import connection

    connection.close()


def _circle(flock: Flock) -> Installation:
    there = install(make_circle())
    with as_owner():
        group = there.circle.group
        group.name = f"Group {flock.control}"
        group.alias = flock.control
        group.save()
    return there


@contextmanager
def _browsers(running: RunningSite, there: Installation) -> Iterator[dict[str, Browser]]:
    names = ("presenter", "member", "leader", "second_leader")
    browsers = {name: Browser(running, getattr(there.circle, name)) for name in names}
    try:
        yield browsers
    finally:
        for browser in browsers.values():
            browser.connection.close()


def _type(hand: Hand, wanted: int) -> None:
    """All forms in turn, the quick ones more often, until so many flew."""
    often = [hand.title, hand.answer, hand.reflection, hand.leaders_word] * 4
    hand.leaving()
    for form in cycle([*often, hand.why_cancelled]):
        if hand.flock.let_fly >= wanted or sum(hand.flock.refused.values()) > 20:
            return
        form()


def _second_factor(hand: Hand) -> None:
    """An app is set up: its secret waits in the HTTP session, then stands in its row."""
    browser = hand.browsers["second_leader"]
    page = browser.get("/accounts/2fa/totp/activate/")[1]
    for secret in re.findall(r"\b[A-Z2-7]{32}\b", page)[:1]:
        hand.flock.others.append(secret)
        code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
        browser.post("/accounts/2fa/totp/activate/", code=code)
    browser.get("/accounts/2fa/totp/activate/")


def _fail(hand: Hand) -> int:
    """Pages that break with a title in hand and another in what was posted; how many broke."""
    broken = 0
    for how in ("raises", "says", "logs", "saves", "asks"):
        path = f"/failing/{hand.there.told.pk}/{how}/"
        status, _body = hand.browsers["presenter"].post(path, text=hand.flock.next())
        broken += status == HTTPStatus.INTERNAL_SERVER_ERROR
    # And what only a log knows of: an address nobody has, the whole of a form that is too long.
    hand.browsers["member"].get(f"/{hand.flock.control}/")
    path = f"/cases/{hand.there.told.pk}/title/"
    hand.browsers["presenter"].post(path, title=hand.flock.next() * 90)
    hand.browsers["presenter"].post(path, title=hand.flock.next() + "\0")
    hand.browsers["presenter"].get("/settings/export/")
    return broken


def _typed_too_late(hand: Hand) -> None:
    """What is posted after the sign-in ran out waits, sealed, in the HTTP session."""
    browser = hand.browsers["member"]
    kept = SessionStore(browser.session)
    kept["sitting_seen"] = kept["sitting_began"] = 0
    kept.save()
    status, _body = browser.post(
        f"/sessions/{hand.there.planned.pk}/answer/", reason=hand.flock.next()
    )
    hand.flock.let_fly += status == SAVED


def _wait_for_mail(folder: Path, control: str) -> int:
    """How many mails there are, once the worker has sent one that names the group outside."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        files = [*folder.glob("new/*"), *folder.glob("cur/*")]
        if any(control.encode() in file.read_bytes() for file in files):
            return len(files)
        time.sleep(0.2)
    return 0


def _open_words(flock: Flock) -> None:
    """The control, left in clear where nothing of ours puts a name."""
    with redis.from_url(os.environ["BALINT_TEST_REDIS"]) as client:
        client.set(f"control:{flock.control}", flock.control, ex=300)
    left = SessionStore()
    left["control"] = flock.control
    left.create()


@contextmanager
def _listening_to_redis(heard: Path) -> Iterator[None]:
    """Every command anybody gives Redis meanwhile, written to a file."""
    client: Any = redis.from_url(os.environ["BALINT_TEST_REDIS"], socket_timeout=None)
    listener = client.monitor()
    listener.__enter__()

    def write() -> None:
        with heard.open("w") as file, suppress(redis.ConnectionError, ValueError, OSError):
            for command in listener.listen():
                file.write(f"{command['command']}\n")
                file.flush()

    thread = Thread(target=write, daemon=True)
    thread.start()
    try:
        yield
    finally:
        listener.connection.disconnect()
        client.close()
        thread.join(5)


def _look_everywhere(search: traces.Search, name: str, folder: Path) -> None:
    for log in ("web.log", "worker.log", "beat.log"):
        search.look_in_file(log, folder / log)
    search.look_in_folder("mails", folder / "mail")
    search.look_in_file("Redis' commands", folder / "redis-commands.log")
    for left in (folder / "var", folder):
        if left.is_dir():
            for path in left.glob("*"):
                if path.is_file() and path.suffix != ".log":
                    search.look_in_file("files of the site", path)
    search.look_in_file("PostgreSQL's log", traces.log_of_postgres())
    for place, data in traces.of_redis():
        search.look(place, data)
    search.look("HTTP sessions", traces.browser_sessions())
    for table in traces.tables_like("audit"):
        search.look("audit", traces.table(table))
    search.look("pg_dump", traces.dumped(name))
    for place, path in traces.of_postgres(name):
        search.look_in_folder(place, path)
