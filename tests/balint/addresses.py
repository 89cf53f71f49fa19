"""Every address of the URLconf, and paths to it with something in their places."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.urls import URLPattern, URLResolver, get_resolver

# `<uuid:pk>` of ours, `(?P<key>…)` of allauth.
PLACE = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


@dataclass(frozen=True)
class Address:
    """One route; its places are known by the word before them, or else by their own name."""

    name: str
    pattern: str

    @property
    def places(self) -> list[str]:
        """For `programmes/<uuid:programme_pk>/groups/<uuid:pk>/`: programmes, groups."""
        parts = self.pattern.split("/")
        return [
            _known_as(place[1] or place[2], parts[at - 1] if at else "")
            for at, part in enumerate(parts)
            for place in PLACE.finditer(part)
        ]

    def paths(self, known: Mapping[str, Sequence[Any]]) -> Iterator[str]:
        """A path for each combination of what is known for its places."""
        bare = PLACE.sub("\x00", self.pattern)
        for values in itertools.product(*(known[place] for place in self.places)):
            filled = bare
            for value in values:
                filled = filled.replace("\x00", str(value), 1)
            yield "/" + filled

    def path(self, known: Mapping[str, Sequence[Any]]) -> str:
        return next(self.paths(known))


def _known_as(name: str, word: str) -> str:
    return word if name in {"token", "pk"} or name.endswith("_pk") else name


def addresses() -> list[Address]:
    return list(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: Sequence[URLPattern | URLResolver], before: str) -> Iterator[Address]:
    for entry in patterns:
        here = before + str(entry.pattern).removeprefix("^").removesuffix("$")
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, here)
        else:
            yield Address(str(entry.name), here)


class Nothing(dict[str, Sequence[Any]]):
    """For every place something of the right shape that does not exist."""

    SHAPES: Mapping[str, Any] = {
        "year": 2027,
        "number": 3,
        "rest": "nothing/here",
        "keys": 1,
        "calendar": "no-such-token",
        "invitations": "no.token",
        "answer": "no.token",
        "unsubscribe": "no.token",
        "uidb36": "1",
        "key": "no-such-key",
    }

    def __missing__(self, place: str) -> Sequence[Any]:
        return [self.SHAPES.get(place) or uuid4()]


ADDRESSES = addresses()
OF_OBJECTS = [address for address in ADDRESSES if "<uuid:" in address.pattern]
