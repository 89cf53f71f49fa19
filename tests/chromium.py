"""The system's Chromium for the browser tests; `python -m tests.chromium` says if it is missing."""

import os
import shutil
import sys

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
WAYS = {
    "apt-get": "apt-get install -y chromium",
    "dnf": "dnf install -y chromium",
    "pacman": "pacman -S --noconfirm chromium",
}


def path() -> str | None:
    """CHROMIUM from the environment, or the first one found."""
    names = [os.environ.get("CHROMIUM", ""), *NAMES]
    return next((found for name in names if name and (found := shutil.which(name))), None)


def how_to_get_it() -> str:
    """The one command to type on this system."""
    for tool, command in WAYS.items():
        if shutil.which(tool):
            return command if os.geteuid() == 0 else f"sudo {command}"
    return "brew install --cask chromium"


if __name__ == "__main__" and path() is None:
    sys.exit(f"The browser tests need Chromium. Please type:\n  {how_to_get_it()}")
