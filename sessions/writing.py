"""What somebody writes for themselves: its length, and nothing else is asked of it."""

from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from members.refusals import Refused

LONGEST = 4000


class TooLong(Refused):
    sentence = _(
        "This is %(length)s characters long, and there is room for %(most)s. Shorten it a little."
    )


class NothingWritten(Refused):
    sentence = _("There is nothing written yet.")


@sensitive_variables("text")
def fitting(text: str) -> str:
    """The text as it is kept: lines as they were typed, nothing round it; raises TooLong."""
    text = text.replace("\r\n", "\n").strip()
    if len(text) > LONGEST:
        raise TooLong(length=f"{len(text):,}", most=f"{LONGEST:,}")
    return text
