"""The demo's mail: a folder instead of a server, and two pages that exist in the demo alone."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings as site
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client, override_settings
from django.urls import NoReverseMatch, include, path, reverse

from balint import demo_mail
from tests import servers
from tests.world import make_member

urlpatterns = [
    path("demo/", include("balint.demo_urls")),
    path("", include("balint.urls")),
]


@pytest.fixture
def box(tmp_path, settings):
    """As EMAIL_URL=maildir:///folder sets it: the reader of the address drops the first slash."""
    settings.EMAIL_BACKEND = "balint.demo_mail.MaildirBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail").removeprefix("/")
    return tmp_path / "mail"


def put(subject, text="Hello.", html="<p>Hello.</p>", to="dana@demo.example"):
    mail = EmailMultiAlternatives(subject, text, to=[to])
    mail.attach_alternative(html, "text/html")
    assert get_connection().send_messages([mail]) == 1


def test_mails_lie_in_a_maildir_the_newest_first(box):
    assert demo_mail.newest() == []
    for number, subject in enumerate(("First", "Second", "Größer")):
        put(subject)
        newest = max((box / "new").iterdir(), key=lambda file: file.stat().st_mtime)
        os.utime(newest, (number, number))
    assert [mail.subject for mail in demo_mail.newest()] == ["Größer", "Second", "First"]
    assert [mail.subject for mail in demo_mail.newest(limit=1)] == ["Größer"]


def test_a_mail_is_read_by_its_key_and_no_key_leads_out_of_the_folder(box):
    put("A subject", "One line.\n\nAnother.\n")
    (mail,) = demo_mail.newest()
    assert demo_mail.read(mail.key) == mail
    assert (mail.to, mail.text) == ("dana@demo.example", "One line.\n\nAnother.\n")
    (box / "secret").write_text("Subject: no\n\nno")
    for key in ("nobody", "../secret", "new", ""):
        assert demo_mail.read(key) is None


@pytest.mark.django_db
def test_the_pages_list_and_show_mails_as_text_never_as_html(box, client_of):
    put("<b>bold</b>", "<script>alert(1)</script>\nhttp://testserver/invitations/abc/\n")
    with override_settings(ROOT_URLCONF=__name__):
        client = client_of(make_member())
        listing = client.get("/demo/mail/").content.decode()
        (mail,) = demo_mail.newest()
        page = client.get(f"/demo/mail/{mail.key}/").content.decode()
        assert client.get("/demo/mail/nothing/").status_code == 404
    assert f'href="/demo/mail/{mail.key}/">&lt;b&gt;bold&lt;/b&gt;</a>' in listing
    assert "dana@demo.example" in listing
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert 'href="http://testserver/invitations/abc/"' in page


def test_outside_the_demo_the_pages_do_not_exist():
    assert not site.DEMO
    with pytest.raises(NoReverseMatch):
        reverse("demo_mails")
    answer = Client().get("/demo/mail/")
    assert (answer.status_code, answer["Location"][:16]) == (302, "/accounts/login/")


PROBE = """
import json, django
django.setup()
from django.core.mail import send_mail
from django.test import Client
send_mail("Welcome", "Come in.", None, ["dana@demo.example"])
client = Client(headers={"host": "127.0.0.1"})
pages = [client.get(path) for path in ("/demo/mail/", "/demo/other/")]
print(json.dumps([[page.status_code, "Welcome" in page.content.decode()] for page in pages]))
"""


@pytest.fixture
def database(worker_id):
    name = servers.clone(f"demo_{worker_id}")
    yield name
    servers.drop(name)


def test_in_the_demo_the_mail_is_open_without_signing_in(database, tmp_path):
    env = servers.environment(
        database,
        BALINT_MODE="local",
        BALINT_DEMO="1",
        BALINT_LOGIN="app",
        EMAIL_URL=f"maildir://{tmp_path / 'mail'}",
        SECRET_KEY="only for this test",
        ALLOWED_HOSTS="127.0.0.1",
        SITE_URL="http://127.0.0.1:8000",
        DEFAULT_FROM_EMAIL="balint@demo.example",
    )
    done = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=servers.ROOT, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[200, True], [302, False]]
    assert len(list((tmp_path / "mail" / "new").iterdir())) == 1
