"""The frame: who runs which groups, who belongs to them from when to when, and what they agreed.

State is never stored: a membership has `starts_at` and `ended_at`, a leave the same two,
as exclusive instants, and what somebody is at a moment is computed from them.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from groups.ending_models import AskedAs as AskedAs
from groups.ending_models import Ending as Ending
from groups.ending_models import GroupEnd as GroupEnd
from groups.ending_models import LeavingReason as LeavingReason
from groups.evening_models import EveningTemplate as EveningTemplate
from members.envelope import KeyClass, SealedText
from members.kinds import Kind
from members.models import Member, UUIDModel


def during(at: datetime, prefix: str = "") -> Q:
    """Rows whose interval [starts_at, ended_at) holds the instant `at`."""
    started = Q(**{f"{prefix}starts_at__lte": at})
    return started & (Q(**{f"{prefix}ended_at": None}) | Q(**{f"{prefix}ended_at__gt": at}))


class MembershipRole(models.TextChoices):
    LEADER = "leader", _("leader")
    MEMBER = "member", _("member")


class Setting(models.TextChoices):
    IN_PERSON = "in_person", _("in person")
    ONLINE = "online", _("online")
    MIXED = "mixed", _("in person and online")


class Camera(models.TextChoices):
    """The presenter's, while the group works online: what the group agreed."""

    OWN = "", _("as the presenter likes")
    ON = "on", _("on")
    OFF = "off", _("off")


class Programme(UUIDModel):
    """A society, hospital or residency that looks after groups."""

    name = models.CharField(_("name"), max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    balint_kind = Kind.FRAME

    def __str__(self) -> str:
        return self.name


class ProgrammeAdmin(UUIDModel):
    """Who looks after a programme's groups, from when to when; never sees inside one."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="admins")
    member = models.ForeignKey(Member, models.CASCADE, related_name="admin_roles")
    starts_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    balint_kind = Kind.FRAME

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "member"],
                condition=Q(ended_at=None),
                name="one_running_admin_role_per_programme",
            ),
        ]


class Group(UUIDModel):
    """A Balint group: its frame, its size, and how it likes to work.

    `alias` is the only name that leaves the site (mail, calendar); empty means “Your group”.
    `evening` is the key of a template, empty for the one that fits the length of a meeting, and
    `minutes` are those phases that take this group another time. Switches say what its school
    does, `follow_up_words` and `call_words` how it asks the two questions. Without `reminder_days`
    the rhythm decides how many days before a meeting reminders come.
    """

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="groups")
    name = models.CharField(_("name"), max_length=120)
    alias = models.CharField(
        _("name outside"),
        max_length=60,
        blank=True,
        help_text=_("What mails and calendars call it. Choose something neutral."),
    )
    setting = models.CharField(
        _("how you meet"), max_length=12, choices=Setting.choices, default=Setting.IN_PERSON
    )
    place = models.CharField(_("place"), max_length=160, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    contact = models.CharField(
        _("whom to ring"),
        max_length=160,
        blank=True,
        help_text=_("For newcomers who cannot find the door. A name and a number."),
    )
    cap = models.PositiveSmallIntegerField(
        _("most members"), default=10, help_text=_("Leaders are not counted. At most 15.")
    )
    asks_questions = models.BooleanField(_("questions of fact after the story"), default=True)
    sits_back = models.BooleanField(_("the presenter sits back"), default=True)
    keeps_time = models.BooleanField(_("one of the group keeps time"), default=False)
    has_observers = models.BooleanField(_("some sit outside and observe"), default=False)
    presenter_camera = models.CharField(
        _("the presenter’s camera, while the group works online"),
        max_length=3,
        blank=True,
        choices=Camera.choices,
        default=Camera.OWN,
    )
    shows_absences = models.BooleanField(_("members see who cannot come"), default=False)
    evening = models.CharField(max_length=40, blank=True)
    minutes = models.JSONField(default=dict, blank=True)
    follow_up_words = models.CharField(max_length=120, blank=True)
    call_words = models.CharField(max_length=120, blank=True)
    talk_minutes = models.PositiveSmallIntegerField(_("the leaders’ own talk, minutes"), default=0)
    keeps_cases_days = models.PositiveSmallIntegerField(
        _("days until a case is forgotten"), default=120
    )
    reminder_days = ArrayField(models.PositiveSmallIntegerField(), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    balint_kind = Kind.FRAME

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(cap__gte=2, cap__lte=15),
                name="group_has_at_most_fifteen_members",
                violation_error_message=_("A group has room for 2 to 15 members."),
            ),
            models.CheckConstraint(
                condition=Q(keeps_cases_days__gte=7, keeps_cases_days__lte=365),
                name="cases_are_kept_7_to_365_days",
                violation_error_message=_("A case is kept for 7 to 365 days."),
            ),
            models.CheckConstraint(
                condition=Q(talk_minutes__lte=120),
                name="leaders_talk_for_at_most_two_hours",
                violation_error_message=_("At most two hours."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name_outside(self) -> str:
        """What a mail, a calendar or a title bar may say."""
        return self.alias or str(_("Your group"))

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Entrance(UUIDModel):
    """How one gets in: the link of the call, the code of the door. Never in a mail or calendar."""

    group = models.OneToOneField(Group, models.CASCADE, related_name="entrance")
    join_link = models.URLField(_("link of the video call"), max_length=500, blank=True)
    door = models.CharField(_("the door"), max_length=200, blank=True)

    balint_kind = Kind.CONTENT


class Membership(UUIDModel):
    """A person in a group, with a role, from an instant to an instant; a new role is a new row."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="memberships")
    member = models.ForeignKey(Member, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=MembershipRole.choices)
    starts_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    balint_kind = Kind.FRAME

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "member"],
                condition=Q(ended_at=None),
                name="one_running_membership_per_group",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("starts_at")),
                name="membership_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(role__in=MembershipRole.values), name="membership_role_is_known"
            ),
        ]
        indexes = [models.Index(fields=["member", "group"], name="membership_of_member")]

    @property
    def leads(self) -> bool:
        return self.role == MembershipRole.LEADER


