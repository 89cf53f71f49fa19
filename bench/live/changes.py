"""Leaders' steps at a steady pace, by the verb that the pages call; run as the web.

Prints for each the room, its version, and when it was committed.
"""

import itertools
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import django
from django.utils import timezone


def main(seconds: float, a_second: float) -> None:
    rooms = json.loads(Path(os.environ["BENCH_ROOMS"]).read_text())
    random.shuffle(rooms)
    begun = time.monotonic()
    done = []
    for number, room in enumerate(itertools.cycle(rooms)):
        due = begun + number / a_second
        # A machine that has no time makes fewer, and not for longer.
        if max(due, time.monotonic()) > begun + seconds:
            break
        time.sleep(max(0.0, due - time.monotonic()))
        done.append(_step(room))
    print(json.dumps(done))


def _step(room: dict[str, Any]) -> tuple[str, int, float]:
    from django.db import transaction

    from members.identity import acting_as
    from members.models import Member
    from sessions import conduct, live
    from sessions.models import Session
    from sessions.phases import Phase

    committed: list[float] = []
    leader = Member.objects.get(pk=room["leader"])
    session = Session.objects.get(pk=room["room"])
    to = Phase.CALL if session.phase != Phase.CALL else Phase.FOLLOW_UP
    with acting_as(leader):
        # The first to be called once it is committed: before anybody is told.
        transaction.on_commit(lambda: committed.append(time.monotonic()))
        conduct.move(session, to=to, seen=session.step, by=leader, at=timezone.now())
        version = live.version(session) or 0
    return room["room"], version, committed[0]


if __name__ == "__main__":
    django.setup()
    main(float(sys.argv[1]), float(sys.argv[2]))
