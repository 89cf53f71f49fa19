"""How the web process is started: the same words everywhere."""

import re
import resource
import subprocess
import sys

import pytest

from balint import serve
from balint.asgi import PAGE_THREADS, STREAM_THREADS
from balint.settings import BASE_DIR
from tests.servers import ROOT


def test_streams_and_pages_fit_beside_each_other():
    from balint.live.streams import MOST

    assert MOST + 1_000 < serve.BACKPRESSURE < serve.FILES
    text = (BASE_DIR / "balint" / "settings.py").read_text()
    pool = re.search(r'"DATABASE_POOL", (\d+)', text)
    assert pool
    # And one for the question every few seconds.
    assert int(pool[1]) == PAGE_THREADS + STREAM_THREADS + 1


def test_the_site_is_served_unless_something_else_is_named():
    assert serve.command(["--host", "::1"])[-1] == "balint.asgi:application"
    assert serve.command(["bench.bare:application"])[-1] == "bench.bare:application"
    assert serve.command([])[1:3] == ["-m", "granian"]


@pytest.mark.parametrize("file", ["Dockerfile", "docker-compose.yml"])
def test_containers_start_it_so_too(file):
    assert "balint.serve" in (ROOT / file).read_text()


def test_nobody_names_the_server_but_the_one_place():
    named = [
        path.relative_to(ROOT)
        for folder in ("balint", "bench", "docker", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r'"-m", "granian"|"granian", "--', path.read_text())
    ]
    assert {str(path) for path in named} == {"balint/serve.py", "tests/balint/test_serve.py"}


def test_it_takes_as_many_files_as_it_may():
    code = (
        "import resource\nfrom balint import serve\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))\nserve.allow_files()\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert int(said.stdout) == (
        serve.FILES if hard == resource.RLIM_INFINITY else min(serve.FILES, hard)
    )
