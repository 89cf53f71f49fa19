"""Print the SQL that makes the database roles, for whoever owns the server."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from balint.roles import roles_sql


class Command(BaseCommand):
    help = "Print the SQL of the database roles; a superuser of the server runs it once."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sql", action="store_true", help="print it (there is no other way)")
        parser.add_argument(
            "--in-database", action="store_true", help="the part to run inside Balint's database"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(roles_sql(in_database=options["in_database"]))
