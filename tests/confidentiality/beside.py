"""What a process beside the first begins with: nothing of ours is loaded before Django is ready."""

import os
from typing import Any

import tests.mode


def begin() -> None:
    """Django, on the servers that the first process left in the environment."""
    assert tests.mode
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balint.settings")
    import django

    django.setup()


def work(job: Any) -> Any:
    """One part of one layer of the matrix."""
    from tests.confidentiality.matrix import run_job

    return run_job(job)
