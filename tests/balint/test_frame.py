"""The top level: dependencies with reasons, locks, and what make says when something is missing."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests import chromium
from tests.servers import ROOT

# In parts, so that this file does not name what it looks for.
REGISTRIES = [
    "py" + "pi.org",
    "python" + "hosted",
    "npm" + "js.",
    "crates" + ".io",
    "deb.debian" + ".org",
]
TOOLS = ["sh", "id", "cat", "cksum", "awk", "sed", "env", "make", "true", "false"]


def project() -> dict[str, Any]:
    parsed: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return parsed


def names(requirements: list[str]) -> set[str]:
    found = {re.split(r"[\[<>=]", requirement)[0] for requirement in requirements}
    return found - {"balint"}


def pinned(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def _executable(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o755)


def make(target: str, folder: Path, tools: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """`make TARGET` in a folder that holds only the Makefile, with only these programs to find."""
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    programs = folder / "programs"
    programs.mkdir()
    for name in set(TOOLS) - set(tools):
        (programs / name).symlink_to(str(shutil.which(name)))
    for name, text in tools.items():
        # Created, never written through: a link here leads to the system's own program.
        with open(programs / name, "x", opener=_executable) as program:
            program.write(text)
    return subprocess.run(
        ["make", target],
        cwd=folder,
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_dependency_has_a_reason_above_it() -> None:
    lines = [line.strip() for line in (ROOT / "pyproject.toml").read_text().splitlines()]
    required = {
        requirement
        for group in [project()["dependencies"], *project()["optional-dependencies"].values()]
        for requirement in group
    }
    stated = [i for i, line in enumerate(lines) if line.strip('",') in required]
    assert len(stated) == len(required)
    reasonless = [
        lines[i] for i in stated if not re.match(r'#|"', lines[i - 1]) and "balint[" not in lines[i]
    ]
    assert reasonless == []


@pytest.mark.parametrize("lock", ["base", "embedded", "dev"])
def test_a_lock_pins_what_is_asked_for_with_hashes_and_without_an_address(lock: str) -> None:
    extras = project()["optional-dependencies"]
    asked = names(project()["dependencies"])
    asked |= names(extras["embedded"]) if lock != "base" else set()
    asked |= names(extras["dev"]) if lock == "dev" else set()
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    assert asked - set(pinned(lock)) == set()
    assert text.count("--hash=sha256:") >= len(pinned(lock))
    assert "://" not in text


def test_the_three_locks_agree() -> None:
    dev = pinned("dev")
    for lock in ("base", "embedded"):
        assert {name: dev[name] for name in pinned(lock)} == pinned(lock)


def test_no_file_names_a_registry() -> None:
    named = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.is_file() and any(host.encode() in path.read_bytes() for host in REGISTRIES)
    ]
    assert named == []


def test_without_a_python_that_is_new_enough_make_says_which_one_it_needs(tmp_path: Path) -> None:
    done = make("run", tmp_path, {"python3": "#!/bin/sh\nexit 1\n"})
    assert done.returncode == 2
    assert done.stdout == (
        "Balint needs Python 3.11 or newer, and found none. Please install it.\n"
    )


def test_without_chromium_the_one_command_to_type_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "apt-get").touch(mode=0o755)
    monkeypatch.setattr(chromium, "NAMES", ("chromium",))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    assert chromium.path() is None
    sudo = "" if os.geteuid() == 0 else "sudo "
    assert chromium.how_to_get_it() == f"{sudo}apt-get install -y chromium"
    (tmp_path / "chromium").touch(mode=0o755)
    assert chromium.path() == str(tmp_path / "chromium")


def test_ci_runs_what_a_person_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text().rstrip().endswith("exec make test")
