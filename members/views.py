"""Pages of the sign-in that allauth does not know."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from members import typed


@require_safe
def typed_again(request: HttpRequest) -> HttpResponse:
    """A form that was posted when a sign-in had run out, to be sent with one button."""
    if not request.user.is_authenticated:
        return redirect("account_login")
    kept = typed.read(request, request.user, at=timezone.now())
    if kept is None:
        return redirect("/")
    return render(request, "members/typed_again.html", {"typed": kept})
