"""The settings name what is missing, take the login they are told, and keep the demo local."""

import os
import re
import runpy
import subprocess
import sys
import zoneinfo
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import get_resolver

from balint import settings as our_settings
from tests.servers import ROOT

COMPLETE = {
    "BALINT_MODE": "production",
    "DATABASE_URL": "postgres://balint_app:a@db/balint",
    "DATABASE_OWNER_URL": "postgres://balint_owner:b@db/balint",
    "DATABASE_WORKER_URL": "postgres://balint_worker:c@db/balint",
    "REDIS_URL": "redis://redis:6379/0",
    "SECRET_KEY": "long and random",
    "ALLOWED_HOSTS": "balint.example, www.balint.example",
    "SITE_URL": "https://balint.example/",
    "EMAIL_URL": "submission://balint:word@mail.example:587",
    "DEFAULT_FROM_EMAIL": "balint@balint.example",
    "BALINT_KEY_FILE": "/run/secrets/keys.json",
}
DATABASE_OF = {
    "app": "DATABASE_URL",
    "owner": "DATABASE_OWNER_URL",
    "worker": "DATABASE_WORKER_URL",
}
NEEDED_BY_ALL = sorted(COMPLETE.keys() - DATABASE_OF.values() - {"BALINT_MODE"})
NEEDED = sorted([*NEEDED_BY_ALL, "DATABASE_URL"])
OPTIONAL = {
    "BALINT_DEMO",
    "BALINT_LOGIN",
    "BALINT_STARTUP_CHECKS",
    "BALINT_VAR",
    "DATABASE_POOL",
    "EMAIL_TIMEOUT",
    "LETTER_LEASE_SECONDS",
    "LETTER_TICK_SECONDS",
    "MAIL_DOMAIN",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS",
    "SECOND_FACTOR_REQUIRED",
    "SECURE_SSL_REDIRECT",
    "STATIC_ROOT",
    "TRUSTED_PROXIES",
}


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Reads the settings file anew, in exactly this environment; `None` takes a variable away."""

    def started(**changes: str | None) -> dict[str, Any]:
        for name in COMPLETE.keys() | OPTIONAL:
            monkeypatch.delenv(name, raising=False)
        for name, value in (COMPLETE | changes).items():
            if value is not None:
                monkeypatch.setenv(name, value)
        return runpy.run_path(str(our_settings.__file__))

    return started


def refusal(start: Any, **changes: str | None) -> str:
    with pytest.raises(ImproperlyConfigured) as refused:
        start(**changes)
    return str(refused.value)


def named_in(message: str) -> list[str]:
    """The variables a refusal asks for, one a line, each with what it should hold."""
    lines = message.splitlines()
    assert lines[0] == "Balint cannot start. Please set in the environment:"
    asked = [line.strip().split(": ", 1) for line in lines[1:]]
    assert all(len(line) == 2 and len(line[1]) > 20 for line in asked)
    return sorted(name for name, _ in asked)


def test_production_starts_when_nothing_is_missing(start: Any) -> None:
    assert start()["PRODUCTION"]


def test_every_variable_the_settings_read_is_known_here() -> None:
    source = (ROOT / "balint" / "settings.py").read_text()
    read = set(re.findall(r'(?:env\.\w+|needed)\(\s*"([A-Z_]+)"', source))
    assert read | set(DATABASE_OF.values()) == COMPLETE.keys() | OPTIONAL
    assert set(NEEDED) == set(our_settings.NEEDED)


@pytest.mark.parametrize("value", [None, ""], ids=["unset", "empty"])
@pytest.mark.parametrize("name", NEEDED)
def test_production_refuses_to_start_without(start: Any, name: str, value: str | None) -> None:
    assert named_in(refusal(start, **{name: value})) == [name]


def test_everything_that_is_missing_is_named_at_once(start: Any) -> None:
    assert named_in(refusal(start, **dict.fromkeys(NEEDED, None))) == NEEDED


def test_a_local_start_needs_the_same_variables(start: Any) -> None:
    message = refusal(start, BALINT_MODE="local", **dict.fromkeys(NEEDED, None))
    assert named_in(message) == NEEDED


def test_production_is_what_we_are_unless_told_otherwise(start: Any) -> None:
    assert start(BALINT_MODE=None)["MODE"] == "production"


@pytest.mark.parametrize("mode", ["", "Production", "debug"])
def test_any_other_mode_is_refused(start: Any, mode: str) -> None:
    assert refusal(start, BALINT_MODE=mode) == "BALINT_MODE must be production, local or test."


@pytest.mark.parametrize(("login", "variable"), DATABASE_OF.items())
def test_the_login_picks_one_database_and_needs_no_other(
    start: Any, login: str, variable: str
) -> None:
    others: dict[str, None] = dict.fromkeys({*DATABASE_OF.values()} - {variable})
    assert start(BALINT_LOGIN=login, **others)["DATABASES"]["default"]["USER"] == f"balint_{login}"
    assert named_in(refusal(start, BALINT_LOGIN=login, **{variable: None})) == [variable]


def test_a_process_that_names_no_login_is_the_web(start: Any) -> None:
    assert start()["DATABASES"]["default"]["USER"] == "balint_app"


@pytest.mark.parametrize("login", ["", "root", "balint_owner"])
def test_an_unknown_login_is_refused(start: Any, login: str) -> None:
    assert refusal(start, BALINT_LOGIN=login) == "BALINT_LOGIN must be app, owner or worker."


@pytest.mark.parametrize(("login", "pooled"), [("app", True), ("owner", False), ("worker", False)])
def test_only_pages_share_connections(start: Any, login: str, pooled: bool) -> None:
    options = start(BALINT_LOGIN=login)["DATABASES"]["default"].get("OPTIONS", {})
    assert ("pool" in options) is pooled


@pytest.mark.parametrize(
    ("mode", "wished", "demo"),
    [
        ("local", "1", True),
        ("local", "0", False),
        ("local", None, False),
        ("production", "1", False),
        ("test", "1", False),
    ],
)
def test_a_demo_is_only_ever_local(start: Any, mode: str, wished: str | None, demo: bool) -> None:
    assert start(BALINT_MODE=mode, BALINT_DEMO=wished)["DEMO"] is demo


def test_without_the_demo_its_pages_are_not_in_the_urlconf() -> None:
    assert not our_settings.DEMO
    assert [
        str(route.pattern) for route in get_resolver().url_patterns if "demo" in str(route)
    ] == []


@pytest.mark.parametrize("mode", ["production", "local", "test"])
def test_no_mode_shows_tracebacks(start: Any, mode: str) -> None:
    assert start(BALINT_MODE=mode)["DEBUG"] is False


def test_production_insists_on_https_and_a_local_start_cannot(start: Any) -> None:
    secure = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT")
    production, local = start(), start(BALINT_MODE="local")
    assert [production[name] for name in secure] == [True, True, True]
    assert [local[name] for name in secure] == [False, False, False]
    assert production["SECURE_HSTS_SECONDS"] >= 365 * 24 * 60 * 60
    assert local["SECURE_HSTS_SECONDS"] == 0


def test_forwarded_headers_count_only_behind_a_stated_proxy(start: Any) -> None:
    assert "SECURE_PROXY_SSL_HEADER" not in start()
    behind = start(TRUSTED_PROXIES="1")
    assert behind["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")
    assert behind["ALLAUTH_TRUSTED_PROXY_COUNT"] == 1


def test_the_address_of_the_site_gives_the_domain_of_its_mail(start: Any) -> None:
    assert start()["MAIL_DOMAIN"] == "balint.example"
    assert start(MAIL_DOMAIN="mail.example")["MAIL_DOMAIN"] == "mail.example"
    assert start()["SITE_URL"] == "https://balint.example"
    assert start()["ALLOWED_HOSTS"] == ["balint.example", "www.balint.example"]


@pytest.mark.parametrize(
    ("redis", "broker"),
    [
        ("redis://redis:6379/0", "redis://redis:6379/0"),
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock"),
    ],
)
def test_the_workers_broker_is_the_same_redis(start: Any, redis: str, broker: str) -> None:
    assert start(REDIS_URL=redis)["CELERY_BROKER_URL"] == broker


def test_a_mail_server_that_hangs_is_given_up_before_the_lease_ends(start: Any) -> None:
    settings = start()
    assert settings["EMAIL_TIMEOUT"] * 2 <= settings["LETTER_LEASE_SECONDS"]


def test_the_address_of_a_mail_server_that_we_suggest_encrypts(start: Any) -> None:
    suggested = our_settings.NEEDED["EMAIL_URL"].rpartition(" ")[2]
    settings = start(EMAIL_URL=suggested)
    assert settings["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    assert (settings["EMAIL_USE_TLS"], settings["EMAIL_HOST"]) == (True, "host")
    example = (ROOT / "docker" / "example.env").read_text()
    assert re.findall(r"^EMAIL_URL=(\w+)://", example, re.MULTILINE) == [urlsplit(suggested).scheme]


@pytest.mark.parametrize("url", ["smtp+tls://user:word@host:587", "host:587", "tls://host"])
def test_an_address_that_would_quietly_not_encrypt_is_refused(start: Any, url: str) -> None:
    assert "submission://" in refusal(start, EMAIL_URL=url)


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    bare = {"PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=bare | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_command_without_its_variables_says_which_to_set() -> None:
    done = run("manage.py", "migrate")
    assert done.returncode != 0
    assert (
        "  DATABASE_OWNER_URL: the address of PostgreSQL for the login balint_owner" in done.stderr
    )
    assert "  EMAIL_URL: the mail server, such as submission" in done.stderr


@pytest.mark.parametrize(
    ("module", "login"),
    [("balint.wsgi", "app"), ("balint.asgi", "app"), ("balint.celery", "worker")],
)
def test_each_process_takes_its_own_login(module: str, login: str) -> None:
    program = f"import {module}; from django.conf import settings; print(settings.LOGIN)"
    mode = {"BALINT_MODE": "test"}  # Here nothing is looked at when a process starts.
    done = run("-c", program, **COMPLETE | mode)
    assert (done.stdout.strip(), done.stderr) == (login, "")


def test_every_process_reads_zones_from_the_lock_and_not_from_its_machine(start: Any) -> None:
    zoneinfo.reset_tzpath(to=["/usr/share/zoneinfo"])
    start()
    assert zoneinfo.TZPATH == ()


def test_only_the_tests_own_process_starts_without_looking(start: Any) -> None:
    assert start()["STARTUP_CHECKS"]
    assert start(BALINT_MODE="local")["STARTUP_CHECKS"]
    assert start(BALINT_STARTUP_CHECKS="0")["STARTUP_CHECKS"]
    assert not start(BALINT_MODE="test")["STARTUP_CHECKS"]


def test_in_production_cookies_bear_the_prefix_that_browsers_hold_to(start: Any) -> None:
    production, local = start(), start(BALINT_MODE="local")
    assert production["SESSION_COOKIE_NAME"] == "__Host-session"
    assert production["CSRF_COOKIE_NAME"] == "__Host-csrf"
    # The prefix wants all of these, or the browser drops the cookie.
    for name in ("SESSION", "CSRF"):
        assert production[f"{name}_COOKIE_SECURE"]
        assert f"{name}_COOKIE_DOMAIN" not in production
        assert f"{name}_COOKIE_PATH" not in production
        assert f"{name}_COOKIE_NAME" not in local


def test_strict_transport_holds_below_our_host_unless_told_otherwise(start: Any) -> None:
    assert start()["SECURE_HSTS_INCLUDE_SUBDOMAINS"]
    assert not start(SECURE_HSTS_INCLUDE_SUBDOMAINS="0")["SECURE_HSTS_INCLUDE_SUBDOMAINS"]
    assert not start(BALINT_MODE="local")["SECURE_HSTS_INCLUDE_SUBDOMAINS"]
    assert "SECURE_HSTS_PRELOAD" not in start()
