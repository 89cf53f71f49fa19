"""The one file of expectations is whole, and a sample of the matrix finds no leak."""

from tests.balint import installation
from tests.balint.addresses import addresses
from tests.confidentiality import matrix, policy
from tests.confidentiality.leaks import IN_B
from tests.confidentiality.world import NOT_SIGNED_IN, make_world


def test_every_route_has_a_line_and_every_line_a_route() -> None:
    routes, lines = {one.name for one in addresses()}, set(policy.lines())
    assert {"without a line": routes - lines, "without a route": lines - routes} == {
        "without a line": set(),
        "without a route": set(),
    }


def test_every_text_that_could_leak_has_its_readers() -> None:
    texts = {
        name for name, value in vars(installation).items() if name.isupper() and type(value) is str
    }
    assert set(policy.texts()) == texts


def test_the_file_names_everybody_in_the_world_and_nobody_else(db: None) -> None:
    world = make_world()
    assert set(policy.personas()) == set(world.people)
    assert policy.who("unsigned") == NOT_SIGNED_IN
    assert set(IN_B) < set(world.people)


def test_a_sample_of_the_matrix_finds_no_leak_and_nothing_unexpected(db: None) -> None:
    sample = matrix.run("small")
    assert sample["found"] == []
    assert (sample["leaks"], sample["wrong"]) == (0, 0)
    for layer in sample["by_layer"].values():
        assert layer["matrix_cases"] + layer["object_cases"] > 200
    # With the application's layer away pages are shown to strangers, or nothing would be proved.
    assert sample["by_layer"]["database"]["let_in"] > 5
    assert sample["by_layer"]["both"]["let_in"] == 0
