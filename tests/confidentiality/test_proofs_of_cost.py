"""Cost is measured, of something; no time is ever asserted."""

from tests.confidentiality import cost


def test_every_figure_of_cost_is_measured(unbound):
    found = cost.run("small")
    assert found["cost_cases"] == 40
    ratios = {name for name, value in found.items() if name.endswith("_ratio") and value > 0}
    assert ratios == {
        "query_ratio",
        "request_ratio",
        "page_ratio",
        "decryption_ratio",
        "note_ratio",
    }
