"""Second factors: allauth keeps TOTP secrets and recovery seeds in clear unless told otherwise."""

import base64
import binascii
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from django.views.decorators.debug import sensitive_variables

from members.envelope import NO_SCOPE, CannotOpen, KeyClass, seal, unseal

# allauth hands over the bare text, without its row: all secrets are bound to this one place.
PLACE: dict[str, Any] = {
    "key_class": KeyClass.SITE,
    "scope": NO_SCOPE,
    "table_column": "mfa.authenticator",
    "row": NO_SCOPE,
    "version": 0,
}


class MFAAdapter(DefaultMFAAdapter):
    @sensitive_variables()
    def encrypt(self, text: str) -> str:
        """Seal a secret under the site's key, as base64 for allauth's JSON column."""
        return base64.b64encode(seal(text, **PLACE)).decode()

    @sensitive_variables()
    def decrypt(self, encrypted_text: str) -> str:
        """Counterpart of encrypt; raises CannotOpen, also for a secret that was never sealed."""
        try:
            blob = base64.b64decode(encrypted_text, validate=True)
        except (binascii.Error, ValueError):
            raise CannotOpen("A second factor is not in sealed form.") from None
        return unseal(blob, **PLACE)
