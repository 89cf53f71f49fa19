"""Everybody against every address by every method, with each layer alone.

`run("small")` is a sample that covers every address, person and method; `run("whole")` is all, in
two processes. Nothing is seeded anew between requests: each is taken back.
"""

import logging
import multiprocessing
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal
from zlib import crc32

from django.db import transaction
from django.utils import timezone

from groups.models import Membership
from tests.balint.addresses import Address, Nothing, addresses
from tests.confidentiality import beside, leaks, policy
from tests.confidentiality.asking import METHODS, Answer, Watch, ask
from tests.confidentiality.bodies import Body, bodies
from tests.confidentiality.layers import LAYERS, Layer, alone
from tests.confidentiality.leaks import Mark, Owners
from tests.confidentiality.world import STATES, make_world, own_database, taken_back
from tests.world import as_owner

Size = Literal["small", "whole"]
PROCESSES = 2
# What was found is said, but not without end.
SAID = 50

# Years and months of a calendar are the same for everybody.
OF_NOBODY = {"year", "number"}

# What closes with a membership at the next request; of the meeting that runs, next morning.
AFTER_THE_END = {
    "group": {""},
    "roster": {""},
    "schedule": {""},
    "agreement": {""},
    "session": {"held", "planned"},
    "before": {"held", "planned"},
    "case": {"told"},
}
WHO_GO = ("leader", "member")


@dataclass(frozen=True)
class Case:
    """One request: by whom, how, where to, and what stands in the address's places."""

    route: str
    method: str
    state: str
    persona: str
    # "" for what there is of A; "foreign", "there" (B's, for B's people), "mixed" or "absent".
    of: str
    path: str
    # The same address with nothing behind it, where the two must not differ.
    twin: str = ""
    # Of the states its object may be in, the one the sample takes.
    first: bool = True

    @property
    def number(self) -> int:
        """The same in every run: who is in the sample, and which process asks."""
        return crc32(f"{self.route} {self.method} {self.state} {self.persona} {self.of}".encode())

    def __str__(self) -> str:
        return f"{self.method} {self.route} {self.state} {self.of} by {self.persona}"


@dataclass
class Result:
    """How many cases, and what was found, in words."""

    matrix_cases: int = 0
    object_cases: int = 0
    leaks: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    # With the application's layer away: pages for who should not get one, and what broke there.
    let_in: int = 0
    broken: int = 0

    def add(self, other: "Result") -> None:
        self.matrix_cases += other.matrix_cases
        self.object_cases += other.object_cases
        self.leaks += other.leaks
        self.wrong += other.wrong
        self.let_in += other.let_in
        self.broken += other.broken

    @property
    def figures(self) -> dict[str, int]:
        return {
            "matrix_cases": self.matrix_cases,
            "object_cases": self.object_cases,
            "leaks": len(self.leaks),
            "wrong": len(self.wrong),
            "let_in": self.let_in,
            "broken": self.broken,
        }


