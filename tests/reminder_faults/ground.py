"""Servers of our own that can be killed, and what the processes of a run are told."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from balint.embedded import Postgres, Valkey
from tests import servers
from tests.reminder_faults import points

DATABASE = "reminder_faults"
# A lease of three seconds; the time-out of mail, and with it the margin, are shorter in proportion.
LEASE, TIMEOUT, TICK = 3.0, 0.5, 0.5


class CrashingPostgres(Postgres):
    """As in production: what was committed has reached the disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, fsync=True)
        self.throw_away = True

    def crash(self) -> None:
        """What `pg_ctl restart -m immediate` does; the next start replays the log."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()
        self._launch()


@dataclass
class Ground:
    """What a run stands on."""

    folder: Path
    postgres: CrashingPostgres
    valkey: Valkey
    environment: dict[str, str]

    def kill_redis(self) -> None:
        """kill -9, and a new one that knows nothing of the old one's queues."""
        process, url = self.valkey.process, self.valkey.url()
        assert process is not None
        process.kill()
        process.wait()
        self.valkey.start()
        assert self.valkey.url() == url


@contextmanager
def ground(mail_port: int) -> Iterator[Ground]:
    """Servers with a migrated database; Django here speaks with the tests' login on it."""
    started = servers.Servers.start(CrashingPostgres)
    try:
        assert isinstance(started.postgres, CrashingPostgres)
        servers.clone(DATABASE)
        place = started.folder / "faults"
        (place / "orders").mkdir(parents=True)
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "balint.settings",
            "DATABASE_URL": servers.url("balint_test", DATABASE),
            "BALINT_KEY_FILE": f"{started.folder}/keys.json",
            "REDIS_URL": started.valkey.url(),
            points.FOLDER: str(place),
        }
        import django

        django.setup()
        yield Ground(place, started.postgres, started.valkey, _environment(mail_port))
    finally:
        from django.db import connection

        connection.close()
        started.stop()


def _environment(mail_port: int) -> dict[str, str]:
    return servers.environment(
        DATABASE,
        BALINT_LOGIN="worker",
        EMAIL_URL=f"smtp://127.0.0.1:{mail_port}",
        EMAIL_TIMEOUT=str(TIMEOUT),
        LETTER_LEASE_SECONDS=str(LEASE),
        LETTER_TICK_SECONDS=str(TICK),
    )
