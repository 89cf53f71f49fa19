import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from kombu.connection import Connection

from balint.embedded import Valkey


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Valkey]:
    with Valkey(tmp_path / "valkey") as server:
        yield server


def client_of(server: Valkey) -> redis.Redis:
    return redis.Redis.from_url(server.url())


def test_it_answers_on_a_private_socket_and_on_no_port(server: Valkey) -> None:
    with client_of(server) as client:
        assert client.ping() is True
        assert client.config_get("port") == {"port": "0"}
    assert server.socket is not None
    assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700


def test_it_keeps_nothing_on_disk(server: Valkey) -> None:
    with client_of(server) as client:
        client.set("word", "gone")
    server.stop()
    server.start()
    with client_of(server) as client:
        assert client.get("word") is None
    assert sorted(path.name for path in server.folder.iterdir()) == ["log", "pid", "socket"]


def test_celery_reaches_it_by_its_own_spelling(server: Valkey) -> None:
    with Connection(server.celery_url()) as connection:
        queue = connection.SimpleQueue("tick")
        queue.put("now")
        message = queue.get(timeout=2)
        message.ack()
        queue.close()
    assert message.payload == "now"


def test_a_start_ends_the_left_over_of_a_run_that_was_killed(server: Valkey) -> None:
    left_over = server.process
    assert left_over is not None
    with Valkey(server.folder) as again:
        assert left_over.wait(timeout=5) == 0
        with client_of(again) as client:
            assert client.ping() is True


def test_a_start_after_a_kill_works(server: Valkey) -> None:
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    with Valkey(server.folder) as again, client_of(again) as client:
        assert client.ping() is True


def test_a_long_path_gets_a_short_private_folder_that_goes_again(tmp_path: Path) -> None:
    with Valkey(tmp_path / ("long" * 25)) as server:
        assert server.socket is not None
        short = server.socket.parent
        assert not short.is_relative_to(server.folder)
        assert stat.S_IMODE(short.stat().st_mode) == 0o700
    assert not short.exists()
