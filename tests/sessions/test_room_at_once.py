"""Two connections at once: of two taps one counts; nobody is lost between door and case."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import dj_database_url
import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from sessions import afterwards, conduct
from sessions.models import Attendance, CasePresence, CasePresentation, Session, Step
from sessions.phases import RUNNING, Phase
from tests import servers
from tests.sessions.evening import at_phase, enter, entry, fresh, make_session
from tests.world import Circle, as_member, as_owner, make_circle

ROUNDS = 8


@pytest.fixture
def circle(django_db_setup: None, django_db_blocker: Any, worker_id: str) -> Iterator[Circle]:
    """A circle in a database of its own, where what a thread writes is there for the other."""
    name = servers.clone(f"at_once_{worker_id}")
    default = connections["default"]
    before = dict(default.settings_dict)
    with django_db_blocker.unblock():
        default.close()
        default.settings_dict.update(dj_database_url.parse(servers.url("balint_test", name)))
        try:
            yield make_circle()
        finally:
            default.close()
            default.settings_dict.update(before)
    servers.drop(name)


def at_once(*works: Callable[[], Any]) -> list[str]:
    """Do all at the same instant, each on its own connection; what each came to, in words."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], Any]) -> str:
        try:
            barrier.wait(timeout=10)
            work()
        except conduct.SessionMovedOn:
            return "moved on"
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(works)) as pool:
        return sorted(pool.map(run, works))


def tap(session: Session, leader: Any, to: Phase, presenter: Any = None) -> Callable[[], Any]:
    def work() -> None:
        with as_member(leader):
            conduct.move(
                session,
                to=to,
                seen=session.step,
                by=leader,
                at=timezone.now(),
                presenter=presenter.pk if presenter else None,
            )

    return work


def test_of_two_leaders_at_once_exactly_one_moves_it(circle):
    session = at_phase(circle, Phase.ARRIVING)
    for number in range(ROUNDS):
        session = fresh(session)
        to = Phase.CALL if session.phase != Phase.CALL else Phase.FOLLOW_UP
        taps = [tap(session, leader, to) for leader in (circle.leader, circle.second_leader)]
        assert at_once(*taps) == ["done", "moved on"]
        with as_owner():
            assert Step.objects.filter(session=session).count() == number + 1
        assert (fresh(session).phase, fresh(session).step) == (to, number + 2)


def test_a_double_click_names_one_presenter(circle):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.presenter)
    click = tap(session, circle.leader, Phase.STORY, circle.presenter)
    assert at_once(click, click, click) == ["done", "moved on", "moved on"]
    with as_owner():
        assert CasePresentation.objects.count() == 1


def test_whoever_comes_in_as_the_story_begins_waits_and_is_present_for_it(circle):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.presenter)

    def come_in() -> None:
        try:
            enter(session, circle.absent)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            tap(session, circle.leader, Phase.STORY, circle.presenter)()
            coming = pool.submit(come_in)
            with pytest.raises(TimeoutError):
                coming.result(timeout=1)
        coming.result(timeout=10)
    with as_owner():
        present = set(CasePresence.objects.values_list("member", flat=True))
    assert present == {circle.leader.pk, circle.presenter.pk, circle.absent.pk}


def test_of_two_sessions_opened_at_once_one_stays_open(circle):
    for _number in range(ROUNDS):
        evenings = [make_session(circle, begins=-minutes) for minutes in (5, 10)]
        leaders = (circle.leader, circle.second_leader)

        def opening(session: Session, leader: Any) -> Callable[[], Any]:
            def work() -> None:
                with as_member(leader):
                    conduct.open_session(session, by=leader, at=timezone.now())

            return work

        pairs = zip(evenings, leaders, strict=True)
        assert at_once(*[opening(*pair) for pair in pairs]) == ["done", "done"]
        with as_owner():
            assert Session.objects.filter(phase__in=RUNNING).count() == 1
            assert Session.objects.filter(phase=Phase.CLOSED).count() == 1
            Session.objects.all().delete()


def test_of_two_leaders_who_put_down_at_once_one_is_told_so(circle):
    session = make_session(circle, setting="in_person")
    there = [circle.leader, circle.second_leader, circle.presenter]

    def put_down(leader: Any) -> Callable[[], Any]:
        def work() -> None:
            with as_member(leader):
                afterwards.put_down(
                    session,
                    present={person.pk for person in there},
                    cases=[entry(circle.presenter, *there)],
                    seen=0,
                    by=leader,
                    at=timezone.now(),
                )

        return work

    done = at_once(put_down(circle.leader), put_down(circle.second_leader))
    assert done == ["done", "moved on"]
    with as_owner():
        assert CasePresentation.objects.count() == 1
        assert Attendance.objects.filter(session=session).count() == 7
