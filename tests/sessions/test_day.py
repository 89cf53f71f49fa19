"""An intensive day: several meetings planned in one go, each led by one of the leaders."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from groups.cadence import instant
from groups.evening_models import EveningTemplate
from members.models import Letter
from sessions import afterwards, planning
from sessions.forms.day import BEGINS
from sessions.models import Session
from sessions.planning.refusals import (
    AlreadyMeetsThen,
    LedByALeader,
    NoMeetings,
    NotYoursToPlan,
)
from tests.sessions.round import send, text_of
from tests.world import as_member, as_owner

pytestmark = pytest.mark.reads_context


def on(circle):
    return (timezone.now().astimezone(circle.group.zone) + timedelta(days=30)).date()


def begins(circle, hours: float):
    first = instant(on(circle), BEGINS, circle.group.time_zone)
    return first + timedelta(hours=hours)


def plan(circle, *meetings, by=None) -> list[Session]:
    by = by or circle.leader
    with as_member(by):
        return planning.plan_day(
            circle.group,
            [planning.OfDay(begins(circle, hours), 90, who and who.pk) for hours, who in meetings],
            zone=circle.group.time_zone,
            place="Hill house",
            setting="in_person",
            by=by,
            at=timezone.now(),
        )


def of_group(circle) -> list[Session]:
    with as_owner():
        return list(Session.objects.filter(group=circle.group).order_by("starts_at"))


def test_all_meetings_of_a_day_are_settled_dates_each_with_its_leader(circle):
    plan(circle, (0, circle.leader), (2, circle.second_leader), (4, None))
    made = of_group(circle)
    assert [one.led_by_id for one in made] == [circle.leader.pk, circle.second_leader.pk, None]
    assert len({one.day for one in made}) == 1
    assert all(one.settled_at and one.series_id is None and one.day for one in made)


@pytest.mark.parametrize(
    ("meetings", "why"),
    [((), NoMeetings), (((0, "leader"), (1, "leader")), AlreadyMeetsThen)],
)
def test_all_or_none_of_them(circle, meetings, why):
    with pytest.raises(why):
        plan(circle, *[(hours, getattr(circle, who)) for hours, who in meetings])
    assert of_group(circle) == []


def test_a_day_is_led_by_leaders_and_planned_by_them(circle):
    with pytest.raises(LedByALeader):
        plan(circle, (0, circle.member))
    with pytest.raises(NotYoursToPlan):
        plan(circle, (0, circle.leader), by=circle.member)
    assert of_group(circle) == []


def typed(page) -> dict:
    form = page.context["form"]
    values = {field.html_name: field.value() for field in form}
    return {name: "" if value is None else value for name, value in values.items()}


def test_the_page_offers_the_day_of_the_template_and_saves_it(circle, client_of):
    client, url = client_of(circle.leader), reverse("day_new", args=[circle.group.pk])
    data = typed(client.get(url))
    assert [data[f"starts_{n}"] for n in range(4)][:2] == [BEGINS, BEGINS.replace(hour=11)]
    leaders = {str(circle.leader.pk), str(circle.second_leader.pk)}
    assert {data["led_by_0"], data["led_by_1"]} == leaders
    answer = client.post(url, data | {"on": on(circle).isoformat(), "starts_3": ""})
    assert answer.status_code == 302
    made = of_group(circle)
    assert [one.starts_at for one in made] == [begins(circle, 2 * n) for n in range(3)]
    assert {one.minutes for one in made} == {90}


def test_another_template_is_another_day(circle, client_of):
    with as_owner():
        minutes = EveningTemplate.objects.get(key="60").minutes
        circle.programme.evenings.create(key="mine", sessions=2, pause=15, minutes=minutes)
    url = reverse("day_new", args=[circle.group.pk])
    rows = client_of(circle.leader).get(url, {"template": "mine"}).context["form"].rows
    assert [row[0].value().isoformat("minutes") for row in rows] == ["09:30", "10:45"]


def test_a_day_that_has_passed_is_refused_and_what_was_typed_stays(circle, client_of):
    client, url = client_of(circle.leader), reverse("day_new", args=[circle.group.pk])
    data = typed(client.get(url)) | {"on": "2026-01-05", "place": "Typed with care"}
    page = client.post(url, data).content.decode()
    assert "Choose a day that lies ahead." in page
    assert "Typed with care" in page
    assert of_group(circle) == []


def test_the_page_of_a_meeting_says_who_leads_it(circle, client_of):
    first, second = plan(circle, (0, circle.second_leader), (2, None))
    client = client_of(circle.member)
    page = client.get(reverse("session", args=[first.pk])).context["page"]
    assert page.leaders == circle.second_leader.first_name
    before = client_of(circle.leader).get(reverse("before", args=[first.pk])).content.decode()
    assert f"<dt>Led by</dt><dd>{circle.second_leader.first_name}</dd>" in before
    page = client.get(reverse("session", args=[second.pk])).context["page"]
    assert circle.leader.first_name in page.leaders


def test_who_leads_is_changed_without_a_letter(circle, client_of):
    (session,) = plan(circle, (0, circle.leader))
    client, url = client_of(circle.leader), reverse("session_edit", args=[session.pk])
    with as_owner():
        before = Letter.objects.count()
    data = typed(client.get(url)) | {"led_by": str(circle.second_leader.pk)}
    answer = client.post(url, data, follow=True)
    assert "Who leads it is saved." in answer.content.decode()
    (stands,) = of_group(circle)
    assert (stands.led_by_id, stands.sequence) == (circle.second_leader.pk, 0)
    with as_owner():
        assert Letter.objects.count() == before


def test_somebody_who_is_gone_leads_nothing(circle):
    (session,) = plan(circle, (0, circle.second_leader))
    with as_owner():
        circle.second_leader.memberships.all().delete()
        Session.objects.filter(pk=session.pk).update(led_by=circle.outsider)
        circle.outsider.memberships.all().delete()
        circle.outsider.delete()
    assert of_group(circle)[0].led_by_id is None


def test_a_meeting_of_the_day_is_put_down_after_the_others_as_well(circle):
    first, second = plan(circle, (0, None), (2, None))
    evening = begins(circle, 9)
    with as_member(circle.leader):
        afterwards.check_open(first, evening)
    with as_owner():
        Session.objects.filter(pk=second.pk).update(day=None)
    with as_member(circle.leader), pytest.raises(afterwards.TooLate):
        afterwards.check_open(first, evening)


def test_one_reminder_names_all_meetings_of_the_day(circle):
    plan(circle, (0, circle.leader), (2, circle.second_leader), (4, None))
    with as_owner():
        Letter.objects.exclude(kind="reminder-1").delete()
        Letter.objects.update(send_after=timezone.now() - timedelta(hours=1))
    mails = [mail for mail in send() if mail["To"] == circle.member.email]
    assert len(mails) == 1
    assert mails[0]["Subject"].startswith("Valley meets on ")
    assert text_of(mails[0]).count("The same day, Valley meets on") == 2
