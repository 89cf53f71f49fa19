"""Whether letters go out: when a worker was last seen, and how late the oldest letter is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Min
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.models import Heartbeat, Letter, LetterState

WAITING = (LetterState.PENDING, LetterState.LEASED, LetterState.UNCERTAIN)
WORKER = "letters"
LATE, SILENT = timedelta(minutes=5), timedelta(minutes=10)


@dataclass(frozen=True)
class Health:
    """`silent_for` is None when no worker was ever seen."""

    silent_for: timedelta | None
    overdue_by: timedelta

    @property
    def words(self) -> str:
        """One sentence if letters do not go out as they should; else empty."""
        if self.silent_for is None:
            return _("Letters do not go out yet: the worker was never started.")
        if self.overdue_by > LATE:
            return _("Letters are %(time)s behind.") % {"time": _time(self.overdue_by)}
        if self.silent_for > SILENT:
            return _("Nothing was heard of the worker that sends letters for %(time)s.") % {
                "time": _time(self.silent_for)
            }
        return ""


def of_letters(*, at: datetime) -> Health:
    """Heartbeat and oldest overdue letter at `at`. Two queries."""
    beat = Heartbeat.objects.filter(name=WORKER).values_list("beat_at", flat=True).first()
    waiting = Letter.objects.filter(state__in=WAITING, send_after__lte=at)
    oldest = waiting.aggregate(oldest=Min("send_after"))["oldest"]
    return Health(
        silent_for=at - beat if beat else None,
        overdue_by=max(at - oldest, timedelta()) if oldest else timedelta(),
    )


def unreached(group: UUID) -> set[UUID]:
    """To whom the group's last letter could not be delivered; never why, or at which address."""
    last = (
        Letter.objects.filter(
            group_id=group,
            recipient__isnull=False,
            state__in=[LetterState.SENT, LetterState.FAILED],
        )
        .order_by("recipient", "-send_after", "-planned_at")
        .distinct("recipient")
    )
    rows = last.values_list("recipient", "state")
    return {person for person, state in rows if state == LetterState.FAILED}


def _time(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    hours = minutes // 60
    return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
