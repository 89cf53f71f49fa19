"""Our Celery app, `celery -A tests.reminder_faults.worker`: its children have places to die at."""

from typing import Any

from celery.signals import worker_process_init

from balint.celery import app
from tests.reminder_faults import points

UPKEEP_EVERY = 15.0  # seconds


@worker_process_init.connect
def install(**kwargs: Any) -> None:
    points.install(in_pool=True)


@app.on_after_configure.connect
def hurry(sender: Any, **kwargs: Any) -> None:
    """The upkeep has its turn within the run."""
    sender.conf.beat_schedule["upkeep"] |= {"schedule": UPKEEP_EVERY, "options": {"expires": 12}}
