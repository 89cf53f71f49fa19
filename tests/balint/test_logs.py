"""Logs hold no address that opens something."""

import io
import logging
import sys

import pytest
from django.test import Client

TOKEN = "q3J0aGlzLWlzLWEtdG9rZW4tb2YtZm9ydHktdGhyZWU"


@pytest.fixture
def log():
    """What the site's own handler would have written."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logger = logging.getLogger("django")
    handler.setFormatter(logger.handlers[0].formatter)
    logger.addHandler(handler)
    yield written
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    "path",
    [
        f"/calendar/{TOKEN}/balint.ics",
        f"/invitations/{TOKEN}/",
        f"/accounts/confirm-email/{TOKEN}/",
        f"/accounts/password/reset/key/{TOKEN}/",
    ],
)
@pytest.mark.parametrize("verb", ["GET", "POST", "PROPFIND"])
def test_a_refused_request_is_logged_without_its_token(db, log, path, verb):
    Client(enforce_csrf_checks=True).generic(verb, path)
    assert TOKEN not in log.getvalue()


def test_a_refusal_still_says_where(db, log):
    Client(enforce_csrf_checks=True).generic("PROPFIND", f"/calendar/{TOKEN}/balint.ics")
    assert "/calendar/…/balint.ics" in log.getvalue()


def test_months_are_no_tokens(db, log):
    logging.getLogger("django.request").warning("Not Found: %s", "/calendar/2027/13/")
    assert "Not Found: /calendar/2027/13/" in log.getvalue()


def test_a_traceback_is_blotted_out_too(log):
    try:
        raise ValueError(f"/invitations/{TOKEN}/")
    except ValueError:
        logging.getLogger("django.request").error("Internal", exc_info=sys.exc_info())
    assert "ValueError: /invitations/…/" in log.getvalue()
    assert TOKEN not in log.getvalue()
