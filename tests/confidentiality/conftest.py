"""Proofs bring databases of their own, and transactions that end."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def unbound(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The database may be used, and nothing is taken back at the end but by the proof itself."""
    with django_db_blocker.unblock():
        yield
