"""Logs hold no address that opens something."""

import io
import logging
import sys
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused

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
        f"/answer/{TOKEN}/",
        f"/unsubscribe/{TOKEN}/",
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


def written_of(error: BaseException, log: io.StringIO) -> str:
    try:
        raise error
    except type(error):
        logging.getLogger("django.request").error("Internal", exc_info=sys.exc_info())
    return log.getvalue()


def test_a_traceback_is_blotted_out_too(log):
    written = written_of(OSError(f"/invitations/{TOKEN}/"), log)
    assert "OSError: /invitations/…/" in written
    assert TOKEN not in written


def test_a_traceback_says_where_and_of_what_kind_and_not_in_which_words(log):
    written = written_of(ValueError("The locked drawer"), log)
    assert "in written_of" in written
    assert written.rstrip().endswith("builtins.ValueError")
    assert "drawer" not in written


def test_neither_does_what_an_error_came_of_nor_what_is_in_a_group_of_them(log):
    inner = KeyError("The locked drawer")
    inner.__cause__ = TypeError("The locked drawer")
    written = written_of(ExceptionGroup("The locked drawer", [inner]), log)
    assert "builtins.ExceptionGroup\namong them:\n" in written
    assert "builtins.TypeError\nand then:\n" in written
    assert written.rstrip().endswith("builtins.KeyError")
    assert "drawer" not in written


@pytest.mark.parametrize(
    "error",
    [
        SMTPRecipientsRefused({"dana@example.org": (550, b"no such box: dana@example.org")}),
        SMTPSenderRefused(550, b"not from balint@example.org", "balint@example.org"),
        SMTPDataError(554, b"dana@example.org is full"),
    ],
)
def test_what_a_mail_server_says_is_not_written_for_it_names_people(log, error):
    written = written_of(error, log)
    assert "example.org" not in written
    assert written.rstrip().endswith(f"smtplib.{type(error).__name__}")


def test_what_a_machine_says_is_kept_for_whoever_runs_it(log):
    written = written_of(ConnectionRefusedError(111, "Connection refused"), log)
    assert written.rstrip().endswith("ConnectionRefusedError: [Errno 111] Connection refused")
