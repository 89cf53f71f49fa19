"""What the domain answers when something may be seen, but not done now."""

from django.utils.translation import gettext_lazy as _


class Refused(Exception):
    """A refusal in one sentence that the person reads; pages answer 409 and keep what was typed.

    A subclass per reason sets `sentence`; `%(name)s` in it is filled from keyword arguments.
    """

    status = 409
    sentence = _("This is not possible at the moment.")

    def __init__(self, **words: object) -> None:
        self.words = words
        super().__init__()

    def __str__(self) -> str:
        return str(self.sentence) % self.words if self.words else str(self.sentence)
