import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from balint.embedded.instance import AlreadyRunning, Instance
from balint.embedded.places import CannotStart


@pytest.fixture
def taken(tmp_path: Path) -> Iterator[Instance]:
    """As a killed run leaves it, but for the lock: with its records."""
    instance = Instance(tmp_path)
    instance.take("http://127.0.0.1:8000")
    yield instance
    instance.release()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_a_second_run_from_one_folder_is_told_where_the_first_answers(
    taken: Instance, tmp_path: Path
) -> None:
    with pytest.raises(AlreadyRunning, match="at http://127.0.0.1:8000"):
        Instance(tmp_path).take("http://127.0.0.1:8001")


def test_two_folders_do_not_know_each_other(taken: Instance, tmp_path: Path) -> None:
    other = Instance(tmp_path / "other")
    other.take("http://127.0.0.1:8001")
    other.release()


def test_a_left_over_of_a_killed_run_is_ended(
    taken: Instance, tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    taken.record({"web": sleeper.pid})
    Instance(tmp_path).end_left_overs()
    assert sleeper.wait(timeout=5) < 0


def test_a_process_that_only_got_the_same_id_is_left_alone(
    taken: Instance, tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    taken.record({"web": sleeper.pid})
    file = tmp_path / "run" / "children.json"
    record = json.loads(file.read_text())
    record["web"]["fingerprint"] = "of an earlier process"
    file.write_text(json.dumps(record))
    Instance(tmp_path).end_left_overs()
    assert sleeper.poll() is None


def test_the_records_are_ours_alone_and_gone_after_an_orderly_stop(
    taken: Instance, tmp_path: Path
) -> None:
    taken.record({"web": os.getpid()})
    taken.keep_environment({"SECRET_KEY": "x"})
    files = sorted((tmp_path / "run").glob("*.json"))
    assert [file.name for file in files] == ["children.json", "environment.json", "supervisor.json"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert Instance(tmp_path).environment() == {"SECRET_KEY": "x"}
    taken.release()
    assert list((tmp_path / "run").glob("*.json")) == []
    with pytest.raises(CannotStart, match="make run"):
        taken.environment()


def test_a_killed_run_leaves_no_lock_behind(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, signal, sys; from balint.embedded.instance import Instance;"
        "Instance(pathlib.Path(sys.argv[1])).take(''); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], check=False)
    assert done.returncode == -9
    again = Instance(tmp_path)
    again.take("http://127.0.0.1:8000")
    again.release()
