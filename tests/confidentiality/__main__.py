"""`make confidentiality`: every proof whole, a JSON line each, and one for all of them at the end.

Ends with 1 if any of them failed. Whatever was started is stopped, also after an error.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import tests.mode

PROOFS = (
    "matrix",
    "seeded",
    "interference",
    "canaries",
    "identity",
    "tampering",
    "browser",
    "cost",
)
SIZES = ("small", "whole")


def prove(names: tuple[str, ...], size: str) -> Iterator[dict[str, Any]]:
    """What each proof says; one that breaks has failed, and the others still have their turn."""
    for name in names:
        begun = time.monotonic()
        try:
            found = import_module(f"tests.confidentiality.{name}").run(size)
        except Exception as error:
            found = {"failed": 1, "error": f"{type(error).__name__}: {error}"[:2000]}
        yield {"proof": name, "seconds": round(time.monotonic() - begun), **found}


def summary(proofs: list[dict[str, Any]]) -> dict[str, Any]:
    """All figures side by side; what failed, by name."""
    together: dict[str, Any] = {}
    for proof in proofs:
        together |= proof
    for name in ("proof", "error", "seconds", "failed"):
        together.pop(name, None)
    return {
        **together,
        "seconds": sum(proof["seconds"] for proof in proofs),
        "failed": [proof["proof"] for proof in proofs if proof.get("failed")],
    }


@contextmanager
def ground() -> Iterator[None]:
    """Servers of our own, and Django on them, quiet."""
    from tests import servers

    started = servers.Servers.start()
    try:
        os.environ["DJANGO_SETTINGS_MODULE"] = "balint.settings"
        os.environ["BALINT_KEY_FILE"] = f"{started.folder}/keys.json"
        os.environ["REDIS_URL"] = started.valkey.url()
        # A browser keeps an event loop in this thread; our calls beside it are plain ones.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        import logging

        import django
        from django.test.utils import setup_test_environment

        django.setup()
        setup_test_environment(debug=False)
        logging.disable(logging.CRITICAL)
        yield
    finally:
        started.stop()


def main(arguments: list[str]) -> int:
    """`[--small] [proof …]`; all of them, whole, if nothing is said."""
    size = "small" if "--small" in arguments else "whole"
    names = tuple(name for name in arguments if not name.startswith("--")) or PROOFS
    assert tests.mode
    proofs = []
    with ground():
        for proof in prove(names, size):
            print(json.dumps(proof, default=str), flush=True)  # noqa: T201
            proofs.append(proof)
    last = summary(proofs)
    print(json.dumps(last, default=str), flush=True)  # noqa: T201
    return 1 if last["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
