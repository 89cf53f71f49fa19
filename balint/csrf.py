"""Forms under `Referrer-Policy: no-referrer`, which makes browsers send them with `Origin: null`.

A hidden origin alone proves nothing: a sandboxed frame of any site sends the same. What proves it
is `Sec-Fetch-Site: same-origin`, which browsers set themselves and no page can, over TLS and on
this machine. The token is checked after it as ever.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class HiddenOriginMiddleware:
    """Names our own origin where the browser vouches for it, just before Django asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if hides_origin(request) and request.headers.get("Sec-Fetch-Site") == "same-origin":
            request.META["HTTP_ORIGIN"] = f"{request.scheme}://{request.get_host()}"
        return self.get_response(request)


def hides_origin(request: HttpRequest) -> bool:
    """Whether the form came without saying from where; after the above: and without a voucher."""
    # Not request.headers, which remembers what stood here first.
    return request.META.get("HTTP_ORIGIN") == "null"
