"""One run: everything that can fail fails, in turn, while the reminders fall due."""

import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from tests import servers
from tests.reminder_faults import circles, points
from tests.reminder_faults.circles import DAY, Circle, Meeting, Size
from tests.reminder_faults.crew import Crew
from tests.reminder_faults.ground import DATABASE, Ground
from tests.reminder_faults.hands import COMMITTED, KILLED, NOT_COMMITTED, Hands
from tests.reminder_faults.post_office import PostOffice
from tests.reminder_faults.verdict import Evidence

ODDS = {"451": 0.03, "cut": 0.01, "drop": 0.015, "hang": 0.002}
# In turn; “parent” leaves children that nobody looks after.
TARGETS = (*["child"] * 5, "group", *["child"] * 5, "parent")
ANYWHERE_EVERY = 8
RARE_EVERY = 6
PATIENCE = 2.0  # seconds an order waits for somebody to come by
Report = Callable[[dict[str, Any]], None]


class Storm:
    """The run; `report` is told of every fault as it happens."""

    def __init__(
        self,
        size: Size,
        ground: Ground,
        office: PostOffice,
        crew: Crew,
        hands: Hands,
        report: Report,
    ) -> None:
        self.size, self.ground, self.office = size, ground, office
        self.crew, self.hands, self.tell = crew, hands, report
        self.began = datetime.now(UTC)
        self.luck = random.Random(size.kills)
        self.kills = 0
        self.groups: list[Circle] = []
        self.targets = itertools.cycle(TARGETS)

    def run(self) -> Evidence:
        """Seed, break everything in turn, let it settle; what was seen."""
        self.groups = circles.seed(self.size, self.began)
        self.report({"planned": self._count("true")})
        self.office.odds = dict(ODDS)
        self.office.grey = {to: until.timestamp() for to, until in circles.grey(self.groups)}
        for number in range(self.size.workers):
            self.crew.worker(number)
        self.crew.beat(1)
        self._kill_and_break()
        self._settle()
        return self._evidence()

    def _kill_and_break(self) -> None:
        places = itertools.cycle(self._shuffled(points.BEFORE_DATA + points.WINDOW + points.AFTER
                                                + points.OF_BATCHES))  # fmt: skip
        faults = self._faults()
        every = self.size.kills / (len(faults) + 1)
        deeds = self._deeds()
        for number in itertools.count(1):
            if faults and self.kills >= every * (len(self.size.faults) - len(faults)):
                self._break(*faults.pop(0))
            with suppress(StopIteration):
                next(deeds)
            if number % RARE_EVERY == 0:
                self._order_the_rare()
            self._kill_at([next(places) for _ in range(self.size.orders)])
            if self.kills >= self.size.kills and not faults:
                break
        for _ in deeds:
            self._pause(0.05)

    def _shuffled(self, places: tuple[str, ...]) -> list[str]:
        return self.luck.sample(places, len(places))

    def report(self, line: dict[str, Any]) -> None:
        self.tell({"second": round((datetime.now(UTC) - self.began).total_seconds(), 1), **line})

    # Kills

    def _kill_at(self, places: list[str]) -> None:
        """Orders, until somebody comes by; each eighth kill comes from outside, at any moment."""
        if self.kills % ANYWHERE_EVERY >= ANYWHERE_EVERY - len(places):
            self.crew.kill_any(self.luck)
            self._pause(self.luck.random() * 0.5)
        orders = [self._order(point) for point in places]
        self._pause(PATIENCE, until=lambda: not any(order.exists() for order in orders))
        for order in orders:
            order.unlink(missing_ok=True)
        self._count_kills()

    def _order(self, point: str) -> Path:
        chance = 1.0 if point in points.OF_BATCHES else self.size.chance
        return points.order(self.ground.folder, point, next(self.targets), chance)

    def _order_the_rare(self) -> None:
        """What seldom happens is waited for all along."""
        for point in points.RARE:
            if not (self.ground.folder / "orders" / point).exists():
                points.order(self.ground.folder, point, next(self.targets))

    def _count_kills(self) -> None:
        before, self.kills = self.kills, points.kills(self.ground.folder)
        if self.kills // 25 > before // 25:
            self.report({"kills": self.kills, "taken": len(self.office.taken), "due": self._due()})

    # Faults

    def _faults(self) -> list[tuple[str, Callable[[], None]]]:
        return [(name, getattr(self, f"_{method}")) for method, name in self.size.faults.items()]

    def _break(self, name: str, fault: Callable[[], None]) -> None:
        fault()
        self.report({"fault": name, "after_kills": self.kills, "due": self._due()})

    def _two_beats(self) -> None:
        self.crew.beat(2)

    def _kill_redis(self) -> None:
        self.ground.kill_redis()

    def _flush_redis(self) -> None:
        self._redis("FLUSHALL")

    def _fill_redis(self) -> None:
        self._redis("CONFIG", "SET", "maxmemory", "1")
        self._pause(1)
        self._redis("CONFIG", "SET", "maxmemory", "0")

    def _slow_redis(self) -> None:
        self._redis("CLIENT", "PAUSE", "1500")
        self._pause(1)

    def _crash_postgres(self) -> None:
        """While somebody is sending."""
        self._pause(1, until=lambda: self._count("state = 'leased'") > 0)
        self.ground.postgres.crash()

    def _crash_postgres_again(self) -> None:
        self._crash_postgres()

    def _no_connection(self) -> None:
        """The database lets no worker in any more, and puts out those who are in."""
        with self._superuser() as connection:
            connection.execute("alter role balint_worker connection limit 0")
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where usename = 'balint_worker'"
            )
            self._pause(1)
            connection.execute("alter role balint_worker connection limit -1")

    def _no_mail_server(self) -> None:
        self.office.away = True
        self._pause(1.5)
        self.office.away = False

    def _loop_without_beat(self) -> None:
        """No clock and no Redis: the command sends alone, and may be killed like a worker."""
        for name in [name for name in self.crew.members if name.startswith("beat")]:
            self.crew.dismiss(name)
        self.ground.valkey.stop()
        self.crew.loop()
        before = self._count("state = 'sent'")
        points.order(self.ground.folder, "mark: done", "child")
        self._pause(6, until=lambda: self._count("state = 'sent'") > before + 20)
        self.crew.dismiss("loop")
        self.ground.valkey.start()
        self.crew.beat(1)

    def _redis(self, *command: str) -> None:
        import redis

        with redis.Redis.from_url(self.ground.valkey.url()) as client:
            client.execute_command(*command)

    # What people do meanwhile

    def _deeds(self) -> Iterator[None]:
        """Meetings move and are cancelled, people leave and say no; some hands die on the way."""
        count = max(2, len(self.groups) // 8)
        ahead = [circle for circle in self.groups if len(circle.meetings) == 2]
        some = self.luck.sample(ahead, min(len(ahead), 2 * count))
        pairs = itertools.zip_longest(some[:count], some[count:])
        dying = itertools.cycle([NOT_COMMITTED, "", COMMITTED, "", "", "", ""])
        for to_move, to_cancel in pairs:
            self._move(to_move.meetings[self.luck.randrange(2)], next(dying))
            yield
            for circle in (to_move, self.luck.choice(self.groups)):
                self._leave(circle, next(dying))
                self._excuse(circle, next(dying))
                yield
            if to_cancel:
                self._cancel(to_cancel.meetings[self.luck.randrange(2)], next(dying))
                yield

    def _move(self, meeting: Meeting, die: str) -> None:
        """To another minute, so that it is reminded of within the run once more."""
        days = max(1, (meeting.starts_at - datetime.now(UTC)).days)
        starts_at = meeting.starts_at
        while abs(starts_at - meeting.starts_at) < timedelta(minutes=2):
            ahead = 4 + self.luck.random() * min(40, self.size.spread)
            later = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=ahead)
            starts_at = later + (7 if days > 2 else 1) * DAY
            if abs(starts_at - meeting.starts_at) < timedelta(minutes=2):
                # Another hour, in which no reminder falls due before the end.
                starts_at = meeting.starts_at + timedelta(hours=2)
        done = self._done(
            die,
            "move",
            session=str(meeting.pk),
            by=_leader(meeting),
            starts_at=starts_at.isoformat(),
        )
        meeting.changed("moved", done, starts_at)

    def _cancel(self, meeting: Meeting, die: str) -> None:
        done = self._done(die, "cancel", session=str(meeting.pk), by=_leader(meeting))
        meeting.changed("cancelled", done, meeting.starts_at)

    def _leave(self, circle: Circle, die: str) -> None:
        person = self._somebody(circle)
        if person is not None:
            circle.left[person] = self._done(die, "leave", group=str(circle.pk), by=str(person))

    def _excuse(self, circle: Circle, die: str) -> None:
        person, meeting = self._somebody(circle), circle.meetings[1]
        if person is not None and person not in meeting.excused and meeting.news != "cancelled":
            meeting.excused[person] = self._done(
                die, "excuse", session=str(meeting.pk), by=str(person)
            )

    def _somebody(self, circle: Circle) -> UUID | None:
        """A member who is still there; of the leaders none."""
        there = [person for person in list(circle.people)[2:] if person not in circle.left]
        return self.luck.choice(there) if there else None

    def _done(self, die: str, deed: str, **more: Any) -> datetime:
        """When it surely stood; who was killed before the commit does it once more."""
        if self.hands.do(deed, die=die, **more) == KILLED and die == NOT_COMMITTED:
            self.hands.do(deed, **more)
        return datetime.now(UTC)

    # The end

    def _settle(self) -> None:
        """No more kills: whatever is due comes to its end, however long it takes."""
        for order in (self.ground.folder / "orders").iterdir():
            order.unlink()
        last = max(self._moments())
        left = (last - datetime.now(UTC)).total_seconds()
        self._pause(max(0.0, left) + 1)
        self.office.odds = {}
        settled = self._pause(600, until=lambda: self._due() == 0, every=0.1)
        self.report({"settled": settled, "answers": dict(self.office.answers)})

    def _moments(self) -> Iterator[datetime]:
        """When anything falls due, or its time ends, within the next quarter of an hour."""
        soon = datetime.now(UTC) + timedelta(minutes=15)
        for circle in self.groups:
            for meeting in circle.meetings:
                yield from (moment for _, moment in meeting.reminders(soon))
                if meeting.starts_at < soon:
                    yield meeting.starts_at + timedelta(seconds=2)

    def _evidence(self) -> Evidence:
        until = datetime.now(UTC)
        with self._superuser() as connection:
            rows = connection.execute("select * from members_letter").fetchall()
        return Evidence(
            circles=self.groups,
            mails=sorted(self.office.taken, key=lambda mail: mail.at),
            letters={row["message_id"]: row for row in rows},
            journal=points.journal(self.ground.folder),
            kills=points.journal(self.ground.folder, "kills"),
            until=until,
        )

    # Looking and waiting

    def _pause(
        self, seconds: float, until: Callable[[], bool] = lambda: False, every: float = 0.02
    ) -> bool:
        """Look after the crew meanwhile; whether it became so."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self.crew.tend()
            if until():
                return True
            time.sleep(every)
        return until()

    def _due(self) -> int:
        return self._count("state in ('pending', 'leased', 'uncertain') and send_after <= now()")

    def _count(self, condition: str) -> int:
        with self._superuser() as connection:
            sql = f"select count(*) as found from members_letter where {condition}"  # noqa: S608
            return int(connection.execute(sql).fetchone()["found"])

    @staticmethod
    def _superuser() -> psycopg.Connection[Any]:
        url = servers.url("SUPERUSER", DATABASE)
        return psycopg.connect(url, autocommit=True, row_factory=dict_row)


def storm(size: Size, report: Report) -> Evidence:
    """A run from nothing to nothing; whatever was started is gone afterwards."""
    from tests.reminder_faults.ground import ground

    with PostOffice() as office, ground(office.port) as land:
        with Hands(land.environment | _tests_login()) as hands, Crew(land) as crew:
            return Storm(size, land, office, crew, hands, report).run()


def _tests_login() -> dict[str, str]:
    """Their login may become the web's role, as theirs who sign in may."""
    return {
        "BALINT_LOGIN": "app",
        "BALINT_STARTUP_CHECKS": "0",
        "DATABASE_URL": servers.url("balint_test", DATABASE),
        "PYTHONPATH": str(servers.ROOT),
    }


def _leader(meeting: Meeting) -> str:
    return str(meeting.circle.leader)


def show(line: dict[str, Any]) -> None:
    """A line of what happens."""
    print(json.dumps(line), flush=True)  # noqa: T201
