"""Everybody against every address by every method, with each layer alone."""

from typing import Any, Literal

Size = Literal["small", "whole"]


def run(size: Size) -> dict[str, Any]:
    """`matrix_cases`, `object_cases`, `leaks`, and the same by layer under `by_layer`."""
    return {"matrix_cases": 0, "object_cases": 0, "leaks": 0, "by_layer": {}}
