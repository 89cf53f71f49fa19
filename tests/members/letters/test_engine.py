"""What is due is sent, once; each way a mail server can fail, and what becomes of the letter."""

import logging
import time
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.mail import EmailMessage
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from members.letters import engine, kinds, lease
from members.letters.health import WORKER, of_letters
from members.letters.kinds import LetterKind, Message
from members.letters.mail import address_of
from members.letters.post import Fate, Line, NotSent
from members.models import Heartbeat, Letter, LetterState, Member
from tests.members.letters.conftest import change, look, make_letter, write
from tests.smtp import free_port
from tests.world import as_owner, make_member

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("note")]


def dispatch():
    with as_owner():
        return dict(engine.dispatch())


def let_it_be_time(letter):
    """Its waiting is over."""
    change(letter, not_before=Now() - timedelta(seconds=1))


def test_what_is_due_is_sent_once(server):
    letters = [make_letter() for _ in range(3)]
    assert dispatch() == {"sent": 3}
    assert dispatch() == {}
    assert sorted(mail.message_id for mail in server.mails) == sorted(
        letter.message_id for letter in letters
    )
    assert server.recipients == sorted(address_of(letter) for letter in letters)


def test_what_is_not_due_yet_waits(server):
    letter = make_letter(send_after=timezone.now() + timedelta(minutes=1))
    assert dispatch() == {}
    assert (look(letter).state, server.mails) == ("pending", [])


def test_a_sent_letter_says_when_and_holds_no_lease(server):
    letter = make_letter()
    dispatch()
    sent = look(letter)
    assert (sent.state, sent.attempts, sent.lease_token, sent.lease_until, sent.last_error) == (
        "sent", 1, None, None, "",
    )  # fmt: skip
    assert sent.accepted_at
    assert timezone.now() - sent.accepted_at < timedelta(seconds=30)


def test_several_batches_share_one_connection(server):
    for _ in range(lease.BATCH + 3):
        make_letter(address=f"{uuid4()}@example.org")
    assert dispatch() == {"sent": lease.BATCH + 3}
    assert server.connections == 1


def test_a_letter_to_an_address_goes_there(server):
    make_letter(address="new@example.org")
    dispatch()
    assert server.recipients == ["new@example.org"]


def test_a_letter_to_a_person_goes_to_the_address_they_have_now(server):
    person = make_member()
    make_letter(recipient=person)
    with as_owner():
        Member.objects.filter(pk=person.pk).update(email="moved@example.org")
    dispatch()
    assert server.recipients == ["moved@example.org"]


@pytest.mark.parametrize("word", ["451", "no-sender"])
def test_a_temporary_answer_puts_the_letter_off_and_it_goes_later_with_the_same_message_id(
    server, word
):
    server.script = [word]
    letter = make_letter()
    assert dispatch() == {"put off": 1}
    waiting = look(letter)
    assert (waiting.state, waiting.attempts, waiting.last_error) == (
        "pending", 1, "451" if word == "451" else "550",
    )  # fmt: skip
    assert waiting.not_before
    assert waiting.not_before > timezone.now()
    assert dispatch() == {}
    let_it_be_time(letter)
    assert dispatch() == {"sent": 1}
    assert [mail.message_id for mail in server.mails] == [letter.message_id]


@pytest.mark.parametrize("word", ["550", "no-rcpt"])
def test_a_final_answer_ends_it_and_no_address_is_kept_with_the_error(server, word):
    server.script = [word]
    letter = make_letter()
    assert dispatch() == {"failed": 1}
    assert (look(letter).state, look(letter).last_error) == ("failed", "550")
    assert dispatch() == {}


def test_a_refused_letter_does_not_hold_up_the_next(server):
    server.script = ["no-rcpt", "451"]
    for _ in range(3):
        make_letter()
    assert dispatch() == {"failed": 1, "put off": 1, "sent": 1}
    assert server.connections == 1


@pytest.mark.parametrize("word", ["drop", "hang"])
def test_no_answer_after_handing_over_is_uncertain_and_sent_again_as_the_same_mail(server, word):
    server.script = [word]
    letter = make_letter()
    assert dispatch() == {"put off": 1}
    assert (look(letter).state, look(letter).last_error) == ("uncertain", "no answer")
    let_it_be_time(letter)
    assert dispatch() == {"sent": 1}
    assert [mail.message_id for mail in server.mails] == [letter.message_id] * 2


def test_after_a_broken_connection_the_batch_goes_on_over_a_new_one(server):
    server.script = ["drop"]
    for _ in range(3):
        make_letter()
    assert dispatch() == {"put off": 1, "sent": 2}
    assert server.connections == 2


