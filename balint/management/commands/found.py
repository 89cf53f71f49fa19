"""A new programme and its first admin's invitation: how an empty installation begins."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.utils import timezone

from groups import invitations, joining
from members import identity


class Command(BaseCommand):
    help = "Found a programme and print the invitation of its first admin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--programme", required=True, metavar="NAME", help="its name")
        parser.add_argument("--admin", required=True, metavar="EMAIL", help="its first admin")

    def handle(self, *args: Any, programme: str, admin: str, **options: Any) -> None:
        if not programme.strip():
            raise CommandError("Give the programme a name: --programme 'North programme'.")
        try:
            validate_email(admin)
        except ValidationError as error:
            raise CommandError(
                f"“{admin}” is no e-mail address. Write --admin name@host."
            ) from error
        with identity.acting_as(None):
            proposal = joining.found(
                programme_name=programme.strip(), address=admin, at=timezone.now()
            )
        self.stdout.write("Open this address once, within 30 days, to become its first admin:")
        self.stdout.write(invitations.url(proposal))
