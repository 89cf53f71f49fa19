"""manage.py audit verify | heads"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from members import audit, beside, keys
from members.envelope import NO_SCOPE, CannotOpen


class Command(BaseCommand):
    help = "Verify the record of who read or changed which kind of thing; changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("verify", help="every event, and against the heads kept elsewhere")
        verbs.add_parser("heads", help="where each chain ends, to be written down elsewhere")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            getattr(self, f"_{verb}")()
        except (keys.KeyFileError, beside.BesideError, CannotOpen) as refusal:
            raise CommandError(str(refusal)) from None

    def _verify(self) -> None:
        verdicts = audit.verify(beside.heads_kept())
        for verdict in verdicts:
            said = "; ".join(verdict.trouble) or "whole"
            self.stdout.write(f"{_name(verdict.chain)}, events: {verdict.length}: {said}")
        if not all(verdict.whole for verdict in verdicts):
            raise CommandError(
                "The record is not what was written. Keep the database and its backups as they "
                "are, with the folder of the key file, and find out who could write to them. "
                "If an older backup was put back, its missing end is no wonder: note what is "
                f"said here, put {beside.HEADS} aside, and the heads are kept anew."
            )

    def _heads(self) -> None:
        for chain, (number, mac) in sorted(audit.heads().items()):
            self.stdout.write(f"{_name(chain)} {number} {mac.hex()}")


def _name(chain: object) -> str:
    return "site" if chain == NO_SCOPE else f"group {chain}"
