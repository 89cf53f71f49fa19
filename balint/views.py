"""Health, and refusals that belong to no app."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from balint.csrf import hides_origin
from balint.startup import NotSafe
from members.letters import health


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """503 only without a database or with pending migrations; the rest is told as “degraded”."""
    try:
        pending = _pending_migrations()
    except NotSafe:
        return JsonResponse({"ready": False, "why": "refused, see the log"}, status=503)
    except DatabaseError:
        return JsonResponse({"ready": False, "why": "no database"}, status=503)
    if pending:
        return JsonResponse({"ready": False, "why": "pending migrations"}, status=503)
    return JsonResponse({"ready": True} | _degraded())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was too old or came from elsewhere: say what to do."""
    return render(request, "403_csrf.html", {"hidden": hides_origin(request)}, status=403)


def _pending_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _degraded() -> dict[str, Any]:
    letters = health.of_letters(at=timezone.now())
    degraded = []
    if not _redis_answers():
        degraded.append("redis")
    if letters.silent_for is None or letters.silent_for > timedelta(
        seconds=settings.LETTER_TICK_SECONDS * 4
    ):
        degraded.append("worker")
    if letters.overdue_by > timedelta(minutes=5):
        degraded.append("letters")
    overdue = int(letters.overdue_by.total_seconds())
    return {"degraded": degraded, "oldest_overdue_seconds": overdue}


def _redis_answers() -> bool:
    from redis import Redis
    from redis.exceptions import RedisError

    try:
        return bool(Redis.from_url(settings.REDIS_URL, socket_timeout=1).ping())
    except (RedisError, OSError):
        return False
