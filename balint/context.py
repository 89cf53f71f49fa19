"""What every page's head needs: where one can go, and which hat one wears."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from groups.policy import memberships_of, programmes_of
from members.identity import OFFICE

Item = tuple[str, str, bool]


def site(request: HttpRequest) -> dict[str, Any]:
    """Navigation and hats; nothing for whoever is not signed in. Two queries."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or request.path.endswith(".ics"):
        return {}
    now = timezone.now()
    offices = list(programmes_of(user, now))
    inside = memberships_of(user, now).exists()
    office = request.path.startswith(OFFICE) or (bool(offices) and not inside)
    return {
        "nav": _office_nav(request, offices) if office else _group_nav(request),
        "hats": _hats(office, offices) if offices and inside else [],
        "office": office,
    }


def _group_nav(request: HttpRequest) -> list[Item]:
    pages = [
        (_("Next meeting"), "/"),
        (_("Calendar"), reverse("calendar")),
        (_("Groups"), reverse("groups")),
    ]
    return [(label, url, _is_current(request.path, url)) for label, url in pages]


def _office_nav(request: HttpRequest, offices: list[Any]) -> list[Item]:
    pages = [(_("Overview"), "/")]
    pages += [
        (str(row.programme), reverse("programme", args=[row.programme_id])) for row in offices
    ]
    return [(label, url, _is_current(request.path, url)) for label, url in pages]


def _hats(office: bool, offices: list[Any]) -> list[Item]:
    first = reverse("programme", args=[offices[0].programme_id])
    return [(_("in my groups"), "/", not office), (_("office"), first, office)]


def _is_current(path: str, url: str) -> bool:
    return path == url if url == "/" else path.startswith(url)
