"""Sealed text opens in its own place and nowhere else."""

from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import ProgrammingError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members import envelope, keys
from members.envelope import (
    NO_SCOPE,
    CannotOpen,
    CannotSeal,
    KeyClass,
    Place,
    seal,
    unseal,
)
from members.models import DataKey
from tests.world import as_member

pytestmark = pytest.mark.django_db

TITLE = "The man who never took off his coat"
SEVERAL_EXAMPLES_PER_DATABASE = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


def place(**changed: Any) -> dict[str, Any]:
    return {
        "key_class": KeyClass.CASE,
        "scope": uuid4(),
        "table_column": "balint_sessions_case.title_sealed",
        "row": uuid4(),
        "version": 1,
    } | changed


# seal and unseal


@SEVERAL_EXAMPLES_PER_DATABASE
@given(text=st.text(), key_class=st.sampled_from(KeyClass), version=st.integers(0, 2**31 - 1))
def test_any_text_comes_back_as_it_was_sealed(text: str, key_class: KeyClass, version: int) -> None:
    scope = NO_SCOPE if key_class == KeyClass.SITE else UUID(int=7)
    where = place(key_class=key_class, scope=scope, version=version)
    assert unseal(seal(text, **where), **where) == text


def test_a_blob_is_format_key_id_nonce_ciphertext_and_tag() -> None:
    where = place()
    blob = seal(TITLE, **where)
    key = DataKey.objects.get(key_class="case", scope=where["scope"])
    assert blob[:17] == b"\x01" + key.id.bytes
    assert len(blob) == 1 + 16 + 12 + len(TITLE.encode()) + 16


def test_equal_texts_sealed_twice_share_no_nonce_and_no_ciphertext() -> None:
    where = place()
    first, second = seal(TITLE, **where), seal(TITLE, **where)
    assert first[17:29] != second[17:29]
    assert first[29:] != second[29:]


def test_a_blob_shows_no_piece_of_its_text() -> None:
    blob = seal(TITLE * 20, **place())
    assert [word for word in TITLE.split() if len(word) > 2 and word.encode() in blob] == []


@pytest.mark.parametrize(
    "moved",
    [
        {"row": UUID(int=1)},
        {"table_column": "balint_sessions_case.reason_sealed"},
        {"table_column": "groups_leave.title_sealed"},
        {"version": 2},
        {"version": 0},
        {"version": 11},
        {"scope": UUID(int=2)},
        {"key_class": KeyClass.LEADERS},
        {"key_class": KeyClass.PRIVATE},
        {"key_class": KeyClass.SITE, "scope": NO_SCOPE},
    ],
    ids=str,
)
def test_a_blob_opens_in_no_other_place(moved: dict[str, Any]) -> None:
    where = place()
    elsewhere = where | moved
    blob = seal(TITLE, **where)
    seal("so that the other key exists", **elsewhere)
    assert unseal(blob, **where) == TITLE
    with pytest.raises(CannotOpen):
        unseal(blob, **elsewhere)


@pytest.mark.parametrize("moved", [{"scope": UUID(int=2)}, {"key_class": KeyClass.LEADERS}])
def test_a_blob_with_the_other_places_key_id_written_into_it_does_not_open(
    moved: dict[str, Any],
) -> None:
    where = place()
    elsewhere = where | moved
    blob, other = seal(TITLE, **where), seal("other", **elsewhere)
    for target in (where, elsewhere):
        with pytest.raises(CannotOpen):
            unseal(other[:17] + blob[17:], **target)


def test_parts_of_a_place_cannot_run_into_each_other() -> None:
    """Two places whose parts, written one after the other, are the same bytes."""
    place_of = partial(Place, key_class=KeyClass.CASE)
    row, scope = UUID(bytes=b"abcdefghijklmnop"), UUID(bytes=b"ABCDEFGHIJKLMNOP")
    one = place_of(table_column="t.c", row=row, scope=scope, version=12)
    row, scope = UUID(bytes=b"bcdefghijklmnopA"), UUID(bytes=b"BCDEFGHIJKLMNOP1")
    other = place_of(table_column="t.ca", row=row, scope=scope, version=2)
    written = [
        f"{p.table_column}{p.row.bytes.decode()}{p.scope.bytes.decode()}{p.version}"
        for p in (one, other)
    ]
    assert written[0] == written[1]
    assert one.bound() != other.bound()


def test_a_text_bound_here_under_another_places_key_does_not_open() -> None:
    where, elsewhere = place(), place(key_class=KeyClass.LEADERS)
    seal("so that both keys exist", **where)
    seal("so that both keys exist", **elsewhere)
    wrong = DataKey.objects.get(key_class="leaders", scope=elsewhere["scope"])
    cipher = AESGCM(envelope.unwrapped(wrong, keys.in_use()))
    nonce = bytes(12)
    sealed = cipher.encrypt(nonce, TITLE.encode(), Place(**where).bound())
    with pytest.raises(CannotOpen):
        unseal(b"\x01" + wrong.id.bytes + nonce + sealed, **where)


