"""Servers for the whole run, a database per worker, and the personas of one circle."""

import os
from collections.abc import Iterator

import dj_database_url
import pytest
from django.conf import settings
from django.db import connections
from django.template import Template
from django.test import Client
from django.test import utils as test_utils

from members.identity import become
from tests import servers
from tests.world import Circle, make_circle

_started: list[servers.Servers] = []


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        _started.append(servers.Servers.start())
    settings.BALINT_KEY_FILE = f"{os.environ.get('BALINT_TEST_FOLDER', '')}/keys.json"
    settings.REDIS_URL = os.environ.get("BALINT_TEST_REDIS", "redis://")
    settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL
    # Workers share one Redis, and none empties another's cache.
    settings.CACHES["default"]["KEY_PREFIX"] = os.environ.get("PYTEST_XDIST_WORKER", "alone")


def pytest_unconfigure(config: pytest.Config) -> None:
    while _started:
        _started.pop().stop()


@pytest.fixture(scope="session")
def django_db_setup(worker_id: str, django_db_blocker) -> Iterator[None]:
    """This worker's own clone of the template, reached as the tests' login."""
    name = servers.clone(f"test_{worker_id}")
    fresh = dj_database_url.parse(servers.url("balint_test", name))
    connections["default"].settings_dict.update(fresh)
    yield
    with django_db_blocker.unblock():
        connections["default"].close()
    servers.drop(name)


@pytest.fixture(autouse=True)
def _empty_cache(request: pytest.FixtureRequest) -> None:
    if "db" in request.fixturenames or "client" in request.fixturenames:
        from django.core.cache import cache

        cache.clear()


@pytest.fixture(autouse=True)
def _without_copies(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Django's tests copy the context of every template, which costs half of a page's time.

    A test that reads `response.context` or `.templates` says so by `pytest.mark.reads_context`.
    """
    if request.node.get_closest_marker("reads_context") is None:
        state = test_utils._TestState.saved_data  # type: ignore[attr-defined]
        monkeypatch.setattr(Template, "_render", state.template_render)


@pytest.fixture
def circle(db: None) -> Circle:
    """One group and everyone round it."""
    return make_circle()


@pytest.fixture
def client_of(db: None):
    """A browser signed in as somebody: `client_of(circle.leader).get(...)`."""

    def signed_in(member=None, **kwargs) -> Client:
        client = Client(raise_request_exception=True, **kwargs)
        if member is not None:
            # A page of the office before this one left its role in the test's transaction.
            become(None, "balint_app")
            client.force_login(member)
        return client

    return signed_in
