"""What `make run` tells the processes it starts: where the servers are, and the local secrets."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from balint.embedded import places
from balint.embedded.places import CannotStart, write_private

MARK = ".made-by-balint"
LOGINS = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_WORKER_URL")


def port_from(environ: Mapping[str, str]) -> int:
    """PORT, 8000 unless set."""
    text = environ.get("PORT", "8000")
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise CannotStart(f"PORT must be a number from 1 to 65535, not “{text}”.")
    return int(text)


def brings_a_database(environ: Mapping[str, str]) -> bool:
    """Whether we use the person's own PostgreSQL; refuses when only some logins are given."""
    given = [name for name in LOGINS if environ.get(name)]
    if given and len(given) < len(LOGINS):
        missing = " and ".join(name for name in LOGINS if name not in given)
        raise CannotStart(
            f"{given[0]} is set, so {missing} must be set too: Balint has a login for the web, one "
            "for the worker and one that owns the tables. `manage.py roles --sql` prints the SQL "
            "that makes them. Or unset all three, and Balint brings its own PostgreSQL."
        )
    return bool(given)


def local_environment(
    var: Path, port: int, servers: Mapping[str, str], *, demo: bool
) -> dict[str, str]:
    """The children's environment; what the person set wins, except the servers we started."""
    known = dict(os.environ)
    known.pop("BALINT_LOGIN", None)  # Each process picks its own login.
    defaults = {
        "BALINT_MODE": "local",
        "BALINT_VAR": str(var),
        "SECRET_KEY": secret_key(var),
        "BALINT_KEY_FILE": str(var / "keys.json"),
        "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1]",
        "SITE_URL": f"http://127.0.0.1:{port}",
        "EMAIL_URL": f"maildir://{var / 'mail'}",
        "DEFAULT_FROM_EMAIL": "Balint <balint@demo.example>",
        "MAIL_DOMAIN": "demo.example",
        # Without it the library that finds a user's folders warns.
        "XDG_RUNTIME_DIR": str(var / "run"),
    }
    fixed = {"DJANGO_SETTINGS_MODULE": "balint.settings", "BALINT_DEMO": str(int(demo))}
    return defaults | known | fixed | dict(servers)


def secret_key(var: Path) -> str:
    """Django's secret, made once for this folder."""
    file = var / "secret_key"
    if not file.exists():
        write_private(file, secrets.token_urlsafe(48))
    return file.read_text()


def prepare_var(var: Path) -> None:
    """Make var/: for root passable, so that PostgreSQL's own user reaches its folder in it."""
    if not var.exists():
        var.mkdir(parents=True)
        var.chmod(0o711 if os.geteuid() == 0 else 0o700)
    if not is_ours(var) and any(var.iterdir()):
        raise CannotStart(
            f"{var} holds something else. Set BALINT_VAR to a new folder, or to none at all."
        )
    (var / MARK).touch()
    for name in ("log", "mail", "run"):
        places.private_folder(var / name)


def is_ours(var: Path) -> bool:
    """Whether the whole folder may be removed: it is this checkout's, or bears our mark."""
    return var == places.checkout() / "var" or (var / MARK).exists()
