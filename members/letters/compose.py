"""The words of a letter: a text template of plain paragraphs, and the same paragraphs as HTML."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from members.letters.kinds import Message


def message(subject: str, template: str, words: Mapping[str, Any]) -> Message:
    """A message from `templates/letters/<template>.txt`; paragraphs are parted by empty lines.

    The HTML is made of the text, so that neither says what the other leaves out.
    """
    text = render_to_string(f"letters/{template}.txt", dict(words))
    paragraphs = [_lines(part) for part in text.split("\n\n") if part.strip()]
    marked = [[(line, _is_link(line)) for line in lines] for lines in paragraphs]
    return Message(
        subject=subject,
        text="\n\n".join("\n".join(lines) for lines in paragraphs) + "\n",
        html=render_to_string("letters/letter.html", {"paragraphs": marked}),
    )


def page(name: str, *arguments: Any) -> str:
    """The address of a page of this site, the only kind of link a letter has."""
    return settings.SITE_URL + reverse(name, args=arguments)


def _lines(paragraph: str) -> list[str]:
    return [line.strip() for line in paragraph.splitlines() if line.strip()]


def _is_link(line: str) -> bool:
    """An address of ours on a line of its own; what people typed never becomes a link."""
    return line.startswith(f"{settings.SITE_URL}/") and " " not in line
