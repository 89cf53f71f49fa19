"""Templates of an evening: what came with the site, what a programme makes of it, what a group."""

from importlib import import_module
from typing import Any

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone

from groups import evenings
from groups.evening_models import NAMES as NAMES_OF_ROWS
from groups.evening_models import OF_A_CASE, PHASES, EveningTemplate
from groups.forms.evening import PHASE_NAMES
from groups.models import Group, Programme
from sessions import planning
from sessions.phases import NAMES, ORDER, WITH_CASE, Phase
from tests.world import as_member, as_owner

SHIPPED = import_module("groups.migrations.0009_evenings").SITES_OWN
SITES_OWN = {
    key: EveningTemplate(
        key=key, name=name, cases=cases, minutes=dict(zip(PHASES, minutes, strict=True)), **more
    )
    for key, name, cases, minutes, more in SHIPPED
}
ROSTER, APP = "balint_roster", "balint_app"
pytestmark = pytest.mark.reads_context


def saved(circle, template=None, by=None, **values: Any) -> EveningTemplate:
    """The programme's admin saves a template."""
    by = by or circle.admin
    given = {"minutes": SITES_OWN["90"].minutes} | values
    with as_member(by, ROSTER):
        return evenings.save(circle.programme, template, by=by, at=timezone.now(), **given)


def sites(key: str) -> EveningTemplate:
    with as_owner():
        return EveningTemplate.objects.get(programme=None, key=key)


def of(circle) -> dict[str, EveningTemplate]:
    with as_owner():
        return {row.key: row for row in evenings.of_programme(circle.programme.pk)}


# What came with the site


def test_what_came_with_the_site_in_order_and_in_words(circle):
    assert [row.label for row in of(circle).values()] == [
        "60 minutes, one case",
        "75 minutes, one case",
        "90 minutes, one case",
        "90 minutes, two cases",
        "Doppelstunde: 90 minutes, one case",
        "120 minutes, two cases",
        "Training, with a timekeeper: 75 minutes, one case",
        "Fishbowl, with observers: 90 minutes, one case",
        "Intensive day: 4 meetings of 90 minutes in one day",
    ]
    assert {row.name for row in SITES_OWN.values() if row.name} == set(NAMES_OF_ROWS)


def test_the_phases_are_those_of_a_session():
    assert list(PHASES) == list(PHASE_NAMES) == [str(phase) for phase in ORDER]
    assert [str(label) for label in PHASE_NAMES.values()] == [str(NAMES[p]) for p in ORDER]
    assert set(OF_A_CASE) == {str(phase) for phase in WITH_CASE | {Phase.CALL}}


@pytest.mark.parametrize(
    ("minutes", "key"), [(30, "60"), (60, "60"), (74, "60"), (80, "75"), (90, "90"), (180, "120")]
)
def test_the_longest_usual_template_that_fits(minutes: int, key: str):
    fits = evenings.fitting(SITES_OWN.values(), minutes)
    assert fits is SITES_OWN[key]


# A programme's


def test_a_changed_template_is_the_programmes_copy_in_its_place(circle):
    copy = saved(circle, sites("90"), name="Our evening")
    rows = of(circle)
    assert (rows["90"].pk, rows["90"].label) == (copy.pk, "Our evening: 90 minutes, one case")
    assert list(rows) == list(SITES_OWN)
    assert sites("90").name == ""
    with as_owner():
        elsewhere = Programme.objects.create(name="Elsewhere")
        assert copy not in evenings.of_programme(elsewhere.pk)


def test_taken_back_the_sites_own_stands_again(circle):
    copy = saved(circle, sites("90"), name="Our evening")
    with as_member(circle.admin, ROSTER):
        evenings.take_back(copy, by=circle.admin, at=timezone.now())
    assert of(circle)["90"].programme_id is None


def test_a_group_follows_its_template_and_keeps_its_own_minutes(circle):
    own = saved(circle, name="Long story", minutes=SITES_OWN["90"].minutes | {"story": 12})
    with as_owner():
        group = Group.objects.get(pk=circle.group.pk)
        group.evening, group.minutes = own.key, {"questions": 9}
        template = evenings.of_group(group, 60)
        assert template == own
        minutes = evenings.minutes_of(template, group.minutes)
    assert (minutes["story"], minutes["questions"], minutes["closing"]) == (12, 9, 5)


def test_what_is_not_offered_stays_with_those_who_have_it(circle):
    saved(circle, sites("120"), offered=False)
    with as_owner():
        group = circle.group
        assert "120" not in [row.key for row in evenings.offered(group)]
        group.evening = "120"
        assert "120" in [row.key for row in evenings.offered(group)]


@pytest.mark.parametrize("minutes", [1, 180])
def test_an_evening_too_short_or_too_long_is_refused(circle, minutes):
    with pytest.raises(evenings.TooShortOrTooLong, match=f"last {8 * minutes}"):
        saved(circle, minutes=dict.fromkeys(PHASES, minutes))


@pytest.mark.parametrize("who", ["leader", "member", "outsider", "superuser"])
def test_nobody_else_writes_templates(circle, who):
    with pytest.raises(evenings.NotYourTemplate):
        saved(circle, by=getattr(circle, who))


