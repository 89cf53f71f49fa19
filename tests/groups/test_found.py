"""`manage.py found`: an address that opens, and makes the first admin of an empty installation."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from groups.models import Programme, ProgrammeAdmin, Proposal
from members.models import Letter, Member
from tests.world import PASSWORD, as_owner, make_member

ARGUMENTS = {"programme": "North programme", "admin": "noa@example.org"}


def found(**changes: str) -> str:
    """What the command prints, run under the owner's login as `manage.py` does."""
    out = StringIO()
    with as_owner(), override_settings(LOGIN="owner"):
        call_command("found", **(ARGUMENTS | changes), stdout=out)
    return out.getvalue()


def address_in(printed: str) -> str:
    last = printed.strip().splitlines()[-1]
    assert last.startswith("http://testserver/invitations/")
    return last.removeprefix("http://testserver")


def test_the_address_opens_once_and_makes_the_first_admin(db, client):
    address = address_in(found())
    page = client.get(address).content.decode()
    assert "You are invited to look after North programme" in page
    assert "noa@example.org" in page
    data = {
        "name": "Noa Levi",
        "time_zone": "Asia/Jerusalem",
        "password": PASSWORD,
        "accept": "yes",
    }
    done = client.post(address, data)
    with as_owner():
        role = ProgrammeAdmin.objects.get()
        assert (role.member.email, role.programme.name) == ("noa@example.org", "North programme")
        assert role.ended_at is None
    assert done.headers["Location"] == f"/programmes/{role.programme_id}/"
    assert client.get(f"/programmes/{role.programme_id}/").status_code == 200
    assert client.get(address).status_code == 404


def test_somebody_with_an_account_signs_in_and_accepts(db, client_of):
    member = make_member("Noa Levi", email="noa@example.org")
    address = address_in(found())
    assert "You have an account as noa@example.org." in client_of().get(address).content.decode()
    done = client_of(member).post(address, {"accept": "yes"})
    assert done.status_code == 302
    with as_owner():
        assert ProgrammeAdmin.objects.get().member == member


def test_it_founds_a_programme_and_sends_nothing_by_itself(db):
    found()
    with as_owner():
        assert Programme.objects.get().name == "North programme"
        proposal = Proposal.objects.get()
        assert (proposal.role, proposal.proposed_as, proposal.group) == ("admin", "command", None)
        assert proposal.expires_at is not None
        assert (proposal.expires_at - timezone.now()).days in (29, 30)
        assert Letter.objects.count() == 0
        assert Member.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"admin": "noa"}, "“noa” is no e-mail address."),
        ({"programme": "  "}, "Give the programme a name"),
    ],
)
def test_it_says_what_is_missing_and_founds_nothing(db, changes, sentence):
    with pytest.raises(CommandError, match=sentence):
        found(**changes)
    with as_owner():
        assert Programme.objects.count() == 0


def test_the_one_who_runs_it_needs_no_identity(db):
    found()
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('app.member_id', true)")
        assert cursor.fetchone()[0] == ""
