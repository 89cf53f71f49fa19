"""Free text asks back once, saves the second time, and is never called safe."""

import logging
import pkgutil
from datetime import timedelta
from html import unescape
from importlib import import_module

import pytest
from django import forms
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils import timezone

from members.checked import AS_IT_IS, ChecksText
from sessions.models import Answer
from tests.sessions.meetings import make_session
from tests.world import as_owner

TEXT = "She came on 12 March 1960, from Hadera"


class OneText(ChecksText, forms.Form):
    checked = ("text",)
    text = forms.CharField(required=False, help_text="Short.", max_length=100)
    other = forms.CharField(required=False)


def bound(text, digest="", **more):
    data = QueryDict(mutable=True)
    data.update({"text": text, f"text{AS_IT_IS}": digest})
    return OneText(data, **more)


def digest_of(form):
    return form.fields["text"].as_it_is


def test_the_first_time_it_asks_and_the_second_time_it_takes_it():
    first = bound(TEXT)
    assert (first.is_valid(), first.errors) == (False, {})
    assert bound(TEXT, digest_of(first)).is_valid()


def test_a_digest_is_of_exactly_that_text():
    first = bound(TEXT)
    first.is_valid()
    assert not bound(TEXT + " again, on 1 May", digest_of(first)).is_valid()


def test_a_digest_of_another_form_does_not_do():
    class Another(OneText):
        pass

    first = Another(QueryDict(f"text={TEXT}"))
    first.is_valid()
    assert not bound(TEXT, digest_of(first)).is_valid()


@pytest.mark.parametrize("text", ["", "Heavy Monday"])
def test_a_text_in_which_nothing_is_seen_is_taken_at_once_and_nothing_is_said_of_it(text):
    form = bound(text)
    assert form.is_valid()
    assert "noticed" not in render_to_string("balint/field.html", {"field": form["text"]})


def test_what_stands_already_is_not_asked_about_again():
    assert bound(TEXT, initial={"text": TEXT}).is_valid()


def test_a_button_that_does_nothing_with_the_text_does_not_ask():
    assert bound(TEXT, asks=False).is_valid()


def test_names_of_the_group_are_known_and_read_only_when_there_is_text():
    def names():
        asked.append(1)
        yield "Dr Ruth Marks"

    asked: list[int] = []
    assert bound("", names=names()).is_valid()
    assert asked == []
    assert not bound("What Marks said", names=names()).is_valid()


def test_an_error_elsewhere_is_told_first():
    form = bound("x" * 101 + TEXT)
    assert not form.is_valid()
    assert form.noticed == []


def test_each_finding_stands_beside_its_field_and_the_field_says_so_to_who_hears_it():
    form = bound(TEXT)
    form.is_valid()
    page = unescape(render_to_string("balint/field.html", {"field": form["text"]}))
    assert "This looks like a date: “12 March 1960”." in page
    assert "This looks like a place: “Hadera”." in page
    assert "Would somebody recognise a person by them?" in page
    assert 'role="status" id="id_text_noticed"' in page
    assert 'aria-describedby="id_text_noticed id_text_helptext"' in page
    assert f'value="{TEXT}"' in page


def test_no_word_of_it_promises_anything():
    form = bound(TEXT)
    form.is_valid()
    page = render_to_string("balint/field.html", {"field": form["text"]}).lower()
    assert not [word for word in ("anonym", "safe", "secure", "identif") if word in page]


def test_the_log_holds_counts_and_kinds_and_no_text(caplog):
    with caplog.at_level(logging.INFO, logger="members.checked"):
        bound(TEXT + ", and 13 March 1961").is_valid()
    said = [record.getMessage() for record in caplog.records]
    assert said == ["identifier check: 2 date", "identifier check: 1 place"]


