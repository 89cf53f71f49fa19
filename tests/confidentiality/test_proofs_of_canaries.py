"""Canaries, few; the same word typed in clear is found everywhere, so the search can see."""

import base64

import pytest

from tests.confidentiality import canaries, traces


def test_no_canary_is_found_outside_the_pages_that_may_show_it(unbound):
    found = canaries.run("small")
    assert found["canaries_refused"] == {}
    assert found["canaries"] >= 60
    assert found["canaries_found_in"] == {}
    assert found["canary_control_missed"] == []
    assert min(found["canaries_shown"].values()) > 0
    assert set(found["canaries_shown"]) == {"title", "answer", "reflection", "word", "cancel"}
    assert found["canary_errors"] == 4
    assert found["failed"] == 0


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize(
    "written",
    [
        str.encode,
        lambda text: text.encode("utf-16"),
        lambda text: text.encode().hex().encode(),
        lambda text: base64.b64encode(text.encode()),
        lambda text: base64.urlsafe_b64encode(text.encode()),
    ],
)
def test_a_word_is_found_however_it_was_written_down(before, written):
    search = traces.Search(["qzwxkvbnmpt"])
    search.look("here", written(f"{before}qzwxkvbnmptaaa and more"))
    assert set(search.found) == {"here"}
