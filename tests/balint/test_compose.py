"""Every command of docker-compose.yml that is ours, started as the plain process that it is."""

import http.client
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from balint.embedded import Postgres, Valkey, processes
from balint.headers import ALWAYS
from tests import servers
from tests.balint.embedded.test_run import free_port

OURS = ("keys", "migrate", "web", "worker", "beat")
PASSWORDS = {
    f"BALINT_{login}_PASSWORD": f"of-{login.lower()}"
    for login in ("OWNER", "APP", "WORKER", "BACKUP")
}
EXAMPLE = dict(
    line.split("=", 1)
    for line in (servers.ROOT / "docker" / "example.env").read_text().splitlines()
    if line and not line.startswith("#")
)
DOTENV = PASSWORDS | {
    "BALINT_HOST": EXAMPLE["BALINT_HOST"],
    "EMAIL_URL": EXAMPLE["EMAIL_URL"],
    "DEFAULT_FROM_EMAIL": EXAMPLE["DEFAULT_FROM_EMAIL"],
    "SECRET_KEY": "long and random",
    "POSTGRES_PASSWORD": "of-postgres",
}


def compose() -> dict[str, Any]:
    """The file, with ${NAME} and ${NAME:?why} filled in as compose would."""
    text = (servers.ROOT / "docker-compose.yml").read_text()
    filled = re.sub(r"\$\{(\w+)(?::\?[^}]*)?\}", lambda name: DOTENV[name[1]], text)
    parsed: dict[str, Any] = yaml.safe_load(filled)
    return parsed


SERVICES = compose()["services"]


@dataclass
class Installation:
    """Servers and folders in place of the containers and volumes."""

    folder: Path
    postgres: Postgres
    valkey: Valkey
    port: int

    def moved(self, text: str) -> str:
        """What names a container or volume, by where it lies here."""
        here = {
            "@postgres:5432/balint": f"@/balint?host={self.postgres.socket_folder}",
            "redis://redis:6379/0": self.valkey.url(),
            "/keys/": f"{self.folder}/",
            "/tmp/": f"{self.folder}/",
            "0.0.0.0": "127.0.0.1",
            "8000": str(self.port),
        }
        names = "|".join(re.escape(name) for name in here)
        return re.sub(names, lambda found: here[found[0]], text)

    def environ(self, service: str) -> dict[str, str]:
        """The service's own environment and nothing of the suite's."""
        given = {key: self.moved(value) for key, value in SERVICES[service]["environment"].items()}
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        static = {"STATIC_ROOT": str(self.folder / "static"), "LETTER_TICK_SECONDS": "1"}
        return given | static | {"PATH": path, "HOME": str(self.folder)}

    def command(self, service: str) -> list[str]:
        return [self.moved(word) for word in SERVICES[service]["command"]]

    def run(self, service: str) -> None:
        done = subprocess.run(
            self.command(service), env=self.environ(service), cwd=servers.ROOT, check=False
        )
        assert done.returncode == 0

    def start(self, service: str) -> subprocess.Popen[bytes]:
        with open(self.log(service), "wb") as log:
            return subprocess.Popen(
                self.command(service),
                env=self.environ(service),
                cwd=servers.ROOT,
                stdout=log,
                stderr=log,
            )

    def log(self, service: str) -> Path:
        return self.folder / f"{service}.log"

    def says(self, service: str, words: str, seconds: float = 30) -> bool:
        return processes.wait_for(
            lambda: words in self.log(service).read_text(errors="replace"), seconds=seconds
        )


def make_database(postgres: Postgres) -> None:
    """What the PostgreSQL container does at its first start, by the script mounted into it."""
    superuser = {"POSTGRES_USER": "postgres", "PGPASSWORD": _superuser_password(postgres)}
    where = {"PGHOST": str(postgres.socket_folder), "PATH": f"{postgres.programs}:/usr/bin:/bin"}
    subprocess.run(
        [servers.ROOT / "docker" / "postgres-init.sh"],
        env=superuser | where | PASSWORDS | {"BALINT_SQL": str(servers.ROOT / "docker")},
        check=True,
    )


