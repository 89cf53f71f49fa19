"""The clock and the worker, with the worker's own login; the web never enqueues.

`celery -A balint worker` and `celery -A balint beat` find this module by themselves.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balint.settings")
os.environ.setdefault("BALINT_LOGIN", "worker")

app = Celery("balint")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
