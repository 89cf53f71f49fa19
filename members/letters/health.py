"""Whether letters go out: when a worker was last seen, and how late the oldest letter is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min

from members.models import Heartbeat, Letter, LetterState

WAITING = (LetterState.PENDING, LetterState.LEASED, LetterState.UNCERTAIN)
WORKER = "letters"


@dataclass(frozen=True)
class Health:
    """`silent_for` is None when no worker was ever seen."""

    silent_for: timedelta | None
    overdue_by: timedelta


def of_letters(*, at: datetime) -> Health:
    """Heartbeat and oldest overdue letter at `at`. Two queries."""
    beat = Heartbeat.objects.filter(name=WORKER).values_list("beat_at", flat=True).first()
    waiting = Letter.objects.filter(state__in=WAITING, send_after__lte=at)
    oldest = waiting.aggregate(oldest=Min("send_after"))["oldest"]
    return Health(
        silent_for=at - beat if beat else None,
        overdue_by=max(at - oldest, timedelta()) if oldest else timedelta(),
    )
