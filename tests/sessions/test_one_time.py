"""A meeting has one time: pages, letters, files and the sheet say the same, on whose clock."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from groups.cadence import instant
from members.models import Member
from sessions import answerlinks
from sessions.letters import NOTICES
from sessions.models import Session
from sessions.phases import Phase
from tests.balint.addresses import ADDRESSES
from tests.balint.installation import install
from tests.sessions.desk import text
from tests.sessions.files import instants
from tests.sessions.meetings import make_session
from tests.sessions.round import mail_about, text_of
from tests.world import Circle, as_owner, join, make_group, make_member

NEW_YORK, LONDON = "America/New_York", "Europe/London"
WITH_TIMES = ("calendar/", "groups/<uuid:pk>/", "sessions/<uuid:pk>/")
SAID = re.compile(r"\b([01]\d|2[0-3]):[0-5]\d\b")


# The two weeks in which New York has changed its clocks and London has not, and a winter evening
# that is the next day in London.
YEAR = timezone.now().year + 1
MARCH = next(day for day in (date(YEAR, 3, n) for n in range(15, 22)) if day.weekday() == 3)
JANUARY = next(day for day in (date(YEAR + 1, 1, n) for n in range(15, 22)) if day.weekday() == 3)


@dataclass
class Evening:
    """A meeting at 19:00 in New York, a reader in London, and what each clock shows."""

    session: Session
    reader: Member
    here: str
    there: str

    @property
    def span(self) -> tuple[datetime, datetime]:
        return self.session.starts_at, self.session.ends_at


def evening(on: date, there: str) -> Evening:
    group = make_group(time_zone=NEW_YORK)
    reader = make_member("Dr Dana Green", time_zone=LONDON)
    join(group, reader)
    session = make_session(group, instant(on, time(19), NEW_YORK), minutes=60)
    here = f"Thursday {on.day} {on:%B} {on.year}, 19:00–20:00, New York time"
    return Evening(session, reader, here, there)


@pytest.fixture(params=["march", "winter"])
def told(request: pytest.FixtureRequest, db: None) -> Evening:
    if request.param == "march":
        return evening(MARCH, "23:00–00:00, London time")
    after = JANUARY + timedelta(days=1)
    return evening(JANUARY, f"Friday {after.day} January {after.year}, 00:00–01:00, London time")


def test_the_evenings_are_what_they_are_taken_for():
    starts = [instant(on, time(19), NEW_YORK).astimezone(UTC) for on in (MARCH, JANUARY)]
    assert [
        (start.day - on.day, start.hour) for start, on in zip(starts, (MARCH, JANUARY), strict=True)
    ] == [(0, 23), (1, 0)]


@pytest.mark.parametrize("kind", ["reminder-1", *sorted(NOTICES)])
def test_a_letter_and_the_file_in_it_say_what_the_page_says(told: Evening, kind: str):
    if kind == "cancelled":
        with as_owner():
            Session.objects.filter(pk=told.session.pk).update(phase=Phase.CANCELLED)
    mail = mail_about(told.session, kind, told.reader)
    assert f"{told.here} (for you {told.there})" in text_of(mail)
    (file,) = mail.iter_attachments()
    assert instants(file.get_content()) == [told.span]


def test_pages_feed_and_file_say_one_time(told: Evening, client_of):
    client = client_of(told.reader)
    page = text(client.get(f"/sessions/{told.session.pk}/"))
    assert "19:00–20:00, New York time" in page
    assert f"for you {told.there}" in page
    by_mail = text(Client().get(f"/answer/{answerlinks.token(told.session, told.reader)}/"))
    assert f"19:00–20:00, New York time for you {told.there}" in by_mail
    address = client.post("/settings/calendar/").content.decode().split('id="address"')[1]
    feed = Client().get(urlsplit(address.split('value="')[1].split('"')[0]).path)
    alone = client.get(f"/sessions/{told.session.pk}/balint.ics")
    on = told.session.starts_at.astimezone(told.session.zone)
    year = f"/groups/{told.session.group_id}/{on.year}"
    whole = client.get(f"{year}.ics")
    assert (
        instants(feed.content) == instants(alone.content) == instants(whole.content) == [told.span]
    )
    (sheet,) = PdfReader(BytesIO(client.get(f"{year}.pdf").content)).pages
    said = " ".join(sheet.extract_text().split())
    assert "All in New York time." in said
    assert "19:00–20:00" in said


def test_to_somebody_elsewhere_every_page_with_a_time_says_whose_it_is(circle: Circle, client_of):
    there = install(circle)
    with as_owner():
        Member.objects.filter(pk=circle.leader.pk).update(time_zone=LONDON)
    circle.leader.refresh_from_db()
    client = client_of(circle.leader)
    known = there.known | {"sessions": [there.planned.pk]}
    paths = [f"/sessions/{there.running.pk}/room/", f"/sessions/{there.running.pk}/tonight/"]
    paths += [one.path(known) for one in ADDRESSES if one.pattern.startswith(WITH_TIMES)]
    pages = {path: text(client.get(path)) for path in paths if not path.endswith((".ics", ".pdf"))}
    timed = {path: said for path, said in pages.items() if SAID.search(said)}
    assert len(timed) > 20
    assert [path for path, said in timed.items() if "Jerusalem time" not in said] == []
