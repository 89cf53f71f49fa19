import socket
from pathlib import Path

import pytest

from balint.embedded import children, environment, postgres, supervisor, valkey
from balint.embedded.__main__ import main
from balint.embedded.places import CannotStart

THREE = dict.fromkeys(environment.LOGINS, "postgresql://somewhere/balint")


def test_the_port_is_8000_unless_set() -> None:
    assert environment.port_from({}) == 8000
    assert environment.port_from({"PORT": "8123"}) == 8123


@pytest.mark.parametrize("text", ["", "0", "65536", "eighty", "-1", "²"])
def test_a_port_that_is_none_is_named(text: str) -> None:
    with pytest.raises(CannotStart, match="PORT must be a number from 1 to 65535"):
        environment.port_from({"PORT": text})


def loopbacks() -> list[tuple[str, socket.AddressFamily]]:
    """This machine's own: not every one has the second."""
    second = ("::1", socket.AF_INET6)
    try:
        socket.create_server((second[0], 0), family=second[1]).close()
    except OSError:
        return [("127.0.0.1", socket.AF_INET)]
    return [("127.0.0.1", socket.AF_INET), second]


@pytest.mark.parametrize(("host", "family"), loopbacks())
def test_a_port_taken_by_another_program_is_named_with_a_way_out(
    host: str, family: socket.AddressFamily
) -> None:
    with socket.create_server((host, 0), family=family) as other:
        port = other.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} cannot be used .*make run"):
            supervisor.refuse_taken(port)


def test_with_all_three_logins_nothing_is_embedded() -> None:
    assert environment.brings_a_database(THREE) is True
    assert environment.brings_a_database({}) is False


@pytest.mark.parametrize("name", environment.LOGINS)
def test_with_one_login_the_others_are_asked_for(name: str) -> None:
    others = [other for other in environment.LOGINS if other != name]
    with pytest.raises(CannotStart, match=f"{' and '.join(others)} must be set too"):
        environment.brings_a_database({name: THREE[name]})


def test_secrets_are_made_once_and_ours_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    environment.prepare_var(tmp_path)
    first = environment.local_environment(tmp_path, 8000, {}, demo=True)
    again = environment.local_environment(tmp_path, 8000, {}, demo=True)
    assert first["SECRET_KEY"] == again["SECRET_KEY"]
    assert len(first["SECRET_KEY"]) >= 50
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_each_process_picks_its_own_login_and_what_the_person_set_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BALINT_LOGIN", "owner")
    monkeypatch.setenv("EMAIL_URL", "smtp://127.0.0.1:2525")
    monkeypatch.setenv("BALINT_DEMO", "1")
    environment.prepare_var(tmp_path)
    known = environment.local_environment(tmp_path, 8123, {"REDIS_URL": "unix:///x"}, demo=False)
    assert "BALINT_LOGIN" not in known
    assert known["EMAIL_URL"] == "smtp://127.0.0.1:2525"
    assert known["SITE_URL"] == "http://127.0.0.1:8123"
    assert known["REDIS_URL"] == "unix:///x"
    assert known["BALINT_DEMO"] == "0"


def test_a_folder_that_holds_something_else_is_neither_used_nor_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "syslog").touch()
    with pytest.raises(CannotStart, match="holds something else"):
        environment.prepare_var(tmp_path)
    monkeypatch.setenv("BALINT_VAR", str(tmp_path))
    assert main(["clean"]) == 0
    assert (tmp_path / "log" / "syslog").exists()


def test_a_folder_of_ours_goes_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    var = tmp_path / "var"
    monkeypatch.setenv("BALINT_VAR", str(var))
    environment.prepare_var(var)
    environment.secret_key(var)
    assert main(["clean"]) == 0
    assert not var.exists()


def test_even_when_nothing_stops_by_itself_everything_has_ended_within_ten_seconds(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    ours = [children.web(log, 8000), children.worker(log), children.beat(log, tmp_path / "beat")]
    ladders = [*(child.ladder for child in ours), valkey.STOP, postgres.STOP]
    assert sum(seconds for ladder in ladders for _signal, seconds in ladder) < 10
