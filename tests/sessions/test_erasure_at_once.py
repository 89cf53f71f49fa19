"""Two leaders delete their accounts at the same moment: one goes, the other reads why not."""

from threading import Event, Thread

from django.db import connection
from django.utils import timezone

from members.models import Member
from sessions import erasure
from tests.sessions.test_room_at_once import circle  # noqa: F401
from tests.world import Circle, as_member, as_owner


def test_of_two_leaders_who_go_at_once_the_second_is_told_that_they_lead_alone(
    circle: Circle,  # noqa: F811
):
    began = Event()
    said: list[str] = []

    def second() -> None:
        try:
            with as_member(circle.second_leader):
                erasure.check(circle.second_leader, at=timezone.now())
                began.set()
                erasure.erase(circle.second_leader, at=timezone.now())
        except Exception as error:
            said.append(f"{type(error).__name__}: {error}")
        finally:
            connection.close()

    thread = Thread(target=second)
    with as_member(circle.leader):
        erasure.erase(circle.leader, at=timezone.now())
        thread.start()
        began.wait(10)
        thread.join(0.7)
        assert thread.is_alive()
    thread.join(10)
    assert len(said) == 1
    assert said[0].startswith("OnlyLeader: You are the only leader of Valley group")
    with as_owner():
        assert Member.objects.filter(pk=circle.second_leader.pk).exists()
