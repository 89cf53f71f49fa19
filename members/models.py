"""The person, and the tables that serve every part."""

import uuid
from datetime import time
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from members.kinds import Kind


class UUIDModel(models.Model):
    """Random keys: nothing to guess, and an insert needs no RETURNING under row-level security."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    balint_kind: ClassVar[Kind]

    class Meta:
        abstract = True


class MemberManager(BaseUserManager["Member"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Member":
        """A person with an account; without a password they can only set one by mail."""
        member = self.model(email=self.normalize_email(email).lower(), **fields)
        member.set_password(password)
        member.save(using=self._db)
        return member

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "Member":
        """For operators' tools only: `is_superuser` grants nothing on any page."""
        return self.create_user(email, password, is_superuser=True, **fields)


class Member(UUIDModel, AbstractBaseUser, PermissionsMixin):
    """A person: clinician, leader or admin. Roles are rows elsewhere, with dates."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    profession = models.CharField(_("profession"), max_length=80, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    language = models.CharField(_("language"), max_length=12, default="en")
    quiet_from = models.TimeField(_("no mail from"), default=time(22))
    quiet_until = models.TimeField(_("until"), default=time(7))
    # Who follows the feed would have each date twice in some calendars.
    calendar_mail = models.BooleanField(_("calendar entries with mails"), default=True)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[MemberManager] = MemberManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]
    balint_kind = Kind.PLUMBING

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")

    def __str__(self) -> str:
        return self.name or str(_("Someone new"))

    def get_full_name(self) -> str:
        return str(self)

    @property
    def quiet(self) -> tuple[time, time]:
        """When reminders wait, on the person's own clock; twice the same means never."""
        return self.quiet_from, self.quiet_until

    @property
    def first_name(self) -> str:
        """What people call each other; titles are left out."""
        words = [
            word for word in self.name.split() if not word.endswith(".") and word not in TITLES
        ]
        return words[0] if words else str(self)


TITLES = {"Dr", "Prof", "Professor", "Doctor", "Mr", "Mrs", "Ms", "Mx", "Herr", "Frau"}


class Phone(UUIDModel):
    """A number to ring, shared group by group; leaders of those groups see it, no one else."""

    member = models.OneToOneField(Member, models.CASCADE, related_name="phone")
    number = models.CharField(_("phone number"), max_length=40)

    balint_kind = Kind.CONTENT


class DataKey(UUIDModel):
    """A data key, wrapped by a key-encryption key that lives outside the database."""

    key_class = models.CharField(max_length=12)
    scope = models.UUIDField()
    epoch = models.PositiveIntegerField()
    wrapped = models.BinaryField()
    made_at = models.DateTimeField(auto_now_add=True)

    balint_kind = Kind.PLUMBING

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key_class", "scope"], name="one_key_per_class_and_scope"
            ),
            models.CheckConstraint(
                condition=Q(key_class__in=["case", "leaders", "private", "site"]),
                name="data_key_class_is_known",
            ),
        ]


class LetterState(models.TextChoices):
    PENDING = "pending"
    LEASED = "leased"
    SENT = "sent"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class Letter(UUIDModel):
    """One mail that may wait: planned with the change that causes it, leased, re-checked, sent.

    `about_id` is what it is about (a session, a proposal, …) and `about_version` which state of it;
    together with kind and recipient they are unique, so nothing is ever planned twice. `went_with`
    is the letter whose mail says what this one would have said.
    """

    kind = models.CharField(max_length=32)
    group_id = models.UUIDField(null=True)
    about_id = models.UUIDField()
    about_version = models.PositiveIntegerField(default=0)
    recipient = models.ForeignKey(Member, models.CASCADE, null=True, related_name="letters")
    address = models.EmailField(blank=True)
    send_after = models.DateTimeField()
    send_before = models.DateTimeField(null=True)
    state = models.CharField(
        max_length=12, choices=LetterState.choices, default=LetterState.PENDING
    )
    message_id = models.CharField(max_length=200)
    lease_token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    accepted_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=80, blank=True)
    planned_at = models.DateTimeField(auto_now_add=True)
    went_with = models.UUIDField(null=True)

    balint_kind = Kind.PLUMBING

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "about_id", "about_version", "recipient", "address"],
                name="one_letter_per_kind_and_recipient",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(recipient__isnull=False) ^ ~Q(address=""),
                name="letter_goes_to_member_or_address",
            ),
            models.CheckConstraint(
                condition=~Q(state="leased")
                | Q(lease_token__isnull=False, lease_until__isnull=False),
                name="leased_letter_has_a_lease",
            ),
        ]
        indexes = [
            models.Index(
                fields=["send_after"],
                condition=Q(state__in=["pending", "leased", "uncertain"]),
                name="letters_waiting",
            ),
            models.Index(fields=["about_id", "recipient"], name="letters_about"),
        ]


