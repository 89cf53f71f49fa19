"""Where the embedded servers may lie: closed to everybody but the one who runs them."""

import hashlib
import importlib.util
import os
import re
import stat
import tempfile
from pathlib import Path

# A Unix socket's whole path has room for 107 bytes on Linux and 103 on macOS;
# the longest name in a folder is PostgreSQL's ".s.PGSQL.5432".
LONGEST_SOCKET_FOLDER = 88
SHORT = "balint-"


class CannotStart(Exception):
    """A sentence that tells whoever typed `make run` what to do."""


def checkout() -> Path:
    """The folder this code was cloned into."""
    return Path(__file__).resolve().parents[2]


def outside() -> Path:
    """This checkout's folder under /var/lib, for root when the checkout's parents are closed."""
    name = hashlib.sha256(str(checkout()).encode()).hexdigest()[:12]
    return Path("/var/lib") / f"balint-{name}"


def package_folder(name: str) -> Path:
    """Where a package lies, without importing it (importing would run its own start-up code)."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart(
            f"The package {name} is missing. Type `make run`, which installs it, "
            "or set DATABASE_URL and REDIS_URL to servers of your own."
        )
    return Path(spec.submodule_search_locations[0])


def open_to_others(folder: Path) -> bool:
    """Whether any system user may pass through every existing folder above this one."""
    existing = [parent for parent in folder.absolute().parents if parent.exists()]
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in existing)


def write_private(file: Path, text: str, mode: int = 0o600) -> None:
    """Write the file in one step, readable by its owner alone from its first moment."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(handle, "w") as out:
        out.write(text)
    fresh.replace(file)


def private_folder(folder: Path, owner: tuple[int, int] | None = None) -> Path:
    """Make the folder, or close an existing one: 0700, and its owner's; never through a link."""
    if folder.is_symlink():
        raise CannotStart(f"{folder} is a link, and Balint would follow it. Please remove it.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    if owner is not None:
        os.chown(folder, *owner)
    return folder


def fits_a_socket(folder: Path) -> bool:
    """Whether a socket in it has a path short and plain enough for every client and URL."""
    return len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER and bool(
        re.fullmatch(r"[\w./+-]+", str(folder), re.ASCII)
    )


def socket_folder(beside: Path, owner: tuple[int, int] | None = None) -> Path:
    """A private folder for a socket: `beside` the data, or a fresh short one recorded there."""
    remove_short_folder(beside)
    folder = beside / "socket"
    if fits_a_socket(folder):
        return private_folder(folder, owner)
    short = Path(tempfile.mkdtemp(prefix=SHORT, dir=_short_parent(owner)))
    write_private(beside / "socket-folder", str(short))
    return private_folder(short, owner)


def remove_short_folder(beside: Path) -> None:
    """Remove the short folder an earlier start made, if it is still ours."""
    record = beside / "socket-folder"
    if not record.exists():
        return
    folder = Path(record.read_text())
    ours = folder.name.startswith(SHORT) and folder.is_dir() and not folder.is_symlink()
    if ours and folder.stat().st_uid == beside.stat().st_uid:
        for name in folder.iterdir():
            name.unlink()
        folder.rmdir()
    record.unlink()


def _short_parent(owner: tuple[int, int] | None) -> str:
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    usable = owner is None and runtime and os.access(runtime, os.W_OK)
    return runtime if usable and fits_a_socket(Path(runtime) / f"{SHORT}12345678") else "/tmp"  # noqa: S108
