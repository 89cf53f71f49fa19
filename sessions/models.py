"""What happens: the year, each session, who came, who told a case and who was there for it.

`phase` is one field and its table one file (`phases.py`). Rows of content hold their group.
"""

from datetime import datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import F, Q

from groups.models import Group, Setting
from members.envelope import KeyClass, SealedText
from members.kinds import Kind
from members.models import Member, UUIDModel
from sessions.live_models import RoomVersion as RoomVersion
from sessions.phases import ORDER, RUNNING, Phase
from sessions.room_models import Observer as Observer
from sessions.room_models import RoomPresence as RoomPresence
from sessions.room_models import ShownOut as ShownOut
from sessions.room_models import Step as Step
from sessions.room_models import SteppedOut as SteppedOut
from sessions.tonight_models import EveningLead as EveningLead
from sessions.tonight_models import NoticeSeen as NoticeSeen


def new_uid() -> str:
    return uuid4().hex


class Series(UUIDModel):
    """A rule and the year it makes; the rule's fields are those of `groups.cadence`.

    Letters and feeds know settled dates only. `revision` counts the letters about its dates as a
    whole, so that each of them is one letter.
    """

    group = models.ForeignKey(Group, models.CASCADE, related_name="series")
    rule = models.CharField(max_length=40)
    starts_at = models.TimeField()
    minutes = models.PositiveSmallIntegerField()
    time_zone = models.CharField(max_length=64)
    place = models.CharField(max_length=160, blank=True)
    first_on = models.DateField()
    last_on = models.DateField()
    breaks = models.TextField(blank=True)
    planned_by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    planned_at = models.DateTimeField()
    proposed_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=0)

    balint_kind = Kind.FRAME

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(last_on__gte=F("first_on")), name="series_ends_after_it_starts"
            ),
        ]
        indexes = [models.Index(fields=["group", "-planned_at"], name="series_of_group")]


class Session(UUIDModel):
    """One session: an instant, minutes and a place in the group's zone, and how far it has come.

    `sequence` counts the changes calendars and letters must hear of (time, place, cancelled);
    `step` counts every change in the room, so that a late tap is told the session has moved on.
    `overrides` holds only the fields a hand changed; planning again leaves those alone.
    `runs_until` is the next morning, 06:00 in the session's zone: until then its circle is fixed.
    By then its times are wiped; one that was left open bears that morning as `closed_at`.
    Of an intensive day the sessions share a `day`, and each may have one leader named to lead it;
    the rights of all leaders stay equal.
    """

    group = models.ForeignKey(Group, models.CASCADE, related_name="sessions")
    series = models.ForeignKey(Series, models.SET_NULL, null=True, related_name="sessions")
    period = models.DateField(null=True, blank=True)
    starts_at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField()
    time_zone = models.CharField(max_length=64)
    place = models.CharField(max_length=160, blank=True)
    setting = models.CharField(max_length=12, choices=Setting.choices, default=Setting.IN_PERSON)
    day = models.UUIDField(null=True, blank=True)
    # The database itself lets go of a person who is gone.
    led_by = models.ForeignKey(
        Member, models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    overrides = models.JSONField(default=dict, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    phase = models.CharField(max_length=12, choices=[(p.value, p.value) for p in Phase])
    sequence = models.PositiveIntegerField(default=0)
    step = models.PositiveIntegerField(default=0)
    uid = models.CharField(max_length=64, unique=True, default=new_uid, editable=False)
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    put_down_at = models.DateTimeField(null=True, blank=True)
    runs_until = models.DateTimeField()
    updated_at = models.DateTimeField()

    balint_kind = Kind.FRAME

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group"],
                condition=Q(phase__in=[phase.value for phase in ORDER]),
                name="one_open_session_per_group",
            ),
            models.UniqueConstraint(
                fields=["series", "period"], name="one_session_per_series_and_period"
            ),
            models.CheckConstraint(
                condition=Q(phase__in=[phase.value for phase in Phase]),
                name="session_phase_is_known",
            ),
            models.CheckConstraint(
                condition=Q(minutes__gte=15, minutes__lte=720),
                name="session_lasts_15_minutes_to_12_hours",
            ),
        ]
        indexes = [
            models.Index(fields=["group", "starts_at"], name="session_of_group"),
            models.Index(
                fields=["runs_until"],
                name="session_still_open",
                condition=~Q(phase__in=["closed", "cancelled"]),
            ),
            models.Index(
                fields=["runs_until"],
                name="session_times_to_wipe",
                condition=Q(opened_at__isnull=False)
                | (Q(closed_at__isnull=False) & ~Q(closed_at=F("runs_until"))),
            ),
        ]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)

    @property
    def began_at(self) -> datetime:
        """Rights in a running session are computed as of this instant."""
        return min(self.starts_at, self.opened_at) if self.opened_at else self.starts_at

    @property
    def is_open(self) -> bool:
        return self.phase in RUNNING

    @property
    def closed_itself(self) -> bool:
        """Opened, and closed by nobody: the next morning did it."""
        return self.closed_at == self.runs_until

    @property
    def cancelled(self) -> bool:
        return self.phase == Phase.CANCELLED

    @property
    def online(self) -> bool:
        return self.setting != Setting.IN_PERSON


