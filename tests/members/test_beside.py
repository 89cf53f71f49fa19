"""What lies beside the key file: whole or not at all, for one account alone, never going back."""

import os
import stat
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from uuid import UUID, uuid4

import pytest

from members import beside
from members.beside import BesideError, Stone

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVER = datetime(2000, 1, 1, tzinfo=UTC)
CHAIN, OTHER = uuid4(), uuid4()


@pytest.fixture(autouse=True)
def folder(tmp_path, settings):
    settings.BALINT_KEY_FILE = str(tmp_path / "keys.json")
    (tmp_path / "keys.json").write_text("{}")
    return tmp_path


def stone(days=0, kind="case", subject=None):
    return Stone(NOON + timedelta(days=days), kind, subject or uuid4())


def test_before_anything_was_erased_there_is_no_file_and_nothing_in_it(folder):
    assert beside.stones_kept() == []
    assert beside.heads_kept() == {}
    assert beside.keep_stones([], made_after=EVER) == 0
    assert [path.name for path in folder.iterdir()] == ["keys.json"]


def test_tombstones_are_kept_in_the_order_of_time_each_once():
    late, early = stone(2), stone(1, "person")
    assert beside.keep_stones([late, early], made_after=EVER) == 2
    assert beside.keep_stones([early], made_after=EVER) == 0
    assert beside.stones_kept() == [early, late]


def test_of_something_erased_again_after_a_restore_the_last_time_counts():
    subject = uuid4()
    first, again = stone(1, subject=subject), stone(9, subject=subject)
    beside.keep_stones([again], made_after=EVER)
    beside.keep_stones([first], made_after=EVER)
    assert beside.stones_kept() == [again]


def test_tombstones_older_than_they_need_be_are_dropped():
    old, young = stone(0), stone(30)
    beside.keep_stones([old, young], made_after=EVER)
    assert beside.keep_stones([], made_after=NOON + timedelta(days=1)) == 0
    assert beside.stones_kept() == [young]


def test_heads_of_several_chains_are_kept_side_by_side():
    beside.keep_heads({CHAIN: (3, b"three")})
    beside.keep_heads({OTHER: (1, b"\x00\xff")})
    assert beside.heads_kept() == {CHAIN: (3, b"three"), OTHER: (1, b"\x00\xff")}


def test_a_head_goes_forward_and_never_back():
    beside.keep_heads({CHAIN: (3, b"three")})
    beside.keep_heads({CHAIN: (2, b"two")})
    beside.keep_heads({CHAIN: (3, b"another three")})
    assert beside.heads_kept() == {CHAIN: (3, b"three")}
    beside.keep_heads({CHAIN: (4, b"four")})
    assert beside.heads_kept() == {CHAIN: (4, b"four")}


def test_only_the_account_itself_may_read_what_was_written(folder):
    before = os.umask(0)
    try:
        beside.keep_stones([stone()], made_after=EVER)
        beside.keep_heads({CHAIN: (1, b"one")})
    finally:
        os.umask(before)
    modes = {name: stat.S_IMODE((folder / name).stat().st_mode) for name in beside.names()}
    assert modes == {"tombstones.jsonl": 0o600, "audit-heads.json": 0o600}


def test_they_belong_to_whoever_owns_the_key_file_also_if_root_writes_them(folder):
    owner = 65534 if os.geteuid() == 0 else os.geteuid()
    os.chown(folder / "keys.json", owner, -1)
    beside.keep_stones([stone()], made_after=EVER)
    assert (folder / "tombstones.jsonl").stat().st_uid == owner


def test_a_write_that_fails_leaves_the_old_file_and_no_other(folder, monkeypatch):
    first = stone()
    beside.keep_stones([first], made_after=EVER)

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BesideError, match="No space left on device"):
        beside.keep_stones([stone(1)], made_after=EVER)
    assert beside.stones_kept() == [first]
    assert sorted(path.name for path in folder.iterdir()) == ["keys.json", "tombstones.jsonl"]


def _keep(key_file, subjects):
    from django.conf import settings

    settings.BALINT_KEY_FILE = key_file
    for subject in subjects:
        beside.keep_stones([Stone(NOON, "case", UUID(subject))], made_after=EVER)


def test_processes_that_write_at_once_lose_nothing(folder):
    subjects = [[str(uuid4()) for _ in range(20)] for _ in range(4)]
    fork = get_context("fork")
    writers = [
        fork.Process(target=_keep, args=(str(folder / "keys.json"), mine)) for mine in subjects
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    kept = {str(stone.subject) for stone in beside.stones_kept()}
    assert kept == {subject for mine in subjects for subject in mine}


@pytest.mark.parametrize("name", ["tombstones.jsonl", "audit-heads.json"])
def test_a_file_that_others_may_read_is_refused_with_the_command_to_type(folder, name):
    path = folder / name
    path.write_text("")
    path.chmod(0o640)
    with pytest.raises(BesideError, match=f"chmod 600 {path}"):
        beside.stones_kept() if name.startswith("tomb") else beside.heads_kept()


@pytest.mark.parametrize(
    "damage",
    [
        "{",
        "[]",
        '{"kind": "case"}',
        '{"kind": "case", "subject": "x", "made_at": "2026-03-01T12:00:00+00:00"}',
        '{"kind": "case", "subject": "%s", "made_at": "2026-03-01T12:00:00"}',
    ],
)
def test_a_damaged_list_of_tombstones_says_so_and_is_left_as_it_is(folder, damage):
    path = folder / "tombstones.jsonl"
    damage = damage.replace("%s", str(CHAIN))
    path.write_text(damage)
    path.chmod(0o600)
    with pytest.raises(BesideError, match="is damaged"):
        beside.keep_stones([stone()], made_after=EVER)
    assert path.read_text() == damage


@pytest.mark.parametrize("damage", ["{", "[]", '{"x": [1, "AA=="]}', '{"%s": ["1", ""]}'])
def test_damaged_heads_say_so(folder, damage):
    path = folder / "audit-heads.json"
    path.write_text(damage.replace("%s", str(CHAIN)))
    path.chmod(0o600)
    with pytest.raises(BesideError, match="are damaged"):
        beside.keep_heads({CHAIN: (1, b"one")})


def test_without_the_folder_the_sentence_names_the_setting(settings, tmp_path):
    settings.BALINT_KEY_FILE = str(tmp_path / "away" / "keys.json")
    for attempt in (
        beside.stones_kept,
        beside.heads_kept,
        lambda: beside.keep_stones([stone()], made_after=EVER),
        lambda: beside.keep_heads({CHAIN: (1, b"one")}),
    ):
        with pytest.raises(BesideError, match="BALINT_KEY_FILE"):
            attempt()
