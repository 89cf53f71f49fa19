"""The key file stays closed, whole and outside the database."""

import base64
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from members import keys
from members.keys import KeyFile, KeyFileError


@pytest.fixture
def path(tmp_path: Path, settings: Any) -> Path:
    settings.BALINT_KEY_FILE = str(tmp_path / "closed" / "keys.json")
    return tmp_path / "closed" / "keys.json"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_beside(path: Path) -> list[str]:
    return sorted(found.name for found in path.parent.iterdir())


def test_a_new_file_holds_one_epoch_and_only_its_owner_may_read_it(path: Path) -> None:
    keys.create(path)
    content = json.loads(path.read_text())
    assert content["current"] == 1
    assert [len(base64.b64decode(key)) for key in content["epochs"].values()] == [32]
    assert (mode(path), mode(path.parent)) == (0o400, 0o700)
    assert names_beside(path) == ["keys.json"]


def test_two_new_files_share_no_key(tmp_path: Path) -> None:
    one, other = keys.create(tmp_path / "one"), keys.create(tmp_path / "other")
    assert one.epochs[1] != other.epochs[1]


def test_an_existing_file_is_never_overwritten(path: Path) -> None:
    keys.create(path)
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match=r"already\. It is never overwritten"):
        keys.create(path)
    assert path.read_bytes() == before
    assert names_beside(path) == ["keys.json"]


@pytest.mark.parametrize("open_mode", [0o440, 0o404, 0o644, 0o640, 0o420, 0o401])
def test_a_file_open_to_others_is_refused_with_what_to_do(path: Path, open_mode: int) -> None:
    keys.create(path)
    path.chmod(open_mode)
    with pytest.raises(KeyFileError, match=f"Run “chmod 400 {path}”"):
        keys.in_use()


def test_a_file_opened_to_others_while_the_site_runs_is_refused_from_then_on(path: Path) -> None:
    keys.create(path)
    keys.in_use()
    path.chmod(0o444)
    with pytest.raises(KeyFileError, match="Other users of this machine may read"):
        keys.in_use()


def test_a_missing_file_is_named_with_what_to_do(path: Path) -> None:
    with pytest.raises(KeyFileError, match=f"There is no key file at {path}. On a new"):
        keys.in_use()


GOOD_KEY = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not json",
        "[]",
        "{}",
        json.dumps({"epochs": {}, "current": 1}),
        json.dumps({"epochs": {"1": GOOD_KEY}, "current": 2}),
        json.dumps({"epochs": {"1": GOOD_KEY}, "current": "1"}),
        json.dumps({"epochs": {"1": GOOD_KEY[:-4]}, "current": 1}),
        json.dumps({"epochs": {"1": "ü" + GOOD_KEY}, "current": 1}),
        json.dumps({"epochs": {"one": GOOD_KEY}, "current": 1}),
        json.dumps({"epochs": {"1": 5}, "current": 1}),
        json.dumps({"epochs": {"1": GOOD_KEY}, "current": [1]}),
    ],
)
def test_a_damaged_file_is_refused_without_repeating_it(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    path.chmod(0o400)
    with pytest.raises(KeyFileError) as refusal:
        keys.in_use()
    assert str(refusal.value) == (
        f"The key file {path} is damaged. Put back your offline copy of it."
    )
    assert refusal.value.__suppress_context__


def test_the_file_is_read_once_and_again_only_when_it_changed(path: Path) -> None:
    keys.create(path)
    first = keys.in_use()
    assert keys.in_use() is first
    keys.replace(path, first.with_new_epoch())
    assert keys.in_use() is not first
    assert keys.in_use().current == 2


def test_a_replaced_file_keeps_its_mode_and_owner(path: Path) -> None:
    keys.create(path)
    # Root rotates, the site's account reads; without root there is only one account to keep.
    owner = 65534 if os.geteuid() == 0 else os.geteuid()
    os.chown(path, owner, -1)
    keys.replace(path, keys.in_use().with_new_epoch())
    assert (mode(path), path.stat().st_uid) == (0o400, owner)
    assert names_beside(path) == ["keys.json"]


def test_a_full_disk_leaves_the_old_file_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.create(path)
    before = path.read_bytes()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyFileError, match="cannot be used: No space left on device"):
        keys.replace(path, keys.in_use().with_new_epoch())
    assert path.read_bytes() == before
    assert names_beside(path) == ["keys.json"]


def test_an_epoch_is_added_after_the_highest_and_taken_out_only_when_not_current() -> None:
    two = KeyFile(current=0, epochs={}).with_new_epoch().with_new_epoch()
    assert (two.current, sorted(two.epochs)) == (2, [1, 2])
    assert sorted(two.without(1).epochs) == [2]
    assert two.without(1).with_new_epoch().current == 3
    with pytest.raises(KeyFileError, match="Epoch 2 is the current one"):
        two.without(2)
    with pytest.raises(KeyFileError, match="has no epoch 7: nothing was changed"):
        two.without(7)


def test_a_key_file_shows_no_key_when_printed(path: Path) -> None:
    key_file = keys.create(path)
    assert repr(key_file) == "KeyFile(current=1)"
