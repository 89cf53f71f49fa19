"""Tampering, small; and that a tampering nobody notices would be counted."""

from members.envelope import Place
from tests.confidentiality import sealed_rows, tampering
from tests.confidentiality.ground import own_database, speaking_to
from tests.world import as_owner


def test_every_tampering_is_detected(unbound):
    found = tampering.run("small")
    assert found["tamperings_missed"] == {}
    assert found["tamperings"] == found["tamperings_detected"]
    assert found["tamperings"] > 400
    assert len(found["tamperings_of"]) == 26


def test_every_sealed_text_there_is_was_tampered_with(unbound):
    with own_database():
        sealed_rows.furnish()
        with as_owner():
            texts = sealed_rows.texts()
    fields = [(model._meta.db_table, name) for model, name in sealed_rows.sealed_fields()]
    for field in fields:
        assert sum((text.table, text.name) == field for text in texts) >= 4, field


def test_a_text_bound_to_nothing_would_be_found_out(unbound, monkeypatch):
    with own_database() as name:
        monkeypatch.setattr(Place, "bound", lambda place: b"")
        sealed_rows.furnish()
        with speaking_to(name, "SUPERUSER"):
            done, seen = tampering.tried(tampering.of_texts("small"))
    missed = tampering.summary(done, seen)["tamperings_missed"]
    assert set(missed) == {
        "put into another row",
        "put into another column",
        "version changed",
        "put back after a change",
        "put forward before a change",
    }


def test_a_page_with_a_tampered_text_shows_neither_text_nor_cipher(unbound):
    with own_database():
        there, _elsewhere = sealed_rows.furnish()
        status, body = tampering.page_of_a_tampered_case(there)
    assert status == 500
    assert b"drawer" not in body
