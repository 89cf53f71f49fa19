"""Letters are planned once, whatever has become of the first."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError
from django.utils import timezone

from members.letters import outbox
from members.models import Letter, LetterState
from tests.members.letters.conftest import change, look, make_letter
from tests.world import as_member, as_owner, make_member

pytestmark = pytest.mark.django_db


def same(letter):
    return outbox.letter(
        letter.kind,
        about=letter.about_id,
        version=letter.about_version,
        group_id=letter.group_id,
        recipient=letter.recipient,
        address=letter.address,
        send_after=letter.send_after,
    )


@pytest.mark.parametrize("state", LetterState.values)
def test_planning_a_letter_again_changes_nothing_whatever_became_of_it(state):
    letter = make_letter()
    lease = {"lease_token": uuid4(), "lease_until": timezone.now()} if state == "leased" else {}
    change(letter, state=state, **lease)
    with as_owner():
        assert outbox.plan([same(letter)]) == 0
        assert Letter.objects.count() == 1
    assert look(letter).state == state


def test_a_letter_to_an_address_is_planned_once_too():
    letter = make_letter(address="new@example.org")
    with as_owner():
        assert outbox.plan([same(letter)]) == 0


def test_a_new_version_another_kind_and_another_person_are_letters_of_their_own():
    letter = make_letter()
    others = [same(letter) for _ in range(3)]
    others[0].about_version, others[1].kind, others[2].recipient = 1, "other", make_member()
    with as_owner():
        assert outbox.plan(others) == 3


def test_the_message_id_is_the_letters_own_on_the_mail_domain(settings):
    settings.MAIL_DOMAIN = "balint.example"
    letter = make_letter()
    assert look(letter).message_id == f"<{letter.pk}@balint.example>"


def test_planning_takes_as_many_queries_for_fifty_letters_as_for_one(
    django_assert_num_queries,
):
    people = [make_member() for _ in range(5)]
    letters = [
        outbox.letter(
            "note",
            about=uuid4(),
            version=0,
            group_id=None,
            recipient=people[n % 5],
            send_after=timezone.now(),
        )
        for n in range(50)
    ]
    with as_owner(), django_assert_num_queries(2):
        assert outbox.plan(letters) == 50


def test_nothing_planned_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert outbox.plan([]) == 0


def test_cancelling_takes_back_what_waits_and_nothing_else():
    letter = make_letter()
    states = {}
    for state in ("pending", "uncertain", "sent", "failed", "expired"):
        other = make_letter(about=letter.about_id)
        change(other, state=state)
        states[state] = other
    with as_owner():
        assert outbox.cancel(about=letter.about_id) == 3
    assert {state: look(other).state for state, other in states.items()} == {
        "pending": "cancelled",
        "uncertain": "cancelled",
        "sent": "sent",
        "failed": "failed",
        "expired": "expired",
    }


def test_cancelling_can_be_narrowed_to_a_person_to_kinds_and_to_older_versions():
    about, person = uuid4(), make_member()
    letters = {
        "person": make_letter(about=about, recipient=person),
        "other": make_letter(about=about),
        "kind": make_letter(about=about, kind="other"),
        "newer": make_letter(about=about, version=2),
        "elsewhere": make_letter(recipient=person),
    }

    def cancelled():
        return {name for name, letter in letters.items() if look(letter).state == "cancelled"}

    with as_owner():
        assert outbox.cancel(about=about, recipient=person) == 1
    assert cancelled() == {"person"}
    with as_owner():
        assert outbox.cancel(about=about, kinds={"other"}) == 1
    assert cancelled() == {"person", "kind"}
    with as_owner():
        assert outbox.cancel(about=about, versions_below=2) == 1
    assert cancelled() == {"person", "kind", "other"}


def test_a_letter_goes_to_a_member_or_to_an_address_and_not_to_both():
    with pytest.raises(IntegrityError, match="letter_goes_to_member_or_address"), as_owner():
        Letter(kind="x", about_id=uuid4(), send_after=timezone.now()).save()
    with pytest.raises(IntegrityError, match="letter_goes_to_member_or_address"), as_owner():
        Letter(
            kind="x",
            about_id=uuid4(),
            send_after=timezone.now(),
            recipient=make_member(),
            address="a@example.org",
        ).save()


def test_a_leased_letter_has_a_lease():
    letter = make_letter()
    with pytest.raises(IntegrityError, match="leased_letter_has_a_lease"):
        change(letter, state="leased")


def test_the_office_may_plan_a_letter_and_read_no_content_for_it():
    with as_member(None, "balint_roster"):
        letter = outbox.letter(
            "note",
            about=uuid4(),
            version=0,
            group_id=None,
            address="new@example.org",
            send_after=timezone.now() + timedelta(days=1),
        )
        assert outbox.plan([letter]) == 1
