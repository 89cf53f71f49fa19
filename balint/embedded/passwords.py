"""Random passwords of the embedded database's logins, kept in one file that only we can read."""

import json
import os
import secrets
from pathlib import Path


def password_of(login: str, file: Path) -> str:
    """The login's password; made and kept when it has none yet."""
    known: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    if login not in known:
        known[login] = secrets.token_urlsafe(24)
        write_private(file, json.dumps(known, indent=1))
    return known[login]


def write_private(file: Path, text: str, mode: int = 0o600) -> None:
    """Write the file in one step, readable by its owner alone from its first moment."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(handle, "w") as out:
        out.write(text)
    fresh.replace(file)
