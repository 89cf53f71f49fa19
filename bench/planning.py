"""A leader saves a year with its reminders, in turn with the same SQL alone; run as the web."""

import json
import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import django
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bench.figures import beside_bare

ROUNDS = 15


class TakenBack(Exception):
    """Ends a measured transaction, so that the next begins from the same rows."""


def main(at: datetime) -> None:
    """Every round is taken back, so that each begins from the same rows."""
    plan = _a_year(at)
    with CaptureQueriesContext(connection) as asked:
        _seconds(plan)
    sql = [query["sql"] for query in asked if query["sql"].split()[0] not in FRAME]
    ours, bare = [], []
    for _ in range(ROUNDS):
        ours.append(_seconds(plan))
        bare.append(_seconds(lambda: _replayed(sql)))
    figure = beside_bare("planning a year of 12 meetings for 10 people", ours, bare)
    print(json.dumps(figure | {"queries": len(sql)}))


FRAME = {"BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK"}


def _a_year(at: datetime) -> Callable[[], None]:
    """The call the planning page makes, for the year after those that stand."""
    from datetime import time as clock

    from groups.cadence import Cadence, Rule
    from groups.models import Group
    from members.identity import acting_as
    from members.models import Member
    from sessions import planning

    with acting_as(None):
        group = Group.objects.get(name="Group 0")
        leader = Member.objects.get(email="person0.0@bench.example")
    year = at.year + 2
    cadence = Cadence(
        Rule.from_code("month:1:3:3"),
        clock(19, 30),
        90,
        group.time_zone,
        date(year, 1, 1),
        date(year, 12, 31),
    )

    def plan() -> None:
        with acting_as(leader):
            planning.plan_year(group, cadence, group.place, by=leader, at=at)
            raise TakenBack

    return plan


def _replayed(sql: list[str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in sql:
            cursor.execute(statement)
            if cursor.description:
                cursor.fetchall()
        raise TakenBack


def _seconds(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    try:
        work()
    except TakenBack:
        return time.perf_counter() - begun
    raise SystemExit("The measured transaction was not taken back.")


if __name__ == "__main__":
    django.setup()
    main(timezone.now())
