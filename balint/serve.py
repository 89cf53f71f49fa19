"""Starts the web process: `python -m balint.serve --port 8000`, with what every installation needs.

The one place where granian's options stand: for `make run`, containers, tests and figures alike.
Whatever is given is handed on, and another application may be named in place of the site.
"""

import contextlib
import os
import re
import resource
import sys

# Requests at once in one process, streams among them. Unset it would be the backlog, and the
# stream after that many would take a page's place.
BACKPRESSURE = 18_000
# Each stream is an open file; some are left for pages, the database and the log.
FILES = 20_000
# Seconds for what is being answered when it is told to stop. A page whose browser went away at
# that moment would keep its thread, and the process, for ever.
PATIENCE = 8
SITE = "balint.asgi:application"
APPLICATION = re.compile(r"[a-z_.]+:[a-z_]+")


def command(arguments: list[str]) -> list[str]:
    """What runs in place of this process."""
    application = [] if any(map(APPLICATION.fullmatch, arguments)) else [SITE]
    options = ["--interface", "asgi", "--no-ws", "--backpressure", str(BACKPRESSURE)]
    options += ["--workers-kill-timeout", str(PATIENCE)]
    return [sys.executable, "-m", "granian", *options, *arguments, *application]


def allow_files() -> None:
    """As many open files as the system lets us have, up to what is of use."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    allow_files()
    os.execv(sys.executable, command(sys.argv[1:]))  # noqa: S606  Nobody else's words.
