"""Streams of a real server: who gets one, what it says, what ends it; and screens by them."""

import http.client
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, Response, expect

from balint.embedded import Valkey
from balint.headers import ALWAYS
from balint.live.hub import MOST_OF_A_PERSON
from members.models import Member
from sessions.models import RoomPresence, Session
from sessions.phases import Phase
from tests.journeys.conftest import Site, serving
from tests.sessions.evening import at_phase, enter, move, tell
from tests.sessions.test_showing_out import show_out
from tests.world import as_owner, make_circle

# A screen is right within a second while it is connected; what draws it takes time of its own here.
NOW, BACK_AGAIN = 3_000, 6_000
QUESTION = 5.0


@pytest.fixture(autouse=True)
def _same_secret(settings: Any) -> None:
    """Sign-ins made here are good on the server."""
    settings.SECRET_KEY = "a journey"


@dataclass
class Asking:
    """A browser without a page: one person's requests to the real server."""

    site: Site
    key: str

    @classmethod
    def of(cls, site: Site, member: Member | None) -> "Asking":
        client = Client()
        if member:
            client.force_login(member)
        return cls(site, client.cookies["sessionid"].value if member else "")

    @contextmanager
    def ask(self, path: str, method: str = "GET") -> Iterator[http.client.HTTPResponse]:
        port = int(self.site.url.rsplit(":", 1)[1])
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            cookie = {"Cookie": f"sessionid={self.key}"} if self.key else {}
            connection.request(method, path, headers=cookie)
            with connection.getresponse() as answer:
                yield answer

    def whole(self, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of an answer that ends."""
        with self.ask(path, method) as answer:
            passing = {"date", "content-security-policy", "set-cookie"}
            headers = {k: v for k, v in answer.getheaders() if k.lower() not in passing}
            return answer.status, headers, answer.read()


def said(answer: http.client.HTTPResponse, seconds: float = 10) -> bytes:
    """What the stream says next; nothing is its end."""
    answer.fp.raw._sock.settimeout(seconds)  # type: ignore[attr-defined]
    return answer.read1(4096)


def version(text: bytes) -> int:
    return int(re.findall(rb"^data: (\d+)$", text, re.MULTILINE)[-1])


def bears_every_header(headers: Any) -> bool:
    policy = headers["content-security-policy"]
    return "default-src 'none'" in policy and all(
        headers[name.lower()] == value for name, value in ALWAYS.items()
    )


def test_who_gets_a_stream_what_it_says_and_what_ends_it(site: Site) -> None:
    circle = make_circle()
    session = at_phase(circle, Phase.CALL)
    live, nothing = f"/live/{session.pk}", f"/live/{uuid4()}"
    for stranger in (circle.outsider, circle.former, circle.admin, circle.superuser, None):
        asking = Asking.of(site, stranger)
        refused, none = asking.whole(live), asking.whole(nothing)
        for answer, path in ((refused, live), (none, nothing)):
            to = answer[1].pop("location", "")
            assert to == ("" if stranger else f"/accounts/login/?next={quote(path, safe='')}")
        assert refused == none
        assert refused[0] == (404 if stranger else 302)
    newcomer = Asking.of(site, circle.newcomer).whole(live)
    assert newcomer[1]["location"] == f"/groups/{circle.group.pk}/agreement/"
    absent = Asking.of(site, circle.absent)
    assert absent.whole(live, "POST")[0] == 403
    assert absent.whole(f"{live}/")[0] == absent.whole(f"{live}/more")[0] == 404

    member, second = Asking.of(site, circle.member), Asking.of(site, circle.second_leader)
    with ExitStack() as stack:
        streams = [stack.enter_context(member.ask(live)) for _ in range(MOST_OF_A_PERSON)]
        first = [said(stream) for stream in streams]
        assert [stream.status for stream in streams] == [200] * MOST_OF_A_PERSON
        assert bears_every_header(streams[0].headers)
        with member.ask(live) as too_many:
            assert too_many.status == 429
            assert bears_every_header(too_many.headers)
        other = stack.enter_context(second.ask(live))
        said(other)

        token = re.findall(rb"event: here\ndata: (\S+)", first[0])[0].decode()
        with member.ask(f"{live}?here={token}") as sign:
            assert sign.status == 204
            assert bears_every_header(sign.headers)
        assert second.whole(f"{live}?here={token}")[0] == 200

        move(session, Phase.STORY, circle.leader)
        changed = [said(stream, 2) for stream in (*streams, other)]
        assert {version(one) for one in changed} == {version(first[0]) + 1}
        assert {re.sub(rb"\d+", b"", one) for one in changed} == {b"data: \n\n"}

        client = Client()
        client.cookies["sessionid"] = member.key
        client.post("/accounts/logout/")
        assert [said(stream, 2) for stream in streams] == [b""] * MOST_OF_A_PERSON
        with as_owner():
            Session.objects.filter(pk=session.pk).update(runs_until=timezone.now())
        # Told that something changed; the question of every few seconds ends it.
        assert said(other, 2)
        assert said(other, QUESTION + 3) == b""


def test_a_part_that_all_leaders_end_is_over_on_its_stream_and_its_screen_at_once(
    site: Site,
) -> None:
    circle = make_circle()
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.second_leader)
    (member,) = room_of(site, session, circle.member)
    says(member, CALL, NOW)
    with Asking.of(site, circle.member).ask(f"/live/{session.pk}") as stream:
        said(stream)
        show_out(session, circle.leader, circle.member)
        assert said(stream, 2)
        says(member, CALL, NOW)
        show_out(session, circle.second_leader, circle.member)
        assert said(stream, 2) == b"" or said(stream, 2) == b""
    expect(member.locator("#sentence")).to_have_count(0, timeout=NOW)
    member.goto(f"/sessions/{session.pk}/room/")
    expect(member.get_by_text("The leaders have ended your part in this meeting.")).to_be_visible()


def test_a_sign_of_life_keeps_its_person_in_the_room_and_a_lost_message_is_caught(
    site: Site, tmp_path: Path
) -> None:
    circle = make_circle()
    session = at_phase(circle, Phase.CALL)
    valkey = Valkey(tmp_path / "valkey")
    valkey.start()
    port = site.server.port
    site.server.__exit__()
    own = site.environment | {"REDIS_URL": valkey.url()}
    try:
        with serving(own, port, tmp_path / "own.log"):
            enter(session, circle.member)
            with as_owner():
                RoomPresence.objects.update(seen_at=timezone.now() - timedelta(seconds=40))
            member = Asking.of(site, circle.member)
            with member.ask(f"/live/{session.pk}") as stream:
                first = said(stream)
                token = re.findall(rb"event: here\ndata: (\S+)", first)[0].decode()
                assert member.whole(f"/live/{session.pk}?here={token}")[0] == 204
                for restarts in range(2):
                    valkey.stop()
                    begun = time.monotonic()
                    move(session, [Phase.STORY, Phase.CALL][restarts], circle.leader)
                    if restarts:
                        valkey.start()
                    text = said(stream, QUESTION + 3)
                    assert version(text) == version(first) + 1, restarts
                    assert time.monotonic() - begun < QUESTION + 2
                    first = text
                    if not restarts:
                        valkey.start()
            with as_owner():
                seen = RoomPresence.objects.get(member=circle.member).seen_at
            assert timezone.now() - seen < timedelta(seconds=30)
    finally:
        valkey.stop()
        site.server.__enter__()


# Screens


def room_of(site: Site, session: Session, *people: Member) -> list[Page]:
    pages = [site.page(person) for person in people]
    for page in pages:
        page.goto(f"/sessions/{session.pk}/room/")
    return pages


def says(page: Page, sentence: str, within: int) -> None:
    expect(page.locator("#sentence")).to_have_text(sentence, timeout=within)


# By the page's own clock: the test hears of requests only while it waits for the browser.
NOTE_WHEN_IT_ASKS = """
    window.asked = []
    const open = XMLHttpRequest.prototype.open
    XMLHttpRequest.prototype.open = function (method, url, ...rest) {
      if (url.includes('/now/')) window.asked.push(performance.now())
      return open.call(this, method, url, ...rest)
    }
"""
CALL, STORY = "The call. Who has a case?", "The story, told from memory."


def test_screens_hear_at_once_and_again_after_a_tunnel_and_a_restart(site: Site) -> None:
    circle = make_circle()
    session = at_phase(circle, Phase.FOLLOW_UP)
    people = (circle.leader, circle.member, circle.absent)
    pages = [site.page(person) for person in people]
    leader, member, blocked = pages
    blocked.route("**/live/*", lambda route: route.abort())
    blocked.add_init_script(NOTE_WHEN_IT_ASKS)
    for page in pages:
        page.goto(f"/sessions/{session.pk}/room/")
    member.wait_for_timeout(1500)

    move(session, Phase.CALL, circle.second_leader)
    says(leader, CALL, NOW)
    says(member, CALL, NOW)
    says(blocked, CALL, BACK_AGAIN)

    member.context.set_offline(True)
    move(session, Phase.STORY, circle.second_leader)
    says(leader, STORY, NOW)
    member.context.set_offline(False)
    says(member, STORY, BACK_AGAIN)
    says(blocked, STORY, BACK_AGAIN)

    site.server.restart()
    move(session, Phase.CALL, circle.second_leader)
    for page in pages:
        says(page, CALL, 2 * BACK_AGAIN)
    gaps = [later - sooner for sooner, later in pairwise(blocked.evaluate("window.asked"))]
    assert len(gaps) > 1
    assert min(gaps) > 500


def test_nothing_reaches_the_dark_screen_and_whoever_signs_out_sees_no_room(site: Site) -> None:
    circle = make_circle()
    session = tell(circle, phase=Phase.GROUP_WORK).session
    presenter, member = room_of(site, session, circle.presenter, circle.member)
    got: list[str] = []

    def note(response: Response) -> None:
        if "/now/" in response.url and response.status == 200:
            got.append(response.text())

    presenter.on("response", note)
    dark = presenter.locator("body").inner_html()
    enter(session, circle.absent)
    expect(member.locator("svg.circle")).to_have_attribute(
        "aria-label", re.compile("^(?!.*Owen is away)"), timeout=NOW
    )
    presenter.wait_for_timeout(1000)
    assert presenter.locator("main h1, main p").all_inner_texts()[0] == "You can sit back now."
    assert [text for text in got if "<svg" in text or "Amit" in text] == []
    assert re.sub(
        r"<div id=.asking.*?</div>", "", presenter.locator("body").inner_html()
    ) == re.sub(r"<div id=.asking.*?</div>", "", dark)
    move(session, Phase.RETURN, circle.leader)
    says(presenter, "Coming back in. Amit has the first word, or none.", NOW)

    elsewhere = member.context.new_page()
    elsewhere.goto("/accounts/logout/")
    elsewhere.locator("main").get_by_role("button").first.click()
    expect(member.locator("svg.circle")).to_have_count(0, timeout=BACK_AGAIN)
