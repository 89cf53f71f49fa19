"""The places where a worker is killed, by name, and a journal that outlives every kill.

Each pool child puts our steps round the engine's own functions; the engine knows nothing of it.
Whoever reaches a place for which an order lies in the folder takes the order and kills.
"""

import functools
import json
import os
import random
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = "BALINT_FAULTS"
BEFORE_DATA = (
    "look: begun",
    "look: not committed",
    "look: done",
    "line: opening",
    "line: open",
    "MAIL: answered",
    "RCPT: answered",
    "DATA: half sent",
)
WINDOW = (
    "DATA: handed over",
    "DATA: answer unread",
    "answer: read",
)
AFTER = ("mark: done",)
OF_BATCHES = (
    "tick: taken",
    "claim: not committed",
    "claim: done",
    "goodbye: begun",
)
# Only when something else went wrong before, or from time to time.
RARE = (
    "put off: not committed",
    "put off: done",
    "give back: not committed",
    "expire: not committed",
    "upkeep: not committed",
    "upkeep: done",
)
POINTS = (*BEFORE_DATA, *WINDOW, *AFTER, *OF_BATCHES, *RARE)

_steps: list[str] = []
_letter: list[str] = []
_pool: list[int] = []  # The worker whose child this process is.


def folder() -> Path:
    return Path(os.environ[FOLDER])


def note(what: str, **more: Any) -> None:
    """One line in the journal; written before it returns, so that no kill takes it back."""
    line = json.dumps({"at": time.time(), "pid": os.getpid(), "what": what, **more}) + "\n"
    name = "kills" if what == "kill" else "journal"
    handle = os.open(folder() / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def journal(place: Path, name: str = "journal") -> list[dict[str, Any]]:
    """All that was noted, in order; the kills in a file of their own."""
    file = place / name
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def kills(place: Path) -> int:
    """How often a worker or a child of one was killed until now."""
    return sum(line["what"] == "kill" and line["pool"] for line in journal(place, "kills"))


def order(place: Path, point: str, target: str, chance: float = 1.0) -> Path:
    """Whoever reaches the point next, or with some luck later, dies there."""
    fresh = place / "order"
    fresh.write_text(f"{target} {chance}")
    return fresh.rename(place / "orders" / point)


def reach(point: str) -> None:
    """Die here if so ordered."""
    ordered = folder() / "orders" / point
    try:
        target, chance = ordered.read_text().split()
        if random.random() >= float(chance):
            return
        ordered.unlink()
    except FileNotFoundError:
        return
    note("kill", point=point, target=target, pool=bool(_pool))
    kill(target)


def kill(target: str) -> None:
    """kill -9: of this child, of its worker alone, or of the worker with all its children."""
    if target == "parent" and _pool:
        os.kill(_pool[0], signal.SIGKILL)
    elif target == "group" and _pool:
        os.killpg(_pool[0], signal.SIGKILL)
    else:
        os.kill(os.getpid(), signal.SIGKILL)


def install(*, in_pool: bool = False) -> None:
    """Put the places round the engine of this process; only a pool child has a worker to kill."""
    from members.letters import engine, lease, post
    from members.letters.lease import Lease
    from sessions import upkeep

    if in_pool:
        _pool.append(os.getppid())
    for module in (engine, lease, upkeep):
        setattr(module, "acting_as", _announced(module.acting_as))  # noqa: B010
    _step(engine, "dispatch", "tick", begun="tick: taken")
    _step(lease, "claim", "claim", done="claim: done")
    _step(lease, "expire_the_late", "expire")
    _step(engine, "_look_again", "look", begun="look: begun", done="look: done")
    _step(Lease, "put_off", "put off", done="put off: done")
    _step(Lease, "give_back", "give back", done="give back: done")
    _step(upkeep, "run", "upkeep", done="upkeep: done")
    _step(post.Line, "open", "line", begun="line: opening", done="line: open")
    _step(post.Line, "close", "goodbye", begun="goodbye: begun")
    _watch_letters()
    _watch_smtp()


def _announced(acting_as: Callable[..., Any]) -> Callable[..., Any]:
    """Its transactions pass a place at their very end, before they are committed."""

    @contextmanager
    def inner(*args: Any, **kwargs: Any) -> Iterator[None]:
        with acting_as(*args, **kwargs):
            yield
            if _steps:
                reach(f"{_steps[-1]}: not committed")

    return inner


def _step(owner: Any, name: str, step: str, begun: str = "", done: str = "") -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def inner(*args: Any, **kwargs: Any) -> Any:
        if begun:
            reach(begun)
        _steps.append(step)
        try:
            result = original(*args, **kwargs)
        finally:
            _steps.pop()
        if done:
            reach(done)
        return result

    setattr(owner, name, inner)


def _watch_letters() -> None:
    """Who looked at which letter when, when the exchange about it ended, and who marked it."""
    from members.letters import engine, post
    from members.letters.lease import Lease

    look, send, mark = engine._look_again, post.Line.send, Lease.mark_sent

    def looked(pk: Any, *more: Any) -> Any:
        _letter[:] = [str(pk)]
        begun = time.time()
        found = look(pk, *more)
        if not isinstance(found, str):
            note("look", letter=str(pk), begun=begun)
        return found

    def sent(*args: Any) -> None:
        try:
            send(*args)
        finally:
            note("ended", letter=_letter[-1])
        reach("answer: read")

    def marked(self: Lease, pk: Any) -> str:
        result = mark(self, pk)
        note("marked", letter=str(pk))
        reach("mark: done")
        return result

    engine._look_again, post.Line.send, Lease.mark_sent = looked, sent, marked  # type: ignore


def _watch_smtp() -> None:
    """Places between the lines of SMTP; half a mail is a place too."""
    from members.letters.post import WatchedSMTP

    mail, rcpt, send, getreply = (
        WatchedSMTP.mail,
        WatchedSMTP.rcpt,
        WatchedSMTP.send,
        WatchedSMTP.getreply,
    )
    over: dict[int, bool] = {}

    def mailed(self: WatchedSMTP, *args: Any, **kwargs: Any) -> Any:
        over[id(self)] = False
        answer = mail(self, *args, **kwargs)
        reach("MAIL: answered")
        return answer

    def named(self: WatchedSMTP, *args: Any, **kwargs: Any) -> Any:
        answer = rcpt(self, *args, **kwargs)
        reach("RCPT: answered")
        return answer

    def sent(self: WatchedSMTP, s: Any) -> None:
        if not self.handed_over or len(s) < 100:
            return send(self, s)
        send(self, s[: len(s) // 2])
        reach("DATA: half sent")
        send(self, s[len(s) // 2 :])
        over[id(self)] = True
        reach("DATA: handed over")
        return None

    def heard(self: WatchedSMTP) -> Any:
        if over.pop(id(self), False) and self.sock is not None:
            select.select([self.sock], [], [], 0.4)
            reach("DATA: answer unread")
        return getreply(self)

    for name, method in (("mail", mailed), ("rcpt", named), ("send", sent), ("getreply", heard)):
        setattr(WatchedSMTP, name, method)
