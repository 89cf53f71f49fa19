"""What a password may be: long, and not what anybody would try first. Any characters will do."""

import re
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Words of this site and of its field; a password made of them alone is tried first.
WORDS_OF_THE_PLACE: Final = {
    "balint",
    "group",
    "groups",
    "gruppe",
    "leader",
    "meeting",
    "member",
    "passphrase",
    "password",
    "session",
    "supervision",
}
# A year and what joins words add nothing.
BESIDE_WORDS: Final = re.compile(r"(?:19|20)\d\d|[\W_]")
AT_LEAST_LEFT: Final = 5


class WordsOfThePlaceValidator:
    """Refuses a password of which nothing is left without the site's words and the own name."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError; `user` may be somebody who has no account yet."""
        rest = password.casefold()
        for word in sorted(WORDS_OF_THE_PLACE | _own_words(user), key=len, reverse=True):
            rest = rest.replace(word, "")
        if len(BESIDE_WORDS.sub("", rest)) < AT_LEAST_LEFT:
            raise ValidationError(self.get_help_text(), code="password_of_the_place")

    def get_help_text(self) -> str:
        return _("Not only words of this site, your name, or a year beside them.")


def _own_words(user: Any) -> set[str]:
    said = f"{getattr(user, 'name', '')} {getattr(user, 'email', '')}".casefold()
    return {word for word in re.split(r"\W+", said) if len(word) > 2}
