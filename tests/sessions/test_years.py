"""A whole year to take along: a sheet of paper and a calendar file, and what neither says."""

import re
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from pypdf import PdfReader

from groups.models import Group
from members.models import Member
from members.paper import Paper
from sessions import yearsheet
from sessions.dates import Entry, Viewer
from sessions.models import Session
from sessions.phases import Phase
from tests.sessions.files import one, values
from tests.sessions.meetings import change, groups_of, on_wall

YEAR = timezone.now().year + 1
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIRST = datetime(2027, 1, 7, 17, 30, tzinfo=UTC)


def entries(count, *, step=7, places=("Clinic",), seen_from="Asia/Jerusalem", groups=1):
    """So many dates that nobody saved."""
    viewer = Viewer(Member(name="Dr Dana Green", time_zone=seen_from), NOW, {})
    of = [Group(name="Marrow", alias=f"Valley {number}") for number in range(groups)]
    return [
        Entry(
            Session(
                group=of[number % groups],
                starts_at=FIRST + timedelta(days=step * number),
                minutes=90,
                time_zone="Asia/Jerusalem",
                place=places[number % len(places)],
                phase=Phase.CANCELLED if number == 3 else Phase.PLANNED,
                settled_at=NOW,
                updated_at=NOW,
            ),
            viewer,
        )
        for number in range(count)
    ]


def read(pdf: bytes) -> PdfReader:
    return PdfReader(BytesIO(pdf))


def lines(pdf: bytes) -> list[str]:
    """The text of the first page, as another library reads it."""
    return [line.strip() for line in read(pdf).pages[0].extract_text().splitlines()]


def sheet(shown, title="Valley, 2027") -> bytes:
    return yearsheet.pdf(title, shown, at=NOW)


# The sheet


def test_a_sheet_says_once_what_all_dates_share():
    assert lines(sheet(entries(4, step=28))) == [
        "Valley, 2027",
        "Clinic",
        "All in Jerusalem time.",
        "Thu 7 Jan 19:30–21:00",
        "Thu 4 Feb 19:30–21:00",
        "Thu 4 Mar 19:30–21:00",
        "Thu 1 Apr 20:30–22:00 cancelled",
        "As it stood on 21 November 2026; what changes since stands on the site.",
    ]


def test_the_address_of_a_call_is_on_no_sheet():
    shown = entries(3, places=("Clinic", "https://video.example/j/1"))
    for entry in shown:
        entry.session.setting = "online" if "://" in entry.session.place else "in_person"
    said = lines(sheet(shown))
    assert [line for line in said if "video" in line] == []
    assert said[3].endswith("Online")


def test_what_differs_stands_beside_each_date_with_the_readers_own_clock():
    shown = entries(2, places=("Clinic", "Herzl 12"), groups=2, seen_from="Europe/London")
    assert lines(sheet(shown))[2:4] == [
        "Thu 7 Jan 19:30–21:00 for you 17:30, Valley 0, Clinic",
        "Thu 14 Jan 19:30–21:00 for you 17:30, Valley 1, Herzl 12",
    ]


@pytest.mark.parametrize(
    ("shown", "count"),
    [
        (entries(0), 1),
        (entries(53, step=6, places=("Clinic", "Herzl Street 12, second floor"), groups=2), 1),
        (entries(180, step=2), 2),
    ],
)
def test_a_year_is_one_page_even_with_a_meeting_every_week(shown, count):
    found = read(sheet(shown)).pages
    said = "".join(page.extract_text() for page in found)
    assert (len(found), len(re.findall(r"\d\d:\d\d–", said))) == (count, len(shown))


def test_a_place_too_long_for_its_line_is_cut_and_says_so():
    (line,) = (
        found for found in lines(sheet(entries(2, places=("x", "y" * 160)))) if "yy" in found
    )
    assert line.endswith("y…")


def test_places_in_the_scripts_people_write_here_are_written():
    places = ("Łódź, Große Straße", "Κλινική", "Клиника", "מרפאה", "العيادة", "คลินิก")
    said = lines(sheet(entries(6, step=28, places=places)))
    assert said[-1].endswith("on the site.")
    assert all(letter in "".join(said) for letter in "".join(places))


def test_a_letter_the_font_has_not_is_a_box_that_is_explained_and_no_log_tells_of_it(caplog):
    said = lines(sheet(entries(1, places=("Clinic 漢",))))
    assert said[1] == "Clinic ▯"
    assert said[-1].endswith("A box stands for a letter that this file cannot write.")
    assert caplog.records == []


def test_the_same_dates_are_the_same_bytes_and_tell_nobodys_name():
    pdf = sheet(entries(3))
    assert pdf == sheet(entries(3))
    assert dict(read(pdf).metadata or {}) == {
        "/Title": "Balint",
        "/CreationDate": "D:20261121120000Z",
    }


def test_in_a_language_from_the_right_the_sheet_begins_there():
    with translation.override("he"):
        paper = Paper(made_at=NOW)
        paper.add_page()
        paper.put("11", 0, 30, 11)
        paper.file()
    assert paper.get_x() == pytest.approx(210 - 16)


# The addresses


