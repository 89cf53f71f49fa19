"""manage.py audit: whole says so and leaves quietly, anything else is named and leaves with 1."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from members import audit, beside, keys
from members.identity import acting_as
from sessions import upkeep
from tests.members.audit.test_chain import GROUP, as_somebody_with_the_database, record
from tests.world import as_owner


@pytest.fixture(autouse=True)
def recorded(db, tmp_path, settings):
    """Two events of a group and one of the site, and their heads beside the key file."""
    settings.BALINT_KEY_FILE = str(tmp_path / "keys.json")
    keys.create(tmp_path / "keys.json")
    record([2, 1])
    with acting_as(None):
        audit.note(audit.ROTATED, audit.Thing.KEYS)
    keep_heads()


def keep_heads():
    return upkeep.run({"heads": upkeep.keep_heads})["heads"]


def command(verb):
    out = StringIO()
    try:
        with as_owner():
            call_command("audit", verb, stdout=out)
    except CommandError as refused:
        return out.getvalue().splitlines(), refused.returncode
    return out.getvalue().splitlines(), 0


def test_a_whole_record():
    said = ["site, events: 1: whole", f"group {GROUP}, events: 2: whole"]
    assert command("verify") == (said, 0)


def test_a_cut_one():
    with as_somebody_with_the_database() as cursor:
        cursor.execute("delete from members_auditevent where chain_id = %s", [GROUP])
        cursor.execute("delete from members_auditchain where id = %s", [GROUP])
    said = [
        "site, events: 1: whole",
        f"group {GROUP}, events: 0: the chain is missing; it had 2 events",
    ]
    assert command("verify") == (said, 1)


def test_the_heads_are_those_that_are_kept():
    said = [
        f"{'site' if chain.int == 0 else f'group {chain}'} {number} {mac.hex()}"
        for chain, (number, mac) in sorted(beside.heads_kept().items())
    ]
    assert command("heads") == (said, 0)
    assert len(said) == 2


def test_the_upkeep_keeps_heads_that_grew_and_leaves_the_others():
    assert keep_heads() == 0
    record([0.5])
    assert keep_heads() == 1
    assert beside.heads_kept()[GROUP][0] == 3


def test_a_head_that_was_cut_off_is_still_kept_when_the_chain_has_grown_past_it():
    with as_somebody_with_the_database() as cursor:
        cursor.execute("delete from members_auditevent where chain_id = %s and number = 2", [GROUP])
        cursor.execute(
            "update members_auditchain set length = 1, mac = (select mac from members_auditevent "
            "where chain_id = %s) where id = %s",
            [GROUP, GROUP],
        )
    record([0.5, 0.4, 0.3])
    assert keep_heads() == 0
    assert command("verify")[1] == 1


def test_a_damaged_list_of_heads_is_said_in_words(tmp_path):
    (tmp_path / "audit-heads.json").chmod(0o600)
    (tmp_path / "audit-heads.json").write_text("{")
    assert command("verify") == ([], 1)
