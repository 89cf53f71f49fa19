"""Whether every change reached everybody, and how soon after it was committed."""

import json
import statistics
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.servers import Servers

# A room, its version, and when that was committed.
Change = tuple[str, int, float]
# The place of a listener, the version it heard, and when.
Heard = list[tuple[int, int, float]]
TO_A_ROOM = 10


def asks(place: int, askers: int) -> bool:
    """The first in each of the first rooms has no stream, and asks."""
    return place % TO_A_ROOM == 0 and place < askers * TO_A_ROOM


def figures(site: Servers, changes: Sequence[Change], heard: Heard, askers: int) -> dict[str, Any]:
    """Listeners' times, and separately those of the few who ask."""
    rooms = [one["room"] for one in json.loads(Path(site.environment["BENCH_ROOMS"]).read_text())]
    places = {room: number * TO_A_ROOM for number, room in enumerate(rooms)}
    by_place: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for place, version, at in heard:
        by_place[place].append((version, at))
    streams: list[float | None] = []
    asking: list[float | None] = []
    for room, version, committed in changes:
        for place in range(places[room], places[room] + TO_A_ROOM):
            took = _took(by_place[place], version, committed)
            (asking if asks(place, askers) else streams).append(took)
    return {
        "changes": len(changes),
        "deliveries": len(streams),
        **_times(streams),
        "lost_by_askers": asking.count(None),
        "asked_within_s": round(max((one for one in asking if one), default=0), 1),
    }


def _took(heard: list[tuple[int, float]], version: int, committed: float) -> float | None:
    """Seconds until this version or a later one was heard; None if neither ever was."""
    found = bisect_left(heard, (version, 0.0))
    return heard[found][1] - committed if found < len(heard) else None


def _times(taken: Sequence[float | None]) -> dict[str, Any]:
    came = [max(0.0, one) * 1000 for one in taken if one is not None]
    cuts = statistics.quantiles(came, n=100) if len(came) > 1 else [0.0] * 99
    return {
        "lost": len(taken) - len(came),
        "p50_ms": round(statistics.median(came), 1) if came else 0.0,
        "p99_ms": round(cuts[98], 1),
        "max_ms": round(max(came, default=0.0), 1),
    }
