"""The system user that runs PostgreSQL under root, since PostgreSQL refuses to run as root."""

import os
import pwd
import subprocess
import time
from typing import Any, NamedTuple

from balint.embedded.places import CannotStart

NAME = "balint-postgres"


class SystemUser(NamedTuple):
    """Whom a server runs as."""

    uid: int
    gid: int

    def arguments(self) -> dict[str, Any]:
        """For subprocess: become this user, in no other group."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def for_postgres() -> SystemUser | None:
    """The user PostgreSQL needs under root, made on first use; None for anyone else."""
    if os.geteuid() != 0:
        return None
    for _ in range(5):
        try:
            entry = pwd.getpwnam(NAME)
        except KeyError:
            _create()
        else:
            return SystemUser(entry.pw_uid, entry.pw_gid)
    raise CannotStart(
        f"PostgreSQL does not run as root and needs a system user of its own. Type "
        f"`useradd --system {NAME}`, or run as an ordinary user."
    )


def _create() -> None:
    command = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent"]
    try:
        made = subprocess.run(
            [*command, "--shell", "/usr/sbin/nologin", "--user-group", NAME],
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return
    if made.returncode:
        time.sleep(0.3)  # Another process holds the lock of the password file, or just made it.
