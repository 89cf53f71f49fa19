"""The whole site with a few views that fail while a text lies open before them."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balint.settings")

from django.conf import settings

settings.ROOT_URLCONF = "tests.confidentiality.failing_urls"

from balint.asgi import application  # noqa: E402

__all__ = ["application"]
