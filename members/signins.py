"""Each sign-in, refusal and sign-out, for the operator's log: ids of people, never addresses."""

import logging
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.signals import authentication_failed
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

log = logging.getLogger("balint.signins")


def listen() -> None:
    """Write a line for each; called once, when the app is ready."""
    user_logged_in.connect(_signed_in, dispatch_uid="log a sign-in")
    user_logged_out.connect(_signed_out, dispatch_uid="log a sign-out")
    user_login_failed.connect(_refused, dispatch_uid="log a refused password")
    authentication_failed.connect(_second_refused, dispatch_uid="log a refused code")


def _signed_in(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    methods = {record["method"] for record in get_authentication_records(request, user)}
    by = " and ".join(sorted(methods)) or "an invitation"
    log.info("signed in: %s by %s from %s", user.pk, by, _machine(request))


def _signed_out(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    if user is not None:
        log.info("signed out: %s", user.pk)


def _refused(request: HttpRequest | None = None, **kwargs: Any) -> None:
    # What was tried is not written: often it is somebody's password in the wrong field.
    log.warning("password refused from %s", _machine(request) if request else "a command")


def _second_refused(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    log.warning("second factor refused: %s from %s", user.pk, _machine(request))


def _machine(request: HttpRequest) -> str:
    try:
        return get_adapter().get_client_ip(request)
    except PermissionDenied:  # A request without an address; what is logged refuses nobody.
        return "an unknown address"
