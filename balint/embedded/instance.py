"""One running Balint per var/ folder: its lock, and the records by which a later run finds it."""

import fcntl
import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from balint.embedded import places, processes
from balint.embedded.places import write_private

LEFT_OVER = [(signal.SIGTERM, 4.0), (signal.SIGKILL, 2.0)]
# The supervisor needs up to ten seconds for its own children.
SUPERVISOR = [(signal.SIGTERM, 15.0)]


class AlreadyRunning(places.CannotStart):
    """Another run holds this folder; its record says where it answers."""


class Instance:
    """The folder var/run, locked for as long as this process lives."""

    def __init__(self, var: Path) -> None:
        self.folder = var / "run"
        self._lock: IO[str] | None = None

    def take(self, address: str) -> None:
        """Lock the folder and end what a killed run left; refuse when another run is alive."""
        places.private_folder(self.folder)
        lock = open(self.folder / "lock", "a")  # noqa: SIM115  Held until we end.
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise AlreadyRunning(self._sentence()) from None
        self._lock = lock
        self.end_left_overs()
        self._write("supervisor", _record_of(os.getpid()) | {"address": address})

    def record(self, pids: dict[str, int]) -> None:
        """Keep the children's ids and fingerprints, in the order in which to end them."""
        self._write("children", {name: _record_of(pid) for name, pid in pids.items()})

    def keep_environment(self, environment: dict[str, str]) -> None:
        """Keep what the children are told, for commands run beside them."""
        self._write("environment", environment)

    def environment(self) -> dict[str, str]:
        """What the running children were told; refuses when none run."""
        known = self._read("environment")
        if not known:
            raise places.CannotStart(
                "Balint is not running from this folder: type `make run` first."
            )
        return known

    def release(self) -> None:
        """Forget the records and the lock, which a killed process loses by itself."""
        for name in ("supervisor", "children", "environment"):
            (self.folder / f"{name}.json").unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def end_left_overs(self) -> None:
        """End recorded children that are still the very processes that were recorded."""
        for record in self._read("children").values():
            _end(record, LEFT_OVER)

    def stop(self) -> None:
        """Ask a living supervisor to stop all it started, then end what is left."""
        _end(self._read("supervisor"), SUPERVISOR)
        self.end_left_overs()

    def _sentence(self) -> str:
        running = self._read("supervisor")
        where = f" at {running['address']}" if running else ""
        return (
            f"Balint is already running from this folder{where}. "
            "Stop it there with Ctrl-C, or type `make stop`."
        )

    def _read(self, name: str) -> dict[str, Any]:
        try:
            known: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return known

    def _write(self, name: str, value: object) -> None:
        write_private(self.folder / f"{name}.json", json.dumps(value))


def _record_of(pid: int) -> dict[str, Any]:
    return {"pid": pid, "fingerprint": processes.fingerprint(pid)}


def _end(record: Mapping[str, Any], ladder: list[tuple[signal.Signals, float]]) -> None:
    if not record or not record.get("fingerprint"):
        return
    processes.end_left_over(
        record["pid"],
        sign=lambda pid: processes.fingerprint(pid) == record["fingerprint"],
        ladder=ladder,
    )
