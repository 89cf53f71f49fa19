"""`make bench`: figures of this machine, one JSON line each."""

import json
from collections.abc import Iterator
from typing import Any

from bench import site, start


def figures() -> Iterator[dict[str, Any]]:
    """Every figure, as it is measured."""
    yield from start.figures()
    yield from site.figures()


if __name__ == "__main__":
    for figure in figures():
        print(json.dumps(figure), flush=True)
