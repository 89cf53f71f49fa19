"""Loaded before the settings: the suite runs in test mode, in no time zone of this machine."""

import os

os.environ["BALINT_MODE"] = "test"
os.environ["BALINT_LOGIN"] = "app"
