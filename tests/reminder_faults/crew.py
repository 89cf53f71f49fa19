"""The processes of a run, kept alive by us as an init system does it; all gone at the end."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.reminder_faults import points
from tests.reminder_faults.ground import Ground
from tests.servers import ROOT

CELERY = ("-m", "celery", "-A", "tests.reminder_faults.worker")
WORKER = (*CELERY, "worker", "--concurrency=2", "--without-gossip", "--without-mingle")
LOOP = ("-m", "tests.reminder_faults.loop")
# An orphan that goes on after its worker was killed is given this long.
ORPHANS_LAST = 6.0


@dataclass
class Member:
    """One process that is started again whenever it ends."""

    name: str
    command: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None


@dataclass
class Crew:
    ground: Ground
    members: dict[str, Member] = field(default_factory=dict)
    starts: int = 0
    orphaned: dict[int, float] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in list(self.members):
            self.dismiss(name)
        for group in self.orphaned:
            _kill_group(group)

    def hire(self, name: str, *command: str) -> None:
        """Keep one more running, from now on."""
        self.members[name] = Member(name, command)
        self.tend()

    def worker(self, number: int) -> None:
        self.hire(f"worker{number}", *WORKER, "-n", f"worker{number}@here")

    def beat(self, number: int) -> None:
        schedule = self.ground.folder / f"beat{number}"
        self.hire(f"beat{number}", *CELERY, "beat", "--schedule", str(schedule), "--pidfile", "")

    def loop(self) -> None:
        self.hire("loop", *LOOP)

    def dismiss(self, name: str) -> None:
        """kill -9 of it and of all it started; nobody starts it again."""
        process = self.members.pop(name).process
        if process is not None:
            _kill_group(process.pid)
            process.wait()

    def tend(self) -> None:
        """Start again whatever has died; orphans of a killed worker go on for a while."""
        for member in self.members.values():
            if member.process is None or member.process.poll() is not None:
                if member.process is not None:
                    self.orphaned[member.process.pid] = time.monotonic()
                member.process = self._started(member)
        for group, since in list(self.orphaned.items()):
            if time.monotonic() - since > ORPHANS_LAST:
                _kill_group(group)
                del self.orphaned[group]

    def kill_any(self, luck: random.Random) -> None:
        """kill -9 of a pool child or a whole worker from outside, at whatever moment this is."""
        workers = [
            member.process.pid
            for member in self.members.values()
            if member.process and member.name.startswith("worker")
        ]
        worker = luck.choice(workers)
        children = _children(worker)
        if not children:
            return
        if luck.random() < 0.3:
            points.note("kill", point="anywhere", target="group", pool=True)
            _kill_group(worker)
        else:
            child = luck.choice(children)
            points.note("kill", point="anywhere", target="child", pool=True)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    def _started(self, member: Member) -> subprocess.Popen[bytes]:
        self.starts += 1
        with (self.ground.folder / f"{member.name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *member.command],
                cwd=ROOT,
                env=self.ground.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