def test_over_the_page_it_is_said_kept_and_saved_as_it_is(circle, client_of):
    session = make_session(circle.group, timezone.now() + timedelta(days=7))
    client, path = client_of(circle.member), f"/sessions/{session.pk}/answer/"
    first = client.post(path, {"reason": TEXT})
    page = unescape(first.content.decode())
    assert first.status_code == 200
    assert ">Tell it as it is<" in page
    assert '<a class="button quiet" href="#id_reason">Change it</a>' in page
    assert TEXT in page
    digest = page.split(f'name="reason{AS_IT_IS}" value="')[1].split('"')[0]
    second = client.post(path, {"reason": TEXT, f"reason{AS_IT_IS}": digest})
    assert second.status_code == 302
    with as_owner():
        assert Answer.objects.get().reason == TEXT


def test_a_name_of_the_group_is_seen_on_the_page(circle, client_of):
    session = make_session(circle.group, timezone.now() + timedelta(days=7))
    posted = client_of(circle.member).post(
        f"/sessions/{session.pk}/answer/", {"reason": "because of Nader"}
    )
    assert "This looks like a name: “Nader”." in unescape(posted.content.decode())


# Every form of the project

LONGEST_UNCHECKED = 40
NOT_CHECKED = {
    ("AgreementForm", "text"): "the group's own rules, about nobody",
    ("PlanForm", "breaks"): "dates of a year, and nothing but them",
    ("PlanForm", "place"): "where the group meets is meant to be found",
    ("DateForm", "place"): "where the group meets is meant to be found",
    ("MoveForm", "place"): "where the group meets is meant to be found",
    ("DayForm", "place"): "where the group meets is meant to be found",
    ("EveningForm", "follow_up_words"): "what the group asks every time, about nobody",
    ("EveningForm", "call_words"): "what the group asks every time, about nobody",
    ("TemplateForm", "name"): "what a template is called",
    ("NewDateForm", "place"): "where the group meets is meant to be found",
    ("FollowingForm", "breaks"): "dates of a year, and nothing but them",
    ("FollowingForm", "place"): "where the group meets is meant to be found",
    ("FrameForm", "name"): "what a group is called",
    ("FrameForm", "place"): "where the group meets is meant to be found",
    ("FrameForm", "contact"): "whom to ring, by name and number",
    ("NewGroupForm", "name"): "what a group is called",
    ("NewGroupForm", "place"): "where the group meets is meant to be found",
    ("InsideForm", "alias"): "what mails call the group",
    ("InsideForm", "door"): "how to come in",
    ("ProposeForm", "name"): "the name of who is proposed",
    ("NewAccountForm", "name"): "one's own name",
    ("NewAccountForm", "profession"): "one's own profession",
    ("NewAccountForm", "password"): "nobody reads it",
    ("SubstituteForm", "name"): "the name of who stands in",
    ("ProfileForm", "name"): "one's own name",
    ("ProfileForm", "profession"): "one's own profession",
}


def forms_of_the_project():
    for app in ("groups", "sessions", "members"):
        root = import_module(app)
        for found in pkgutil.walk_packages(root.__path__, f"{app}."):
            if ".forms" in found.name or ".views" in found.name:
                yield from forms_in(import_module(found.name))


def forms_in(module):
    kinds = [one for one in vars(module).values() if isinstance(one, type)]
    own = [one for one in kinds if one.__module__ == module.__name__]
    return [one for one in own if issubclass(one, forms.BaseForm)]


def free_texts(form):
    """Fields into which somebody can write a sentence."""
    for name, field in form.base_fields.items():
        # What the page alone fills in, nobody types.
        typed = not field.disabled and not isinstance(field.widget, forms.HiddenInput)
        free = type(field) is forms.CharField and typed
        if free and (field.max_length or 10_000) > LONGEST_UNCHECKED:
            yield name


def test_every_free_text_of_every_form_is_checked_or_has_a_reason_not_to_be():
    every = {
        (form.__name__, name): name in getattr(form, "checked", ())
        for form in forms_of_the_project()
        for name in free_texts(form)
    }
    assert {key for key, checked in every.items() if not checked} == set(NOT_CHECKED)
    assert [key for key, checked in every.items() if checked] != []


def test_what_a_form_checks_it_has():
    for one in forms_of_the_project():
        assert set(getattr(one, "checked", ())) <= set(one.base_fields), one