def test_nobody_takes_back_what_came_with_the_site(circle):
    with as_member(circle.admin, ROSTER), pytest.raises(evenings.NotYourTemplate):
        evenings.take_back(sites("90"), by=circle.admin, at=timezone.now())


def attempts(circle, elsewhere: Programme | None) -> dict[str, Any]:
    rows = EveningTemplate.objects
    new = {"key": "mine", "minutes": {}}
    return {
        "the site's changed": lambda: rows.filter(programme=None).update(name="Mine"),
        "the site's removed": lambda: rows.filter(programme=None)._raw_delete("default"),
        "a new one of the site": lambda: rows.create(**new),
        "one elsewhere": lambda: rows.create(programme=elsewhere, **new),
        "given away": lambda: rows.filter(programme=circle.programme).update(programme=elsewhere),
    }


@pytest.mark.parametrize("role", [ROSTER, APP])
@pytest.mark.parametrize("attempt", attempts(None, None))
def test_the_database_refuses_alone(circle, attempt, role):
    saved(circle, name="Ours")
    with as_owner():
        elsewhere = Programme.objects.create(name="Elsewhere")
    with (
        pytest.raises(ProgrammingError, match="row-level security|permission denied"),
        transaction.atomic(),
        as_member(circle.admin, role),
    ):
        attempts(circle, elsewhere)[attempt]()


def test_a_leader_has_no_right_to_templates_by_sql(circle):
    own = saved(circle, name="Ours")
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
        as_member(circle.leader, ROSTER),
    ):
        EveningTemplate.objects.filter(pk=own.pk).update(name="Mine")


# The office's pages


def ticked(values: dict[str, Any]) -> dict[str, Any]:
    """As a browser sends them: nothing for an empty box."""
    sent = {name: value for name, value in values.items() if value is not None}
    return {n: "on" if v is True else v for n, v in sent.items() if v is not False}


def typed(client, url: str, **changes: Any) -> dict[str, Any]:
    """What a browser would send from the page, with these changes."""
    form = client.get(url).context["form"]
    values = {field.html_name: field.value() for field in form} | changes
    return ticked(values)


def test_the_office_sees_changes_and_adds_templates(circle, client_of):
    client = client_of(circle.admin)
    listed = f"/programmes/{circle.programme.pk}/evenings/"
    url = f"{listed}{sites('75').pk}/"
    answer = client.post(url, typed(client, url, name="After work", minutes_story=6))
    assert (answer.status_code, answer.headers["Location"]) == (302, listed)
    client.post(f"{listed}new/", typed(client, f"{listed}new/", sessions=3, pause=20))
    page = client.get(listed).content.decode()
    assert "After work: 76 minutes, one case" in page
    assert "3 meetings of 90 minutes in one day" in page
    rows = of(circle)
    client.post(f"{listed}{rows['75'].pk}/back/")
    assert "After work" not in client.get(listed).content.decode()


def test_what_is_refused_keeps_what_was_typed(circle, client_of):
    client = client_of(circle.admin)
    url = f"/programmes/{circle.programme.pk}/evenings/new/"
    short = {f"minutes_{phase}": 0 for phase in PHASES}
    answer = client.post(url, typed(client, url, name="Typed with care", **short))
    assert answer.status_code == 409
    assert "15 minutes and 12 hours" in answer.content.decode()
    assert "Typed with care" in answer.content.decode()
    answer = client.post(url, typed(client, url, cases=9))
    assert "One to three cases" in answer.content.decode()


def test_a_first_rhythm_is_as_long_as_the_groups_template(circle):
    with as_owner():
        assert evenings.usual_length(circle.group) == 90
        circle.group.evening = "120"
        assert planning.next_rule(circle.group, timezone.now()).cadence.minutes == 120


# A group's page


def edit(circle, client_of, **changes: Any) -> Group:
    url = f"/groups/{circle.group.pk}/edit/"
    data: dict[str, Any] = {}
    client = client_of(circle.leader)
    context = client.get(url).context
    for name in ("frame", "inside", "evening"):
        data |= {field.html_name: field.value() for field in context[name]}
    answer = client.post(url, ticked(data | changes))
    assert answer.status_code == 302
    with as_owner():
        return Group.objects.get(pk=circle.group.pk)


def test_a_template_brings_its_switches_and_minutes(circle, client_of):
    group = edit(circle, client_of, evening="training")
    assert (group.evening, group.keeps_time, group.minutes) == ("training", True, {})
    group = edit(circle, client_of, evening="fishbowl")
    assert (group.keeps_time, group.has_observers, group.minutes) == (False, True, {})


def test_what_is_changed_beside_it_is_the_groups_and_stays(circle, client_of):
    group = edit(circle, client_of, evening="120", sits_back=False, minutes_story=15)
    assert (group.sits_back, group.minutes) == (False, {"story": 15})
    group = edit(circle, client_of, evening="60")
    assert (group.sits_back, group.minutes) == (True, {"story": 15})
    assert edit(circle, client_of, minutes_story=5).minutes == {}


def test_the_groups_wording_and_the_leaders_talk(circle, client_of):
    words = {"follow_up_words": "What became of it?", "call_words": "Who would like to tell?"}
    group = edit(circle, client_of, **words, talk_minutes=20)
    assert (group.follow_up_words, group.call_words, group.talk_minutes) == (*words.values(), 20)
