"""Sealed text: AES-256-GCM under a key of its own per class and scope, bound to its place.

A blob is format ‖ key id ‖ nonce ‖ ciphertext and tag. Class, table and column, row, scope and
version go in as associated data, so a blob moved anywhere else, or put back after a change, does
not open. Data keys lie in the database wrapped by an epoch of the key file (members/keys.py).
"""

import os
from dataclasses import dataclass
from typing import Any, Self, overload
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.apps import apps
from django.db import models
from django.dispatch import Signal
from django.views.decorators.debug import sensitive_variables

from members import keys
from members.keys import KeyFile, KeyFileError, OpenedKey

FORMAT = b"\x01"
NONCE_BYTES = 12
TAG_BYTES = 16
HEAD_BYTES = len(FORMAT) + 16
SHORTEST_BLOB = HEAD_BYTES + NONCE_BYTES + TAG_BYTES
NO_SCOPE = UUID(int=0)

# Announced whenever a sealed text does not open, with its `place`, before CannotOpen is raised.
could_not_open = Signal()


class KeyClass(models.TextChoices):
    """Which kind of content a key opens; a key of one class never opens another's."""

    CASE = "case"
    LEADERS = "leaders"
    PRIVATE = "private"
    SITE = "site"


class CannotOpen(Exception):
    """Sealed text that does not open where it stands: moved, changed, put back, or its key gone.

    Never carries text, ciphertext or key.
    """


class CannotSeal(ValueError):
    """Text that cannot be sealed as given; never carries the text."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a sealed text belongs; it opens nowhere else. `scope` is a group's or member's id."""

    key_class: KeyClass
    scope: UUID
    table_column: str
    row: UUID
    version: int

    def __post_init__(self) -> None:
        if (self.key_class == KeyClass.SITE) != (self.scope == NO_SCOPE):
            raise ValueError("The site's key has no scope, and every other key has one.")

    def bound(self) -> bytes:
        """The associated data: every part with its length before it, so none can run over."""
        return joined(
            b"balint text" + FORMAT,
            self.key_class.value.encode(),
            self.table_column.encode(),
            self.row.bytes,
            self.scope.bytes,
            str(self.version).encode(),
        )


def joined(*parts: bytes) -> bytes:
    """Parts as one text, each with its length before it, so that none can run over."""
    return b"".join(len(part).to_bytes(4) + part for part in parts)


@sensitive_variables("text")
def seal(
    text: str, *, key_class: KeyClass, scope: UUID, table_column: str, row: UUID, version: int
) -> bytes:
    """Seal `text` for one place; makes the scope's key on first use, in the open transaction.

    The blob must be saved in that transaction, or the key it needs may never come to be.
    Raises CannotSeal or KeyFileError.
    """
    place = Place(
        key_class=key_class, scope=scope, table_column=table_column, row=row, version=version
    )
    return _seal(text, place)


def unseal(
    blob: bytes, *, key_class: KeyClass, scope: UUID, table_column: str, row: UUID, version: int
) -> str:
    """The text sealed for exactly this place; raises CannotOpen, or KeyFileError without a file."""
    place = Place(
        key_class=key_class, scope=scope, table_column=table_column, row=row, version=version
    )
    return _unseal(blob, place)


@sensitive_variables()
def _seal(text: str, place: Place) -> bytes:
    plain = _encoded(text)
    key = _key_for(place.key_class, place.scope)
    nonce = os.urandom(NONCE_BYTES)
    return FORMAT + key.id.bytes + nonce + key.cipher.encrypt(nonce, plain, place.bound())


@sensitive_variables()
def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # `from None`: the cause carries the whole text.
        raise CannotSeal("The text holds half a character.") from None


@sensitive_variables()
def _unseal(blob: bytes, place: Place) -> str:
    try:
        return _opened_text(blob, place)
    except CannotOpen:
        if blob:
            could_not_open.send(sender=Place, place=place)
        raise


@sensitive_variables()
def _opened_text(blob: bytes, place: Place) -> str:
    if len(blob) < SHORTEST_BLOB or blob[: len(FORMAT)] != FORMAT:
        raise CannotOpen(f"No sealed text of a known form in {place.table_column}.")
    key = _key_named(UUID(bytes=blob[len(FORMAT) : HEAD_BYTES]))
    if key is None or (key.key_class, key.scope) != (place.key_class, place.scope):
        raise CannotOpen(f"The key of a sealed text in {place.table_column} is not its own.")
    rest = blob[HEAD_BYTES:]
    try:
        opened = key.cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], place.bound())
    except InvalidTag:
        raise CannotOpen(f"A sealed text in {place.table_column} is not as it was put.") from None
    return opened.decode()


# Data keys. The model is fetched by name: members/models.py imports this module.


def _data_keys() -> Any:
    return apps.get_model("members", "DataKey")._default_manager


def _key_for(key_class: KeyClass, scope: UUID) -> OpenedKey:
    # Asked of the database each time: a key remembered from a transaction that was undone
    # would seal text that nobody can open.
    found = _row_for(key_class, scope)
    return _opened(found or _made(key_class, scope))


def _row_for(key_class: KeyClass, scope: UUID) -> Any:
    return _data_keys().filter(key_class=key_class, scope=scope).first()


