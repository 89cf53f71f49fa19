"""Non-interference: whatever changes inside a group, who may not see it meets the same bytes.

Two copies of one database; in one of them everything inside group A that a person may not see is
made different. Then each address is asked of both, one right after the other, and compared whole:
status, headers with ETag and length, body. Every request is taken back, so both stay as they were.
Then the letters that are due to the person are composed and compared.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core import mail
from django.core.cache import cache
from django.db import connections, transaction
from django.test import Client
from django.utils import timezone

from members.identity import acting_as
from members.letters import engine
from members.models import Letter, Member
from sessions import feeds, reminders
from sessions.models import Attendance, CasePresence, CasePresentation, Reflection
from tests import servers
from tests.balint.addresses import ADDRESSES, Address, Nothing
from tests.balint.installation import Installation
from tests.confidentiality import sealed_rows, what_changes
from tests.confidentiality.ground import Size, copy, own_database, signed_in, speaking_to
from tests.world import as_member, as_owner, years_ago

DAY = timedelta(days=1)
# Who, and how much of group A is hidden from them.
RING = {
    "nobody": "stranger",
    "outsider": "neighbour",
    "superuser": "stranger",
    "member_elsewhere": "stranger",
    "former": "former",
    "admin": "admin",
    "absent": "absent",
}
# Addresses, and the pages they lead to; a calendar leads from month to month for ever.
DEPTH = {"small": 1, "whole": 2}
SMALL = ("former", "admin", "absent")
# Pages that show something made anew each time: a secret and its code, a challenge, key words, and
# when a form is sent the new address of a calendar.
MADE_ANEW = re.compile(
    r"^GET /accounts/2fa/(totp/activate|webauthn/(add|login)|recovery-codes)"
    r"|^POST (/accounts/2fa/|/settings/calendar/)"
)
# What a form is sent that no form takes, so that each answers with its errors.
NONSENSE = {
    "reason": "x" * 3000,
    "title": "x" * 3000,
    "text": "",
    "name": "x" * 3000,
    "on": "never",
    "starts_on": "never",
    "last_on": "never",
    "starts_at": "never",
    "presenter": "nobody",
    "seen": "nothing",
    "to": "nowhere",
    "yes": "maybe",
}
# The masks, each for what is new in every answer and says nothing of what is stored:
MASKS = (
    # the CSRF token, masked anew by Django for each page;
    re.compile(rb'(?<=name="csrfmiddlewaretoken" value=")[^"]+'),
    # a mail's boundary between its parts and its hour of writing.
    re.compile(rb"={15}\d+=="),
    re.compile(rb"(?m)^Date: .*$"),
    # When a cookie or an answer runs out, counted from now; how long letters wait, in seconds.
    re.compile(rb"(?im)^expires: .*$|(?<=expires=)[^;]+"),
    re.compile(rb'(?<="oldest_overdue_seconds": )\d+'),
    # When an export of one's own was made.
    re.compile(rb'(?<="made_at": ")[^"]+'),
)
# The cookie of the same token, and the browser's own key, which is told again each minute.
MASKED_COOKIES = ("csrftoken", "sessionid")


@dataclass
class Pair:
    """The two copies of one database."""

    as_it_was: Any
    changed: Any
    superuser: Any

    @contextmanager
    def asking(self, wrapper: Any) -> Iterator[None]:
        before = connections["default"]
        connections["default"] = wrapper
        try:
            yield
        finally:
            connections["default"] = before

    def each(self) -> tuple[Any, Any]:
        return self.as_it_was, self.changed


@dataclass
class Crawl:
    """One person's way through every address, of both copies at once."""

    persona: str
    pair: Pair
    client: Client
    different: list[str] = field(default_factory=list)
    answers: int = 0
    bytes_seen: int = 0
    found: set[str] = field(default_factory=set)

    def compare(self, method: str, path: str) -> None:
        one, other = (self._ask(wrapper, method, path) for wrapper in self.pair.each())
        self.answers += 1
        self.bytes_seen += len(one)
        if one != other:
            self.different.append(f"{self.persona}: {method} {path}")

    def _ask(self, wrapper: Any, method: str, path: str) -> bytes:
        if path.startswith("/accounts/"):
            cache.clear()  # Or a limit is met by whoever of the two is asked second.
        self.client.cookies = SimpleCookie(self.cookies)
        with self.pair.asking(wrapper), transaction.atomic():
            answer = self.client.get(path) if method == "GET" else self.client.post(path, self.form)
            body = b"".join(answer) if answer.streaming else answer.content
            transaction.set_rollback(True)
        self.found |= links(body)
        return (
            str(answer.status_code).encode()
            if MADE_ANEW.match(f"{method} {path}")
            else written(answer, body)
        )

    def __post_init__(self) -> None:
        self.cookies = self.client.cookies.output(header="", sep=";")
        self.form: dict[str, Any] = {}


