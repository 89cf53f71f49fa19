"""The agreement as the gate: in force from a date, agreed to by each, changed by the leaders."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from groups import agreements
from groups.models import Acceptance, Agreement, Membership
from groups.policy import Role, roles_of
from groups.signals import agreement_accepted
from sessions import visible
from tests.sessions.evening import make_session
from tests.sessions.meetings import in_days
from tests.world import as_member, as_owner, years_ago

pytestmark = pytest.mark.reads_context

NEW_TEXT = "What is said here stays here, and we sit in silence for a minute."
OUTSIDE = ["former", "admin", "outsider", "superuser"]


def accept(circle, who: str, *, at: datetime | None = None, version: int | None = None):
    person = getattr(circle, who)
    with as_member(person):
        return agreements.accept(circle.group, by=person, at=at or timezone.now(), version=version)


def write(circle, who: str = "leader", *, days: float = 10, text: str = NEW_TEXT) -> Agreement:
    now = timezone.now()
    with as_member(getattr(circle, who)):
        return agreements.write_version(
            circle.group,
            text=text,
            in_force_at=now + timedelta(days=days),
            by=getattr(circle, who),
            at=now,
        )


def roles(circle, who: str, at: datetime) -> frozenset[Role]:
    with as_member(getattr(circle, who)):
        return roles_of(getattr(circle, who), circle.group, at)


def page(circle, client_of, who: str):
    return client_of(getattr(circle, who)).get(f"/groups/{circle.group.pk}/agreement/")


def begins_on(days: int) -> str:
    today = timezone.localdate(timezone=ZoneInfo("Asia/Jerusalem"))
    return (today + timedelta(days=days)).isoformat()


def edit(circle, client_of, who: str = "leader", *, days: int = 10, text: str = NEW_TEXT):
    url = f"/groups/{circle.group.pk}/agreement/edit/"
    return client_of(getattr(circle, who)).post(url, {"text": text, "begins_on": begins_on(days)})


# Agreeing


def test_agreeing_opens_the_group(circle):
    heard = []

    def listen(sender, *, group, member, at, **more):
        heard.append((group, member))

    agreement_accepted.connect(listen)
    try:
        accept(circle, "newcomer", version=1)
    finally:
        agreement_accepted.disconnect(listen)
    assert roles(circle, "newcomer", timezone.now()) == {Role.MEMBER}
    assert heard == [(circle.group, circle.newcomer)]


@pytest.mark.parametrize("who", ["newcomer", "member", "leader", "on_leave", *OUTSIDE])
def test_one_agrees_once_and_only_from_inside(circle, who):
    if who == "newcomer":
        accept(circle, who)
    with pytest.raises(agreements.NothingToAgreeTo):
        accept(circle, who)


def test_one_agrees_to_the_text_one_has_read(circle):
    with pytest.raises(agreements.TextHasChanged):
        accept(circle, "newcomer", version=2)
    with as_owner():
        assert not Acceptance.objects.filter(member=circle.newcomer).exists()


# A new version


def test_a_new_version_asks_everyone_again_when_it_begins_and_not_before(circle):
    coming = write(circle)
    before, after = coming.in_force_at - timedelta(seconds=1), coming.in_force_at
    for who, role in {"leader": Role.LEADER, "member": Role.MEMBER, "on_leave": Role.AWAY}.items():
        assert roles(circle, who, before) == {role}
        assert roles(circle, who, after) == {Role.NEWCOMER}
    accept(circle, "member", at=after, version=2)
    assert roles(circle, "member", after) == {Role.MEMBER}


@pytest.mark.parametrize("who", ["member", "newcomer", "on_leave", *OUTSIDE])
def test_only_leaders_write_and_take_back(circle, who):
    with pytest.raises(agreements.NotYours):
        write(circle, who)
    write(circle)
    with pytest.raises(agreements.NotYours), as_member(getattr(circle, who)):
        agreements.take_back_version(circle.group, by=getattr(circle, who), at=timezone.now())
    with as_owner():
        assert Agreement.objects.filter(group=circle.group).count() == 2


def test_a_version_that_has_not_begun_is_replaced_or_taken_back(circle):
    write(circle)
    newer = write(circle, "second_leader", days=20)
    with as_owner():
        assert list(
            Agreement.objects.filter(group=circle.group)
            .order_by("version")
            .values_list("version", "in_force_at")
        )[1:] == [(2, newer.in_force_at)]
    with as_member(circle.leader):
        agreements.take_back_version(circle.group, by=circle.leader, at=timezone.now())
        with pytest.raises(agreements.NothingToTakeBack):
            agreements.take_back_version(circle.group, by=circle.leader, at=timezone.now())


def test_a_version_begins_on_a_day_to_come(circle):
    with pytest.raises(agreements.BeginsInThePast):
        write(circle, days=0)


@pytest.mark.parametrize(
    ("days", "refused"), [(8.9, False), (9.1, True), (10.9, True), (11.2, False)]
)
def test_a_version_begins_at_least_a_day_from_any_meeting(circle, days, refused):
    make_session(circle, begins=10 * 24 * 60)
    if refused:
        with pytest.raises(agreements.TooCloseToAMeeting, match="The group meets on"):
            write(circle, days=days)
    else:
        assert write(circle, days=days).version == 2


@pytest.mark.parametrize("fields", [{"phase": "cancelled"}, {"settled_at": None}])
def test_a_meeting_that_does_not_take_place_or_is_no_date_yet_does_not_count(circle, fields):
    make_session(circle, begins=10 * 24 * 60, **fields)
    assert write(circle, days=10).version == 2


def test_a_version_that_begins_while_a_meeting_runs_takes_nobody_out_of_its_circle(circle):
    session = make_session(circle)
    with as_owner():
        Agreement.objects.create(
            group=circle.group, version=2, text=NEW_TEXT, in_force_at=timezone.now()
        )
    later = timezone.now() + timedelta(seconds=1)
    assert roles(circle, "member", later) == {Role.NEWCOMER}
    with as_owner():
        assert list(visible.circle(circle.member, later)) == [session]


# The page


def test_someone_new_finds_all_one_needs_and_one_thing_to_do(circle, client_of):
    with as_owner():
        circle.group.contact = "Ruth, 052 555 0100"
        circle.group.save()
    in_days(circle.group, 20, place="Room 4")
    in_days(circle.group, 48, place="Room 9")
    html = page(circle, client_of, "newcomer").content.decode()
    shown = ["Valley group", "Dr Erik Krantz, Dr Ruth Marks", "19:30–21:00, Jerusalem time"]
    shown += ["Room 4", "Ruth, 052 555 0100", "What is said here stays here.", "I agree"]
    assert [text for text in shown if text not in html] == []
    assert [text for text in ("Room 9", "Dana Green", "Hanna Lind") if text in html] == []
    assert html.count("button primary") == 1


def test_agreeing_on_the_page_leads_home_and_opens_the_rest(circle, client_of):
    client = client_of(circle.newcomer)
    roster = f"/groups/{circle.group.pk}/roster/"
    assert client.get(roster).headers["Location"] == f"/groups/{circle.group.pk}/agreement/"
    done = client.post(f"/groups/{circle.group.pk}/agreement/", {"version": "1"})
    assert (done.status_code, done.headers["Location"]) == (302, "/")
    assert client.get(roster).status_code == 200
    again = client.post(f"/groups/{circle.group.pk}/agreement/", {"version": "1"})
    assert again.status_code == 409
    assert "You have agreed to this version already." in again.content.decode()


@pytest.mark.parametrize("version", ["2", "", "x"])
def test_agreeing_to_another_version_than_stands_is_refused(circle, client_of, version):
    url = f"/groups/{circle.group.pk}/agreement/"
    refused = client_of(circle.newcomer).post(url, {"version": version})
    assert refused.status_code == 409
    assert "The text has changed since you opened this page." in refused.content.decode()


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("leader", 200),
        ("member", 200),
        ("on_leave", 200),
        ("newcomer", 200),
        ("former", 404),
        ("admin", 404),
        ("outsider", 404),
        ("superuser", 404),
    ],
)
def test_who_reads_it(circle, client_of, who, status):
    answer = page(circle, client_of, who)
    assert answer.status_code == status
    if status == 404:
        nothing = client_of(getattr(circle, who)).get(f"/groups/{circle.leader.pk}/agreement/")
        assert answer.content == nothing.content


def test_those_inside_see_what_they_agreed_to_and_when_and_what_is_coming(circle, client_of):
    write(circle)
    html = page(circle, client_of, "member").content.decode()
    agreed = years_ago(1).astimezone(ZoneInfo("Asia/Jerusalem"))
    assert f"You agreed to this, version 1, on {agreed:%-d %B %Y}." in html
    assert NEW_TEXT in html
    assert "agreement/edit/" not in html
    assert "agreement/take-back/" not in html
    assert "I agree" not in html


def test_leaders_may_write_the_next_version_and_take_it_back(circle, client_of):
    write(circle)
    html = page(circle, client_of, "leader").content.decode()
    assert f"/groups/{circle.group.pk}/agreement/edit/" in html
    url = f"/groups/{circle.group.pk}/agreement/take-back/"
    client = client_of(circle.leader)
    assert client.post(url).status_code == 302
    assert NEW_TEXT not in client.get(f"/groups/{circle.group.pk}/agreement/").content.decode()
    assert client.post(url).status_code == 409


def test_a_new_version_is_set_from_midnight_of_the_group(circle, client_of):
    answer = edit(circle, client_of, days=10)
    assert answer.headers["Location"] == f"/groups/{circle.group.pk}/agreement/"
    with as_owner():
        coming = Agreement.objects.get(group=circle.group, version=2)
    local = coming.in_force_at.astimezone(ZoneInfo("Asia/Jerusalem"))
    assert (local.date().isoformat(), local.hour, coming.text) == (begins_on(10), 0, NEW_TEXT)


@pytest.mark.parametrize(
    ("days", "sentence"),
    [(-1, "A new version begins on a day to come."), (10, "at least a day away from any meeting")],
)
def test_a_refused_date_keeps_what_was_typed(circle, client_of, days, sentence):
    in_days(circle.group, 10)
    answer = edit(circle, client_of, days=days)
    assert answer.status_code == 409
    html = answer.content.decode()
    assert sentence in html
    assert NEW_TEXT in html
    with as_owner():
        assert Agreement.objects.filter(group=circle.group).count() == 1


def test_the_day_offered_is_one_that_will_be_taken(circle, client_of):
    for days in (1, 2, 3, 5):
        in_days(circle.group, days)
    client = client_of(circle.leader)
    url = f"/groups/{circle.group.pk}/agreement/edit/"
    offered = client.get(url).context["form"]["begins_on"].value()
    # The day after a meeting begins less than a day after it, the evening before one as well.
    assert offered.isoformat() == begins_on(7)
    assert client.post(url, {"text": NEW_TEXT, "begins_on": offered}).status_code == 302


@pytest.mark.parametrize(
    ("who", "status"),
    [("leader", 200), ("member", 404), ("on_leave", 404), ("newcomer", 302)]
    + [(who, 404) for who in OUTSIDE],
)
def test_who_opens_the_page_of_a_new_version(circle, client_of, who, status):
    url = f"/groups/{circle.group.pk}/agreement/edit/"
    assert client_of(getattr(circle, who)).get(url).status_code == status


def test_a_new_group_has_the_ready_text_in_force_at_once(circle):
    with as_owner():
        Membership.objects.filter(member=circle.admin).delete()
        group = type(circle.group).objects.create(programme=circle.programme, name="New group")
        at = timezone.now()
        agreements.begin(group, by=circle.admin, at=at)
    assert agreements.in_force(group, at - timedelta(seconds=1)) is None
    standing = agreements.in_force(group, at)
    assert standing is not None
    assert (standing.version, standing.text) == (1, str(agreements.READY_TEXT))
