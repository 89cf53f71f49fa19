"""The record: who read or changed which kind of thing, when; never what, never a text or an id.

One append-only chain of events for each group and one for the site, each event bound to the one
before by a keyed digest, so that no edit, removal or reordering goes unseen (`verify`).

What is not recorded, on purpose:
- the steps of a meeting, its room, who opened and closed it: in the circle the app is not there;
- what somebody reads or changes of their own (a presenter the own case, anybody the own answer,
  leave, reflection): the record outlives the case and must not keep who presented it;
- which case, whose reason: a reading is one line per person, thing and day, told apart only by a
  keyed digest in which nothing links two readers of one case.

Everybody calls `audit.note(audit.READ, audit.Thing.CASE, group=…, about=…, of=…)`.
"""

from members.audit.anchors import heads
from members.audit.collecting import Notes, collected, listen, note
from members.audit.notes import Note, actor
from members.audit.things import FRAME, SITE, Thing, Verb
from members.audit.verification import Verdict, verify

READ = Verb.READ
MADE = Verb.MADE
CHANGED = Verb.CHANGED
REMOVED = Verb.REMOVED
PUT_DOWN = Verb.PUT_DOWN
PUT_RIGHT = Verb.PUT_RIGHT
TAKEN_BACK = Verb.TAKEN_BACK
ASKED = Verb.ASKED
AGREED = Verb.AGREED
REFUSED = Verb.REFUSED
ACCEPTED = Verb.ACCEPTED
WITHDRAWN = Verb.WITHDRAWN
STARTED = Verb.STARTED
ENDED = Verb.ENDED
PLANNED = Verb.PLANNED
MOVED = Verb.MOVED
CANCELLED = Verb.CANCELLED
RESTORED = Verb.RESTORED
EXPORTED = Verb.EXPORTED
ERASED = Verb.ERASED
ROTATED = Verb.ROTATED
SHREDDED = Verb.SHREDDED
FAILED = Verb.FAILED

__all__ = [
    "FRAME",
    "SITE",
    "Note",
    "Notes",
    "Thing",
    "Verb",
    "Verdict",
    "actor",
    "collected",
    "heads",
    "listen",
    "note",
    "verify",
]
