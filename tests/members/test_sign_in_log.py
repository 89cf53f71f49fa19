"""Signing in is logged by a person's id, and by nothing that names them."""

import logging

import pytest
from django.test import Client

from members.models import Member
from tests.world import PASSWORD, make_member


@pytest.fixture
def person(db: None) -> Member:
    return make_member("Dr Logan Lund")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "balint.signins"]


def signs_in(client: Client, email: str, password: str) -> None:
    client.post("/accounts/login/", {"login": email, "password": password})


def test_a_sign_in_and_a_sign_out_are_logged_with_the_id(
    person: Member, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    signs_in(client, person.email, PASSWORD)
    client.post("/accounts/logout/")
    assert lines(caplog) == [
        f"signed in: {person.pk} by password from 127.0.0.1",
        f"signed out: {person.pk}",
    ]


def test_a_refused_password_is_logged_without_what_was_tried(
    person: Member, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    signs_in(client, person.email, "a wrong and telling word")
    assert lines(caplog) == ["password refused from 127.0.0.1"]
    assert person.email not in caplog.text
    assert "telling" not in caplog.text
