"""Which kinds of things are recorded, and what may be done with them. Nothing of what they say.

`FRAME` is what the office sees of; `SITE` has no group; the rest is a group's inside.
"""

from enum import StrEnum


class Verb(StrEnum):
    """What somebody did. Reading is noted once per person, thing and day."""

    READ = "read"
    MADE = "made"
    CHANGED = "changed"
    REMOVED = "removed"
    # Of a case: down on the page afterwards, corrected there, never was.
    PUT_DOWN = "put down"
    PUT_RIGHT = "put right"
    TAKEN_BACK = "taken back"
    # Of what needs others' yes.
    ASKED = "asked"
    AGREED = "agreed"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    STARTED = "started"
    ENDED = "ended"
    # Of dates.
    PLANNED = "planned"
    MOVED = "moved"
    CANCELLED = "cancelled"
    RESTORED = "restored"
    # Of the site.
    EXPORTED = "exported"
    ERASED = "erased"
    ROTATED = "rotated"
    SHREDDED = "shredded"
    FAILED = "failed"


class Thing(StrEnum):
    """What kind of thing it was done to."""

    # The inside of a group.
    CASE = "case"
    REASON = "reason"
    LEADERS_NOTE = "leaders note"
    ATTENDANCE = "attendance"
    LEAVE = "leave"
    PHONE = "phone"
    ENTRANCE = "entrance"
    # Whose yes or no it was to somebody proposed; that it was settled the proposal itself says.
    CONSENT = "consent"
    # The frame.
    PROPOSAL = "proposal"
    MEMBERSHIP = "membership"
    LEADER = "leader"
    ENDING = "ending"
    AGREEMENT = "agreement"
    FRAME = "frame"
    KEEPING = "keeping"
    DATES = "dates"
    GROUP = "group"
    RECORD = "record"
    # The site.
    ACCOUNT = "account"
    ADMIN = "admin"
    ADDRESS = "address"
    PASSWORD = "password"  # noqa: S105
    SECOND_FACTOR = "second factor"
    KEYS = "keys"
    SEALED_TEXT = "sealed text"


FRAME = frozenset(
    {
        Thing.PROPOSAL,
        Thing.MEMBERSHIP,
        Thing.LEADER,
        Thing.ENDING,
        Thing.AGREEMENT,
        Thing.FRAME,
        Thing.KEEPING,
        Thing.DATES,
        Thing.GROUP,
        Thing.RECORD,
    }
)
SITE = frozenset(
    {
        Thing.ACCOUNT,
        Thing.ADMIN,
        Thing.ADDRESS,
        Thing.PASSWORD,
        Thing.SECOND_FACTOR,
        Thing.KEYS,
        Thing.SEALED_TEXT,
    }
)