def _superuser_password(postgres: Postgres) -> str:
    found = psycopg.conninfo.conninfo_to_dict(postgres.url("postgres", "postgres"))
    return str(found["password"])


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("compose")
    postgres = Postgres(folder / "postgres", fsync=False)
    with postgres, Valkey(folder / "valkey") as valkey:
        make_database(postgres)
        here = Installation(folder, postgres, valkey, free_port())
        here.run("keys")
        here.run("migrate")
        collect_static(here)
        yield here
    postgres.discard()


def collect_static(here: Installation) -> None:
    """As the image does when it is built, with the very words of the Dockerfile."""
    text = (servers.ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    found = re.search(r"^RUN (env .*collectstatic.*)$", text, re.MULTILINE)
    assert found
    command = found[1].replace("/app/static-collected", str(here.folder / "static"))
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    subprocess.run(shlex.split(command), env={"PATH": path}, cwd=servers.ROOT, check=True)


@pytest.fixture
def started(installation: Installation) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    running = {name: installation.start(name) for name in ("web", "worker", "beat")}
    yield running
    for process in running.values():
        process.terminate()
    for process in running.values():
        process.wait(timeout=20)


def test_the_file_knows_no_other_command_of_ours() -> None:
    ours = [name for name, service in SERVICES.items() if service.get("image") == "balint"]
    assert sorted(ours) == sorted(OURS)


def test_each_service_gets_one_login_and_none_the_superusers() -> None:
    urls = {
        name: [value for key, value in SERVICES[name]["environment"].items() if "DATABASE" in key]
        for name in OURS
    }
    assert [len(found) for found in urls.values()] == [1] * len(OURS)
    logins = {name: re.split(r"[:/@]+", found[0])[1] for name, found in urls.items()}
    assert logins == {
        "keys": "nobody",
        "migrate": "balint_owner",
        "web": "balint_app",
        "worker": "balint_worker",
        "beat": "balint_worker",
    }
    text = (servers.ROOT / "docker-compose.yml").read_text()
    assert text.count("${POSTGRES_PASSWORD") == 1


def test_the_worker_alone_writes_beside_the_key_file_and_beat_has_no_key() -> None:
    mounted = {name: SERVICES[name].get("volumes", []) for name in OURS}
    assert mounted == {
        "keys": ["keys:/keys"],
        "migrate": ["keys:/keys:ro"],
        "web": ["keys:/keys:ro"],
        "worker": ["keys:/keys"],
        "beat": [],
    }


def test_the_example_of_the_environment_names_every_variable_and_fills_in_no_secret() -> None:
    assert set(EXAMPLE) == set(DOTENV)
    secret = [name for name in EXAMPLE if name.endswith(("PASSWORD", "SECRET_KEY"))]
    assert {EXAMPLE[name] for name in secret} == {""}


@pytest.mark.parametrize(
    ("file", "arguments"),
    [("roles.sql", ["--sql"]), ("roles-in-database.sql", ["--sql", "--in-database"])],
)
def test_the_sql_for_the_container_is_what_the_command_prints(
    file: str, arguments: list[str]
) -> None:
    printed = servers.manage("roles", *arguments, env=dict(os.environ) | {"BALINT_MODE": "test"})
    assert (servers.ROOT / "docker" / file).read_text() == printed, (
        f"Type: manage.py roles {' '.join(arguments)} > docker/{file}"
    )


def test_web_worker_and_beat_work_together_as_plain_processes(
    installation: Installation, started: dict[str, subprocess.Popen[bytes]]
) -> None:
    health = [sys.executable, "docker/healthcheck.py"]
    environ = installation.environ("web") | {"HEALTH_PORT": str(installation.port)}
    assert processes.wait_for(
        lambda: subprocess.run(health, env=environ, cwd=servers.ROOT, check=False).returncode == 0,
        seconds=30,
        every=0.3,
    ), installation.log("web").read_text()

    assert sign_in_page(installation) == (200, "https")
    assert installation.says("worker", " ready.")
    ping = subprocess.run(
        ["celery", "-A", "balint", "inspect", "ping", "--timeout", "5"],
        env=installation.environ("worker"),
        cwd=servers.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "pong" in ping.stdout, ping.stdout + ping.stderr
    assert installation.says("beat", "Scheduler: Sending due task letters")
    assert installation.says("worker", "succeeded in")
    assert {name: process.poll() for name, process in started.items()} == dict.fromkeys(started)


AS_PROXIED = {"Host": DOTENV["BALINT_HOST"], "X-Forwarded-Proto": "https"}


def asked(
    installation: Installation, path: str, headers: dict[str, str] = AS_PROXIED
) -> tuple[int, http.client.HTTPMessage, str]:
    """Status, headers and body, as the proxy asks for them."""
    connection = http.client.HTTPConnection("127.0.0.1", installation.port, timeout=10)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read().decode(errors="replace")
    connection.close()
    return response.status, response.headers, body


def sign_in_page(installation: Installation) -> tuple[int, str]:
    """The status of the sign-in page as the proxy asks for it, and the scheme it asks with."""
    status, headers, _ = asked(installation, "/accounts/login/")
    return status, "https" if "Strict-Transport-Security" in headers else "http"


def test_in_production_every_answer_bears_every_header(
    installation: Installation, started: dict[str, subprocess.Popen[bytes]]
) -> None:
    assert processes.wait_for(lambda: answers(installation), seconds=30, every=0.3)
    _, _, page = asked(installation, "/accounts/login/")
    style = re.findall(r'"(/static/balint\.[0-9a-f]+\.css)"', page)[0]
    plain = AS_PROXIED | {"X-Forwarded-Proto": "http"}
    unknown = AS_PROXIED | {"Host": "evil.example"}
    answered = {
        "a page": (200, asked(installation, "/accounts/login/")),
        "a path nobody is let to": (302, asked(installation, "/settings/")),
        "nothing": (404, asked(installation, "/static/nothing.css")),
        "a style sheet": (200, asked(installation, style)),
        "ready": (200, asked(installation, "/readyz")),
        "another host": (400, asked(installation, "/", unknown)),
        "another host without TLS": (
            400,
            asked(installation, "/", plain | {"Host": "evil.example"}),
        ),
        "without TLS": (301, asked(installation, "/", plain)),
    }
    for sort, (status, (found, headers, _)) in answered.items():
        assert found == status, sort
        wrong = {
            name: headers.get_all(name)
            for name, value in ALWAYS.items()
            if headers.get_all(name) != [value] and name != "Cache-Control"
        }
        assert wrong == {}, sort
        assert headers["Content-Security-Policy"].count("'none'") == 4, sort
        caching = "immutable" if sort == "a style sheet" else "no-store"
        assert caching in headers["Cache-Control"], sort
        strict = ["max-age=31536000; includeSubDomains"]
        assert headers.get_all("Strict-Transport-Security") == (
            None if "without TLS" in sort else strict
        ), sort
        assert headers.get_all("Server") in (None, ["granian"]), sort
        assert {"X-Powered-By", "Access-Control-Allow-Origin", "Via"} & {*headers} == set(), sort


def test_in_production_cookies_bear_the_prefix_of_this_host(
    installation: Installation, started: dict[str, subprocess.Popen[bytes]]
) -> None:
    assert processes.wait_for(lambda: answers(installation), seconds=30, every=0.3)
    _, headers, _ = asked(installation, "/accounts/login/")
    cookies = headers.get_all("Set-Cookie") or []
    assert [cookie.split("=")[0] for cookie in cookies] == ["__Host-csrf"]
    words = {word.strip().lower() for word in cookies[0].split(";")[1:]}
    assert {"secure", "httponly", "path=/", "samesite=lax"} <= words
    assert not any(word.startswith("domain") for word in words)


def answers(installation: Installation) -> bool:
    try:
        return asked(installation, "/readyz")[0] == 200
    except OSError:
        return False
