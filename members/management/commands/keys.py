"""manage.py keys create | rotate | shred N | prove FILE"""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from members import audit, keys, rotation
from members.envelope import CannotOpen


class Command(BaseCommand):
    help = "Make, rotate and shred the keys of sealed texts, and prove an offline copy of them."
    # The checks ask for a key file; this command makes it.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("create", help="write a new key file; never overwrites one")
        verbs.add_parser("rotate", help="add an epoch and wrap every data key under it")
        shred = verbs.add_parser("shred", help="take an old epoch out of the key file for good")
        shred.add_argument("epoch", type=int)
        prove = verbs.add_parser("prove", help="prove that an offline copy opens every key")
        prove.add_argument("file", type=Path)

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            self.stdout.write(getattr(self, f"_{verb}")(options))
        except (keys.KeyFileError, rotation.CannotProve, CannotOpen) as refusal:
            raise CommandError(str(refusal)) from None

    def _create(self, options: dict[str, Any]) -> str:
        return (
            f"The key file is {rotation.create()}. Copy it now to a place outside this machine "
            "and outside the backups of the database, and prove the copy with “manage.py keys "
            "prove FILE”: without a key file, every sealed text is lost."
        )

    def _rotate(self, options: dict[str, Any]) -> str:
        done = rotation.rotate()
        audit.note(audit.ROTATED, audit.Thing.KEYS)
        return (
            f"Epoch {done.epoch} is in use; data keys wrapped under it: {done.rewrapped}. "
            "Older offline copies do not open them: make a new copy and prove it. Older epochs "
            "open older backups until you shred them."
        )

    def _shred(self, options: dict[str, Any]) -> str:
        rotation.shred(options["epoch"])
        audit.note(audit.SHREDDED, audit.Thing.KEYS)
        return (
            f"Epoch {options['epoch']} is no longer in the key file. Destroy the offline copies "
            "that hold it, and backups wrapped under it open no more."
        )

    def _prove(self, options: dict[str, Any]) -> str:
        proved = rotation.prove(options["file"])
        epochs = ", ".join(str(epoch) for epoch in proved.epochs)
        words = (
            f"The copy {options['file']} opens a test blob of every epoch ({epochs}) "
            f"and every data key in the database ({proved.data_keys})."
        )
        if proved.shredded:
            gone = ", ".join(str(epoch) for epoch in proved.shredded)
            words += f" It still holds what was shredded ({gone}): make a new copy, destroy this."
        return words
