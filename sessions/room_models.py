"""What the room of one evening keeps for that evening alone: wiped the next morning."""

from django.db import models

from groups.models import Group
from members.kinds import Kind
from members.models import Member, UUIDModel


class Step(UUIDModel):
    """A change of phase while a session runs; wiped the next morning.

    `began_case` and `ended_case` are the order of the case whose telling it began or ended, so that
    taking the step back puts that right too.
    """

    session = models.ForeignKey("balint_sessions.Session", models.CASCADE, related_name="steps")
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    phase = models.CharField(max_length=12)
    came_from = models.CharField(max_length=12)
    began_case = models.PositiveSmallIntegerField(null=True)
    ended_case = models.PositiveSmallIntegerField(null=True)
    by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    balint_kind = Kind.CONTENT

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "number"], name="one_step_per_number"),
        ]


class RoomPresence(UUIDModel):
    """Who is in the room of an online session; wiped with its steps the next morning."""

    session = models.ForeignKey("balint_sessions.Session", models.CASCADE, related_name="in_room")
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+")
    entered_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    balint_kind = Kind.CONTENT

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "member"], name="one_room_presence_per_member_and_session"
            ),
        ]


class SteppedOut(UUIDModel):
    """Who knows the patient and stepped out of a case: not present for it, wherever they go in.

    `telling` counts the cases of the evening by the steps that began them, so that a row outlives
    another presenter's name and a mistaken step taken back. For the person and those who conduct
    the session; written by functions alone, gone the next morning. The database itself lets go of
    a row with its session and its person.
    """

    session = models.ForeignKey(
        "balint_sessions.Session", models.CASCADE, related_name="+", db_constraint=False
    )
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+", db_constraint=False)
    telling = models.PositiveSmallIntegerField()

    balint_kind = Kind.CONTENT

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "member", "telling"], name="one_stepping_out_per_telling"
            ),
        ]
        indexes = [models.Index(fields=["member"], name="steppings_out_of_member")]


class Observer(UUIDModel):
    """Who sits outside the circle of one evening and observes, as its leaders said before.

    For those inside the group; gone the next morning. The database itself lets go of a row with
    its session and its person.
    """

    session = models.ForeignKey(
        "balint_sessions.Session", models.CASCADE, related_name="+", db_constraint=False
    )
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+", db_constraint=False)

    balint_kind = Kind.CONTENT

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "member"], name="one_observer_per_member_and_session"
            ),
        ]
        indexes = [models.Index(fields=["member"], name="observings_of_member")]


class ShownOut(UUIDModel):
    """That a leader of a running meeting wants somebody's part in it to end, before the morning.

    `in_force` once all its leaders have said so, in a row each: from then on the person is not of
    its circle. For its leaders, and in force for the person; written by functions alone, gone the
    next morning. The database itself lets go of a row with its session and its people.
    """

    session = models.ForeignKey(
        "balint_sessions.Session", models.CASCADE, related_name="+", db_constraint=False
    )
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+", db_constraint=False)
    leader = models.ForeignKey(Member, models.CASCADE, related_name="+", db_constraint=False)
    in_force = models.BooleanField(default=False)

    balint_kind = Kind.CONTENT

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "member", "leader"],
                name="one_showing_out_per_leader_member_and_session",
            ),
        ]
        indexes = [models.Index(fields=["member"], name="showings_out_of_member")]
