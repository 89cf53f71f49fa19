"""Each requirement of ASVS 5.0 level 2 has its answer, and every answer points to what exists."""

import ast
import functools
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent.parent
ANSWERS: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docs/asvs.yaml").read_text())
KINDS = {"test", "setting", "reason"}
# Of level 3 we take these.
OF_LEVEL_3 = {
    *("V2.3.5", "V6.3.7", "V6.3.8", "V6.4.6", "V7.5.3"),
    *("V8.3.2", "V11.3.4", "V14.2.7", "V15.4.2"),
}


def test_levels_one_and_two_are_whole() -> None:
    levels = [answer["level"] for answer in ANSWERS.values()]
    assert (levels.count(1), levels.count(2)) == (70, 183)
    assert {key for key, answer in ANSWERS.items() if answer["level"] == 3} == OF_LEVEL_3


def test_each_has_one_answer_and_a_name() -> None:
    for key, answer in ANSWERS.items():
        assert len(KINDS & set(answer)) == 1, key
        assert set(answer) <= KINDS | {"level", "about"}, key
        assert all(str(text).strip() for text in answer.values()), key


def with_a(kind: str) -> list[Any]:
    return [pytest.param(a[kind], id=key) for key, a in ANSWERS.items() if kind in a]


@functools.cache
def names_of_tests(path: Path) -> set[str]:
    tree = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in tree if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("reference", with_a("test"))
def test_a_test_named_here_is_there(reference: str) -> None:
    path, _, name = reference.partition("::")
    found = names_of_tests(ROOT / path)
    assert name in found if name else any(test.startswith("test_") for test in found)


@pytest.mark.parametrize("reference", with_a("setting"))
def test_a_setting_named_here_is_there(reference: str) -> None:
    where, _, _what = reference.partition(":")
    if where.startswith("settings."):
        name = where.removeprefix("settings.").split()[0]
        assert hasattr(settings, name)
    else:
        assert (ROOT / where).is_file()


def test_reasons_point_to_pages_that_exist() -> None:
    for key, answer in ANSWERS.items():
        for word in answer.get("reason", "").replace(",", " ").replace(";", " ").split():
            if word.startswith("docs/"):
                assert (ROOT / word.rstrip(".:")).exists(), key
