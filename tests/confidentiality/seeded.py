"""Forty authorisation bugs, each put in alone, against the slice that should see it.

A bug that the other layer would hide is tried without that layer. Each slice is looked at before
the bug as well, when it must find nothing.
"""

from collections.abc import Iterable
from typing import Any, Literal

from tests.balint.inside import furnish
from tests.confidentiality import bugs_of_pages, bugs_of_rows
from tests.confidentiality.bugs import Bug
from tests.confidentiality.layers import Layer, alone
from tests.confidentiality.matrix import Matrix, quiet
from tests.confidentiality.world import own_database, taken_back
from tests.world import make_circle

Size = Literal["small", "whole"]


def bugs() -> list[Bug]:
    """All of them."""
    return [*bugs_of_pages.bugs(), *bugs_of_rows.bugs_seen_by_pages(), *bugs_of_rows.bugs()]


def run(size: Size) -> dict[str, Any]:
    """`seeded_bugs`, `seeded_caught`, and the names of those not caught under `missed`."""
    caught: dict[str, bool] = {}
    with own_database("seeded"), quiet():
        caught |= _in_pages("application", _chosen(bugs_of_pages.bugs(), size))
        caught |= _in_pages("database", _chosen(bugs_of_rows.bugs_seen_by_pages(), size))
        caught |= _in_rows(_chosen(bugs_of_rows.bugs(), size))
    missed = [name for name, seen in caught.items() if not seen]
    return {
        "seeded_bugs": len(caught),
        "seeded_caught": len(caught) - len(missed),
        "missed": missed,
        "failed": bool(missed),
    }


def _chosen(all_of_them: Iterable[Bug], size: Size) -> list[Bug]:
    return [bug for bug in all_of_them if bug.cheap or size == "whole"]


def _in_pages(layer: Layer, chosen: list[Bug]) -> dict[str, bool]:
    if not chosen:
        return {}
    with taken_back():
        matrix = Matrix(layer)
        with alone(layer):
            return {bug.name: _caught(bug, matrix) for bug in chosen}


def _in_rows(chosen: list[Bug]) -> dict[str, bool]:
    with taken_back():
        inside = furnish(make_circle())
        return {bug.name: _caught(bug, inside) for bug in chosen}


def _caught(bug: Bug, where: Any) -> bool:
    """Nothing is found without the bug, something with it."""
    if bug.seen_by(where):
        return False
    with bug.patch():
        return bool(bug.seen_by(where))
