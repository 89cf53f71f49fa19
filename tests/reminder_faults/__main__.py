"""`make reminder-faults`: what happens, a JSON line each, and what it came to in the last one.

Ends with 1 if anything was lost, late, to somebody who had left, or doubled outside the window.
"""

import sys
import time

import tests.mode

OWN = ("reminders", "kills", "lost", "late", "to_departed", "duplicates", "other_message_id")
NOT_FAILURES = {"reminders", "kills", "duplicates"}


def main(arguments: list[str]) -> int:
    """`--small` for the size that the suite can afford."""
    from tests.reminder_faults.circles import SMALL, WHOLE
    from tests.reminder_faults.storm import show, storm
    from tests.reminder_faults.verdict import by_point, by_target, lost_ones, verdict

    assert tests.mode
    begun = time.monotonic()
    size = SMALL if "--small" in arguments else WHOLE
    evidence = storm(size, show)
    found = verdict(evidence)
    show({"killed_at": by_point(evidence.kills), "killed": by_target(evidence.kills)})
    if found["lost"]:
        show({"lost": lost_ones(evidence)})
    show(
        {name: count for name, count in found.items() if name not in OWN}
        | {"mails": len(evidence.mails), "seconds": round(time.monotonic() - begun)}
    )
    show({name: found[name] for name in OWN})
    wrong = {name for name, count in found.items() if count and name not in NOT_FAILURES}
    return 1 if wrong or found["kills"] < size.kills else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
