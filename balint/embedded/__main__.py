"""`python -m balint.embedded`: run · stop · clean · manage COMMAND …

Only the first needs any package: `make clean` must work when the rest is half installed.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from balint.embedded import environment, places
from balint.embedded.instance import Instance
from balint.embedded.places import CannotStart
from balint.embedded.postgres import Postgres
from balint.embedded.supervisor import Supervisor
from balint.embedded.valkey import Valkey


def main(arguments: list[str]) -> int:
    """Do what the first word says; sentences for the person go to standard error."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("run", [])
    var = Path(os.environ.get("BALINT_VAR") or places.checkout() / "var").absolute()
    try:
        if command == "run":
            return Supervisor(var, environment.port_from(os.environ)).run()
        if command == "stop":
            return stop(var)
        if command == "clean":
            return clean(var)
        if command == "manage":
            return manage(var, rest)
        raise CannotStart("Usage: python -m balint.embedded [run|stop|clean|manage COMMAND …]")
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return 1


def stop(var: Path) -> int:
    """Stop a running Balint of this folder, and what a killed one left."""
    Instance(var).stop()
    return 0


def clean(var: Path) -> int:
    """Stop, and remove var/ and all it led to elsewhere; a folder that is not ours stays."""
    if not environment.is_ours(var):
        return 0
    stop(var)
    if (var / "valkey").exists():
        Valkey(var / "valkey").discard()
    if (var / "postgres").exists():
        Postgres(var / "postgres").discard()
    shutil.rmtree(var, ignore_errors=True)
    if var == places.checkout() / "var":
        shutil.rmtree(places.outside(), ignore_errors=True)
    return 0


def manage(var: Path, arguments: list[str]) -> int:
    """Run `manage.py` with the environment of the Balint that runs from this folder."""
    environ = Instance(var).environment()
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=places.checkout(), env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