class Change(UUIDModel):
    """That a session was moved, cancelled or put back, and why; the reason stays in the group.

    `before` is what the change took away, so that it can be undone; after that it says “undone”.
    """

    session = models.ForeignKey(Session, models.CASCADE, related_name="changes")
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    kind = models.CharField(
        max_length=12,
        choices=[(kind, kind) for kind in ("moved", "cancelled", "restored", "undone")],
    )
    before = models.JSONField(null=True, blank=True)
    reason = SealedText(key_class=KeyClass.LEADERS, scope="group_id")
    by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    balint_kind = Kind.CONTENT


class Answer(UUIDModel):
    """“I can't come”: belongs to a session and a day; moved to another day it lapses.

    The reason is the person's and the leaders'. Forgotten 30 days after the session.
    """

    session = models.ForeignKey(Session, models.CASCADE, related_name="answers")
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+")
    on = models.DateField()
    reason = SealedText(key_class=KeyClass.LEADERS, scope="group_id")
    answered_at = models.DateTimeField()

    balint_kind = Kind.CONTENT

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "member"], name="one_answer_per_member_and_session"
            ),
        ]
        indexes = [models.Index(fields=["member"], name="answers_of_member")]


class DatesReply(UUIDModel):
    """That somebody has looked at proposed dates: what they marked stands in their answers.

    For the person and the leaders; gone once the dates are settled.
    """

    series = models.ForeignKey(Series, models.CASCADE, related_name="replies")
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+")
    replied_at = models.DateTimeField()

    balint_kind = Kind.CONTENT

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["series", "member"], name="one_reply_per_member_and_series"
            ),
        ]
        indexes = [models.Index(fields=["member"], name="replies_of_member")]


class Attendance(UUIDModel):
    """Who was there, as the leaders put it down: for the person and those leaders only."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="attendances")
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+")
    present = models.BooleanField()
    put_down_by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    put_down_at = models.DateTimeField()

    balint_kind = Kind.CONTENT

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "member"], name="one_attendance_per_member_and_session"
            ),
        ]
        indexes = [models.Index(fields=["member"], name="attendances_of_member")]


class CasePresentation(UUIDModel):
    """A case: that it was told, by whom, new or a follow-up, and perhaps a title. Nothing else.

    Seen only by those present for it; forgotten on `forget_on`, with everything that hangs on it.
    """

    session = models.ForeignKey(Session, models.CASCADE, related_name="cases")
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    order = models.PositiveSmallIntegerField()
    presenter = models.ForeignKey(Member, models.CASCADE, related_name="cases_told")
    follow_up = models.BooleanField(default=False)
    follows = models.ForeignKey("self", models.SET_NULL, null=True, related_name="followed_by")
    being_told = models.BooleanField(default=False)
    title = SealedText(key_class=KeyClass.CASE, scope="group_id")
    forget_on = models.DateField()

    balint_kind = Kind.CONTENT

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "order"], name="one_case_per_place"),
            models.UniqueConstraint(
                fields=["session"],
                condition=Q(being_told=True),
                name="one_case_being_told_per_session",
            ),
            models.CheckConstraint(
                condition=Q(follows=None) | Q(follow_up=True), name="only_a_follow_up_follows"
            ),
        ]
        indexes = [
            models.Index(fields=["presenter"], name="cases_of_presenter"),
            models.Index(fields=["forget_on"], name="cases_to_forget"),
        ]


class CasePresence(UUIDModel):
    """Who was present for a case: the only people who may know of it."""

    case = models.ForeignKey(CasePresentation, models.CASCADE, related_name="presences")
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+")

    balint_kind = Kind.CONTENT

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case", "member"], name="one_presence_per_case_and_member"
            ),
        ]
        indexes = [models.Index(fields=["member"], name="presences_of_member")]


class CaseCount(UUIDModel):
    """How many cases a group has had, a year; all that stays when cases are forgotten."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    year = models.PositiveSmallIntegerField()
    cases = models.PositiveIntegerField(default=0)

    balint_kind = Kind.CONTENT

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "year"], name="one_count_per_group_and_year"),
        ]


class Reflection(UUIDModel):
    """What somebody wrote about a session for nobody but themselves, until they delete it.

    It outlives the membership, and the session: the database itself lets go of a session that is
    removed, since nobody else may touch the row.
    """

    member = models.ForeignKey(Member, models.CASCADE, related_name="+")
    session = models.ForeignKey(
        Session, models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    text = SealedText(key_class=KeyClass.PRIVATE, scope="member_id")
    written_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    balint_kind = Kind.CONTENT

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "member"], name="one_reflection_per_member_and_session"
            ),
        ]
        indexes = [models.Index(fields=["member"], name="reflections_of_member")]


class LeadersNote(UUIDModel):
    """“A word for yourselves”: a leader's own about a session, or both leaders' where it is shared.

    For those who led when the session began and lead still; forgotten on `forget_on`.
    """

    session = models.ForeignKey(Session, models.CASCADE, related_name="words")
    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    author = models.ForeignKey(Member, models.CASCADE, related_name="+")
    text = SealedText(key_class=KeyClass.LEADERS, scope="group_id")
    shared = models.BooleanField(default=False)
    written_at = models.DateTimeField()
    forget_on = models.DateField()

    balint_kind = Kind.CONTENT

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "author"], name="one_word_per_leader_and_session"
            ),
        ]
        indexes = [
            models.Index(fields=["author"], name="words_of_author"),
            models.Index(fields=["forget_on"], name="words_to_forget"),
        ]


class CalendarFeed(UUIDModel):
    """A person's calendar address; only a hash of its token is kept; a new one voids the old."""

    member = models.OneToOneField(Member, models.CASCADE, related_name="calendar_feed")
    token_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()

    balint_kind = Kind.PLUMBING
