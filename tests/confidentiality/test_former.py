"""T6: who has left keeps nothing from then on but what is their own to read and to forget."""

import os
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection, transaction
from django.utils import timezone

from groups.models import Leave, Membership
from sessions.models import Answer, CasePresence, CasePresentation, Session
from tests.balint import installation
from tests.balint.addresses import addresses
from tests.balint.attacks import touches
from tests.balint.installation import install
from tests.world import as_member, as_owner, years_ago

# `BALINT_SEQUENCES=3` asks for the long proofs: every method, and more of those who may leave.
LONG = os.environ.get("BALINT_SEQUENCES") == "3"
METHODS = ("get", "post", "put", "patch", "delete") if LONG else ("get", "post")
WHO = ("presenter", "leader", "member") if LONG else ("presenter",)
TEXTS = [
    getattr(installation, name)
    for name in ("TITLE", "AWAY", "ON_LEAVE", "LEAVING", "CANCELLED", "LINK", "DOOR", "PHONE")
]


def leave(circle, *people, at=None):
    with as_owner():
        held = Membership.objects.filter(group=circle.group, member__in=people)
        held.update(ended_at=at or timezone.now() - timedelta(minutes=5))


@pytest.fixture
def there(circle):
    """The installation, its running meeting over since this morning."""
    there = install(circle)
    with as_owner():
        gone = timezone.now() - timedelta(minutes=1)
        Session.objects.filter(pk=there.running.pk).update(runs_until=gone)
    return there


@pytest.fixture
def running(circle):
    return install(circle)


def of_the_group(there):
    """Every path of the group's own, its meetings', its cases', and what waits in it."""
    words = ("groups", "sessions", "cases", "proposals", "endings")
    for one in addresses():
        if one.places and one.pattern.split("/")[0] in words:
            yield from one.paths(there.known)


@pytest.mark.parametrize("who", WHO)
def test_the_next_request_after_leaving_is_refused_at_every_address(there, client_of, who):
    circle = there.circle
    person = getattr(circle, who)
    client = client_of(person)
    assert client.get(f"/groups/{circle.group.pk}/").status_code == 200
    leave(circle, person)
    with as_owner():
        own = {
            f"/cases/{case.pk}/forget/"
            for case in CasePresentation.objects.filter(presenter=person)
        }
    for path in of_the_group(there):
        for method in METHODS:
            with transaction.atomic():
                answer = getattr(client, method)(path)
                transaction.set_rollback(True)
            if path not in own:
                # A change of who belongs asks for a fresh sign-in before it says anything.
                assert answer.status_code in {302, 404, 405}, (method, path)
                assert answer.status_code != 302 or "/reauthenticate" in answer.url, (method, path)
            shown = unescape(answer.content.decode())
            assert [text for text in TEXTS if text in shown] == [], (method, path)


def test_the_presenter_who_left_may_still_have_the_case_forgotten_and_reads_no_title(
    there, client_of
):
    circle = there.circle
    leave(circle, circle.presenter)
    client = client_of(circle.presenter)
    kept = unescape(client.get("/settings/kept/").content.decode())
    assert installation.TITLE not in kept
    assert client.post(f"/cases/{there.told.pk}/title/", {"title": "Mine"}).status_code == 404
    assert client.post(f"/cases/{there.told.pk}/forget/").status_code == 302
    with as_owner():
        assert not CasePresentation.objects.filter(pk=there.told.pk).exists()


OLD_ROWS = {
    "own answer changed": lambda t: Answer.objects.filter(session=t.held).update(
        answered_at=timezone.now()
    ),
    "own answer taken back": lambda t: Answer.objects.filter(session=t.planned)._raw_delete(
        "default"
    ),
    "own membership lengthened": lambda t: Membership.objects.filter(
        group=t.circle.group, member=t.circle.absent
    ).update(ended_at=None),
    "own leave lengthened": lambda t: Leave.objects.filter(member=t.circle.absent).update(
        ended_at=None
    ),
    "own leave taken back": lambda t: Leave.objects.filter(member=t.circle.absent)._raw_delete(
        "default"
    ),
    "own case told otherwise": lambda t: CasePresentation.objects.filter(pk=t.told.pk).update(
        follow_up=True
    ),
    "present after all": lambda t: CasePresence.objects.bulk_create(
        [CasePresence(case=t.told, group=t.circle.group, member=t.circle.absent)]
    ),
}


@pytest.mark.parametrize("what", OLD_ROWS)
def test_by_sql_nobody_who_left_changes_an_old_row_of_theirs(there, what):
    circle = there.circle
    with as_owner():
        CasePresentation.objects.filter(pk=there.told.pk).update(presenter=circle.absent)
        Leave.objects.create(
            group=circle.group,
            member=circle.absent,
            starts_at=years_ago(0.5),
            ended_at=years_ago(0.4),
        )
    leave(circle, circle.absent)
    with as_member(circle.absent):
        assert not touches(lambda: OLD_ROWS[what](there))


def test_who_left_still_forgets_the_reasons_of_an_answer_and_of_a_leave(there):
    circle = there.circle
    leave(circle, circle.on_leave, circle.absent)
    with as_owner():
        answer = Answer.objects.get(session=there.held, member=circle.absent)
    with as_member(circle.absent), connection.cursor() as cursor:
        cursor.execute("select public.balint_forget_my_reason(%s)", [answer.pk])
        assert cursor.fetchone()[0] == 1
    with as_member(circle.on_leave):
        own = Leave.objects.get(member=circle.on_leave)
        own.reason = ""
        own.save()
    with as_owner():
        assert Answer.objects.get(pk=answer.pk).reason == ""
        assert Leave.objects.get(pk=own.pk).reason == ""


def test_a_running_meeting_keeps_its_circle_until_the_morning_and_nothing_else(running, client_of):
    circle = running.circle
    client = client_of(circle.member)
    leave(circle, circle.member)
    room = f"/sessions/{running.running.pk}/room/"
    assert client.get(room).status_code == 200
    for path in (
        f"/groups/{circle.group.pk}/",
        f"/groups/{circle.group.pk}/roster/",
        f"/sessions/{running.held.pk}/",
        f"/sessions/{running.planned.pk}/",
        f"/sessions/{running.planned.pk}/answer/",
        f"/cases/{running.told.pk}/",
    ):
        assert client.get(path).status_code == 404, path
    with as_owner():
        morning = timezone.now() - timedelta(seconds=1)
        Session.objects.filter(pk=running.running.pk).update(runs_until=morning)
    with as_owner(), connection.cursor() as cursor:
        # The test's transaction began before the morning came; its clock stands still.
        cursor.execute("select now() - interval '1 second'")
        Session.objects.filter(pk=running.running.pk).update(runs_until=cursor.fetchone()[0])
    assert client.get(room).status_code == 404


def test_the_same_by_sql_the_circles_rows_until_the_morning(running):
    circle = running.circle
    leave(circle, circle.leader)
    with as_member(circle.leader):
        seen = set(CasePresentation.objects.values_list("pk", flat=True))
    assert seen == {running.being_told.pk}
