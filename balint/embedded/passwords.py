"""Random passwords of the embedded database's logins, kept in one file that only we can read."""

import json
import secrets
from pathlib import Path

from balint.embedded.places import write_private


def password_of(login: str, file: Path) -> str:
    """The login's password; made and kept when it has none yet."""
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    if login not in known:
        known[login] = secrets.token_urlsafe(24)
        write_private(file, json.dumps(known, indent=1))
    return known[login]