class Leave(UUIDModel):
    """A time away from a group; the fact and its reason are for the person and the leaders."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="leaves")
    member = models.ForeignKey(Member, models.CASCADE, related_name="leaves")
    starts_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = SealedText(key_class=KeyClass.LEADERS, scope="group_id")

    balint_kind = Kind.CONTENT

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("starts_at")),
                name="leave_ends_after_it_starts",
            ),
        ]
        indexes = [models.Index(fields=["group", "member"], name="leave_of_member")]


class Preference(UUIDModel):
    """What a person wishes in one group: reminders, and whether its leaders may ring."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="preferences")
    member = models.ForeignKey(Member, models.CASCADE, related_name="preferences")
    reminders = models.BooleanField(_("remind me by mail"), default=True)
    reminder_days = ArrayField(models.PositiveSmallIntegerField(), null=True, blank=True)
    shares_phone = models.BooleanField(_("the leaders may see my number"), default=False)

    balint_kind = Kind.FRAME

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "member"], name="one_preference_per_member_and_group"
            ),
        ]


class Agreement(UUIDModel):
    """What everyone in the group agreed to; a new version takes effect on a set date."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="agreements")
    version = models.PositiveIntegerField()
    text = models.TextField(_("text"))
    in_force_at = models.DateTimeField()
    written_by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField(auto_now_add=True)

    balint_kind = Kind.FRAME

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "version"], name="one_agreement_per_group_and_version"
            ),
        ]


class Acceptance(UUIDModel):
    """That a person agreed, to which version, when."""

    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="acceptances")
    group = models.ForeignKey(Group, models.CASCADE, related_name="acceptances")
    member = models.ForeignKey(Member, models.CASCADE, related_name="acceptances")
    accepted_at = models.DateTimeField()

    balint_kind = Kind.FRAME

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "member"], name="one_acceptance_per_agreement_and_member"
            ),
        ]


class ProposedRole(models.TextChoices):
    ADMIN = "admin", _("admin")
    LEADER = "leader", _("leader")
    MEMBER = "member", _("member")


class ProposedAs(models.TextChoices):
    COMMAND = "command"
    ADMIN = "admin"
    LEADER = "leader"


class Proposal(UUIDModel):
    """Someone proposed for a group (or as a programme's admin), until the person accepts.

    `consented_at` is when all who must say yes have; only then the person is invited, by a letter
    with a token bound to this row, its address and `sends`: a new send voids the old.
    """

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="proposals")
    group = models.ForeignKey(Group, models.CASCADE, null=True, related_name="proposals")
    role = models.CharField(max_length=8, choices=ProposedRole.choices)
    name = models.CharField(_("name"), max_length=120, blank=True)
    address = models.EmailField(_("e-mail"))
    proposed_by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    proposed_as = models.CharField(max_length=8, choices=ProposedAs.choices)
    proposed_at = models.DateTimeField()
    consented_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    declined_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(Member, models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)
    sends = models.PositiveIntegerField(default=0)

    balint_kind = Kind.FRAME

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(role="admin", group=None) | (~Q(role="admin") & Q(group__isnull=False)),
                name="proposal_is_for_a_group_or_an_admin",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(consented_at__isnull=False),
                name="accepted_proposal_had_its_yes",
            ),
        ]
        indexes = [models.Index(fields=["group"], name="proposals_of_group")]

    OPEN = Q(refused_at=None, withdrawn_at=None, declined_at=None, accepted_at=None)

    @property
    def is_open(self) -> bool:
        return not (self.refused_at or self.withdrawn_at or self.declined_at or self.accepted_at)


class RecordOpening(UUIDModel):
    """That a group's record is opened for a complaint: asked by one, confirmed by another, a day.

    The two are kept by id alone, as in the record itself: who did what outlives their accounts.
    """

    group = models.ForeignKey(Group, models.CASCADE, related_name="openings")
    asked_by = models.UUIDField()
    asked_at = models.DateTimeField()
    confirmed_by = models.UUIDField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    balint_kind = Kind.FRAME

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("asked_by")),
                name="nobody_opens_a_record_alone",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None, confirmed_at=None, until=None)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False, until__isnull=False),
                name="opened_record_has_an_end",
            ),
            models.UniqueConstraint(
                fields=["group"],
                condition=Q(confirmed_at=None, withdrawn_at=None),
                name="one_asking_for_a_record",
            ),
        ]


class Consent(UUIDModel):
    """One person's yes or no to a proposal or an ending; nobody confirms his own proposal."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="+")
    proposal = models.ForeignKey(Proposal, models.CASCADE, null=True, related_name="consents")
    ending = models.ForeignKey(Ending, models.CASCADE, null=True, related_name="consents")
    member = models.ForeignKey(Member, models.CASCADE, related_name="+")
    yes = models.BooleanField()
    given_at = models.DateTimeField()

    balint_kind = Kind.FRAME

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(proposal__isnull=False, ending=None)
                | Q(proposal=None, ending__isnull=False),
                name="consent_is_about_one_thing",
            ),
            models.UniqueConstraint(
                fields=["proposal", "member"], name="one_consent_per_proposal_and_member"
            ),
            models.UniqueConstraint(
                fields=["ending", "member"], name="one_consent_per_ending_and_member"
            ),
        ]


INVITATION_LASTS = timedelta(days=30)
