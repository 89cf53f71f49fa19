"""The one file of expectations, read: what comes for whom, which text for whom, whose change."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.confidentiality.asking import METHODS

FILE = Path(__file__).with_name("policy.yaml")
Line = Mapping[str, Any]


@cache
def whole() -> Mapping[str, Any]:
    """The file as it stands."""
    return yaml.safe_load(FILE.read_text())


@cache
def who(names: str) -> frozenset[str]:
    """Personas behind names of personas and of groups of them."""
    groups = whole()["personas"]
    found: set[str] = set()
    for name in names.split():
        found |= who(groups[name]) if name in groups else {name}
    return frozenset(found)


@cache
def personas() -> list[str]:
    """Everybody the file knows, always in the same order."""
    return sorted(who("everybody"))


def lines() -> Mapping[str, Line]:
    """The line of each route, by its name."""
    return whole()["routes"]


@cache
def expected(route: str, method: str, state: str, persona: str) -> str:
    """What this person gets there, in one word."""
    line = lines()[route]
    if persona in who("unsigned") and not line.get("open"):
        return "sign-in"
    said = _said(line, method, state)
    if isinstance(said, str):
        return said if said not in METHODS else expected(route, said, state, persona)
    named = [outcome for outcome, names in said.items() if persona in who(names)]
    return named[0] if named else "404"


def _said(line: Line, method: str, state: str) -> Any:
    """The entry for this method and state, for the method, or for the others."""
    for wanted in [method, "GET"] if method == "HEAD" else [method, "others"]:
        for key, entry in line.items():
            first, *states = key.split()
            if first == wanted and state in states:
                return entry
        if wanted in line:
            return line[wanted]
    return "405"


def texts() -> list[str]:
    """The names of the texts that could leak."""
    return [name for name in whole()["texts"] if " " not in name]


def readers(kind: str, name: str) -> frozenset[str]:
    """Who may read a text, follow a mark, or know a part of the frame."""
    return who(whole()[kind][name])


def may_change(table: str, persona: str, *, own: bool) -> bool:
    """Whether a change of a row of group A by this person is right."""
    names = whole()["rows"].get(table)
    if names is None:
        return own
    return persona in who(names) or (own and "own" in names.split())
