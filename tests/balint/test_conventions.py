"""docs/conventions.md promises nothing without a test that exists."""

import re

import pytest

from tests.balint.test_asvs import ROOT, names_of_tests

TEXT = (ROOT / "docs/conventions.md").read_text()
HEADING = "| People complain that | Here | Shown by |"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and line != HEADING
]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_each_section_has_its_table_and_each_complaint_stands_once():
    assert TEXT.count("\n## ") == TEXT.count(HEADING) > 5
    complaints = [row[0] for row in ROWS]
    assert len(complaints) == len(set(complaints)) > 40


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:50])
def test_each_complaint_has_an_answer_and_a_test_that_is_there(row: list[str]):
    _complaint, answer, shown_by = row
    assert answer
    found = NAMED.findall(shown_by)
    # Nothing else stands in the last cell, so a reference that is spelt wrong is noticed.
    assert " ".join(f"`{path}::{name}`" for path, name in found) == shown_by != ""
    assert [name for path, name in found if name not in names_of_tests(ROOT / path)] == []