def test_a_mail_server_that_is_away_puts_the_batch_off_and_leaves_the_rest_untouched(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    for _ in range(lease.BATCH + 1):
        make_letter(address=f"{uuid4()}@example.org")
    assert dispatch() == {"put off": lease.BATCH}
    with as_owner():
        put_off = Letter.objects.filter(last_error="no connection", not_before__gt=Now())
        assert put_off.filter(state="pending").count() == lease.BATCH
        assert Letter.objects.filter(state="pending", attempts=0).count() == 1


def test_an_exchange_with_a_slow_server_never_outlasts_the_lease(server, settings):
    settings.LETTER_LEASE_SECONDS, settings.EMAIL_TIMEOUT, server.delay = 1, 0.7, 0.6
    letter = make_letter()
    begun = time.monotonic()
    assert dispatch() == {"put off": 1}
    assert time.monotonic() - begun < 2
    assert look(letter).state in {"pending", "uncertain"}


def test_a_letter_whose_time_is_over_expires_also_while_the_server_is_away(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    letter = make_letter(send_before=timezone.now() - timedelta(seconds=1))
    assert dispatch() == {"expired": 1}
    assert look(letter).state == "expired"


def test_a_letter_whose_time_ended_after_it_was_claimed_is_not_sent(server):
    letter = make_letter()
    with as_owner():
        ours = lease.claim()
    change(letter, send_before=Now() - timedelta(seconds=1))
    with as_owner():
        assert engine._look_again(letter.pk, ours) == "expired"
    assert look(letter).state == "expired"


def test_a_letter_no_longer_wanted_is_cancelled(server, monkeypatch):
    unwanted = LetterKind("note", lambda letter: False, write)
    monkeypatch.setitem(kinds._KINDS, "note", unwanted)
    letter = make_letter()
    assert dispatch() == {"cancelled": 1}
    assert (look(letter).state, server.mails) == ("cancelled", [])


def test_nobody_writes_to_a_closed_account(server):
    letter = make_letter(recipient=make_member(is_active=False))
    assert dispatch() == {"cancelled": 1}
    assert (look(letter).state, server.mails) == ("cancelled", [])


def test_a_kind_only_a_newer_version_knows_waits_for_it(server):
    letter = make_letter(kind="of tomorrow")
    assert dispatch() == {"put off": 1}
    assert (look(letter).state, look(letter).last_error) == ("pending", "unknown kind")


def test_a_letter_that_cannot_be_written_does_not_stop_the_others_and_the_log_names_nobody(
    server, monkeypatch, caplog
):
    def fail(letter):
        if letter.recipient.name == "Dr Dana Green":
            raise ValueError(letter.recipient.name)
        return write(letter)

    monkeypatch.setitem(kinds._KINDS, "note", LetterKind("note", lambda letter: True, fail))
    broken = make_letter(recipient=make_member("Dr Dana Green"))
    make_letter()
    with caplog.at_level(logging.INFO):
        assert dispatch() == {"put off": 1, "sent": 1}
    assert look(broken).last_error == "cannot be written"
    assert "ValueError" in caplog.text
    assert "Green" not in caplog.text


def test_a_letter_is_written_in_the_language_and_zone_of_its_recipient(server, monkeypatch):
    def say(letter):
        from django.utils import translation

        zone = timezone.get_current_timezone_name()
        return Message(f"{translation.get_language()} {zone}", "x", "x")

    monkeypatch.setitem(kinds._KINDS, "note", LetterKind("note", lambda letter: True, say))
    make_letter(recipient=make_member(language="de", time_zone="Europe/Berlin"))
    make_letter(address="new@example.org")
    dispatch()
    assert sorted(mail.message["Subject"] for mail in server.mails) == [
        "de Europe/Berlin",
        "en UTC",
    ]


def test_a_leased_letter_is_nobody_elses_until_the_lease_runs_out(server):
    letter = make_letter()
    with as_owner():
        lease.claim()
    assert dispatch() == {}
    change(letter, lease_until=Now() - timedelta(seconds=1))
    assert dispatch() == {"sent": 1}
    assert look(letter).attempts == 2


def test_with_too_little_of_the_lease_left_a_letter_is_given_back_unsent(server, settings):
    letter = make_letter()
    with as_owner():
        ours = lease.claim()
    change(letter, lease_until=F("lease_until") - timedelta(seconds=3.6))
    with as_owner():
        assert engine._look_again(letter.pk, ours) == "left alone"
        ours.give_back()
    assert (look(letter).state, look(letter).lease_token) == ("pending", None)


def test_the_marks_of_a_worker_that_lost_its_lease_change_nothing():
    letter = make_letter()
    with as_owner():
        late = lease.claim()
    change(letter, lease_until=Now() - timedelta(seconds=1))
    with as_owner():
        present = lease.claim()
        late.mark_sent(letter.pk)
        late.mark(letter.pk, LetterState.FAILED)
        late.put_off(letter.pk, NotSent("550", Fate.GIVE_UP))
        late.put_off(letter.pk, NotSent("451", Fate.TRY_AGAIN))
        late.give_back()
    assert (look(letter).state, look(letter).lease_token) == ("leased", present.token)


def test_a_letter_cancelled_between_claim_and_sending_does_not_go_and_stays_cancelled(server):
    letter = make_letter()
    with as_owner():
        ours = lease.claim()
    change(letter, state="cancelled")
    with as_owner():
        assert engine._look_again(letter.pk, ours) == "left alone"
        ours.put_off(letter.pk, NotSent("451", Fate.TRY_AGAIN))
        ours.give_back()
    assert look(letter).state == "cancelled"


def test_a_letter_cancelled_while_it_goes_out_is_sent_and_anything_else_leaves_it_cancelled():
    sent, failed = make_letter(), make_letter()
    with as_owner():
        ours = lease.claim()
    for letter in (sent, failed):
        change(letter, state="cancelled")
    with as_owner():
        ours.mark_sent(sent.pk)
        ours.mark(failed.pk, LetterState.FAILED)
    assert [look(letter).state for letter in (sent, failed)] == ["sent", "cancelled"]


def test_a_mail_is_not_handed_over_when_its_time_is_nearly_over_and_the_next_one_goes(server):
    with Line() as line:
        for seconds in (0.1, 3.0):
            letter = make_letter()
            mail = EmailMessage("A note", "A note.", to=[address_of(letter)])
            line.open()
            if seconds < 1:
                with pytest.raises(NotSent) as failure:
                    line.send(mail, seconds)
                assert failure.value.fate is Fate.TRY_AGAIN
            else:
                line.send(mail, seconds)
    assert len(server.mails) == 1


def test_the_exchange_ends_before_the_time_of_a_letter_does(server):
    letter = make_letter(send_before=timezone.now() + timedelta(seconds=2))
    with as_owner():
        ready = engine._look_again(letter.pk, lease.claim())
    assert isinstance(ready, engine.Ready)
    assert 0 < ready.seconds < 2


def test_what_a_batch_had_no_time_for_is_given_back_at_its_end(server):
    first, second = make_letter(), make_letter()
    with as_owner():
        ours = lease.claim()
    change(second, lease_until=Now() + timedelta(seconds=0.1))
    tally: Counter[str] = Counter()
    with as_owner(), Line() as line:
        assert engine._send_batch(ours, line, tally)
    assert tally == {"sent": 1, "left alone": 1}
    assert (look(first).state, look(second).state) == ("sent", "pending")


def test_of_a_family_only_the_newest_that_is_due_goes_after_an_outage(server, monkeypatch):
    for name in ("early", "late", "later"):
        kind = LetterKind(name, lambda letter: True, write, family="together")
        monkeypatch.setitem(kinds._KINDS, name, kind)
    about, person, now = uuid4(), make_member(), timezone.now()
    early, late, later = (
        make_letter(kind=kind, about=about, recipient=person, send_after=now + timedelta(hours=h))
        for kind, h in (("early", -9), ("late", -1), ("later", 1))
    )
    alone = make_letter(kind="early", about=about)
    assert dispatch() == {"expired": 1, "sent": 2}
    states = [look(letter).state for letter in (early, late, later, alone)]
    assert states == ["expired", "sent", "pending", "sent"]


def test_each_failure_waits_about_twice_as_long_up_to_ten_minutes(settings):
    settings.LETTER_LEASE_SECONDS = 120
    for attempts, seconds in [(1, 30), (2, 60), (3, 120), (5, 480), (6, 600), (50, 600)]:
        waits = [lease.wait(attempts).total_seconds() for _ in range(200)]
        assert seconds * 0.75 <= min(waits) < max(waits) <= seconds * 1.25


def test_every_round_leaves_a_heartbeat_and_health_tells_the_oldest_that_is_overdue(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    make_letter(send_after=timezone.now() - timedelta(minutes=20))
    dispatch()
    dispatch()
    with as_owner():
        beat = Heartbeat.objects.get(name=WORKER)
        health = of_letters(at=timezone.now())
    assert timezone.now() - beat.beat_at < timedelta(seconds=30)
    assert timedelta(minutes=20) <= health.overdue_by < timedelta(minutes=21)


def test_a_round_ends_after_the_batch_during_which_it_was_asked_to(server):
    for _ in range(lease.BATCH + 1):
        make_letter(address=f"{uuid4()}@example.org")
    with as_owner():
        assert engine.dispatch(go_on=lambda: False) == {"sent": lease.BATCH}
