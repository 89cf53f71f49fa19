"""What stands in the record, in words: one sentence for what may be done to each kind of thing."""

from django.utils.translation import gettext_lazy as _

from members.audit import Thing, Verb

SENTENCES = {
    (Verb.READ, Thing.CASE): _("read a case"),
    (Verb.PUT_DOWN, Thing.CASE): _("put down a case"),
    (Verb.PUT_RIGHT, Thing.CASE): _("put a case right"),
    (Verb.TAKEN_BACK, Thing.CASE): _("took back a case"),
    (Verb.READ, Thing.REASON): _("read a reason"),
    (Verb.READ, Thing.LEADERS_NOTE): _("read the other leader’s word"),
    (Verb.PUT_DOWN, Thing.ATTENDANCE): _("put down who was there"),
    (Verb.PUT_RIGHT, Thing.ATTENDANCE): _("put right who was there"),
    (Verb.CHANGED, Thing.LEAVE): _("changed somebody’s time away"),
    (Verb.READ, Thing.PHONE): _("read the numbers to ring"),
    (Verb.CHANGED, Thing.ENTRANCE): _("changed the door or the link"),
    (Verb.MADE, Thing.PROPOSAL): _("proposed somebody"),
    (Verb.AGREED, Thing.CONSENT): _("said yes to somebody proposed"),
    (Verb.REFUSED, Thing.CONSENT): _("said no to a proposal"),
    (Verb.REFUSED, Thing.PROPOSAL): _("said no to a proposal"),
    (Verb.ACCEPTED, Thing.PROPOSAL): _("accepted an invitation"),
    (Verb.WITHDRAWN, Thing.PROPOSAL): _("withdrew a proposal"),
    (Verb.STARTED, Thing.MEMBERSHIP): _("came in as a member"),
    (Verb.ENDED, Thing.MEMBERSHIP): _("settled a member’s last day"),
    (Verb.STARTED, Thing.LEADER): _("came in as a leader"),
    (Verb.ENDED, Thing.LEADER): _("settled a leader’s last day"),
    (Verb.ASKED, Thing.ENDING): _("asked for a farewell"),
    (Verb.AGREED, Thing.ENDING): _("said yes to a farewell"),
    (Verb.WITHDRAWN, Thing.ENDING): _("took back a farewell"),
    (Verb.CHANGED, Thing.AGREEMENT): _("wrote a new agreement"),
    (Verb.WITHDRAWN, Thing.AGREEMENT): _("took back a new agreement"),
    (Verb.CHANGED, Thing.FRAME): _("changed how the group is set up"),
    (Verb.CHANGED, Thing.KEEPING): _("changed how long cases are kept"),
    (Verb.PLANNED, Thing.DATES): _("planned dates"),
    (Verb.MOVED, Thing.DATES): _("moved a date"),
    (Verb.CANCELLED, Thing.DATES): _("cancelled a date"),
    (Verb.RESTORED, Thing.DATES): _("put a cancelled date back"),
    (Verb.TAKEN_BACK, Thing.DATES): _("took back a change of a date"),
    (Verb.MADE, Thing.GROUP): _("made the group"),
    (Verb.ASKED, Thing.GROUP): _("asked that the group ends"),
    (Verb.AGREED, Thing.GROUP): _("said yes to the end of the group"),
    (Verb.WITHDRAWN, Thing.GROUP): _("took back the end of the group"),
    (Verb.ASKED, Thing.RECORD): _("asked to open the record"),
    (Verb.AGREED, Thing.RECORD): _("confirmed the opening of the record"),
    (Verb.WITHDRAWN, Thing.RECORD): _("closed the record"),
    (Verb.READ, Thing.RECORD): _("read the record"),
}
WORDS = {(verb.value, thing.value): words for (verb, thing), words in SENTENCES.items()}


def sentence(verb: str, thing: str) -> str:
    """“read a case”; what an older version wrote is said in the record's own two words."""
    return str(WORDS.get((verb, thing), f"{verb}: {thing}"))
