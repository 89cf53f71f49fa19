"""A case is remembered only by those who were there, until it is forgotten."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.db.utils import ProgrammingError
from django.urls import reverse
from django.utils import timezone

from sessions import cases, kept
from sessions.models import Attendance, CaseCount, CasePresence, CasePresentation, Session
from sessions.phases import Phase
from tests.sessions.evening import at_phase, entry, make_session, put_down, tell, titled
from tests.world import as_member, as_owner, join, make_member, utc

pytestmark = pytest.mark.reads_context

PRESENT = ["leader", "presenter", "member"]
NOT_PRESENT = [
    "second_leader",
    "absent",
    "newcomer",
    "on_leave",
    "former",
    "admin",
    "outsider",
    "superuser",
]
TITLE = "A letter that stayed unopened"


@pytest.fixture
def case(circle):
    told = tell(circle, phase=Phase.CLOSING)
    titled(told, TITLE)
    return told


def forget(case):
    with as_member(case.presenter):
        cases.forget(case, by=case.presenter, at=timezone.now())


def follow_up_of(circle, earlier):
    """Told by the same person a while later, as a follow-up."""
    with as_owner():
        Session.objects.filter(pk=earlier.session_id).update(
            starts_at=timezone.now() - timedelta(days=10), phase="closed"
        )
    session = at_phase(circle, Phase.CLOSING, setting="in_person")
    present = (circle.leader, circle.presenter, circle.absent)
    put_down(session, circle.leader, present, entry(circle.presenter, *present, follow_up=True))
    with as_owner():
        return CasePresentation.objects.select_related("session__group").get(session=session)


# Who sees it


@pytest.mark.parametrize("who", PRESENT)
def test_those_present_see_it_with_its_title(circle, client_of, case, who):
    page = client_of(getattr(circle, who)).get(reverse("case", args=[case.pk]))
    assert page.status_code == 200
    text = page.content.decode()
    assert TITLE in text
    assert "Dr Amit Nader" in text
    forgotten_on = case.forget_on
    words = f"{forgotten_on:%-d %B}"
    words += f" {forgotten_on.year}" if forgotten_on.year != date.today().year else ""
    assert f">{words}</time>" in text
    assert "<title>Balint</title>" in text


@pytest.mark.parametrize("who", NOT_PRESENT)
def test_to_everyone_else_it_is_what_does_not_exist(circle, client_of, case, who):
    client = client_of(getattr(circle, who))
    nothing = "00000000-0000-4000-8000-000000000000"
    for name in ("case", "case_title", "case_forget"):
        for method in ("get", "post"):
            told = getattr(client, method)(reverse(name, args=[case.pk]))
            none = getattr(client, method)(reverse(name, args=[nothing]))
            wrong_method = (method, name) in {("get", "case_title"), ("post", "case")}
            assert told.status_code == none.status_code == (405 if wrong_method else 404)
            assert told.content == none.content
            assert told.headers == none.headers


def test_a_leader_who_was_present_sees_it_and_may_neither_title_nor_forget_it(
    circle, client_of, case
):
    client = client_of(circle.leader)
    assert b'name="title"' not in client.get(reverse("case", args=[case.pk])).content
    for name in ("case_title", "case_forget"):
        assert client.post(reverse(name, args=[case.pk]), {"title": "Mine"}).status_code == 404
    assert client.get(reverse("case", args=[case.pk])).context["case"].title == TITLE


def test_the_database_alone_shows_it_only_to_those_present(circle, case):
    for who in (*PRESENT, *NOT_PRESENT):
        with as_member(getattr(circle, who)):
            seen = (CasePresentation.objects.count(), CasePresence.objects.count())
        assert seen == ((1, 3) if who in PRESENT else (0, 0)), who


def test_a_new_leader_does_not_inherit_it(circle, client_of, case):
    new = make_member("Dr Lea Late")
    join(circle.group, new, "leader", since=timezone.now() - timedelta(minutes=1))
    assert client_of(new).get(reverse("case", args=[case.pk])).status_code == 404
    with as_member(new):
        assert CasePresentation.objects.count() == 0


def test_whoever_left_the_group_no_longer_sees_it(circle, client_of, case):
    with as_owner():
        Session.objects.update(runs_until=timezone.now() - timedelta(minutes=1))
        circle.group.memberships.filter(member=circle.member).update(
            ended_at=timezone.now() - timedelta(minutes=5)
        )
    assert client_of(circle.member).get(reverse("case", args=[case.pk])).status_code == 404
    with as_member(circle.member):
        assert CasePresentation.objects.count() == 0


def test_nobody_present_can_be_added_by_one_who_was_not(circle, case):
    for who in ("second_leader", "absent", "outsider"):
        intruder = getattr(circle, who)
        with (
            pytest.raises(ProgrammingError, match="row-level security"),
            as_member(intruder),
        ):
            CasePresence.objects.create(case=case, group=circle.group, member=intruder)


def test_nobody_can_put_a_case_down_past_the_function(circle, case):
    with pytest.raises(ProgrammingError, match="row-level security"), as_member(circle.leader):
        CasePresentation.objects.create(
            session=case.session,
            group=circle.group,
            order=2,
            presenter=circle.member,
            forget_on=date(2099, 1, 1),
        )


def test_the_functions_do_nothing_for_who_does_not_lead(circle, case):
    for who in ("member", "absent", "outsider", "former", "admin", "superuser"):
        with as_member(getattr(circle, who)):
            cases.put_down(case.session, presenter=circle.member.pk, present=[circle.member.pk])
            cases.end_telling(case.session)
            cases.tell_again(case.session, 1)
            cases.take_back(case)
            cases.take_back_telling(case.session)
    with as_owner():
        assert list(CasePresentation.objects.values_list("pk", "being_told")) == [(case.pk, False)]


# The title


def test_only_the_presenter_gives_the_title(circle, case):
    for who in ("leader", "member"):
        other = getattr(circle, who)
        with pytest.raises(cases.OnlyThePresenter), as_member(other):
            cases.describe(case, title="Mine", by=other, at=timezone.now())


def test_the_presenter_may_change_it_and_take_it_away(circle, client_of, case):
    client = client_of(circle.presenter)
    client.post(reverse("case_title", args=[case.pk]), {"title": "  The other door  "})
    assert client.get(reverse("case", args=[case.pk])).context["case"].title == "The other door"
    client.post(reverse("case_title", args=[case.pk]), {"title": " "})
    with as_owner():
        assert CasePresentation.objects.filter(title_sealed=None).exists()


def test_a_title_has_at_most_120_characters_and_what_was_typed_stays(circle, client_of, case):
    client = client_of(circle.presenter)
    page = client.post(reverse("case_title", args=[case.pk]), {"title": "x" * 121})
    assert page.status_code == 200
    assert page.context["form"].errors
    assert "x" * 121 in page.content.decode()
    client.post(reverse("case_title", args=[case.pk]), {"title": "x" * 120})
    assert client.get(reverse("case", args=[case.pk])).context["case"].title == "x" * 120


def test_the_title_lies_nowhere_in_the_tables_as_it_was_typed(circle, client_of):
    canary = "Zaunkönig am Fenster"
    told = tell(circle, phase=Phase.GROUP_WORK)
    client_of(circle.presenter).post(reverse("case_title", args=[told.pk]), {"title": canary})
    with as_owner(), connection.cursor() as cursor:
        assert CasePresentation.objects.get().title == canary
        cursor.execute("select tablename from pg_tables where schemaname = 'public'")
        holding = []
        for (table,) in cursor.fetchall():
            cursor.execute(
                f"select count(*) from {connection.ops.quote_name(table)} t"  # noqa: S608
                " where t::text like %s or t::text like %s",
                [f"%{canary}%", f"%{canary.encode().hex()}%"],
            )
            if cursor.fetchone()[0]:
                holding.append(table)
        assert holding == []
        cursor.execute("select title_sealed from balint_sessions_casepresentation")
        assert canary.encode() not in bytes(cursor.fetchone()[0])


# Forgetting


def test_forgetting_takes_case_presences_and_links_and_leaves_a_count(circle, case):
    later = follow_up_of(circle, case)
    with as_member(circle.presenter):
        cases.describe(later, title="", follows=case, by=circle.presenter, at=timezone.now())
    forget(case)
    with as_owner():
        assert list(CasePresentation.objects.values_list("pk", "follows")) == [(later.pk, None)]
        assert not CasePresence.objects.filter(case=case.pk).exists()
        year = case.session.starts_at.year
        assert list(CaseCount.objects.values_list("group", "year", "cases")) == [
            (circle.group.pk, year, 1)
        ]
    forget(later)
    with as_owner():
        assert CaseCount.objects.get().cases == 2


def test_only_the_presenter_has_it_forgotten(circle, case):
    for who in ("leader", "member"):
        other = getattr(circle, who)
        with pytest.raises(cases.OnlyThePresenter), as_member(other):
            cases.forget(case, by=other, at=timezone.now())
    with as_owner():
        assert CasePresentation.objects.count() == 1


def test_forgetting_asks_once_and_a_get_changes_nothing(circle, client_of, case):
    client = client_of(circle.presenter)
    address = reverse("case_forget", args=[case.pk])
    assert client.get(address).status_code == 200
    with as_owner():
        assert CasePresentation.objects.count() == 1
    answer = client.post(address)
    assert (answer.status_code, answer.url) == (302, reverse("settings_kept"))
    with as_owner():
        assert CasePresentation.objects.count() == 0
    assert client.post(address).status_code == 404


def test_on_its_day_it_is_gone_from_every_page(circle, client_of, case):
    with as_owner():
        CasePresentation.objects.update(forget_on=timezone.now().date())
    for who in PRESENT:
        assert client_of(getattr(circle, who)).get(f"/cases/{case.pk}/").status_code == 404
        with as_member(getattr(circle, who)):
            assert CasePresentation.objects.count() == 0


def test_a_former_member_has_the_date_without_the_title_and_may_forget_it(circle, client_of, case):
    with as_owner():
        Session.objects.update(runs_until=timezone.now() - timedelta(minutes=1))
        circle.group.memberships.filter(member=circle.presenter).update(ended_at=timezone.now())
    client = client_of(circle.presenter)
    assert client.get(reverse("case", args=[case.pk])).status_code == 404
    page = client.get(reverse("settings_kept")).content.decode()
    assert reverse("case_forget", args=[case.pk]) in page
    assert TITLE not in page
    assert client.post(reverse("case_forget", args=[case.pk])).status_code == 302
    with as_owner():
        assert CasePresentation.objects.count() == 0


# Follow-ups


def test_the_presenter_names_the_earlier_case_among_the_own(circle, client_of, case):
    later = follow_up_of(circle, case)
    client = client_of(circle.presenter)
    form = client.get(reverse("case", args=[later.pk])).context["form"]
    assert [value for value, _label in form.fields["follows"].choices] == ["", str(case.pk)]
    client.post(reverse("case_title", args=[later.pk]), {"title": "", "follows": str(case.pk)})
    with as_owner():
        assert CasePresentation.objects.get(pk=later.pk).follows_id == case.pk
    link = reverse("case", args=[case.pk])
    shown = {
        who: link in client_of(getattr(circle, who)).get(f"/cases/{later.pk}/").content.decode()
        for who in ("presenter", "leader", "absent")
    }
    assert shown == {"presenter": True, "leader": True, "absent": False}


def test_a_new_case_follows_nothing(circle, client_of, case):
    form = client_of(circle.presenter).get(reverse("case", args=[case.pk])).context["form"]
    assert list(form.fields) == ["title"]


def test_nobody_follows_anothers_case(circle, client_of, case):
    with as_owner():
        CasePresentation.objects.filter(pk=case.pk).update(presenter=circle.member)
    later = follow_up_of(circle, case)
    for follows in (case, later):
        with pytest.raises(cases.NotYourEarlierCase), as_member(circle.presenter):
            cases.describe(later, title="", follows=follows, by=circle.presenter, at=timezone.now())
    page = client_of(circle.presenter).post(
        reverse("case_title", args=[later.pk]), {"title": "", "follows": str(case.pk)}
    )
    assert page.status_code == 200
    assert page.context["form"].errors["follows"]


# Lists


def test_the_sessions_page_lists_the_cases_one_was_present_for(circle, case):
    for who, count in (("leader", 1), ("member", 1), ("second_leader", 0), ("absent", 0)):
        with as_member(getattr(circle, who)):
            found = cases.of_session(case.session, getattr(circle, who), timezone.now())
        assert [row.title for row in found] == [TITLE] * count


@pytest.mark.parametrize("page", ["settings_kept", "case"])
def test_a_page_asks_as_often_for_one_case_as_for_many(
    circle, client_of, case, page, django_assert_max_num_queries
):
    client = client_of(circle.presenter)
    address = reverse(page, args=[case.pk] if page == "case" else [])
    counts = []
    for _round in range(2):
        with django_assert_max_num_queries(40) as asked:
            client.get(address)
        counts.append(len(asked))
        for days in range(1, 6):
            earlier = make_session(circle, begins=-60 * 24 * days, setting="in_person")
            there = [circle.leader, circle.presenter]
            with as_owner():
                Session.objects.filter(pk=earlier.pk).update(phase="closed")
            seen_by_leader(earlier, circle, there)
    assert counts[0] == counts[1]


def seen_by_leader(session, circle, there):
    with as_owner():
        told = CasePresentation.objects.create(
            session=session,
            group=circle.group,
            order=1,
            presenter=circle.presenter,
            follow_up=True,
            forget_on=date(2099, 1, 1),
        )
        for person in there:
            CasePresence.objects.create(case=told, group=circle.group, member=person)


# What is kept about you


def test_kept_says_what_and_until_when(circle, client_of, case):
    put_down(
        case.session,
        circle.leader,
        [circle.leader, circle.presenter, circle.member],
        entry(circle.presenter, circle.leader, circle.member, case=case.pk),
    )
    page = client_of(circle.presenter).get(reverse("settings_kept"))
    text = " ".join(page.content.decode().split())
    local = case.session.starts_at.astimezone(case.session.zone).date()
    assert f"until {case.forget_on:%-d %B %Y}" in text
    assert f"{local:%-d %B %Y}</time> there" in text
    assert f"until {local:%-d %B} {local.year + 10}" in text
    assert "since" in text
    assert "Agreed to version 1" in text
    assert circle.presenter.email in text


def test_kept_shows_nothing_of_others(circle, client_of, case):
    put_down(
        case.session,
        circle.leader,
        [circle.leader, circle.presenter, circle.member],
        entry(circle.presenter, circle.leader, circle.member, case=case.pk),
    )
    for who in ("absent", "leader", "outsider", "former", "admin"):
        text = client_of(getattr(circle, who)).get(reverse("settings_kept")).content.decode()
        assert "Amit" not in text
        assert "Dana" not in text
        assert TITLE not in text


def test_kept_ends_a_leap_days_attendance_on_the_28th():
    session = Session(starts_at=utc(2028, 2, 29, 18), time_zone="Europe/London", minutes=90)
    assert kept.attendance_until(Attendance(session=session)) == date(2038, 2, 28)