def written(answer: Any, body: bytes) -> bytes:
    """An answer as bytes: status, every header and cookie, and the body, masked."""
    heads = [f"{name}: {value}" for name, value in sorted(answer.headers.items())]
    kept = {name: morsel for name, morsel in answer.cookies.items() if name not in MASKED_COOKIES}
    cookies = [morsel.output() for _name, morsel in sorted(kept.items())]
    head = "\n".join([str(answer.status_code), *heads, *cookies, ""])
    return masked(head.encode() + body)


def masked(body: bytes) -> bytes:
    for mask in MASKS:
        body = mask.sub(b"", body)
    return body


def links(body: bytes) -> set[str]:
    """Addresses of ours a page leads to."""
    targets = re.findall(rb'(?:href|hx-get|action|src)="(/[^"#]*)', body)
    paths = {urlsplit(target.decode()).geturl().replace("&amp;", "&") for target in targets}
    return {path for path in paths if not path.startswith(("/static/", "/accounts/logout"))}


def run(size: Size) -> dict[str, Any]:
    """Every persona's crawl; the suite's are fewer and only look."""
    personas = SMALL if size == "small" else tuple(RING)
    crawls: list[Crawl] = []
    letters, changes = 0, 0
    with base() as (name, there, clients, people):
        for persona in personas:
            with two_copies(name) as pair:
                with pair.asking(pair.superuser):
                    changes += what_changes.change(there, people[persona], RING[persona])
                crawl = Crawl(persona, pair, clients[persona])
                crawled(crawl, known(there, size), size)
                letters += compare_letters(crawl, people[persona])
                crawls.append(crawl)
    different = [line for crawl in crawls for line in crawl.different]
    return {
        "interference_personas": len(crawls),
        "interference_changes": changes,
        "interference_pages": sum(crawl.answers for crawl in crawls),
        "interference_bytes": sum(crawl.bytes_seen for crawl in crawls),
        "interference_letters": letters,
        "interference_differences": len(different),
        "interference_first": different[:10],
        "failed": len(different),
    }


@contextmanager
def base() -> Iterator[tuple[str, Installation, dict[str, Client], dict[str, Member | None]]]:
    """The database both copies come from, and everyone signed in to it."""
    with own_database() as name:
        there, elsewhere = sealed_rows.furnish()
        _once_inside(there)
        people = _people(there, elsewhere)
        tokens = {}
        for persona, member in people.items():
            if member is not None:
                with as_member(member):
                    tokens[persona] = feeds.make(member, at=timezone.now())
        there.feed = tokens["outsider"]
        clients = {persona: signed_in(member) for persona, member in people.items()}
        with acting_as(None, "balint_owner"):
            reminders.reconcile(at=timezone.now())
            Letter.objects.update(send_after=timezone.now() - DAY, send_before=None)
        connections["default"].close()
        yield name, there, clients, people


