"""Free text that asks back once: what looks like an identifier is said, and nothing is refused.

A form with `ChecksText` is not valid the first time such text is posted; the page comes back with
what was seen beside its field, and with a digest of exactly that text. Posted again unchanged, it
is saved. A text without findings is no safer for it, and no page says so.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from members.identifiers import Finding, Kind, find

logger = logging.getLogger(__name__)

LOOKS_LIKE: dict[Kind, Any] = {
    Kind.MAIL: _("This looks like a mail address: “%(text)s”."),
    Kind.WEB: _("This looks like a web address: “%(text)s”."),
    Kind.DATE: _("This looks like a date: “%(text)s”."),
    Kind.AGE: _("This looks like a great age: “%(text)s”."),
    Kind.POSTCODE: _("This looks like a postcode: “%(text)s”."),
    Kind.PHONE: _("This looks like a phone number: “%(text)s”."),
    Kind.NUMBER: _("This looks like the number of a person or a record: “%(text)s”."),
    Kind.NAME: _("This looks like a name: “%(text)s”."),
    Kind.PLACE: _("This looks like a place: “%(text)s”."),
}
# Where a digest stands in what is posted: the field's own name with this behind it.
AS_IT_IS = "-as-it-is"


class ChecksText(forms.BaseForm):
    """Mixed into a form before its base: the fields named in `checked` ask back.

    `names` are of people the group knows, read only when there is text to check. `asks` is false
    where the button that was pressed does nothing with the text.
    """

    checked: tuple[str, ...] = ()

    def __init__(
        self, *args: Any, names: Iterable[str] = (), asks: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.known_names = names
        self.noticed: list[forms.BoundField] = []
        self._looked = not asks

    def is_valid(self) -> bool:
        """Valid, and nothing in it that the person has not been asked about."""
        if not super().is_valid():
            return False
        if not self._looked:
            self._looked = True
            self._look()
        return not self.noticed

    @property
    def change_id(self) -> str:
        """Where “Change it” leads: the first field that something was seen in."""
        return self.noticed[0].id_for_label if self.noticed else ""

    @sensitive_variables()
    def _look(self) -> None:
        seen: Counter[Kind] = Counter()
        for name in self.checked:
            text = self.cleaned_data.get(name) if name in self.fields else ""
            if not text or text == self.initial.get(name) or self._is_meant(name, text):
                continue
            if findings := find(text, names=self.known_names):
                self._notice(name, text, findings)
                seen.update(finding.kind for finding in findings)
        log(seen)

    def _is_meant(self, name: str, text: str) -> bool:
        """Whether exactly this text was shown with what was seen in it."""
        given = self.data.get(self[name].html_name + AS_IT_IS, "")
        meant = constant_time_compare(given, self._digest(name, text))
        if meant:
            # Should the page come back for another reason, nobody is asked twice.
            self._show_digest(name, text)
        return meant

    def _digest(self, name: str, text: str) -> str:
        salt = f"members.checked {type(self).__qualname__} {name}"
        return salted_hmac(salt, text, algorithm="sha256").hexdigest()

    @sensitive_variables()
    def _notice(self, name: str, text: str, findings: list[Finding]) -> None:
        """What the field's template shows: sentences, and the digest to be posted with them."""
        bound, field = self[name], self.fields[name]
        field.notices = sentences(text, findings)  # type: ignore[attr-defined]
        self._show_digest(name, text)
        described = [f"{bound.auto_id}_noticed"]
        if field.help_text:
            described.append(f"{bound.auto_id}_helptext")
        field.widget.attrs["aria-describedby"] = " ".join(described)
        if not self.noticed:
            field.widget.attrs["autofocus"] = True
        self.noticed.append(bound)

    def _show_digest(self, name: str, text: str) -> None:
        self.fields[name].as_it_is = self._digest(name, text)  # type: ignore[attr-defined]


@sensitive_variables()
def sentences(text: str, findings: Iterable[Finding]) -> list[str]:
    """What each finding looks like, in the words of the text; the same is said once."""
    said = [LOOKS_LIKE[kind] % {"text": text[start:end]} for kind, start, end in findings]
    return list(dict.fromkeys(said))


def log(seen: Mapping[Kind, int]) -> None:
    """Counts and kinds; never the text, nor whose it is."""
    for kind, count in seen.items():
        logger.info("identifier check: %d %s", count, kind.value)