class TombstoneKind(models.TextChoices):
    CASE = "case"
    PERSON = "person"
    GROUP = "group"
    REFLECTION = "reflection"
    NOTE = "note"
    # A case that was put down by mistake and never told.
    UNTOLD = "untold"


class Tombstone(UUIDModel):
    """That something was erased, so that a restored backup does not bring it back.

    Written by the database beside each deletion, copied beside the key file (members/beside.py)
    by the upkeep, gone after 40 days: no backup is older than 30. No page has any right to it.
    """

    kind = models.CharField(max_length=12, choices=TombstoneKind.choices)
    subject = models.UUIDField()
    made_at = models.DateTimeField()
    copied_at = models.DateTimeField(null=True)

    balint_kind = Kind.PLUMBING

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=TombstoneKind.values), name="tombstone_kind_is_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["made_at"], condition=Q(copied_at=None), name="tombstones_to_copy"
            ),
        ]


class Heartbeat(UUIDModel):
    """When a worker last did its round, by the clock of the database."""

    name = models.CharField(max_length=32, unique=True)
    beat_at = models.DateTimeField()

    balint_kind = Kind.PLUMBING


class CacheEntry(UUIDModel):
    """What the shared cache holds, for when Redis does not answer (balint/cache.py).

    The key is a digest; the table is not logged, so none of it stays in a backup of the log.
    """

    value = models.TextField()
    expires_at = models.DateTimeField(null=True)

    balint_kind = Kind.PLUMBING

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="cache_entries_to_clear")]


class AuditChain(UUIDModel):
    """The head of one chain of events: a group's (its id) or the site's (the nil id).

    What is older than the record is kept has gone, up to `kept_from`; `mac_before` is that of the
    event before it, so that the rest can still be verified.
    """

    length = models.BigIntegerField(default=0)
    mac = models.BinaryField(default=bytes)
    kept_from = models.BigIntegerField(default=1)
    mac_before = models.BinaryField(default=bytes)
    started_at = models.DateTimeField()

    balint_kind = Kind.PLUMBING


class AuditEvent(UUIDModel):
    """Who did what to which kind of thing, when; never what it says. Only ever appended.

    `actor` is no foreign key: erasing a person must not break the chain. `once` is the keyed
    digest of a reading of one day, `digest` that of what happened, and `mac` binds it to its place
    and to the event before.
    """

    chain = models.ForeignKey(AuditChain, models.PROTECT, related_name="events")
    number = models.BigIntegerField()
    at = models.DateTimeField()
    actor = models.UUIDField(null=True)
    verb = models.CharField(max_length=12)
    thing = models.CharField(max_length=16)
    frame = models.BooleanField()
    once = models.BinaryField(null=True)
    digest = models.BinaryField()
    mac = models.BinaryField()

    balint_kind = Kind.PLUMBING

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain", "number"], name="one_event_per_number"),
            models.UniqueConstraint(fields=["chain", "once"], name="one_reading_per_day"),
        ]
        indexes = [models.Index(fields=["at"], name="events_to_forget")]
