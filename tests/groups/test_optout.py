"""No more reminders by one click in the mail program: nothing by looking, no cookie, no sign-in."""

import pytest
from django.test import Client

from groups import optout
from groups.models import Membership, Preference
from members import limits
from members.models import Letter, Member
from tests.sessions.meetings import in_days
from tests.sessions.round import sync
from tests.world import as_owner, years_ago

pytestmark = pytest.mark.django_db
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def path(member, *groups) -> str:
    return f"/unsubscribe/{optout.token(member, groups)}/"


def silent() -> list[tuple[Member, str]]:
    with as_owner():
        rows = Preference.objects.filter(reminders=False).select_related("member", "group")
        return [(row.member, row.group.name) for row in rows]


def click(member, *groups, **options):
    return Client(enforce_csrf_checks=True).post(path(member, *groups), ONE_CLICK, **options)


def test_looking_stops_nothing(circle):
    page = Client().get(path(circle.member, circle.group)).content.decode()
    assert "Valley" in page
    assert "Valley group" not in page
    assert Client().head(path(circle.member, circle.group)).status_code == 200
    assert silent() == []


def test_one_click_stops_the_reminders_of_this_group_and_of_no_other(circle):
    assert click(circle.member, circle.group).status_code == 200
    assert silent() == [(circle.member, "Valley group")]


def test_what_waits_goes_with_it(circle):
    session = in_days(circle.group, 12)
    sync(session, at=session.updated_at)
    click(circle.member, circle.group)
    with as_owner():
        waiting = Letter.objects.filter(state="pending").select_related("recipient")
        assert circle.member not in {letter.recipient for letter in waiting}
        assert waiting.exists()


def test_what_else_was_wished_for_stays(circle):
    with as_owner():
        Preference.objects.create(group=circle.group, member=circle.member, shares_phone=True)
    click(circle.member, circle.group)
    with as_owner():
        row = Preference.objects.get(member=circle.member)
    assert (row.reminders, row.shares_phone) == (False, True)


def test_no_cookie_is_read_or_set_and_the_token_speaks_whoever_is_signed_in(circle, client_of):
    browser = client_of(circle.outsider)
    there = path(circle.member, circle.group)
    for answer in (browser.get(there), browser.post(there, ONE_CLICK)):
        assert not answer.cookies
        assert "Vary" not in answer.headers
    assert [member for member, _ in silent()] == [circle.member]


@pytest.mark.parametrize("gone", ["left", "closed", "erased"])
def test_who_has_gone_reads_the_same_and_nothing_is_written(circle, gone):
    with as_owner():
        if gone == "left":
            Membership.objects.filter(member=circle.member).update(ended_at=years_ago(0.1))
        elif gone == "closed":
            Member.objects.filter(pk=circle.member.pk).update(is_active=False)
    there = path(circle.member, circle.group)
    if gone == "erased":
        with as_owner():
            circle.member.delete()
    assert "No more reminders" in Client().post(there, ONE_CLICK).content.decode()
    assert silent() == []


def test_a_token_stops_nothing_for_another_person_or_group(circle):
    _, proof = optout.token(circle.member, [circle.group]).split(".")
    for ids in (
        optout.token(circle.absent, [circle.group]),
        optout.token(circle.member, [circle.other_group]),
        optout.token(circle.member, [circle.group, circle.other_group]),
    ):
        forged = f"/unsubscribe/{ids.split('.')[0]}.{proof}/"
        assert Client().post(forged, ONE_CLICK).status_code == 404
    assert silent() == []


def test_clicking_has_an_end(circle, monkeypatch):
    monkeypatch.setitem(limits.RATES, "by_mail", "2/h/key")
    clicks = [click(circle.member, circle.group).status_code for _ in range(3)]
    assert clicks == [200, 200, 429]
