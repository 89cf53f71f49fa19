"""The kinds of letters, each registered by the app that knows it."""

from collections.abc import Callable
from dataclasses import dataclass

from members.models import Letter


@dataclass(frozen=True)
class CalendarFile:
    """Dates for the recipient's own calendar; by its method calendars know what to do with them.

    REQUEST puts in or changes one entry, CANCEL takes it out; PUBLISH is a file to look at.
    """

    method: str
    content: bytes


@dataclass(frozen=True)
class Message:
    """What the recipient reads; the text says all that the HTML says.

    `unsubscribe` is the address of whoever wants no more of these; not every letter has one.
    """

    subject: str
    text: str
    html: str
    calendar: CalendarFile | None = None
    unsubscribe: str = ""


@dataclass(frozen=True)
class LetterKind:
    """A kind: whether it is still wanted just before it goes, and its words.

    Both are called by the worker in one short transaction, `compose` in the recipient's language.
    Of several letters of one `family` about one thing, only the newest that is due goes out.
    """

    name: str
    still_wanted: Callable[[Letter], bool]
    compose: Callable[[Letter], Message]
    family: str = ""


_KINDS: dict[str, LetterKind] = {}


def register(kind: LetterKind) -> None:
    """Make a kind known to the engine; an app does so when it is ready."""
    _KINDS[kind.name] = kind


def kind_of(letter: Letter) -> LetterKind | None:
    """The letter's kind; None for one that only a newer version of the program knows."""
    return _KINDS.get(letter.kind)


def family_of(kind: LetterKind) -> frozenset[str]:
    """The names of the kinds of its family, its own among them; empty for one that has none."""
    if not kind.family:
        return frozenset()
    return frozenset(other.name for other in _KINDS.values() if other.family == kind.family)
