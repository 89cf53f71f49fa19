"""How often a room has changed, so that a screen knows whether what it shows is still true."""

from django.db import models

from members.kinds import Kind
from members.models import UUIDModel


class RoomVersion(UUIDModel):
    """The version of the room of the session with this id; gone the next morning.

    Moved on by triggers and read by functions alone. `moved_at` is when it was last moved.
    """

    version = models.PositiveBigIntegerField()
    moved_at = models.DateTimeField()

    balint_kind = Kind.PLUMBING
