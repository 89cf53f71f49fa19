"""Finds the strings to translate in templates, without the system's gettext tools."""

import io
from collections.abc import Collection, Iterator
from typing import Any

from babel.messages.extract import extract_python
from django.utils.translation.template import templatize


def in_template(
    file: Any, keywords: Any, comment_tags: Collection[str], options: Any
) -> Iterator[Any]:
    """What Babel asks of a way to extract: Django turns the template into calls of gettext."""
    calls = templatize(file.read().decode(), origin=getattr(file, "name", ""))
    # The template's indentation is none that Python knows.
    calls = "\n".join(line.lstrip() for line in calls.splitlines())
    yield from extract_python(io.BytesIO(calls.encode()), keywords, comment_tags, options)
