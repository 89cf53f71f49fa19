"""The streams of one process, in memory: who listens to which room, and what each was told last.

Everything here happens on the event loop, but for a listener's `admit`, which a page's thread calls
while the loop waits for that page.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

# Repeated for those between us and the browser, who end what is silent, and for the browser, which
# answers with a sign of life.
REPEATED_EVERY: Final = 15.0
# After that a stream begins anew, and with it the whole check of the pages.
LASTS: Final = (25 * 60.0, 35 * 60.0)
# Browsers have six connections to a host without HTTP/2: two stay free for pages.
MOST_OF_A_PERSON: Final = 4


class Listener:
    """One stream: whose it is, and what it has not been told yet."""

    __slots__ = ("_wake", "heard", "here", "key", "over", "person", "room", "until", "version")

    def __init__(self, room: str) -> None:
        self.room, self.person, self.key = room, "", ""
        self.version = self.heard = -1
        self.until = time.monotonic() + random.uniform(*LASTS)  # noqa: S311  Not a secret.
        self.here = self.over = False
        self._wake = asyncio.Event()

    def admit(self, *, person: str, key: str, version: int) -> None:
        """The page let this person in, by this sign-in, and showed this version."""
        self.person, self.key = person, key
        self.version, self.heard = max(self.version, version), version

    @property
    def signed_in_by(self) -> str:
        """What a sign-in is called where others might read it."""
        return sha256(self.key.encode()).hexdigest()

    def tell(self, version: int) -> None:
        """There is a newer version; whatever came between is in it."""
        if version > self.version:
            self.version = version
            self._wake.set()

    def repeat(self) -> None:
        """Say again what was said last."""
        self._wake.set()

    def end(self) -> None:
        """Nothing more is said."""
        self.over = True
        self._wake.set()

    async def news(self) -> bool:
        """Wait until there is something to say, which is then `heard`; False once it is over."""
        if self.version == self.heard:
            await self._wake.wait()
        self._wake.clear()
        self.heard = self.version
        return not self.over


class Hub:
    """Finds streams by room, by person and by sign-in."""

    def __init__(self) -> None:
        self._rooms: defaultdict[str, set[Listener]] = defaultdict(set)
        self._people: defaultdict[str, set[Listener]] = defaultdict(set)
        self._sign_ins: defaultdict[str, set[Listener]] = defaultdict(set)
        # In the order in which they were told something last.
        self._told: dict[Listener, float] = {}
        # Signs of life of those whose stream another process may hold: room, person, sign-in.
        self.alive: set[tuple[str, str, str]] = set()

    def __len__(self) -> int:
        return len(self._told)

    def expect(self, room: str) -> Listener:
        """Somebody asks to listen: from now on no change is missed."""
        listener = Listener(room)
        self._rooms[room].add(listener)
        return listener

    def seat(self, listener: Listener) -> bool:
        """Admitted; False where this person has streams enough."""
        own = self._people[listener.person]
        if len(own) >= MOST_OF_A_PERSON:
            return False
        own.add(listener)
        self._sign_ins[listener.signed_in_by].add(listener)
        self.sent(listener)
        return True

    def leave(self, listener: Listener) -> None:
        """It ended, or never began."""
        self._told.pop(listener, None)
        for found, by in (
            (self._rooms, listener.room),
            (self._people, listener.person),
            (self._sign_ins, listener.signed_in_by),
        ):
            found[by].discard(listener)
            if not found[by]:
                del found[by]

    def sent(self, listener: Listener) -> None:
        """Something went out to it now."""
        self._told.pop(listener, None)
        self._told[listener] = time.monotonic()

    def seated(self) -> list[Listener]:
        """Whoever listens."""
        return list(self._told)

    def hear(self, message: str) -> None:
        """What another process, or this one, committed."""
        kind, _, rest = message.partition(" ")
        if kind == "room":
            room, _, version = rest.partition(" ")
            self.moved(room, int(version))
        elif kind == "person":
            self.end(self._people.get(rest, ()))
        elif kind == "signin":
            self.end(self._sign_ins.get(rest, ()))

    def moved(self, room: str, version: int) -> None:
        """Wake the streams of a room that do not know of it yet."""
        for listener in self._rooms.get(room, ()):
            listener.tell(version)

    def gone(self, room: str, keys: Iterable[str]) -> None:
        """These sign-ins listen to this room no longer."""
        keys = set(keys)
        self.end(one for one in self._rooms.get(room, ()) if one.key in keys)

    def end(self, listeners: Iterable[Listener]) -> None:
        """Their streams end; whoever may will begin another."""
        for listener in listeners:
            listener.end()

    def repeat(self) -> None:
        """Streams that were silent for a while say their version again; old ones end."""
        now = time.monotonic()
        silent = []
        for listener, at in self._told.items():
            if at + REPEATED_EVERY > now:
                break
            silent.append(listener)
        for listener in silent:
            self.sent(listener)
            if listener.until < now:
                listener.end()
            else:
                listener.repeat()
