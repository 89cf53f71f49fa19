"""Letters a second: the real dispatch, in turn with a loop that only talks SMTP; as the worker."""

import json
import smtplib
import time
from typing import Any

import django


def main() -> None:
    """Send all that is due, a batch at a time, and after each batch as many plain mails."""
    from django.conf import settings

    from members.letters import engine

    mail = _a_mail()
    sent = 0
    ours = bare = 0.0
    while True:
        begun = time.perf_counter()
        tally = engine.dispatch(go_on=lambda: False)
        if not tally["sent"]:
            break
        if set(tally) != {"sent"}:
            raise SystemExit(f"Not all letters went out: {dict(tally)}")
        ours += time.perf_counter() - begun
        sent += tally["sent"]
        begun = time.perf_counter()
        _plain_loop(settings.EMAIL_HOST, settings.EMAIL_PORT, mail, tally["sent"])
        bare += time.perf_counter() - begun
    print(json.dumps(_figure(sent, ours, bare, len(mail))))


def _figure(sent: int, ours: float, bare: float, size: int) -> dict[str, Any]:
    return {
        "name": "letters a second",
        "per_second": round(sent / ours, 1),
        "bare_per_second": round(sent / bare, 1),
        "ratio": round(ours / bare, 2),
        "requests": sent,
        "seconds": round(ours, 2),
        "bare_seconds": round(bare, 2),
        "bytes": size,
    }


def _a_mail() -> bytes:
    """One of the letters, as it goes over the wire."""
    from members.identity import acting_as
    from members.letters import mail
    from members.letters.kinds import kind_of
    from members.letters.lease import ROLE
    from members.models import Letter

    with acting_as(None, ROLE):
        letter = Letter.objects.select_related("recipient").order_by("planned_at")[0]
        kind = kind_of(letter)
        if kind is None:
            raise SystemExit(f"No kind of letter is called {letter.kind}.")
        return mail.build(letter, kind.compose(letter)).message().as_bytes().replace(b"\n", b"\r\n")


def _plain_loop(host: str, port: int, mail: bytes, count: int) -> None:
    with smtplib.SMTP(host, port) as client:
        for _ in range(count):
            client.sendmail("balint@bench.example", ["person@bench.example"], mail)


if __name__ == "__main__":
    django.setup()
    main()
