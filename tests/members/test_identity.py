"""Who is asking, in the transaction that asks and nowhere after it."""

import pytest
from django.db import connection

from members import audit
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


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt])
def test_whoever_acted_before_acts_afterwards_for_the_record_too(circle, error):
    with as_member(circle.leader):
        try:
            with acting_as(circle.member):
                assert audit.actor.get() == circle.member.pk
                if error:
                    raise error
        except (RuntimeError, KeyboardInterrupt):
            pass
        assert audit.actor.get() == circle.leader.pk


def test_what_is_done_in_anothers_name_is_on_record_under_the_own(circle):
    with as_member(circle.admin, "balint_roster"):
        with acting_as(circle.leader, "balint_app", keeps_actor=True):
            assert identity() == (str(circle.leader.pk), "balint_app")
            assert audit.actor.get() == circle.admin.pk


@pytest.mark.parametrize("path", ["/accounts/loginx/", "/accounts/signup-now/", "/nowhere/"])
def test_a_path_that_only_begins_like_an_open_one_asks_to_sign_in(client_of, path):
    response = client_of().get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/?next=")
