"""An operator ends sign-ins at once."""

import pytest
from django.core.management import CommandError, call_command

from members.models import Member
from tests.world import PASSWORD, as_owner, make_member


@pytest.fixture
def two(db: None, client_of):
    people = make_member("Dr Ada Ames"), make_member("Dr Ben Boyd")
    clients = [client_of() for _ in people]
    for client, person in zip(clients, people, strict=True):
        client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
        client.get("/settings/")
    return people, clients


def end(*arguments: str) -> None:
    with as_owner():
        call_command("signins", "end", *arguments)


def signed_in(clients) -> list[bool]:
    return [client.get("/settings/").status_code == 200 for client in clients]


def test_one_persons_sign_ins_end_and_nobody_elses(two) -> None:
    people, clients = two
    assert signed_in(clients) == [True, True]
    end("--of", people[0].email.upper())
    assert signed_in(clients) == [False, True]


def test_everybodys_sign_ins_end(two) -> None:
    _people, clients = two
    end("--everybody")
    assert signed_in(clients) == [False, False]


def test_an_address_nobody_has_is_said(db: None) -> None:
    assert not Member.objects.filter(email="nobody@example.org").exists()
    with pytest.raises(CommandError, match="Nobody signs in with this address"):
        end("--of", "nobody@example.org")
