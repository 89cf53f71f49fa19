"""Fill the embedded database with the demo, once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from balint.demo import fill
from balint.demo.people import PEOPLE
from members import identity
from members.models import Member


class Command(BaseCommand):
    help = "Fill the demo's own database with people, groups and a year; a second time is nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The demo lives in the database of `make run` only.")
        if Member.objects.filter(email=PEOPLE[0].email).exists():
            return
        with identity.acting_as(None):
            fill.fill(timezone.now())
        self.stdout.write("The demo is ready.")
