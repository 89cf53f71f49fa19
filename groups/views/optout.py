"""The page behind a letter's List-Unsubscribe."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from groups import optout
from groups.optout import Reader
from members import limits
from members.identity import become


# Mail programs post here by themselves, and no cookie is read or set that could be misused.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Reading asks, posting does it; nobody has to be signed in."""
    reader = optout.read(token)
    if reader is None:
        return HttpResponse(render_to_string("groups/unsubscribe_wrong.html"), status=404)
    if request.method != "POST":
        return _page(reader)
    if not limits.take(request, "by_mail", key=token):
        return limits.refuse(request, limits.wait(request, "by_mail", key=token))
    become(reader.member)
    optout.stop(reader, at=timezone.now())
    return _page(reader, done=True)


def _page(reader: Reader, *, done: bool = False) -> HttpResponse:
    language = reader.member.language if reader.member else translation.get_language()
    with translation.override(language):
        names = [group.name_outside for group in reader.groups]
        page = render_to_string("groups/unsubscribe.html", {"groups": names, "done": done})
    return HttpResponse(page)
