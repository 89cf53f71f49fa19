"""Whose sign-in guards more than what is their own: what `members.second_factor` asks."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from groups.models import Membership, MembershipRole, ProgrammeAdmin, during
from members import second_factor


def register() -> None:
    """Tell the sign-in for whom a second factor is no choice."""
    second_factor.needed_by.append(leads_or_looks_after)


def leads_or_looks_after(at: datetime) -> Q:
    """Of members: who leads any group at `at`, agreed or not, or is any programme's admin."""
    held = Membership.objects.filter(during(at), role=MembershipRole.LEADER, member=OuterRef("pk"))
    offices = ProgrammeAdmin.objects.filter(during(at), member=OuterRef("pk"))
    return Q(Exists(held)) | Q(Exists(offices))
