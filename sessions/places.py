"""What of a meeting's place may leave the site: in letters, in calendars and on paper."""

import re

from sessions.models import Session

# With its scheme or without: “https://…”, “www.…”, “video.example/j/123”.
LINK = re.compile(r"://|\bwww\.|\b[\w-]+\.[a-z]{2,}/\S")


def place(session: Session) -> str:
    """The place as the leaders wrote it; with the address of a call in it, it stays on the page."""
    return "" if LINK.search(session.place) else session.place
