"""A letter as a mail: our own Message-ID, marked as automatic, plain text first and HTML last."""

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from members.letters.kinds import CalendarFile, Message
from members.models import Letter

# What automatic answers ask for to keep silent (RFC 3834, and the name Exchange knows it by).
AUTOMATIC = {
    "Auto-Submitted": "auto-generated",
    "X-Auto-Response-Suppress": "OOF, NRN, AutoReply, RN",
}


def address_of(letter: Letter) -> str:
    """Where it goes: the person's present address, or the one it was written to."""
    return letter.recipient.email if letter.recipient else letter.address


def build(letter: Letter, message: Message) -> EmailMultiAlternatives:
    """The mail; tried again it has the same Message-ID, so that mail programs show it once."""
    mail = EmailMultiAlternatives(
        subject=" ".join(message.subject.split()),
        body=message.text,
        to=[address_of(letter)],
        headers={"Message-ID": letter.message_id} | AUTOMATIC | _of(letter, message),
    )
    # Readers take the last form they can show.
    mail.attach_alternative(message.html, "text/html")
    if message.calendar and _wants_entries(letter):
        _attach(mail, message.calendar)
    return mail


def _wants_entries(letter: Letter) -> bool:
    """Whether the recipient takes calendar entries by mail; the mail says it all without them."""
    return letter.recipient is None or letter.recipient.calendar_mail


def _of(letter: Letter, message: Message) -> dict[str, str]:
    """Letters about one thing hang together; one click in a mail program ends reminders."""
    headers = {"References": f"<about-{letter.about_id}@{settings.MAIL_DOMAIN}>"}
    if message.unsubscribe:
        headers["List-Unsubscribe"] = f"<{message.unsubscribe}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _attach(mail: EmailMultiAlternatives, file: CalendarFile) -> None:
    """As a form of the mail, where calendars look for what to apply, and as a file to open."""
    if file.method == "PUBLISH":
        mail.attach("dates.ics", file.content, "application/ics")
    else:
        mail.attach_alternative(file.content.decode(), f"text/calendar; method={file.method}")
        mail.attach("invite.ics", file.content, "application/ics")
