"""Processes we started, also in an earlier run that was killed: found by id, checked, ended."""

import functools
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")


def wait_for(condition: Callable[[], bool], *, seconds: float, every: float = 0.02) -> bool:
    """Ask until it is so; False when `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def command_of(pid: int) -> str:
    """The command line of a living process, "" when there is none."""
    if PROC.is_dir():
        try:
            return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except (OSError, UnicodeDecodeError):
            return ""
    return _ps(pid, "command=")


def fingerprint(pid: int) -> str:
    """What tells a process from a later one that got the same id, "" when there is none."""
    if not PROC.is_dir():
        return _ps(pid, "lstart=")
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        after_name = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, started = after_name[0], after_name[19]
    return "" if state == "Z" else f"{boot} {started}"


def ending_with_us(number: signal.Signals, command: list[str]) -> list[str]:
    """The command, sent this signal when we are killed, where the system can do that (Linux).

    “We” is the thread that starts it: start it from one that lives as long as it should.
    """
    return [*_setpriv(), number.name.removeprefix("SIG"), *command] if _setpriv() else command


def end(pid: int, *, ladder: list[tuple[signal.Signals, float]], gone: Callable[[], bool]) -> bool:
    """Send each signal of the ladder and wait its seconds; True once the process is gone."""
    for number, seconds in ladder:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        if wait_for(gone, seconds=seconds):
            return True
    return gone()


def end_child(
    process: subprocess.Popen[bytes], *, ladder: list[tuple[signal.Signals, float]]
) -> None:
    """End a child of ours and collect it."""
    if process.poll() is None:
        end(process.pid, ladder=ladder, gone=lambda: process.poll() is not None)


def end_left_over(
    pid: int, *, sign: Callable[[int], bool], ladder: list[tuple[signal.Signals, float]]
) -> None:
    """End a process of an earlier run, only while `sign` still knows it as ours."""
    if sign(pid):
        end(pid, ladder=ladder, gone=lambda: not sign(pid))


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, "" when it is missing."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


@functools.cache
def _setpriv() -> list[str]:
    """The small system program that ties a child's life to ours; [] where it cannot."""
    prefix = ["setpriv", "--pdeathsig"]
    try:
        tried = subprocess.run([*prefix, "keep", "true"], capture_output=True, check=False)
    except FileNotFoundError:
        return []
    return prefix if tried.returncode == 0 else []


def _ps(pid: int, column: str) -> str:
    found = subprocess.run(
        ["ps", "-o", column, "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()
