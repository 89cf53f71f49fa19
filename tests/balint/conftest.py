"""A browser for what can only be seen: no site behind it, only HTML, style sheet and scripts."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.balint.inside import Inside, furnish
from tests.world import Circle


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def inside(circle: Circle) -> Inside:
    """A circle with something of every kind in it."""
    return furnish(circle)
