"""What became of every reminder: what the mail server took, against what each person was owed.

Owed is worked out from the meetings and from what was done to them, never from the letters' own
rows; those only say which mail was meant to be which letter.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from tests.reminder_faults.circles import Circle, Meeting
from tests.reminder_faults.post_office import GREY, NOBODY, Taken

REMINDERS = ("reminder-7", "reminder-1")
# Its version is the day of the meeting, and it holds for every sequence on that day.
FEW = "few-coming"
SESSION = re.compile(r"/sessions/([0-9a-f-]{36})/")

Key = tuple[UUID, UUID, int, str]  # person, session, sequence, kind


@dataclass
class Evidence:
    """All that is known at the end of a run."""

    circles: list[Circle]
    mails: list[Taken]
    letters: dict[str, dict[str, Any]]  # By Message-ID.
    journal: list[dict[str, Any]]
    kills: list[dict[str, Any]]
    until: datetime

    def __post_init__(self) -> None:
        self.meetings = {one.pk: one for circle in self.circles for one in circle.meetings}
        self.looks = self._noted("look")
        self.ends = self._noted("ended")
        self.marks = self._noted("marked")

    @property
    def of_meetings(self) -> list[Taken]:
        """Without word about anything else, such as a month without a meeting."""
        return [
            mail for mail in self.mails if self.letter_of(mail).get("about_id") in self.meetings
        ]

    def _noted(self, what: str) -> dict[str, list[dict[str, Any]]]:
        found = defaultdict(list)
        for line in self.journal:
            if line["what"] == what:
                found[line["letter"]].append(line)
        return found

    def letter_of(self, mail: Taken) -> dict[str, Any]:
        return self.letters.get(mail.message_id, {})

    def looked(self, mail: Taken) -> datetime:
        """When the last look at it before this mail began."""
        looks = self.looks[str(self.letter_of(mail).get("id"))]
        begun = [look["begun"] for look in looks if look["at"] <= mail.at]
        return datetime.fromtimestamp(max(begun, default=mail.at), UTC)


def verdict(evidence: Evidence) -> dict[str, Any]:
    """The figures; all but the first two and the duplicates must be 0."""
    owed = set(_owed(evidence))
    taken = {_key(letter) for mail in evidence.mails if (letter := evidence.letter_of(mail))}
    killed = [kill for kill in evidence.kills if kill["pool"]]
    again = [count - 1 for count in Counter(m.message_id for m in evidence.mails).values()]
    return {
        "reminders": sum(key[3] in REMINDERS for key in owed),
        "kills": len(killed),
        "lost": len(owed - taken),
        "late": sum(_is_late(evidence, mail) for mail in evidence.of_meetings),
        "to_departed": sum(_to_departed(evidence, mail) for mail in evidence.of_meetings),
        "duplicates": sum(again),
        "other_message_id": _other_message_id(evidence),
        "duplicates_outside_the_window": _outside_the_window(evidence),
        "of_a_meeting_that_changed": sum(
            _is_stale(evidence, mail) for mail in evidence.of_meetings
        ),
        "sent_by_two_at_once": _at_once(evidence),
        "marked_and_not_taken": _marked_and_not_taken(evidence),
        "left_waiting": _waiting(evidence),
    }


def lost_ones(evidence: Evidence) -> dict[str, int]:
    """What the rows say of those that were owed and never came: kind, state, error."""
    rows = {_key(letter): letter for letter in evidence.letters.values()}
    taken = {_key(letter) for mail in evidence.mails if (letter := evidence.letter_of(mail))}
    lost: Counter[str] = Counter()
    for key in set(_owed(evidence)) - taken:
        row = rows.get(key, {"state": "never planned", "last_error": "", "attempts": 0})
        soon = evidence.meetings[key[1]].starts_at <= evidence.until
        lost[f"{key[3]} {row['state']} {row['last_error']} {row['attempts']} {soon=}"] += 1
    return dict(lost)


def by_point(kills: list[dict[str, Any]]) -> dict[str, int]:
    """How often somebody was killed at each place."""
    return dict(Counter(kill["point"] for kill in kills))


def by_target(kills: list[dict[str, Any]]) -> dict[str, int]:
    """How often a child, a worker alone, or a worker with its children."""
    return dict(Counter(kill["target"] for kill in kills if kill["pool"]))


def _owed(evidence: Evidence) -> Iterator[Key]:
    """What surely had to arrive: of each meeting as it stands at the end, to who is still there."""
    for meeting in evidence.meetings.values():
        circle = meeting.circle
        begins_soon = meeting.starts_at <= evidence.until
        for person, address in circle.people.items():
            refused = address.startswith(NOBODY) or (begins_soon and address.startswith(GREY))
            if refused or person in circle.left:
                continue
            if meeting.news:
                yield person, meeting.pk, meeting.sequence, meeting.news
            if person not in meeting.excused:
                for kind, _ in meeting.reminders(evidence.until):
                    yield person, meeting.pk, meeting.sequence, kind


def _key(letter: dict[str, Any]) -> Key:
    return letter["recipient_id"], letter["about_id"], letter["about_version"], letter["kind"]


def _meeting(evidence: Evidence, mail: Taken) -> tuple[Meeting, int]:
    """And its sequence that the mail is about."""
    letter = evidence.letter_of(mail)
    meeting = evidence.meetings[letter["about_id"]]
    if letter["kind"] == FEW:
        return meeting, meeting.standing(evidence.looked(mail))
    return meeting, letter["about_version"]


def _is_late(evidence: Evidence, mail: Taken) -> bool:
    meeting, sequence = _meeting(evidence, mail)
    return mail.at >= meeting.starts[sequence].timestamp()


def _to_departed(evidence: Evidence, mail: Taken) -> bool:
    """Whether the person had left, or the address was another's, when it was last looked at."""
    meeting, _ = _meeting(evidence, mail)
    person = evidence.letter_of(mail)["recipient_id"]
    left = meeting.circle.left.get(person)
    wrong = meeting.circle.people.get(person) != mail.to
    return wrong or (left is not None and left < evidence.looked(mail))


