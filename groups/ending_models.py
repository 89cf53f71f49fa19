"""What ends: a membership, with its reason for the leaders alone, and a group."""

from django.db import models
from django.db.models import F, Q

from members.envelope import KeyClass, SealedText
from members.kinds import Kind
from members.models import Member, UUIDModel


class AskedAs(models.TextChoices):
    PERSON = "person"
    LEADER = "leader"
    ADMIN = "admin"


class Ending(UUIDModel):
    """A membership that shall end at `ends_at`; the reason stands elsewhere, for leaders alone.

    `confirmed_at` is when everyone who must have said yes.
    """

    group = models.ForeignKey("groups.Group", models.CASCADE, related_name="endings")
    membership = models.ForeignKey("groups.Membership", models.CASCADE, related_name="endings")
    asked_by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    asked_as = models.CharField(max_length=8, choices=AskedAs.choices)
    asked_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    balint_kind = Kind.FRAME

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership"],
                condition=Q(withdrawn_at=None),
                name="one_ending_per_membership",
            ),
        ]


class LeavingReason(UUIDModel):
    """Why a membership ends: for the leaders and whoever wrote it, until 90 days after."""

    group = models.ForeignKey("groups.Group", models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+")
    ending = models.OneToOneField(Ending, models.CASCADE, related_name="leaving_reason")
    text = SealedText(key_class=KeyClass.LEADERS, scope="group_id")
    forget_on = models.DateField()

    balint_kind = Kind.CONTENT


class GroupEnd(UUIDModel):
    """That a group shall end at `ends_at`: asked by one leader, confirmed by somebody else.

    `forgotten_at` is when all it held was deleted; the frame and everyone's own hours stay.
    """

    group = models.ForeignKey("groups.Group", models.CASCADE, related_name="ends")
    asked_by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    forgotten_at = models.DateTimeField(null=True, blank=True)

    balint_kind = Kind.FRAME

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group"],
                condition=Q(withdrawn_at=None, forgotten_at=None),
                name="one_open_end_per_group",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | Q(asked_by=None) | ~Q(confirmed_by=F("asked_by")),
                name="nobody_confirms_their_own_end_of_a_group",
            ),
            models.CheckConstraint(
                condition=Q(forgotten_at=None) | Q(confirmed_at__isnull=False, withdrawn_at=None),
                name="only_a_confirmed_end_forgets",
            ),
        ]
