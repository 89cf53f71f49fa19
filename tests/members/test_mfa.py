"""Second factors lie sealed in the database."""

import base64

import pytest
from allauth.mfa.adapter import get_adapter

from members.envelope import NO_SCOPE, CannotOpen, KeyClass, seal
from members.mfa import MFAAdapter
from members.models import DataKey

pytestmark = pytest.mark.django_db

SECRET = "JBSWY3DPEHPK3PXP"


def test_allauth_uses_our_adapter() -> None:
    assert type(get_adapter()) is MFAAdapter


def test_a_secret_comes_back_and_its_stored_form_shows_nothing() -> None:
    stored = MFAAdapter().encrypt(SECRET)
    assert MFAAdapter().decrypt(stored) == SECRET
    assert SECRET.encode() not in base64.b64decode(stored)
    assert DataKey.objects.get(key_class="site").scope == NO_SCOPE


@pytest.mark.parametrize("stored", [SECRET, "", "not base64 at all", "é"])
def test_a_secret_that_was_never_sealed_is_refused(stored: str) -> None:
    with pytest.raises(CannotOpen):
        MFAAdapter().decrypt(stored)


def test_another_text_of_the_sites_key_is_no_second_factor() -> None:
    parting_word = seal(
        "Thank you all",
        key_class=KeyClass.SITE,
        scope=NO_SCOPE,
        table_column="groups_farewell.word_sealed",
        row=NO_SCOPE,
        version=0,
    )
    with pytest.raises(CannotOpen):
        MFAAdapter().decrypt(base64.b64encode(parting_word).decode())
