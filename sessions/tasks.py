"""What the clock calls besides the letters."""

from celery import shared_task

from sessions import upkeep


@shared_task(name="sessions.upkeep")
def run() -> None:
    """Reminders made whole, overdue sessions closed, what is due forgotten."""
    upkeep.run()
