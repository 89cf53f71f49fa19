"""Forty authorisation bugs, each against the slice that should catch it."""

from typing import Any, Literal

Size = Literal["small", "whole"]


def run(size: Size) -> dict[str, Any]:
    """`seeded_bugs`, `seeded_caught`, and the names of those not caught under `missed`."""
    return {"seeded_bugs": 0, "seeded_caught": 0, "missed": []}
