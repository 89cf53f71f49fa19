"""Addresses for the tests of headers: one that breaks, and those the error pages need."""

from typing import NoReturn

from django.http import HttpRequest
from django.urls import path

from balint.urls import urlpatterns as ours


def breaks(request: HttpRequest) -> NoReturn:
    raise RuntimeError("Two umbrellas in the hall")


urlpatterns = [*ours, path("broken/", breaks)]
