"""The pages, as WSGI."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balint.settings")

application = get_wsgi_application()

from balint.startup import refuse_unless_safe  # noqa: E402  It wants the settings and the apps.

refuse_unless_safe()
