"""Send what is due without Celery and Redis: once, or for ever with --loop."""

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, close_old_connections

from members.letters import engine
from sessions import upkeep

log = logging.getLogger(__name__)

UPKEEP_EVERY = 300.0  # seconds


class Command(BaseCommand):
    help = "Send the letters that are due; with --loop do so, and the upkeep, until stopped."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--loop", action="store_true", help="until stopped, with the upkeep")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["loop"]:
            Loop().run()
        else:
            tally = engine.dispatch()
            counts = ", ".join(f"{count} {end}" for end, count in sorted(tally.items()))
            self.stdout.write(counts or "nothing is due")


class Loop:
    """A round every tick and the upkeep every few minutes; a database away is waited for."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.upkeep_at = 0.0

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self.stopping.is_set():
            self._round()
            self.stopping.wait(settings.LETTER_TICK_SECONDS)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping.set()

    def _round(self) -> None:
        close_old_connections()
        try:
            engine.dispatch(go_on=lambda: not self.stopping.is_set())
            if time.monotonic() >= self.upkeep_at:
                self.upkeep_at = time.monotonic() + UPKEEP_EVERY
                upkeep.run()
        except (DatabaseError, InterfaceError, ExceptionGroup) as error:
            log.warning("This round was not finished: %s", type(error).__name__)
