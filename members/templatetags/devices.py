"""Names a browser the way its owner would, in the list of signed-in devices."""

from django import template
from django.utils.translation import gettext as _

register = template.Library()

# The first that occurs wins: Edge also says Chrome, Chrome also Safari, Android also Linux.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "CrOS": "Chromebook",
    "Linux": "Linux",
}


@register.filter
def device(user_agent: str) -> str:
    """“Firefox, Windows” instead of a browser's own long name; “unknown” if we do not know it."""
    known = [first_named(user_agent, BROWSERS), first_named(user_agent, SYSTEMS)]
    return ", ".join(name for name in known if name) or _("unknown")


def first_named(user_agent: str, names: dict[str, str]) -> str:
    return next((name for mark, name in names.items() if mark in user_agent), "")
