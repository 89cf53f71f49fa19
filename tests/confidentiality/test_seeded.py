"""Bugs put in on purpose are seen, so the proofs are not blind."""

from tests.confidentiality import seeded


def test_there_are_forty_and_each_has_a_name_of_its_own() -> None:
    names = [bug.name for bug in seeded.bugs()]
    assert len(names) == len(set(names)) == 40


def test_a_sample_of_them_is_caught(db: None) -> None:
    caught = seeded.run("small")
    assert caught["missed"] == []
    assert (caught["seeded_bugs"], caught["seeded_caught"], caught["failed"]) == (7, 7, False)