PERSONAS = {
    "leader": 200,
    "member": 200,
    "absent": 200,
    "on_leave": 200,
    "newcomer": 302,
    "former": 404,
    "admin": 200,
    "outsider": 404,
    "superuser": 404,
    None: 302,
}


@pytest.mark.parametrize(("persona", "status"), PERSONAS.items())
def test_a_groups_year_is_for_those_who_know_its_dates(circle, client_of, persona, status):
    on_wall(circle.group, date(YEAR, 3, 4))
    client = client_of(getattr(circle, persona) if persona else None)
    assert client.get(f"/groups/{circle.group.pk}/{YEAR}.ics").status_code == status
    if status != 200:
        assert client.get(f"/groups/{circle.group.pk}/{YEAR}.pdf").status_code == status


def test_a_groups_year_is_its_settled_dates_of_that_year_under_its_outside_name(circle, client_of):
    group = circle.group
    on_wall(group, date(YEAR - 1, 12, 31), time(23, 30))
    shown = [on_wall(group, date(YEAR, 1, 1), time(0, 30)), on_wall(group, date(YEAR, 12, 31))]
    on_wall(group, date(YEAR + 1, 1, 1), time(0, 30))
    on_wall(group, date(YEAR, 6, 1), settled_at=None)
    client = client_of(circle.member)
    file = client.get(f"/groups/{group.pk}/{YEAR}.ics")
    assert values(file.content, "UID") == [f"session-{s.uid}@testserver" for s in shown]
    assert values(file.content, "METHOD") == ["PUBLISH"]
    assert file.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert file.headers["Content-Disposition"] == f'attachment; filename="balint-{YEAR}.ics"'
    paper = client.get(f"/groups/{group.pk}/{YEAR}.pdf")
    assert paper.headers["Content-Type"] == "application/pdf"
    assert paper.headers["Content-Disposition"] == f'attachment; filename="balint-{YEAR}.pdf"'
    said = lines(paper.content)
    assert said[0] == f"Valley, {YEAR}"
    assert len([line for line in said if "–" in line]) == 2


def test_neither_file_says_a_reason_or_what_the_group_is_called_inside(circle, client_of):
    called_off = on_wall(circle.group, date(YEAR, 3, 4), phase=Phase.CANCELLED)
    change(called_off, "cancelled", "Ruth is ill", circle.leader)
    client = client_of(circle.leader)
    path = f"/groups/{circle.group.pk}/{YEAR}"
    said = client.get(f"{path}.ics").content.decode()
    said += " ".join(lines(client.get(f"{path}.pdf").content))
    for hidden in ("Ruth", "ill", "Valley group", "Marks", "Dana"):
        assert hidden not in said
    assert "Cancelled: Valley" in said


def test_ones_own_year_is_of_all_ones_groups_and_of_nobody_elses(circle, client_of):
    on_wall(circle.group, date(YEAR, 3, 4))
    (second,) = groups_of(circle.member, 1, alias="Harbour")
    on_wall(second, date(YEAR, 4, 4))
    on_wall(circle.other_group, date(YEAR, 5, 4))
    client = client_of(circle.member)
    file = client.get(f"/calendar/{YEAR}.ics").content
    assert [event.summary.value for event in one(file)] == ["Valley", "Harbour"]
    said = lines(client.get(f"/calendar/{YEAR}.pdf").content)
    assert said[0] == f"Your meetings, {YEAR}"
    assert [line.split()[-1] for line in said if "–" in line] == ["Valley", "Harbour"]


@pytest.mark.parametrize("kind", ["pdf", "ics"])
def test_years_no_calendar_has_are_nothing(circle, client_of, kind):
    client = client_of(circle.member)
    for year in (1989, 2200):
        assert client.get(f"/calendar/{year}.{kind}").status_code == 404
        assert client.get(f"/groups/{circle.group.pk}/{year}.{kind}").status_code == 404
    assert client.get(f"/calendar/{YEAR}.{kind}").status_code == 200


def test_a_year_of_thirty_dates_takes_as_many_queries_as_of_one(circle, client_of):
    client, path = client_of(circle.member), f"/groups/{circle.group.pk}/{YEAR}.ics"
    on_wall(circle.group, date(YEAR, 1, 1))
    with CaptureQueriesContext(connection) as for_one:
        client.get(path)
    for number in range(1, 30):
        on_wall(circle.group, date(YEAR, 1, 1) + timedelta(days=number))
    with CaptureQueriesContext(connection) as for_thirty:
        client.get(path)
    assert len(for_one) == len(for_thirty)


def test_the_pages_of_a_year_lead_to_its_files(circle, client_of):
    on_wall(circle.group, date(YEAR, 3, 4))
    client, group = client_of(circle.member), circle.group.pk
    page = client.get(f"/groups/{group}/?year={YEAR}").content.decode()
    assert f'href="/groups/{group}/{YEAR}.pdf"' in page
    assert f'href="/groups/{group}/{YEAR}.ics"' in page
    page = client.get(f"/calendar/{YEAR}/").content.decode()
    assert f'href="/calendar/{YEAR}.pdf"' in page
    assert f'href="/calendar/{YEAR}.ics"' in page