def _is_stale(evidence: Evidence, mail: Taken) -> bool:
    """Whether the meeting had changed, or the person had said no, when it was last looked at."""
    meeting, sequence = _meeting(evidence, mail)
    letter = evidence.letter_of(mail)
    ends = [meeting.over.get(sequence)]
    if letter["kind"] in REMINDERS:
        ends.append(meeting.excused.get(letter["recipient_id"]))
    if letter["kind"] == FEW and meeting.news == "cancelled":
        ends.append(meeting.over[meeting.sequence - 1])
    return any(end is not None and end < evidence.looked(mail) for end in ends)


def _other_message_id(evidence: Evidence) -> int:
    """Mails that say the same to the same person under another Message-ID, or under nobody's."""
    ids = defaultdict(set)
    strange = 0
    for mail in evidence.mails:
        ids[mail.to, str(mail.message["Subject"]), mail.text].add(mail.message_id)
        about = SESSION.search(mail.text)
        letter = evidence.letter_of(mail)
        strange += not letter or (about is not None and about[1] != str(letter["about_id"]))
    return strange + sum(len(found) - 1 for found in ids.values())


def _outside_the_window(evidence: Evidence) -> int:
    """Mails that went although somebody had marked the letter as sent before looking at it."""
    wrong = 0
    for letter, marks in evidence.marks.items():
        first = min(mark["at"] for mark in marks)
        wrong += sum(look["begun"] > first for look in evidence.looks[letter])
    return wrong


def _at_once(evidence: Evidence) -> int:
    """Letters somebody began to send while another was still sending them."""
    wrong = 0
    for letter, looks in evidence.looks.items():
        for earlier, later in pairwise(looks):
            ends = [end["at"] for end in evidence.ends[letter] if end["pid"] == earlier["pid"]]
            ended = min((end for end in ends if end > earlier["at"]), default=0.0)
            wrong += earlier["pid"] != later["pid"] and ended > later["at"]
    return wrong


def _marked_and_not_taken(evidence: Evidence) -> int:
    arrived = {mail.message_id for mail in evidence.mails}
    sent = {key for key, letter in evidence.letters.items() if letter["state"] == "sent"}
    return len(sent - arrived)


def _waiting(evidence: Evidence) -> int:
    return sum(
        letter["state"] in {"pending", "leased", "uncertain"}
        and letter["send_after"] <= evidence.until
        for letter in evidence.letters.values()
    )
