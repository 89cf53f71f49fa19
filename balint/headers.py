"""Headers of every answer: pages are stored nowhere and share nothing with other sites."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

# The screen of the room stays lit, and passkeys sign in. Nothing else, for us or for anybody.
OURS = ("publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock")
NOBODYS = (
    "accelerometer",
    "autoplay",
    "bluetooth",
    "browsing-topics",
    "camera",
    "clipboard-read",
    "clipboard-write",
    "compute-pressure",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "keyboard-map",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "serial",
    "storage-access",
    "usb",
    "window-management",
    "xr-spatial-tracking",
)
PERMISSIONS: Final = ", ".join(
    [f"{name}=(self)" for name in OURS] + [f"{name}=()" for name in NOBODYS]
)
# Django sets some of these too, but not on what it answers to an unknown host.
ALWAYS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


class HeadersMiddleware:
    """A page or fragment may not stay on a shared machine; static files set their own caching."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in ALWAYS.items():
            response.setdefault(name, value)
        if getattr(request, "balint_signed_out", False):
            clear_site_data(response)
        return response


def clear_site_data(response: HttpResponse) -> None:
    """Have the browser throw away what it kept of us.

    Not its cookies: that would reach every host of the hospital's domain.
    """
    response["Clear-Site-Data"] = '"cache", "storage"'


@receiver(user_logged_out)
def _remember(sender: Any, request: HttpRequest | None, **kwargs: Any) -> None:
    """Whichever page ends this browser's sign-in."""
    if request is not None:
        request.balint_signed_out = True  # type: ignore[attr-defined]
