"""What a newcomer meets: everything embedded, with the demo, from nothing to nothing."""

import http.cookiejar
import os
import re
import stat
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from balint.embedded import supervisor
from tests.balint.embedded.test_run import Run, ask, finish, free_port, start

PEOPLE = ["leader", "leader2", "member", "newcomer", "admin", "outsider"]


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    foreign = re.compile(r"DATABASE_|REDIS_|BALINT_|DJANGO_|URL_|EMAIL_|SECRET_KEY")
    known = {name: value for name, value in os.environ.items() if not foreign.match(name)}
    known |= {"BALINT_VAR": str(tmp_path / "var"), "PORT": str(free_port())}
    yield known
    ask(known, "clean")


def signs_in(run: Run, name: str) -> bool:
    """Whether the sign-in page lets this person of the demo in, under `localhost`."""
    browser = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )
    address = f"http://localhost:{run.port}/accounts/login/"
    with browser.open(address) as page:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
    assert found
    form = {
        "csrfmiddlewaretoken": found[1],
        "login": f"{name}@demo.example",
        "password": supervisor.DEMO_PASSWORD,
    }
    with browser.open(address, urllib.parse.urlencode(form).encode()) as page:
        return "/accounts/login/" not in page.geturl()


def test_from_nothing_to_a_demo_that_people_sign_in_to_and_back_to_nothing(
    environ: dict[str, str], tmp_path: Path
) -> None:
    run = start(environ, tmp_path / "first")
    try:
        lines = [line.split()[0] for line in run.printed.splitlines() if "@demo.example" in line]
        assert lines == [f"{name}@demo.example" for name in PEOPLE]
        assert "password balint-demo" in run.printed
        assert f"http://127.0.0.1:{run.port}/demo/mail/" in run.printed
        assert [name for name in PEOPLE if not signs_in(run, name)] == []
        assert secrets_of(run.var) == {
            "keys.json": 0o400,
            "secret_key": 0o600,
            "postgres-passwords.json": 0o600,
            "log": 0o700,
            "mail": 0o700,
            "run": 0o700,
            "valkey": 0o700,
            "postgres": 0o700,
        }
    finally:
        finish(run)

    again = start(environ, tmp_path / "second")
    try:
        assert "Filling the demo" in run.printed
        assert "Filling the demo" not in again.printed
        assert signs_in(again, "leader")
    finally:
        finish(again)

    assert ask(environ, "clean").returncode == 0
    assert not run.var.exists()


def secrets_of(var: Path) -> dict[str, int]:
    names = ["keys.json", "secret_key", "postgres-passwords.json"]
    names += ["log", "mail", "run", "valkey", "postgres"]
    return {name: stat.S_IMODE((var / name).stat().st_mode) for name in names}
