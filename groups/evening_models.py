"""What groups choose an evening from: rows of the site's own, and each programme's beside them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from members.kinds import Kind
from members.models import UUIDModel

# The phases by name, in their order; `sessions.phases` has the rest, and a test compares.
PHASES = (
    "arriving",
    "follow_up",
    "call",
    "story",
    "questions",
    "group_work",
    "return",
    "closing",
)
OF_A_CASE = ("call", "story", "questions", "group_work", "return")
# Names of the rows that came with the site, for their translation.
NAMES = (
    gettext_noop("Doppelstunde"),
    gettext_noop("Training, with a timekeeper"),
    gettext_noop("Fishbowl, with observers"),
    gettext_noop("Intensive day"),
)
SUMMARIES = {
    1: lambda: gettext("%(minutes)d minutes, one case"),
    2: lambda: gettext("%(minutes)d minutes, two cases"),
    3: lambda: gettext("%(minutes)d minutes, three cases"),
}


class EveningTemplate(UUIDModel):
    """How long an evening takes and how it goes: a row of the site's own, or a programme's.

    Rows without a programme came with the site; a programme's row with the same `key` stands in
    its place for that programme's groups, who know it by the key. `minutes` are by phase, those of
    a case once for each; more than one session is a day of several, `pause` minutes apart. The
    switches are what a group that chooses it begins with.
    """

    programme = models.ForeignKey(
        "groups.Programme", models.CASCADE, null=True, related_name="evenings"
    )
    key = models.CharField(max_length=40)
    name = models.CharField(_("name"), max_length=60, blank=True)
    cases = models.PositiveSmallIntegerField(_("cases"), default=1)
    minutes = models.JSONField(default=dict)
    sessions = models.PositiveSmallIntegerField(_("meetings on one day"), default=1)
    pause = models.PositiveSmallIntegerField(_("minutes between them"), default=0)
    asks_questions = models.BooleanField(_("questions of fact after the story"), default=True)
    sits_back = models.BooleanField(_("the presenter sits back"), default=True)
    keeps_time = models.BooleanField(_("one of the group keeps time"), default=False)
    has_observers = models.BooleanField(_("some sit outside and observe"), default=False)
    offered = models.BooleanField(_("offered to groups"), default=True)
    position = models.PositiveSmallIntegerField(default=100)

    balint_kind = Kind.FRAME

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "key"],
                nulls_distinct=False,
                name="one_template_per_programme_and_key",
            ),
            models.CheckConstraint(
                condition=Q(cases__gte=1, cases__lte=3, sessions__gte=1, sessions__lte=6),
                name="evening_has_1_to_3_cases_and_a_day_1_to_6_sessions",
                violation_error_message=_("One to three cases, one to six meetings a day."),
            ),
        ]

    @property
    def total(self) -> int:
        """Minutes of one meeting."""
        once = sum(self.minutes.get(phase, 0) for phase in PHASES if phase not in OF_A_CASE)
        return once + self.cases * sum(self.minutes.get(phase, 0) for phase in OF_A_CASE)

    @property
    def summary(self) -> str:
        """“90 minutes, two cases”; “4 meetings of 90 minutes in one day”."""
        if self.sessions > 1:
            said = gettext("%(count)d meetings of %(minutes)d minutes in one day")
            return said % {"count": self.sessions, "minutes": self.total}
        return SUMMARIES[self.cases]() % {"minutes": self.total}

    @property
    def label(self) -> str:
        """Its name, if it has one, and what it is; names that came with the site are translated."""
        name = gettext(self.name) if self.name and self.programme_id is None else self.name
        return f"{name}: {self.summary}" if name else self.summary