class Matrix:
    """A seeded world under one layer, and the requests made in it."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.world = make_world()
        self.bodies: Mapping[str, Body] = bodies(self.world)
        self.marks: list[Mark] = leaks.marks(self.world)
        self.owners = Owners(self.world)
        self.watch = Watch()
        self.twins: dict[tuple[str, str, str], Answer] = {}
        self.result = Result()

    def cases(self) -> Iterator[Case]:
        """All of them: A's own by everybody, then what is another's, mixed, and nothing."""
        for address in addresses():
            for persona in self.world.people:
                yield from self._own(address, persona)
                yield from self._of_others(address, persona)

    def _own(self, address: Address, persona: str) -> Iterator[Case]:
        known, nothing = self.world.of_a, Nothing()
        twin = address.path(nothing) if "<uuid:" in address.pattern else ""
        states = list(_states(address, known))
        for method in METHODS:
            turn = crc32(f"{address.name}{persona}{method}".encode()) % len(states)
            for place, (state, path) in enumerate(states):
                first = place == turn
                if first or method in {"GET", "POST"}:
                    yield Case(address.name, method, state, persona, "", path, twin, first)

    def _of_others(self, address: Address, persona: str) -> Iterator[Case]:
        if "<uuid:" not in address.pattern:
            return
        nothing = Nothing()
        twin = address.path(nothing)
        for method in METHODS:
            yield Case(address.name, method, "", persona, "absent", address.path(nothing), twin)
            # Of those who are something to B, what they are there decides; evenings are no group's.
            theirs = persona in leaks.IN_B and "evenings" not in address.places
            of = "there" if theirs else "foreign"
            of_b = _states(address, self.world.of_b)
            # The programme is the same for both groups.
            for state, path in of_b if set(address.places) - {"programmes"} else ():
                often = method == "GET" or (method == "POST" and of == "foreign")
                if often or (of == "foreign" and state in {"", "held", "told", "open"}):
                    yield Case(address.name, method, state, persona, of, path, twin)
            for state, path, twin_of_mixed in self._mixed(address):
                yield Case(address.name, method, state, persona, "mixed", path, twin_of_mixed)

    def _mixed(self, address: Address) -> Iterator[tuple[str, str, str]]:
        """Parent of one and child of another; beside it the same parent and nothing."""
        if len(set(address.places) - OF_NOBODY) < 2:
            return
        a, b = self.world.of_a, dict(self.world.of_b)
        b["programmes"] = [self.world.elsewhere.programme_id]
        first, *rest = address.places
        for name, parent, child in (("b in a", a, b), ("a in b", b, a)):
            mixed = {first: parent[first][:1]} | {place: child[place][:1] for place in rest}
            if first == "programmes" and name == "b in a":
                mixed["groups"] = [self.world.elsewhere.pk]
            twin = Nothing({first: parent[first][:1]})
            yield name, address.path(mixed), address.path(twin)

    def some(
        self, route: str, persona: str, *methods: str, state: str = "", of: str = ""
    ) -> Iterator[Case]:
        """The cases of one address and person, narrowed."""
        address = next(one for one in addresses() if one.name == route)
        for case in (*self._own(address, persona), *self._of_others(address, persona)):
            if case.method in methods and case.of == of and state in {"", case.state}:
                yield case

    def look_after_the_end(self, persona: str) -> None:
        """Somebody reads, their membership ends, and the same browser reads on."""
        for route in AFTER_THE_END:
            for case in self.some(route, persona, "GET"):
                if case.state not in AFTER_THE_END[route]:
                    continue
                with transaction.atomic():
                    self.ask(case)
                    self._end(persona)
                    self._look_at_the_end(case)
                    transaction.set_rollback(True)
                self.watch.look_away()

    def _end(self, persona: str) -> None:
        with as_owner():
            Membership.objects.filter(member=self.world.people[persona]).update(
                ended_at=timezone.now() - timedelta(seconds=1)
            )
        self.watch.look_away()

    def _look_at_the_end(self, case: Case) -> None:
        self.result.object_cases += 1
        answer, nothing = self.ask(case), self.ask(replace(case, path=case.twin))
        if answer.masked != nothing.masked:
            self.result.wrong.append(f"{case}: {answer.outcome} after the end of a membership")

    def ask(self, case: Case) -> Answer:
        client = self.world.clients[case.persona]
        return ask(self.watch, client, case.method, case.path, self.bodies.get(case.route))

    def look(self, case: Case) -> None:
        """Make one case's request, and note what it shows, changes, and should not be."""
        answer = self.ask(case)
        if case.of:
            self.result.object_cases += 1
        else:
            self.result.matrix_cases += 1
        self._count(case, answer)
        self.result.leaks += [f"{case}: {what}" for what in self._leaks(case, answer)]
        self.result.wrong += [f"{case}: {what}" for what in self._wrong(case, answer)]

    def _count(self, case: Case, answer: Answer) -> None:
        self.result.broken += answer.status >= 500
        if answer.outcome in {"page", "moved"} and not case.of:
            wanted = policy.expected(case.route, case.method, case.state, case.persona)
            self.result.let_in += wanted == "404"

    def _leaks(self, case: Case, answer: Answer) -> Iterator[str]:
        alone_in_database = self.layer == "database"
        # The database knows no page: what lies ahead it shows or not, whichever page asks.
        state = "" if alone_in_database else case.state
        # What somebody typed themselves is shown to them again.
        typed = str(self.bodies.get(case.route)) if case.method == "POST" else ""
        for mark in leaks.shown(answer, self.marks, case.persona, case.route, state):
            if (mark.content or not alone_in_database) and mark.text not in typed:
                yield f"shows {mark.name}"
        tables = self.watch.content if alone_in_database else self.watch.kept
        asking = leaks.speaking(case.route, case.persona)
        for change in self.owners.wrongly(answer.changes, asking, tables):
            yield f"changes {change}"

    def _wrong(self, case: Case, answer: Answer) -> Iterator[str]:
        if self.layer == "database":
            return
        if answer.error:
            yield f"breaks: {answer.error[:300]}"
        elif case.of in {"", "there"}:
            role = leaks.IN_B[case.persona] if case.of else case.persona
            wanted = policy.expected(case.route, case.method, case.state, role)
            if answer.outcome != wanted:
                yield f"{answer.outcome} instead of {wanted}"
        if answer.outcome == "404" or case.of not in {"", "there"}:
            yield from self._told_apart(case, answer)
        if case.method in {"GET", "HEAD", "OPTIONS"}:
            yield from (
                f"reading changes {change.table}"
                for change in answer.changes
                if change.table in self.watch.kept and not self._enters(case, change.table)
            )

    def _told_apart(self, case: Case, answer: Answer) -> Iterator[str]:
        """What is another's, and what is refused, looks like what does not exist."""
        if not case.twin or policy.lines()[case.route].get("open"):
            return
        key = (
            case.route,
            case.method,
            case.persona + case.twin[: len(case.twin) * (case.of == "mixed")],
        )
        if key not in self.twins:
            twin = Case(case.route, case.method, "", case.persona, "absent", case.twin)
            self.twins[key] = self.ask(twin)
        nothing = self.twins[key]
        if answer.status in {302} and nothing.status == 302:
            return
        if answer.masked != nothing.masked:
            yield f"{answer.outcome} differs from what comes of nothing ({nothing.outcome})"

    @staticmethod
    def _enters(case: Case, table: str) -> bool:
        """Whoever opens the room of an online meeting is in it, and hears the case being told."""
        its_notes = {"balint_sessions_roompresence", "balint_sessions_casepresence"}
        return case.route in {"room", "room_now", "room_clock"} and table in its_notes


