"""Second factors: allauth keeps TOTP secrets and recovery seeds in clear unless told otherwise.

Each secret is sealed for one person, one type of factor and one field of its row: put into
somebody else's row, or into another field, it does not open.

allauth hands over the bare text without its row. So `encrypt` only marks it; it is sealed the
moment the row is made, when person and type are known, and what comes from a row remembers both.
"""

import base64
import binascii
from typing import Any
from uuid import UUID

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, generate_totp_secret
from django import forms
from django.db.models.signals import post_init
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from members import second_factor
from members.envelope import NO_SCOPE, CannotOpen, KeyClass, seal, unseal

SECRETS = ("secret", "seed")
PENDING = "http session.pending totp"


class Bare(str):
    """A secret on its way into a row. Its text is empty, so it is never stored by mistake."""

    secret: str

    def __new__(cls, secret: str) -> "Bare":
        marked = super().__new__(cls, "")
        marked.secret = secret
        return marked


class Sealed(str):
    """A sealed secret as it stands in a row, and where it stands."""

    person: UUID
    column: str

    def __new__(cls, text: str, person: UUID, column: str) -> "Sealed":
        sealed = super().__new__(cls, text)
        sealed.person, sealed.column = person, column
        return sealed


class MFAAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": second_factor.STAYS
    }

    @sensitive_variables()
    def encrypt(self, text: str) -> str:
        """Mark a secret, to be sealed for the row that takes it up."""
        return Bare(text)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """The last one of a leader or admin stays (members.second_factor)."""
        return second_factor.may_go(authenticator, at=timezone.now())

    @sensitive_variables()
    def decrypt(self, encrypted_text: str) -> str:
        """The secret of the row it was read from; raises CannotOpen for anything else."""
        if not isinstance(encrypted_text, Sealed):
            raise CannotOpen("A second factor is not in sealed form.")
        return opened(encrypted_text, encrypted_text.person, encrypted_text.column)


def listen() -> None:
    """Bind every second factor as it is made and as it is read; called once, at start."""
    post_init.connect(bind_to_row, sender=Authenticator)


def bind_to_row(sender: Any, instance: Authenticator, **kwargs: Any) -> None:
    """Seal what is new, and let what was read know whose it is."""
    data = instance.__dict__.get("data")
    if not isinstance(data, dict):
        return
    for field in SECRETS:
        if isinstance(data.get(field), str):
            column = f"mfa_authenticator.{instance.type}.{field}"
            data[field] = _bound(data[field], instance.user_id, column)


@sensitive_variables()
def _bound(text: str, person: UUID, column: str) -> Sealed:
    if isinstance(text, Bare):
        return Sealed(sealed(text.secret, person, column), person, column)
    return Sealed(text, person, column)


@sensitive_variables()
def sealed(text: str, person: UUID, column: str) -> str:
    """The text sealed under the site's key for one person's column, as base64."""
    return base64.b64encode(seal(text, **_place(person, column))).decode()


@sensitive_variables()
def opened(text: str, person: UUID, column: str) -> str:
    """Counterpart of `sealed`; raises CannotOpen."""
    try:
        blob = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CannotOpen("A second factor is not in sealed form.") from None
    return unseal(blob, **_place(person, column))


def _place(person: UUID, column: str) -> dict[str, Any]:
    return {
        "key_class": KeyClass.SITE,
        "scope": NO_SCOPE,
        "table_column": column,
        "row": person,
        "version": 0,
    }


class ActivateForm(ActivateTOTPForm):
    """Setting up an app: the secret that waits for its first code lies sealed in the session."""

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        self.user = user
        # Not allauth's own, which puts the bare secret into the session.
        forms.Form.__init__(self, *args, **kwargs)
        self.secret = pending_secret(user.pk, fresh=not self.is_bound)


@sensitive_variables()
def pending_secret(person: UUID, *, fresh: bool) -> str:
    """The secret shown last to this person, or a new one, kept sealed until it is confirmed."""
    session = context.request.session
    waiting = "" if fresh else session.get(SECRET_SESSION_KEY, "")
    try:
        return opened(waiting, person, PENDING)
    except CannotOpen:
        secret = generate_totp_secret()
        session[SECRET_SESSION_KEY] = sealed(secret, person, PENDING)
        return secret
