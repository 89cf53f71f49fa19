"""The clock and the worker, with the worker's own login; the web never enqueues.

`celery -A balint worker` and `celery -A balint beat` find this module by themselves.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init
from django.apps import apps
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balint.settings")
os.environ.setdefault("BALINT_LOGIN", "worker")

app = Celery("balint")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
@beat_init.connect
def refuse_unless_safe(**kwargs: Any) -> None:
    """Worker and clock do not start either on what is not safe."""
    # Not django.setup(): it would turn the clock's log, which Celery has set up, into silence.
    apps.populate(settings.INSTALLED_APPS)
    from balint import startup

    startup.refuse_unless_safe()
