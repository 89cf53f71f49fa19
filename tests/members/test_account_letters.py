"""Letters about an account that the mail server refuses: the answer is the usual one."""

import pytest

from tests.smtp import MailServer
from tests.world import make_member


@pytest.fixture
def server(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_TIMEOUT = 2
    with MailServer() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


def forgot(client, address):
    answer = client.post("/accounts/password/reset/", {"email": address})
    return answer.status_code, answer.headers.get("Location")


@pytest.mark.parametrize(
    ("word", "code"), [("no-rcpt", "550"), ("no-sender", "550"), ("451", "451"), ("550", "550")]
)
def test_a_refused_letter_is_answered_as_one_that_went_out(client, db, server, caplog, word, code):
    known = make_member("Dr Una Quist")
    usual = forgot(client, known.email)
    assert usual[0] == 302
    assert len(server.mails) == 1
    server.script = [word]
    assert forgot(client, known.email) == usual
    server.script = [word]
    assert forgot(client, "nobody@example.org") == usual
    assert f"A letter about an account was not taken: {code}" in caplog.text
    assert known.email not in caplog.text


def test_so_is_one_when_no_server_is_there(client, db, settings, caplog):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert forgot(client, make_member("Dr Una Quist").email)[0] == 302
    assert "A letter about an account was not taken: ConnectionRefusedError" in caplog.text
