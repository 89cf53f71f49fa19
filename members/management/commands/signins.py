"""manage.py signins end [--of E-MAIL]"""

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session as HttpSession
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from members.models import Member


class Command(BaseCommand):
    help = "End every sign-in of one person, or of everybody, at once."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        end = verbs.add_parser("end", help="sign out one person, or everybody")
        whom = end.add_mutually_exclusive_group(required=True)
        whom.add_argument("--of", metavar="E-MAIL", help="the address of one person")
        whom.add_argument("--everybody", action="store_true")

    @transaction.atomic
    def handle(self, *args: Any, of: str | None = None, **options: Any) -> None:
        """Delete the HTTP sessions: the next request of each browser asks to sign in."""
        listed = UserSession.objects.all()
        if of is not None:
            listed = listed.filter(user=self._person(of))
            keys = list(listed.values_list("session_key", flat=True))
            ended, _ = HttpSession.objects.filter(session_key__in=keys).delete()
        else:
            ended, _ = HttpSession.objects.all().delete()
        listed.delete()
        self.stdout.write(f"Sign-ins ended: {ended}.")

    @staticmethod
    def _person(address: str) -> Member:
        person = Member.objects.filter(email__iexact=address).first()
        if person is None:
            raise CommandError("Nobody signs in with this address.")
        return person