def _people(there: Installation, elsewhere: Installation) -> dict[str, Member | None]:
    circle = there.circle
    return {
        "nobody": None,
        "outsider": circle.outsider,
        "superuser": circle.superuser,
        "member_elsewhere": elsewhere.circle.member,
        "former": circle.former,
        "admin": circle.admin,
        "absent": circle.absent,
    }


def _once_inside(there: Installation) -> None:
    """What a former member keeps: an own case not yet forgotten, own hours, a reflection."""
    former, group = there.circle.former, there.circle.group
    with as_owner():
        case = CasePresentation(
            group=group,
            session=there.held,
            order=3,
            presenter=former,
            forget_on=date.today() + 40 * DAY,
        )
        case.title = "The stairs"
        case.save(force_insert=True)
        CasePresence.objects.create(case=case, group=group, member=former)
        Attendance.objects.create(
            session=there.held,
            group=group,
            member=former,
            present=True,
            put_down_by=there.circle.leader,
            put_down_at=years_ago(0.6),
        )
        mine = Reflection(
            member=former, session=there.held, written_at=years_ago(0.6), changed_at=years_ago(0.6)
        )
        mine.text = "What stays with me"
        mine.save(force_insert=True)


@contextmanager
def two_copies(name: str) -> Iterator[Pair]:
    with copy(name) as one, copy(name) as other, speaking_to(one):
        wrappers = [wrapper_of(one), wrapper_of(other), wrapper_of(other, "SUPERUSER")]
        try:
            yield Pair(*wrappers)
        finally:
            for wrapper in wrappers:
                wrapper.close()


def wrapper_of(database: str, login: str = "balint_test") -> Any:
    settings = dict(connections["default"].settings_dict)
    settings |= dj_database_url.parse(servers.url(login, database))
    return type(connections["default"])(settings, "default")


def known(there: Installation, size: Size) -> Mapping[str, Sequence[Any]]:
    """What stands in A for each place of an address; secrets of others are no part of a guess."""
    places = Nothing(there.known)
    places["invitations"] = ["no.token"]
    places["calendar"] = ["no-such-token"]
    places["answer"] = places["unsubscribe"] = ["no.token"]
    places["reflections"] = list(Reflection.objects.values_list("pk", flat=True))
    if size == "small":
        return Nothing({place: found[:1] for place, found in places.items()})
    return places


def crawled(crawl: Crawl, places: Mapping[str, Sequence[Any]], size: Size) -> None:
    """Every address with what stands in A, then every page they lead to, then every form."""
    addresses = ADDRESSES if size == "whole" else [one for one in ADDRESSES if _ours(one)]
    paths = list(dict.fromkeys(path for address in addresses for path in ways(address, places)))
    asked: set[str] = set()
    for _depth in range(DEPTH[size]):
        for path in paths:
            crawl.compare("GET", path)
        asked |= set(paths)
        paths = sorted(crawl.found - asked)
    if size == "whole":
        for form in ({}, NONSENSE):
            crawl.form = form
            for path in sorted(asked):
                crawl.compare("POST", path)


def _ours(address: Address) -> bool:
    return not address.pattern.startswith("accounts/")


def ways(address: Address, places: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    if address.name != "account_logout":
        yield from address.paths(places)


def compare_letters(crawl: Crawl, member: Member | None) -> int:
    """Send what is due in both copies, and compare what the person gets; how many that were."""
    sent = []
    for wrapper in crawl.pair.each():
        mail.outbox = []
        with crawl.pair.asking(wrapper):
            engine.dispatch()
        mine = [one for one in mail.outbox if member is not None and member.email in one.to]
        sent.append(sorted(masked(one.message().as_bytes()) for one in mine))
    if sent[0] != sent[1]:
        crawl.different.append(f"{crawl.persona}: letters")
    crawl.bytes_seen += sum(map(len, sent[0]))
    return len(sent[0])
