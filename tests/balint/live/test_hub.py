"""The streams of one process: who is woken by what, who is ended, how many a person may have."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from balint.live import hub as hubs
from balint.live.hub import Hub, Listener

ROOM, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """In a thread of its own: in this one a browser of another test may keep a loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(story())).result()


def seated(hub: Hub, person: str = "amit", key: str = "", room: str = ROOM) -> Listener:
    listener = hub.expect(room)
    listener.admit(person=person, key=key or f"of {person}", version=4)
    assert hub.seat(listener)
    return listener


async def told(listener: Listener) -> Any:
    """What is said next: a version, nothing yet, or the end."""
    try:
        more = await asyncio.wait_for(listener.news(), 0.01)
    except TimeoutError:
        return None
    return listener.heard if more else "over"


def test_a_change_wakes_its_room_and_no_other():
    async def story():
        hub = Hub()
        here, there = seated(hub), seated(hub, "dana", room=OTHER)
        hub.hear(f"room {ROOM} 5")
        assert [await told(here), await told(there)] == [5, None]

    run(story)


def test_of_many_changes_at_once_the_last_is_said_and_an_old_one_never():
    async def story():
        hub = Hub()
        listener = seated(hub)
        for version in (5, 7, 6):
            hub.moved(ROOM, version)
        assert [await told(listener), await told(listener)] == [7, None]
        hub.moved(ROOM, 7)
        assert await told(listener) is None

    run(story)


def test_what_changed_while_the_page_was_asked_is_not_missed():
    async def story():
        hub = Hub()
        listener = hub.expect(ROOM)
        hub.moved(ROOM, 5)
        listener.admit(person="amit", key="key", version=4)
        hub.seat(listener)
        assert await told(listener) == 5

    run(story)


def test_a_sign_in_that_ended_ends_its_streams_and_a_person_all_of_theirs():
    async def story():
        hub = Hub()
        phone, laptop = seated(hub, key="phone"), seated(hub, key="laptop")
        other = seated(hub, "dana")
        hub.hear(f"signin {phone.signed_in_by}")
        assert [await told(one) for one in (phone, laptop, other)] == ["over", None, None]
        hub.hear("person amit")
        assert [await told(one) for one in (laptop, other)] == ["over", None]
        hub.gone(ROOM, ["of dana"])
        assert await told(other) == "over"

    run(story)


def test_a_person_has_so_many_streams_and_another_may_still_come():
    async def story():
        hub = Hub()
        own = [seated(hub) for _ in range(hubs.MOST_OF_A_PERSON)]
        one_more = hub.expect(ROOM)
        one_more.admit(person="amit", key="x", version=4)
        assert not hub.seat(one_more)
        hub.leave(one_more)
        seated(hub, "dana")
        hub.leave(own[0])
        assert hub.seat(one_more)

    run(story)


def test_whoever_left_leaves_nothing_behind():
    async def story():
        hub = Hub()
        for listener in [seated(hub), seated(hub, "dana"), hub.expect(OTHER)]:
            hub.leave(listener)
        assert (len(hub), hub._rooms, hub._people, hub._sign_ins) == (0, {}, {}, {})

    run(story)


def test_what_was_silent_is_repeated_and_what_is_old_ends(monkeypatch):
    async def story():
        hub = Hub()
        silent, fresh, old = seated(hub), seated(hub, "dana"), seated(hub, "owen")
        for listener in (silent, old):
            hub._told.pop(listener)
        hub._told = {silent: 0.0, old: 0.0} | hub._told
        old.until = 0.0
        hub.repeat()
        assert [await told(one) for one in (silent, fresh, old)] == [4, None, "over"]
        hub.repeat()
        assert await told(silent) is None

    run(story)


def test_what_nobody_understands_is_nothing():
    hub = Hub()
    hub.hear("weather fine")
    hub.hear(f"room {ROOM} 5")
