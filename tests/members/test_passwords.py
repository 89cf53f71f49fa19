"""Which passwords are taken, and that a new one ends every other sign-in."""

import pytest
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.test import Client

from tests.members.signed_in import sign_in
from tests.world import PASSWORD, make_member


@pytest.fixture
def member(db):
    return make_member("Dr Dana Green")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "aaaabbbbccccddddeeeeffff",
        "83649267450912837465",
        "ein ganz leiser langer Satz",
        "密码密码很长很长的一个句子啊啊啊",
        "x y" * 100,
    ],
)
def test_any_characters_will_do_if_there_are_enough(member, password):
    password_validation.validate_password(password, member)


@pytest.mark.parametrize(
    "password",
    [
        "fourteen chars",
        "balintgroup-2026!",
        "Balint Meeting Password",
        "DanaGreen-DanaGreen",
        "dana green balint 2025",
        "1qaz2wsx3edc4rfv",
    ],
)
def test_what_is_tried_first_is_refused(member, password):
    with pytest.raises(ValidationError):
        password_validation.validate_password(password, member)


def test_a_new_password_ends_every_other_sign_in(member):
    here, there = Client(), Client()
    for client in (here, there):
        sign_in(client, member, PASSWORD)
    here.post("/accounts/reauthenticate/", {"password": PASSWORD})
    new = "another long and quiet word"
    here.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )
    assert here.get("/settings/").status_code == 200
    assert there.get("/settings/").status_code == 302


def test_other_sign_ins_are_listed_and_ended(member):
    here, there = Client(), Client()
    for client in (here, there):
        sign_in(client, member, PASSWORD)
    assert here.get("/accounts/sessions/").content.decode().count("<li") >= 2
    here.post("/accounts/sessions/")
    assert here.get("/settings/").status_code == 200
    assert there.get("/settings/").status_code == 302
