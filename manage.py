#!/usr/bin/env python
"""Balint's commands; as the owner of the tables unless the table or BALINT_LOGIN says otherwise."""

import os
import sys

from django.core.management import execute_from_command_line

# Commands that have no business with the rights of the owner.
LOGIN_OF = {"dispatch_letters": "worker", "forget due": "worker"}
LOGIN = LOGIN_OF.get(" ".join(sys.argv[1:3]), LOGIN_OF.get("".join(sys.argv[1:2]), "owner"))

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balint.settings")
os.environ.setdefault("BALINT_LOGIN", LOGIN)

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
