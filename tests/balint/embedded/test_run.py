"""The supervisor as a process: `python -m balint.embedded` on the suite's database server."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from balint.embedded import processes
from tests import servers

MODULE = [sys.executable, "-m", "balint.embedded"]


@dataclass
class Run:
    """A supervisor, what it printed, and the environment it was given."""

    process: subprocess.Popen[str]
    output: Path
    environ: dict[str, str]

    @property
    def printed(self) -> str:
        return self.output.read_text()

    @property
    def port(self) -> int:
        return int(self.environ["PORT"])

    @property
    def var(self) -> Path:
        return Path(self.environ["BALINT_VAR"])

    def child(self, name: str) -> int:
        log = (self.var / "run" / "children.json").read_text()
        found = re.search(rf'"{name}": {{"pid": (\d+)', log)
        assert found, log
        return int(found[1])

    def everything(self) -> list[int]:
        """The ids of the supervisor and all it started."""
        supervisor = psutil.Process(self.process.pid)
        return [process.pid for process in [supervisor, *supervisor.children(recursive=True)]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def get(port: int, path: str, host: str = "127.0.0.1") -> int:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def start(environ: dict[str, str], output: Path) -> Run:
    with open(output, "w") as out:
        process = subprocess.Popen(
            MODULE, env=environ, stdout=out, stderr=out, text=True, cwd=servers.ROOT
        )
    run = Run(process, output, environ)
    announced = processes.wait_for(
        lambda: "Balint is running at" in run.printed or process.poll() is not None, seconds=90
    )
    assert announced, run.printed
    return run


def finish(run: Run) -> None:
    if run.process.poll() is None:
        run.process.terminate()
        run.process.wait(timeout=15)


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[dict[str, str]]:
    name = servers.clone(f"run_{worker_id}")
    var = tmp_path_factory.mktemp("var")
    known = servers.environment(name, BALINT_MODE="local", BALINT_VAR=str(var))
    del known["REDIS_URL"]
    yield known
    servers.drop(name)


@pytest.fixture
def run(environ: dict[str, str], tmp_path: Path) -> Iterator[Run]:
    run = start(environ | {"PORT": str(free_port())}, tmp_path / "output")
    yield run
    finish(run)


def ask(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MODULE, *arguments],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=servers.ROOT,
        check=False,
    )


def test_it_says_where_it_runs_answers_there_and_stops_everything_within_ten_seconds(
    run: Run,
) -> None:
    lines = run.printed.splitlines()
    assert f"Balint is running at http://127.0.0.1:{run.port}" in lines
    assert "balint-demo" not in run.printed  # The person's own database has no demo.
    assert get(run.port, "/healthz") == 200
    assert get(run.port, "/healthz", "localhost") == 200

    second = ask(run.environ)
    assert second.returncode == 1
    assert f"already running from this folder at http://127.0.0.1:{run.port}" in second.stderr

    migrations = ask(run.environ, "manage", "migrate", "--check")
    assert migrations.returncode == 0, migrations.stderr

    family = run.everything()
    assert len(family) >= 7  # Supervisor, Valkey, web twice, worker three times, beat.
    begun = time.monotonic()
    run.process.send_signal(signal.SIGTERM)
    assert run.process.wait(timeout=15) == 0
    assert time.monotonic() - begun < 10
    assert [pid for pid in family if processes.command_of(pid)] == []
    assert run.printed.endswith("Stopping … stopped.\n")


def test_when_one_process_dies_it_is_named_with_its_log_and_all_stop(run: Run) -> None:
    family = run.everything()
    os.kill(run.child("worker"), signal.SIGKILL)
    assert run.process.wait(timeout=15) == 1
    assert "worker stopped by itself, so everything stops." in run.printed
    assert " ready." in run.printed
    assert [pid for pid in family if processes.command_of(pid)] == []


def test_after_a_kill_the_next_start_works(run: Run, tmp_path: Path) -> None:
    family = run.everything()
    run.process.kill()
    run.process.wait()
    again = start(run.environ, tmp_path / "again")
    try:
        assert get(again.port, "/healthz") == 200
        assert [pid for pid in family if processes.command_of(pid)] == []
        assert ask(again.environ, "stop").returncode == 0
        assert again.process.wait(timeout=1) == 0
    finally:
        finish(again)


def test_a_word_it_does_not_know_gets_the_words_it_knows(environ: dict[str, str]) -> None:
    done = ask(environ, "dance")
    assert (done.returncode, done.stderr) == (
        1,
        "Usage: python -m balint.embedded [run|stop|clean|manage COMMAND …]\n",
    )