def _states(address: Address, known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A path for each state its object may be in."""
    place = next((place for place in address.places if len(known[place]) > 1), "")
    names = STATES.get(place, [""])
    yield from zip(names, address.paths(known), strict=False)


def run(size: Size) -> dict[str, Any]:
    """`matrix_cases`, `object_cases`, `leaks`, `wrong`, the same by layer, and what was found.

    With the application's layer away somebody must have been let in, or nothing was tried.
    """
    by_layer = {layer: Result() for layer in LAYERS}
    if size == "small":
        with own_database("matrix_small"):
            for layer in LAYERS:
                by_layer[layer].add(run_layer(layer, size, 0, 1))
    else:
        jobs = [(layer, size, part, PROCESSES) for layer in LAYERS for part in range(PROCESSES)]
        with multiprocessing.get_context("spawn").Pool(PROCESSES, beside.begin) as pool:
            for layer, result in pool.imap_unordered(beside.work, jobs, chunksize=1):
                by_layer[layer].add(result)
    return _figures(by_layer)


def _figures(by_layer: Mapping[Layer, Result]) -> dict[str, Any]:
    total: Counter[str] = Counter()
    for result in by_layer.values():
        total.update(result.figures)
    found = [
        f"{layer}: {what}"
        for layer, result in by_layer.items()
        for what in (*result.leaks, *result.wrong)
    ]
    figures = {name: total[name] for name in ("matrix_cases", "object_cases", "leaks", "wrong")}
    layers = {str(layer): result.figures for layer, result in by_layer.items()}
    failed = bool(found) or not by_layer["database"].let_in
    return figures | {"by_layer": layers, "found": sorted(found)[:SAID], "failed": failed}


def run_layer(layer: Layer, size: Size, part: int, parts: int) -> Result:
    """The cases of one layer, or of them the part that falls to one process."""
    with quiet(), taken_back():
        matrix = Matrix(layer)
        with alone(layer):
            for case in matrix.cases():
                if chosen(case, layer, size) and case.number // 64 % parts == part:
                    matrix.look(case)
            if layer != "database" and part == 0:
                for persona in WHO_GO[: 1 if size == "small" else None]:
                    matrix.look_after_the_end(persona)
        return matrix.result


@contextmanager
def quiet() -> Iterator[None]:
    """Refusals are logged, and here there are many of them."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def chosen(case: Case, layer: Layer, size: Size) -> bool:
    """Whether this run asks it: whole, all of it; small, a few of each address and method.

    With one layer alone the rarer methods take turns; nothing is nothing to the database.
    """
    rare = case.method not in {"GET", "POST"}
    if size == "small":
        return _in_sample(case, LAYERS.index(layer), rare=rare)
    if case.of == "absent" and layer == "database":
        return False
    return not rare or (layer == "both" and not case.of) or case.number % 5 == 0


def _in_sample(case: Case, turn: int, *, rare: bool) -> bool:
    """One person and state for each address and method, others in each layer.

    GET and POST are asked with two of the layers, two of the rarer methods with one; of what is not
    one's own a fifth.
    """
    place = f"{case.route} {case.method} {case.of}"
    number = crc32(place.encode())
    its_turn = (number + turn) % len(LAYERS)
    if its_turn == 2 or (its_turn == 1 and (rare or case.of)):
        return False
    if (case.of and number // 3 % 5) or (rare and number // 3 % 5 > 1):
        return False
    names = policy.personas()
    return case.persona == names[(number // 7 + 8 * turn) % len(names)] and case.first


def run_job(job: tuple[Layer, Size, int, int]) -> tuple[Layer, Result]:
    """In a process of its own, in a database of its own."""
    layer, size, part, parts = job
    with own_database(f"matrix_{layer}_{part}"):
        return layer, run_layer(layer, size, part, parts)