@sensitive_variables()
def _made(key_class: KeyClass, scope: UUID) -> Any:
    """Insert a new key unless somebody just did; whichever row came first counts."""
    new = _data_keys().model(id=uuid4(), key_class=key_class, scope=scope)
    rewrap(new, AESGCM.generate_key(bit_length=256), keys.in_use())
    _data_keys().bulk_create([new], ignore_conflicts=True)
    row = _row_for(key_class, scope)
    # Read once more: from the insert to the commit no epoch can be shredded (members/rotation.py),
    # but the one used above may have been shredded just before.
    keys.in_use().cipher(row.epoch)
    return row


def _key_named(key_id: UUID) -> OpenedKey | None:
    remembered = keys.in_use().opened.get(key_id)
    if remembered is not None:
        return remembered
    row = _data_keys().filter(id=key_id).first()
    return None if row is None else _opened(row)


@sensitive_variables()
def _opened(row: Any) -> OpenedKey:
    key_file = keys.in_use()
    remembered = key_file.opened.get(row.id)
    if remembered is not None:
        return remembered
    cipher = AESGCM(unwrapped(row, key_file))
    opened = OpenedKey(id=row.id, key_class=row.key_class, scope=row.scope, cipher=cipher)
    key_file.opened.keep(opened)
    return opened


@sensitive_variables()
def unwrapped(row: Any, key_file: KeyFile) -> bytes:
    """The bare key of a DataKey row; raises CannotOpen if this file does not open it."""
    wrapped = bytes(row.wrapped)
    try:
        cipher = key_file.cipher(row.epoch)
        return cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _wrapping(row))
    except (InvalidTag, ValueError, KeyFileError):
        raise CannotOpen(f"The key file does not open key {row.id}.") from None


@sensitive_variables()
def rewrap(row: Any, bare: bytes, key_file: KeyFile) -> None:
    """Wrap `bare` into the DataKey row under the file's current epoch; saves nothing."""
    nonce = os.urandom(NONCE_BYTES)
    row.epoch = key_file.current
    row.wrapped = nonce + key_file.cipher(row.epoch).encrypt(nonce, bare, _wrapping(row))


def _wrapping(row: Any) -> bytes:
    return joined(
        b"balint key" + FORMAT, str(row.key_class).encode(), row.scope.bytes, row.id.bytes
    )


class SealedText(property):
    """A text attribute kept in two columns, `<name>_sealed` (NULL when empty) and `<name>_version`.

    `scope` names the attribute with the group's or member's id; only the site's class has none.
    Every setting counts the version up, so an older ciphertext put back does not open. Save both
    columns together: `save(update_fields=Model.title.columns)`. A renamed table or column needs
    its texts sealed anew. It is a property, so that `Model(title="…")` and `update_or_create`
    take it as they take any field.
    """

    def __init__(self, *, key_class: KeyClass, scope: str | None = None) -> None:
        # Django takes only a property that says it can be set.
        super().__init__(fset=lambda instance, text: self.__set__(instance, text))
        if (key_class == KeyClass.SITE) != (scope is None):
            raise ValueError("The site's key has no scope, and every other key has one.")
        self.key_class = key_class
        self.scope = scope
        # Made here, so that the columns stand in the table in the order of declaration.
        self._sealed = models.BinaryField(null=True, blank=True, editable=False)
        self._version = models.PositiveIntegerField(default=0, editable=False)

    def contribute_to_class(self, cls: type[models.Model], name: str) -> None:
        """Give the model its two ordinary columns and this attribute; Django calls it."""
        self.columns = (f"{name}_sealed", f"{name}_version")
        self._sealed.contribute_to_class(cls, self.columns[0])
        self._version.contribute_to_class(cls, self.columns[1])
        setattr(cls, name, self)

    @overload  # type: ignore[override]
    def __get__(self, instance: None, owner: type[models.Model]) -> Self: ...
    @overload
    def __get__(self, instance: models.Model, owner: type[models.Model]) -> str: ...
    @sensitive_variables()
    def __get__(
        self, instance: models.Model | None, owner: type[models.Model] | None = None
    ) -> Self | str:
        if instance is None:
            return self
        blob = getattr(instance, self.columns[0])
        version = getattr(instance, self.columns[1])
        return "" if blob is None else _unseal(bytes(blob), self._place(instance, version))

    @sensitive_variables()
    def __set__(self, instance: models.Model, text: str) -> None:
        version = getattr(instance, self.columns[1]) + 1
        blob = _seal(text, self._place(instance, version)) if text else None
        setattr(instance, self.columns[0], blob)
        setattr(instance, self.columns[1], version)

    def _place(self, instance: models.Model, version: int) -> Place:
        return Place(
            key_class=self.key_class,
            scope=NO_SCOPE if self.scope is None else _uuid(instance, self.scope),
            table_column=f"{instance._meta.db_table}.{self.columns[0]}",
            row=_uuid(instance, "pk"),
            version=version,
        )


def _uuid(instance: models.Model, name: str) -> UUID:
    value = getattr(instance, name)
    if value is None:
        raise ValueError(f"Set {name} before the sealed text: it is bound to it.")
    return value if isinstance(value, UUID) else UUID(str(value))