def test_a_change_of_any_one_bit_is_noticed() -> None:
    where = place()
    blob = seal("ab", **where)
    opened = []
    for bit in range(8 * len(blob)):
        changed = bytearray(blob)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            opened.append(unseal(bytes(changed), **where))
        except CannotOpen:
            continue
    assert opened == []


def test_a_blob_cut_at_any_byte_or_lengthened_is_noticed() -> None:
    where = place()
    blob = seal("ab", **where)
    for damaged in [blob[:length] for length in range(len(blob))] + [blob + b"\0"]:
        with pytest.raises(CannotOpen):
            unseal(damaged, **where)


@SEVERAL_EXAMPLES_PER_DATABASE
@given(noise=st.binary(max_size=200))
def test_noise_does_not_open(noise: bytes) -> None:
    with pytest.raises(CannotOpen):
        unseal(noise, **place())


def test_a_failure_says_where_and_carries_neither_text_nor_cause() -> None:
    where = place()
    blob = seal(TITLE, **where)
    with pytest.raises(CannotOpen) as failure:
        unseal(blob[:-1] + b"\0\0", **where)
    assert str(failure.value) == (
        "A sealed text in balint_sessions_case.title_sealed is not as it was put."
    )
    assert failure.value.__suppress_context__


def test_half_a_character_is_refused_without_repeating_the_text() -> None:
    with pytest.raises(CannotSeal) as failure:
        seal(TITLE + "\ud800", **place())
    assert str(failure.value) == "The text holds half a character."
    assert failure.value.__suppress_context__


@pytest.mark.parametrize(
    ("key_class", "scope"), [(KeyClass.SITE, UUID(int=1)), (KeyClass.CASE, NO_SCOPE)]
)
def test_only_the_sites_key_has_no_scope(key_class: KeyClass, scope: UUID) -> None:
    with pytest.raises(ValueError, match=r"^The site's key has no scope"):
        seal(TITLE, **place(key_class=key_class, scope=scope))


# data keys


def test_each_class_and_scope_has_one_key_of_its_own() -> None:
    one, other = uuid4(), uuid4()
    for scope in (one, one, other):
        for key_class in (KeyClass.CASE, KeyClass.LEADERS):
            seal(TITLE, **place(key_class=key_class, scope=scope))
    made = DataKey.objects.filter(scope__in=[one, other]).values_list("key_class", "scope")
    assert sorted(made) == sorted((c, s) for c in ("case", "leaders") for s in (one, other))


def test_a_wrapped_key_moved_to_another_class_or_scope_does_not_open() -> None:
    seal(TITLE, **place(scope=UUID(int=5)))
    row = DataKey.objects.get(scope=UUID(int=5))
    for name, value in [("key_class", "leaders"), ("scope", uuid4()), ("id", uuid4())]:
        kept = getattr(row, name)
        setattr(row, name, value)
        with pytest.raises(CannotOpen):
            envelope.unwrapped(row, keys.in_use())
        setattr(row, name, kept)
    assert len(envelope.unwrapped(row, keys.in_use())) == 32


def test_the_web_may_add_keys_and_read_them_but_not_change_or_delete_them() -> None:
    seal(TITLE, **place())
    for forbidden in (
        lambda: DataKey.objects.update(epoch=2),
        lambda: DataKey.objects.all().delete(),
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            forbidden()


def test_the_worker_has_no_right_to_the_keys() -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        as_member(None, "balint_worker"),
    ):
        DataKey.objects.count()


def test_a_key_undone_with_its_transaction_is_never_used_again() -> None:
    where = place()
    with transaction.atomic():
        seal(TITLE, **where)
        transaction.set_rollback(True)
    assert DataKey.objects.filter(scope=where["scope"]).count() == 0
    blob = seal(TITLE, **where)
    assert blob[1:17] == DataKey.objects.get(scope=where["scope"]).id.bytes


def test_a_page_of_thirty_titles_asks_for_their_key_once(
    django_assert_num_queries: Any,
) -> None:
    scope = uuid4()
    places = [place(scope=scope) for _ in range(30)]
    blobs = [seal(TITLE, **where) for where in places]
    keys.in_use().opened.forget()
    with django_assert_num_queries(1):
        assert [unseal(b, **w) for b, w in zip(blobs, places, strict=True)] == [TITLE] * 30


def test_the_memory_of_opened_keys_is_bounded_and_keeps_the_latest() -> None:
    opened = keys.OpenedKeys()
    made = [
        keys.OpenedKey(id=uuid4(), key_class="case", scope=uuid4(), cipher=None)  # type: ignore[arg-type]
        for _ in range(keys.MOST_OPENED + 1)
    ]
    for key in made[:-1]:
        opened.keep(key)
    assert opened.get(made[0].id) is made[0]
    opened.keep(made[-1])
    assert len(opened) == keys.MOST_OPENED
    assert opened.get(made[1].id) is None
    assert opened.get(made[0].id) is made[0]
