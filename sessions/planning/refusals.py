"""Why a date cannot be planned, moved or cancelled now; each is the sentence a leader reads."""

from django.utils.translation import gettext_lazy as _

from members.refusals import Refused


class NotYoursToPlan(Refused):
    sentence = _("Only the group’s leaders plan its dates.")


class NoDateIsLeft(Refused):
    sentence = _(
        "Between these two dates the rhythm has no meeting. "
        "Look at the breaks, and at the first and the last date."
    )


class OverlapsAnotherRhythm(Refused):
    sentence = _(
        "From %(first)s to %(last)s the group already has a rhythm of its own. "
        "Choose a first and a last date outside it."
    )


class ChangedMeanwhile(Refused):
    sentence = _(
        "These dates have been changed meanwhile. Look at them as they are now, then save again."
    )


class StandsAlone(Refused):
    sentence = _("This date stands beside the rhythm; no others follow it.")


class LastDayHasPassed(Refused):
    sentence = _("That day has passed. Choose today or a day that lies ahead.")


class EndsAnyway(Refused):
    sentence = _("The rhythm ends on %(day)s anyway. Choose an earlier day.")


class MeetingIsOver(Refused):
    sentence = _("This meeting is over; its date stays as it was.")


class MeetingHasBegun(Refused):
    sentence = _("This meeting has begun; it cannot be moved any more.")


class MeetingIsOpen(Refused):
    sentence = _("The group is meeting. Close the meeting before you change its date.")


class MeetingIsCancelled(Refused):
    sentence = _("This meeting is cancelled. Put it back before you change it.")


class CancelledAlready(Refused):
    sentence = _("This meeting is cancelled already.")


class NotCancelled(Refused):
    sentence = _("This meeting is not cancelled; it takes place.")


class NothingToUndo(Refused):
    sentence = _("This can no longer be undone. Change the meeting to what it should be.")


class TimeHasPassed(Refused):
    sentence = _("That time has passed. Choose one that lies ahead.")


class AlreadyMeetsThen(Refused):
    sentence = _("The group already meets on %(day)s, %(times)s. Choose another time.")


class NoMeetings(Refused):
    sentence = _("Say when at least one meeting begins.")


class LedByALeader(Refused):
    sentence = _("Choose one of the group’s leaders.")


class NothingIsProposed(Refused):
    sentence = _("No dates are proposed at present.")


class NotYoursToMark(Refused):
    sentence = _("These dates do not expect you, so there is nothing to mark.")


class ProposedDatesHaveChanged(Refused):
    sentence = _(
        "The proposed dates have been changed meanwhile. "
        "Look at them as they are now, then save again."
    )


class SettledAlready(Refused):
    sentence = _(
        "These dates are settled already. Save the change instead: everyone hears of it by mail."
    )
