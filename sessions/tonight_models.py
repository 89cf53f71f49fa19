"""What one evening may need at short notice: who leads it this once, and whom the news reached.

References are kept by the database itself, which lets go of these rows with what they hang on:
whoever removes a session or a person may not see them all.
"""

from django.db import models
from django.db.models import Q

from groups.models import Group
from members.kinds import Kind
from members.models import Member, UUIDModel


class EveningLead(UUIDModel):
    """Who leads one session, where it is not as always: one leader alone, or a substitute.

    `leader` leads alone, or is the one the substitute stands in for (None: for all of them). A
    substitute is a name and an address; `member` is the account of that address, if there is one,
    and `agreed_at` when that person agreed to what the group agreed to. Said anew it is a new row,
    so that letters about the former are void. It belongs to a session and a day (`on`), as answers
    do, and goes 30 days after the session.
    """

    ALONE, SUBSTITUTE = "alone", "substitute"

    session = models.OneToOneField(
        "balint_sessions.Session",
        models.CASCADE,
        related_name="evening_lead",
        db_constraint=False,
    )
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    kind = models.CharField(
        max_length=12, choices=[("alone", "alone"), ("substitute", "substitute")]
    )
    leader = models.ForeignKey(
        Member, models.CASCADE, null=True, related_name="+", db_constraint=False
    )
    name = models.CharField(max_length=120, blank=True)
    address = models.EmailField(blank=True)
    member = models.ForeignKey(
        Member, models.CASCADE, null=True, related_name="stands_in", db_constraint=False
    )
    agreed_at = models.DateTimeField(null=True, blank=True)
    on = models.DateField()
    by = models.ForeignKey(
        Member, models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    at = models.DateTimeField()

    balint_kind = Kind.FRAME

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="alone", leader__isnull=False, name="", address="", member=None)
                | (Q(kind="substitute") & ~Q(name="") & ~Q(address="")),
                name="a_substitute_has_a_name_and_who_leads_alone_is_a_leader",
            ),
            models.CheckConstraint(
                condition=Q(agreed_at=None) | Q(member__isnull=False),
                name="only_an_account_agrees",
            ),
        ]

    @property
    def alone(self) -> bool:
        return self.kind == self.ALONE


class NoticeSeen(UUIDModel):
    """That what changed at short notice has reached somebody: they opened its page, or answered.

    For the person and the leaders who conduct the session; gone the next morning.
    """

    session = models.ForeignKey(
        "balint_sessions.Session", models.CASCADE, related_name="+", db_constraint=False
    )
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+", db_constraint=False)
    seen_at = models.DateTimeField()

    balint_kind = Kind.CONTENT

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "member"], name="one_seen_notice_per_member_and_session"
            ),
        ]
        indexes = [models.Index(fields=["member"], name="seen_notices_of_member")]
