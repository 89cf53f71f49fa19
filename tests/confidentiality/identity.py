"""Identity under load: many threads over a small pool, and no answer holds another's row.

The real WSGI application with its whole middleware; who is not signed in and views that crash
come in between, since what they leave on a connection is what the next person would see.
"""

import io
import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.test import Client, override_settings

from members.identity import acting_as
from members.models import Member
from tests.balint.installation import install
from tests.confidentiality import identity_urls
from tests.confidentiality.ground import Size, own_database, speaking_to
from tests.world import as_member, make_circle

THREADS, POOL = 16, 4
REQUESTS = {"small": 1_500, "whole": 100_000}
TASKS = {"small": 600, "whole": 20_000}
CIRCLES = 3
# Of a hundred requests; the rest are signed-in people who look at what they see.
ANONYMOUS, CRASHES, OFFICE = 10, 10, 5


@dataclass(frozen=True)
class Person:
    """Somebody, the cookie of a browser, and the rows that are theirs to see."""

    member: Member | None
    cookie: str
    rows: frozenset[str]

    @property
    def key(self) -> str:
        return str(self.member.pk) if self.member else ""


@dataclass
class Tally:
    """What came back; a foreign row or a missing one is counted, never raised."""

    counts: Counter[str]

    def judge(self, person: Person, role: str, found: dict[str, Any]) -> None:
        rows = set(found["rows"])
        self.counts["foreign_rows"] += len(rows - person.rows)
        self.counts["wrong_identity"] += (found["member"], found["role"]) != (person.key, role)
        if role == "balint_app":
            self.counts["missing_rows"] += len(person.rows - rows)
            self.counts["own_rows"] += len(rows & person.rows)


def run(size: Size) -> dict[str, Any]:
    """Everything at `size`; `identity_leaks` is foreign rows and wrong identities together."""
    with prepared() as (people, nobody):
        requests = under_load(people, nobody, REQUESTS[size])
        tasks = in_tasks(people, TASKS[size])
    leaks = requests["foreign_rows"] + requests["wrong_identity"]
    leaks += tasks["foreign_rows"] + tasks["wrong_identity"]
    return {
        "identity_requests": requests["requests"],
        "identity_anonymous": requests["anonymous"],
        "identity_crashes": requests["crashes"],
        "identity_tasks": tasks["tasks"],
        "identity_people": len(people),
        "identity_own_rows": requests["own_rows"] + tasks["own_rows"],
        "identity_missing_rows": requests["missing_rows"] + tasks["missing_rows"],
        "identity_leaks": leaks,
        "failed": leaks + requests["missing_rows"] + requests["unexpected"] + tasks["missing_rows"],
    }


@contextmanager
def prepared() -> Iterator[tuple[list[Person], Person]]:
    """Several circles on a database of their own, nobody, and the web's pool to reach it by."""
    with own_database() as name:
        people = _people()
        nobody = Person(None, "", frozenset(seen_by(None)))
        with _web_pool(name), _quiet():
            yield people, nobody


def _people() -> list[Person]:
    """The members of several circles, each with something of their own to see."""
    people = []
    for _number in range(CIRCLES):
        circle = make_circle()
        install(circle)
        for member in (*circle.inside, circle.on_leave, circle.admin):
            client = Client()
            client.force_login(member)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            people.append(Person(member, cookie, frozenset(seen_by(member))))
    return people


def seen_by(member: Member | None) -> list[str]:
    """What a person sees alone on a connection: the measure for what comes back under load."""
    with as_member(member):
        return identity_urls.seen()


@contextmanager
def _web_pool(name: str) -> Iterator[None]:
    """The web's own login over a pool that has fewer connections than there are threads."""
    pool = {"min_size": 1, "max_size": POOL, "timeout": 60}
    with speaking_to(name, "balint_app", pool=pool):
        # Made before there are threads: several at once would make several, and close one.
        connections["default"].ensure_connection()
        connections["default"].close()
        try:
            yield
        finally:
            connections["default"].close()
            connections["default"].close_pool()  # type: ignore[attr-defined]


def under_load(people: list[Person], nobody: Person, requests: int) -> Counter[str]:
    """So many requests from all threads at once."""
    with override_settings(ROOT_URLCONF="tests.confidentiality.identity_urls"):
        application = WSGIHandler()
        return _in_threads(
            lambda tally, dice: _one_request(application, tally, dice, people, nobody), requests
        )


def in_tasks(people: list[Person], tasks: int) -> Counter[str]:
    """The same for `acting_as`, which tasks and commands use; every tenth one raises."""
    return _in_threads(lambda tally, dice: _one_task(tally, dice, people), tasks)


def _in_threads(one: Callable[[Tally, random.Random], None], times: int) -> Counter[str]:
    def work(seed: int) -> Counter[str]:
        tally, dice = Tally(Counter()), random.Random(seed)
        for _number in range(times // THREADS + (seed < times % THREADS)):
            one(tally, dice)
        connections.close_all()
        return tally.counts

    with ThreadPoolExecutor(THREADS) as threads:
        return sum(threads.map(work, range(THREADS)), Counter())


def _one_request(
    application: WSGIHandler,
    tally: Tally,
    dice: random.Random,
    people: list[Person],
    nobody: Person,
) -> None:
    sort, person = dice.randrange(100), dice.choice(people)
    tally.counts["requests"] += 1
    if sort < CRASHES:
        path = dice.choice(["/load/crash/", "/load/database/"])
        status, _body = ask(application, path, person)
        tally.counts["crashes"] += 1
        tally.counts["unexpected"] += status != HTTPStatus.INTERNAL_SERVER_ERROR
        return
    if sort < CRASHES + ANONYMOUS:
        tally.counts["anonymous"] += 1
        path, person, role = "/invitations/load/", nobody, "balint_app"
    elif sort < CRASHES + ANONYMOUS + OFFICE:
        path, role = "/programmes/load/", "balint_roster"
    else:
        path, role = "/load/rows/", "balint_app"
    status, body = ask(application, path, person)
    tally.counts["unexpected"] += status != HTTPStatus.OK
    if status == HTTPStatus.OK:
        tally.judge(person, role, json.loads(body))


def _one_task(tally: Tally, dice: random.Random, people: list[Person]) -> None:
    person = dice.choice(people)
    tally.counts["tasks"] += 1
    try:
        with acting_as(person.member, "balint_app"):
            rows = identity_urls.seen()
            member, role = identity_urls.identity()
            found = {"rows": rows, "member": member, "role": role}
            tally.judge(person, "balint_app", found)
            if dice.randrange(10) == 0:
                raise RuntimeError("in the middle of a task")
    except RuntimeError:
        tally.counts["crashes"] += 1
    connections.close_all()


def ask(application: WSGIHandler, path: str, person: Person) -> tuple[int, bytes]:
    """One request as a server hands it over; status and body."""
    status: list[int] = []

    def start(line: str, headers: object, error: object = None) -> Callable[[bytes], object]:
        status.append(int(line[:3]))
        return lambda data: None

    answer = application(_environ(path, person.cookie), start)
    body = b"".join(answer)
    answer.close()
    return status[0], body


def _environ(path: str, cookie: str) -> dict[str, Any]:
    held = {"HTTP_COOKIE": f"{settings.SESSION_COOKIE_NAME}={cookie}"} if cookie else {}
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        **held,
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Thousands of tracebacks of views that crash on purpose are not written."""
    logger = logging.getLogger("django.request")
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False
