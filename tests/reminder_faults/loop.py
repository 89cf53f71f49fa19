"""`manage.py dispatch_letters --loop` with the same places to die at."""

import django

if __name__ == "__main__":
    django.setup()
    from django.core.management import call_command

    from tests.reminder_faults import points

    points.install()
    call_command("dispatch_letters", "--loop")
