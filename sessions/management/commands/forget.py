"""manage.py forget due | tombstones"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from members.beside import BesideError
from members.identity import acting_as
from sessions import restored, upkeep


class Command(BaseCommand):
    help = "Forget what is due now, or after a restore what was erased since the backup."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("due", help="what the upkeep does every few minutes, once")
        verbs.add_parser("tombstones", help="after a restore: erase again what was erased since")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            counts = upkeep.run() if verb == "due" else self._again()
        except BesideError as error:
            raise CommandError(str(error)) from None
        except ExceptionGroup as group:
            reasons = "\n".join(str(error) for error in group.exceptions)
            raise CommandError(f"Not everything was done:\n{reasons}") from None
        for name, count in counts.items():
            self.stdout.write(f"{name}: {count}")

    def _again(self) -> dict[str, int]:
        with acting_as(None, "balint_owner"):
            done = restored.reapply_file()
        return {f"{kind} erased again": count for kind, count in done.items()}
