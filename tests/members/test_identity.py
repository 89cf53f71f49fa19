"""Who is asking, in the transaction that asks and nowhere after it."""

import pytest
from django.db import connection

from members.identity import acting_as
from tests.world import as_member


def identity():
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('app.member_id', true), current_user")
        return cursor.fetchone()


def test_acting_as_somebody_else_for_a_while_gives_the_identity_back(circle):
    with as_member(circle.leader):
        before = identity()
        with acting_as(None, "balint_worker"):
            assert identity() == ("", "balint_worker")
        assert identity() == before == (str(circle.leader.pk), "balint_app")


def test_an_error_gives_the_identity_back_too(circle):
    with as_member(circle.leader):
        with pytest.raises(RuntimeError), acting_as(circle.member, "balint_roster"):
            raise RuntimeError
        assert identity() == (str(circle.leader.pk), "balint_app")


@pytest.mark.parametrize("path", ["/accounts/loginx/", "/accounts/signup-now/", "/nowhere/"])
def test_a_path_that_only_begins_like_an_open_one_asks_to_sign_in(client_of, path):
    response = client_of().get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=")
