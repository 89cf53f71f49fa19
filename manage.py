#!/usr/bin/env python
"""Balint's commands; as the owner of the tables unless BALINT_LOGIN names another login."""

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balint.settings")
os.environ.setdefault("BALINT_LOGIN", "owner")

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
