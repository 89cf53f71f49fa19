"""`/` by person: one address, and the page that person needs; and what a Balint group is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from groups import visible as frame
from groups.circle import Chair
from groups.gate import person
from sessions import firstpage, needs, notices

# Nobody in particular: two leaders and seven members.
DOOR = [Chair("", "", "leader" if seat in {0, 5} else "member") for seat in range(9)]


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The door for whoever is not signed in; else the next meeting, or what the office needs."""
    if not request.user.is_authenticated:
        return render(request, "sessions/home_door.html", {"chairs": DOOR})
    member, now = person(request), timezone.now()
    page = firstpage.of(member, at=now)
    if page is not None:
        news = {entry.session: entry.news_at for entry in page.news if entry.news_at}
        notices.saw_all(news, member, at=now)
        return render(request, "sessions/home.html", {"page": page})
    programmes = list(frame.programmes(member, now).order_by("name", "pk"))
    if not programmes:
        return render(request, "sessions/home_alone.html")
    context = {"programmes": programmes, "concerns": needs.of_office(member, now)}
    return render(request, "sessions/home_office.html", context)


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """What to expect as a member, at more length (S0 to S4)."""
    return render(request, "sessions/about.html")
