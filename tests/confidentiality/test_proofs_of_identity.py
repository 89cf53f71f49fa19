"""Identity under load, small; and that a leak there would be seen."""

from django.db import connection

from tests.confidentiality import identity


def test_no_answer_under_load_holds_another_persons_row(unbound):
    found = identity.run("small")
    assert found["identity_requests"] == 1_500
    assert found["identity_anonymous"] > 100
    assert found["identity_crashes"] > 100
    assert found["identity_own_rows"] > 1_000
    assert (found["identity_leaks"], found["failed"]) == (0, 0)


def test_an_identity_that_outlives_its_transaction_is_found(unbound, monkeypatch):
    def for_the_whole_connection(member, role):
        if member:
            with connection.cursor() as cursor:
                cursor.execute("select set_config('app.member_id', %s, false)", [member])

    with identity.prepared() as (people, nobody):
        monkeypatch.setattr("members.identity._set", for_the_whole_connection)
        assert identity.under_load(people, nobody, 400)["foreign_rows"] > 0
