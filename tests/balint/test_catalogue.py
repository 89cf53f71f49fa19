"""The collected strings are those the code has now: who changes one types `make messages`."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from tests.servers import ROOT

COMMITTED = ROOT / "locale" / "django.pot"
Known = set[tuple[str | tuple[str, ...], str | None]]


def known(file: Path) -> Known:
    with file.open("rb") as text:
        catalogue: Catalog = read_po(text)
    return {(plain(message.id), message.context) for message in catalogue if message.id}


def plain(message: object) -> str | tuple[str, ...]:
    return tuple(map(str, message)) if isinstance(message, list | tuple) else str(message)


def how_make_collects() -> list[str]:
    """The words of the command in the Makefile, with its output left to us."""
    recipe = (ROOT / "Makefile").read_text().split("\nmessages:", 1)[1].split("\n\n", 1)[0]
    command = recipe.replace("\\\n", " ").splitlines()[1]
    words = shlex.split(command.strip().removeprefix("@"))
    assert words[:3] == ["$(PY)", "-m", "babel.messages.frontend"]
    assert f"--output-file={COMMITTED.relative_to(ROOT)}" in words
    return [word for word in words[1:] if not word.startswith("--output-file")]


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Known:
    file = tmp_path_factory.mktemp("strings") / "django.pot"
    *options, folder = how_make_collects()
    command = [sys.executable, *options, f"--output-file={file}", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return known(file)


def test_every_string_is_collected_and_none_is_left_over(collected: Known) -> None:
    committed = known(COMMITTED)
    advice = "Type `make messages` and commit locale/django.pot."
    assert {"new": collected - committed, "gone": committed - collected} == {
        "new": set(),
        "gone": set(),
    }, advice


@pytest.mark.parametrize(
    "string",
    [
        ("We expect you.", None),
        ("The session has moved on.", None),
        (("%(n)s group", "%(n)s groups"), None),
    ],
)
def test_strings_of_python_and_of_templates_are_collected(collected: Known, string: object) -> None:
    assert string in collected


def test_the_file_names_no_place_and_no_time() -> None:
    text = COMMITTED.read_text()
    assert "\n#: " not in text
    assert "POT-Creation-Date" not in text


def test_no_string_shouts_or_congratulates(collected: Known) -> None:
    texts = [
        text
        for message, _ in collected
        for text in ([message] if isinstance(message, str) else message)
    ]
    shouting = [text for text in texts if "!" in text or "successfully" in text.lower()]
    assert shouting == []
