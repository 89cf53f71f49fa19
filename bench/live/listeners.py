"""Ten thousand browsers in one process: streams, their signs of life, and a few who ask instead.

Told on its input what to do (`drop 2000`, `report`), it answers on its output with JSON lines.
"""

import asyncio
import json
import os
import re
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.live.verdict import asks

SAYS = re.compile(rb"data: (\d+)\n\n")
HERE = re.compile(rb"event: here\ndata: (\S+)\n")
NEWEST = re.compile(rb'data-now="([^"]*)".*?data-version="(\d+)"', re.DOTALL)
AT_ONCE, SIGNERS = 48, 8
ASKED_EVERY = 3.0


@dataclass
class Crowd:
    """Everybody, and what each heard when: place of the listener, version, time."""

    port: int
    heard: list[tuple[int, int, float]] = field(default_factory=list)
    to_sign: deque["Stream"] = field(default_factory=deque)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    refused: int = 0
    again: int = 0

    def request(self, path: str, cookie: str) -> bytes:
        return (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n"
            f"Cookie: __Host-session={cookie}\r\n\r\n"
        ).encode()


class Stream(asyncio.Protocol):
    """One screen: it comes back when its stream ends, and goes on from the version it knows."""

    def __init__(self, crowd: Crowd, place: int, room: str, cookie: str) -> None:
        self.crowd, self.place, self.room, self.cookie = crowd, place, room, cookie
        self.known = -1
        self.here = ""
        self.begun = asyncio.Event()
        self.transport: asyncio.Transport | None = None

    async def begin(self) -> None:
        """Until the first version has come."""
        loop = asyncio.get_running_loop()
        while True:
            async with self.crowd.slots:
                self.begun.clear()
                try:
                    await loop.create_connection(lambda: self, "127.0.0.1", self.crowd.port)
                    await asyncio.wait_for(self.begun.wait(), 60)
                except (OSError, TimeoutError):
                    pass
                else:
                    if self.transport:
                        return
            self.crowd.refused += 1
            await asyncio.sleep(1)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.crowd.request(f"/live/{self.room}", self.cookie))

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        if found := HERE.search(data):
            self.here = found[1].decode()
        for version in map(int, SAYS.findall(data)):
            if version > self.known:
                self.known = version
                self.crowd.heard.append((self.place, version, now))
            else:
                self.crowd.to_sign.append(self)
            self.begun.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        if self.begun.is_set():
            self.crowd.again += 1
            keep(self.begin())
        self.begun.set()


_tasks: set[asyncio.Task[None]] = set()


def keep(story: Any) -> None:
    task = asyncio.ensure_future(story)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def sign(crowd: Crowd) -> None:
    """Signs of life, one after the other over one connection."""
    reader: asyncio.StreamReader | None = None
    while True:
        if not crowd.to_sign:
            await asyncio.sleep(0.02)
            continue
        stream = crowd.to_sign.popleft()
        try:
            if reader is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", crowd.port)
            writer.write(crowd.request(f"/live/{stream.room}?here={stream.here}", stream.cookie))
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            if b" 204 " not in head.split(b"\r\n", 1)[0]:
                reader = None
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            reader = None


async def ask(crowd: Crowd, place: int, room: str, cookie: str) -> None:
    """A screen that no stream reaches: it asks every few seconds what it shows."""
    path, known = f"/sessions/{room}/room/", -1
    while True:
        begun = time.monotonic()
        try:
            body = await asyncio.wait_for(_whole(crowd, path, cookie), 60)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            body = b""
        if found := NEWEST.search(body):
            path = found[1].decode().replace("&amp;", "&")
            if int(found[2]) > known:
                known = int(found[2])
                crowd.heard.append((place, known, time.monotonic()))
        # As static/js/live.js does: a server that is slow is asked less.
        await asyncio.sleep(max(ASKED_EVERY, 4 * (time.monotonic() - begun)))


async def _whole(crowd: Crowd, path: str, cookie: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", crowd.port)
    try:
        request = crowd.request(path, cookie)
        writer.write(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        return await reader.read()
    finally:
        writer.close()


async def main(port: int, listeners: int, askers: int) -> None:
    crowd = Crowd(port)
    rooms = json.loads(Path(os.environ["BENCH_ROOMS"]).read_text())
    # Ten to a room; those who ask sit there in place of a stream.
    seats = [(room["room"], cookie) for room in rooms for cookie in room["cookies"]][:listeners]
    begun = time.monotonic()
    streams = [
        Stream(crowd, place, *seat) for place, seat in enumerate(seats) if not asks(place, askers)
    ]
    await asyncio.gather(*(stream.begin() for stream in streams))
    say(connected=len(streams), seconds=round(time.monotonic() - begun, 1))
    for _ in range(SIGNERS):
        keep(sign(crowd))
    for place, seat in enumerate(seats):
        if asks(place, askers):
            keep(ask(crowd, place, *seat))
    await _obey(crowd, streams)


async def _obey(crowd: Crowd, streams: list[Stream]) -> None:
    loop = asyncio.get_running_loop()
    while order := (await loop.run_in_executor(None, sys.stdin.readline)).split():
        if order[0] == "drop":
            for stream in streams[:: len(streams) // int(order[1])]:
                if stream.transport:
                    stream.transport.abort()
            say(dropped=int(order[1]))
        elif order[0] == "whole":
            while not all(stream.transport and stream.begun.is_set() for stream in streams):
                await asyncio.sleep(0.1)
            say(whole=len(streams), again=crowd.again)
        else:
            heard, crowd.heard = crowd.heard, []
            say(heard=heard, unsigned=len(crowd.to_sign))


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
