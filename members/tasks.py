"""What the clock calls: one tick without arguments, harmless when it comes twice or not at all."""

import time

from celery import shared_task
from django.conf import settings

from members.letters import engine


@shared_task(name="letters.dispatch")
def dispatch() -> None:
    """Send what is due, for one tick at most; what is left then is the next tick's."""
    ends = time.monotonic() + settings.LETTER_TICK_SECONDS
    engine.dispatch(go_on=lambda: time.monotonic() < ends)
