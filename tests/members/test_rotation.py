"""Keys are rotated, shredded and proved, and everything sealed before still opens."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from members import keys
from members.envelope import NO_SCOPE, CannotOpen, KeyClass, seal, unseal
from members.models import DataKey
from tests.world import as_owner

pytestmark = pytest.mark.django_db

TITLE = "The man who never took off his coat"


@pytest.fixture(autouse=True)
def path(tmp_path: Path, settings: Any) -> Path:
    settings.BALINT_KEY_FILE = str(tmp_path / "keys.json")
    keys.create(tmp_path / "keys.json")
    return tmp_path / "keys.json"


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*words: object) -> str:
        with as_owner():
            call_command("keys", *map(str, words))
        return capsys.readouterr().out.strip()

    return run


def sealed_in_every_class() -> list[tuple[bytes, dict[str, Any]]]:
    places: list[dict[str, Any]] = [
        {
            "key_class": key_class,
            "scope": NO_SCOPE if key_class == KeyClass.SITE else uuid4(),
            "table_column": "a.b_sealed",
            "row": uuid4(),
            "version": 1,
        }
        for key_class in KeyClass
    ]
    return [(seal(TITLE, **place), place) for place in places]


def opened(sealed: list[tuple[bytes, dict[str, Any]]]) -> list[str]:
    return [unseal(blob, **place) for blob, place in sealed]


def epochs_in_use() -> list[int]:
    return sorted(DataKey.objects.values_list("epoch", flat=True))


# create


def test_create_says_where_the_file_is_and_to_copy_it(
    path: Path, command: Callable[..., str]
) -> None:
    path.unlink()
    assert command("create").startswith(f"The key file is {path}. Copy it now")
    assert keys.in_use().current == 1


def test_create_refuses_to_overwrite(command: Callable[..., str]) -> None:
    with pytest.raises(CommandError, match="It is never overwritten"):
        command("create")


def test_create_refuses_where_texts_are_sealed_already(
    path: Path, command: Callable[..., str]
) -> None:
    sealed_in_every_class()
    path.rename(path.with_name("offline"))
    with pytest.raises(CommandError, match="Put back your offline copy; a new file would open"):
        command("create")
    assert not path.exists()


# rotate


def test_after_a_rotation_everything_sealed_before_still_opens(command: Callable[..., str]) -> None:
    sealed = sealed_in_every_class()
    assert command("rotate").startswith("Epoch 2 is in use; data keys wrapped under it: 4.")
    # One more than were wrapped: that of the record, on which the rotation is put.
    assert epochs_in_use() == [2, 2, 2, 2, 2]
    assert opened(sealed) == [TITLE] * 4
    assert sorted(keys.in_use().epochs) == [1, 2]


def test_a_key_made_after_a_rotation_is_wrapped_under_the_new_epoch(
    command: Callable[..., str],
) -> None:
    command("rotate")
    sealed_in_every_class()
    assert epochs_in_use() == [2, 2, 2, 2, 2]


def test_a_rotation_that_meets_a_key_it_cannot_open_changes_nothing(
    path: Path, command: Callable[..., str]
) -> None:
    sealed_in_every_class()
    foreign = DataKey.objects.create(key_class="case", scope=uuid4(), epoch=1, wrapped=bytes(60))
    before, rows = path.read_bytes(), list(DataKey.objects.values_list("id", "wrapped"))
    with pytest.raises(CommandError, match=f"does not open key {foreign.id}"):
        command("rotate")
    assert path.read_bytes() == before
    assert sorted(DataKey.objects.values_list("id", "wrapped")) == sorted(rows)


# shred


def test_shred_refuses_the_epoch_in_use(command: Callable[..., str]) -> None:
    with pytest.raises(CommandError, match="Epoch 1 is the current one"):
        command("shred", 1)
    assert sorted(keys.in_use().epochs) == [1]


def test_shred_refuses_an_epoch_that_still_wraps_a_key(command: Callable[..., str]) -> None:
    sealed = sealed_in_every_class()
    straggler = DataKey.objects.get(key_class="case")
    command("rotate")
    with as_owner():
        straggler.save()
    with pytest.raises(CommandError, match=r"Data keys still wrapped under epoch 1: 1\. Run"):
        command("shred", 1)
    command("rotate")
    command("shred", 1)
    assert opened(sealed) == [TITLE] * 4


def test_a_shredded_epoch_opens_no_older_backup_of_the_keys(command: Callable[..., str]) -> None:
    sealed = sealed_in_every_class()
    backup = list(DataKey.objects.all())
    command("rotate")
    assert command("shred", 1).startswith("Epoch 1 is no longer in the key file.")
    assert sorted(keys.in_use().epochs) == [2]
    assert opened(sealed) == [TITLE] * 4
    with as_owner():
        DataKey.objects.bulk_update(backup, ["epoch", "wrapped"])
    keys.in_use().opened.forget()
    for blob, place in sealed:
        with pytest.raises(CannotOpen):
            unseal(blob, **place)


def test_a_key_taken_out_of_the_file_is_not_remembered(path: Path) -> None:
    sealed = sealed_in_every_class()
    assert opened(sealed) == [TITLE] * 4
    path.unlink()
    keys.create(path)
    for blob, place in sealed:
        with pytest.raises(CannotOpen):
            unseal(blob, **place)


# prove


@pytest.fixture
def copy(path: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(path, tmp_path / "copy.json"))


def test_prove_says_that_a_good_copy_opens_everything(
    copy: Path, command: Callable[..., str]
) -> None:
    sealed_in_every_class()
    assert command("prove", copy) == (
        f"The copy {copy} opens a test blob of every epoch (1) "
        "and every data key in the database (4)."
    )


def test_prove_works_before_anything_was_sealed(copy: Path, command: Callable[..., str]) -> None:
    assert "every data key in the database (0)" in command("prove", copy)


def test_prove_notices_the_key_file_of_another_installation(
    tmp_path: Path, command: Callable[..., str]
) -> None:
    keys.create(tmp_path / "other.json")
    with pytest.raises(CommandError, match="does not open what epoch 1 sealed"):
        command("prove", tmp_path / "other.json")


def test_prove_notices_a_copy_from_before_a_rotation(
    copy: Path, command: Callable[..., str]
) -> None:
    sealed_in_every_class()
    command("rotate")
    with pytest.raises(CommandError, match="does not open what epoch 2 sealed"):
        command("prove", copy)


def test_prove_counts_the_data_keys_that_a_copy_does_not_open(
    copy: Path, command: Callable[..., str]
) -> None:
    sealed_in_every_class()
    DataKey.objects.create(key_class="case", scope=uuid4(), epoch=1, wrapped=bytes(60))
    with pytest.raises(CommandError, match="The copy does not open 1 of 5 data keys"):
        command("prove", copy)


def test_prove_takes_no_file_for_a_copy_of_itself(
    path: Path, tmp_path: Path, command: Callable[..., str]
) -> None:
    (tmp_path / "link.json").symlink_to(path)
    for same in (path, tmp_path / "link.json"):
        with pytest.raises(CommandError, match="is the key file in use, not a copy of it"):
            command("prove", same)


def test_prove_tells_of_a_copy_that_still_holds_what_was_shredded(
    path: Path, tmp_path: Path, command: Callable[..., str]
) -> None:
    command("rotate")
    copy = Path(shutil.copy(path, tmp_path / "copy.json"))
    command("shred", 1)
    assert command("prove", copy).endswith(
        "It still holds what was shredded (1): make a new copy, destroy this."
    )


def test_prove_reads_a_copy_on_a_stick_that_knows_no_access_rights(
    copy: Path, command: Callable[..., str]
) -> None:
    copy.chmod(0o777)
    assert "opens a test blob" in command("prove", copy)


def test_prove_names_a_missing_or_damaged_copy(
    path: Path, tmp_path: Path, command: Callable[..., str]
) -> None:
    with pytest.raises(CommandError, match=r"nothing\.json cannot be read: No such file"):
        command("prove", tmp_path / "nothing.json")
    (tmp_path / "cut.json").write_bytes(path.read_bytes()[:40])
    with pytest.raises(CommandError, match=r"cut\.json is damaged"):
        command("prove", tmp_path / "cut.json")
