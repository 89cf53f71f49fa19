"""Script payloads in every text field, in a real browser: none runs, with and without the policy.

They stand in the database, and come back in forms that refuse them. A hit is anything that runs
(a call, a dialog), that leaves for another site, or that stands in a page as markup. The second
time the browser ignores our Content-Security-Policy, so that escaping alone is proved.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connections
from django.db.models import CharField, TextField
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Request, sync_playwright

from groups.models import Agreement, Entrance, Group, Proposal
from members.models import Member, Phone
from sessions.models import Session
from tests.balint.addresses import ADDRESSES, Nothing
from tests.balint.installation import Installation
from tests.balint.test_headers import ALWAYS, POLICY, policy, shown
from tests.confidentiality import sealed_rows, site
from tests.confidentiality.ground import Size, own_database, signed_in, taken_back
from tests.confidentiality.payloads import payloads
from tests.confidentiality.site import RunningSite
from tests.journeys.conftest import sign_in
from tests.journeys.test_walls import KEEP, LEFT
from tests.world import as_owner, join, make_member

DAY = timedelta(days=1)
PAYLOADS = {"small": 60, "whole": 500}
# As many people, dates and cases as show all of them on a few pages.
PEOPLE, DATES = {"small": 4, "whole": 30}, {"small": 4, "whole": 30}
ROUNDS = {"small": 1, "whole": 3}
WATCH = """
window.hit = (number) => window.__hit(`call ${number}`);
document.addEventListener("securitypolicyviolation",
  (event) => window.__hit(`policy ${event.violatedDirective} ${event.blockedURI}`));
"""
# Markup that can only come from a payload: our pages have no handler, no inline script, no style.
FOREIGN = """
() => [...document.querySelectorAll("*")].filter((one) =>
  [...one.attributes].some((a) => a.name.startsWith("on") || a.name.startsWith("hx-on")
    || /^\\s*(javascript|vbscript|data:text)/i.test(a.value) && a.name !== "value"
      && ["href", "src", "action", "formaction", "xlink:href", "data", "srcdoc"].includes(a.name))
  || one.localName === "script" && !one.src && one.type !== "application/json"
  || ["base", "iframe", "object", "embed", "marquee", "math"].includes(one.localName)
).map((one) => one.outerHTML.slice(0, 120))
"""


SAID = """
() => document.body.innerText + "\\n" +
  [...document.querySelectorAll("input, textarea")].map((one) => one.value).join("\\n")
"""


@dataclass
class Watched:
    """A person's browser, and everything in it that should not have happened."""

    context: BrowserContext
    url: str
    hits: list[str] = field(default_factory=list)
    pages: int = 0
    shown: set[int] = field(default_factory=set)

    def page(self) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(15_000)
        page.on("dialog", self._says)
        page.on("request", self._leaves)
        return page

    def _says(self, dialog: Dialog) -> None:
        self.hits.append("dialog")
        dialog.dismiss()

    def _leaves(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:image", "about:")):
            self.hits.append(f"left for {request.url[:80]}")

    def look(self, page: Page, path: str, texts: list[str]) -> None:
        answer = page.goto(f"{self.url}{path}", wait_until="load")
        if answer is None or "text/html" not in answer.headers.get("content-type", ""):
            return
        self.judge(page, path, texts)

    def judge(self, page: Page, path: str, texts: list[str]) -> None:
        self.pages += 1
        self.hits += [f"{path}: {markup}" for markup in page.evaluate(FOREIGN)]
        said = page.evaluate(SAID)
        # Whitespace is the page's own, so what may differ by it is compared without.
        flat = "".join(said.split())
        self.shown |= {n for n, text in enumerate(texts) if "".join(text.split()) in flat}


def run(size: Size) -> dict[str, Any]:
    """All payloads over all fields, in several turns; then the storage, and every header."""
    texts = payloads(PAYLOADS[size])
    counts: Counter[str] = Counter()
    hits: list[str] = []
    shown: set[int] = set()
    sower = Sower(texts)
    with own_database() as name, tempfile.TemporaryDirectory(prefix="balint-browser-") as folder:
        there = _prepared(size)
        with site.running(name, Path(folder), worker=False) as running, chromium() as browser:
            for _turn in range(ROUNDS[size]):
                strew(sower)
                for bypass in (False, True):
                    watched = _walk(browser, running, there, texts, bypass=bypass, size=size)
                    counts["pages"] += watched.pages
                    hits += watched.hits
                    shown |= watched.shown
            left = storage_after_log_out(browser, running, there.circle.member)
        headers = headers_of_every_route(there)
    return {
        "payloads": len(texts),
        "payloads_shown": len(shown),
        "payloads_sown": len(sower.sown),
        "payload_fields": len(sower.fields),
        "payload_pages": counts["pages"],
        "executions": len(hits),
        "executions_first": hits[:10],
        "storage_left": left,
        "routes": headers["routes"],
        "routes_with_all_headers": headers["whole"],
        "failed": len(hits)
        + len(texts)
        - len(sower.sown)
        + sum(left.values())
        + headers["routes"]
        - headers["whole"],
    }


@contextmanager
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        # While a browser runs, so does an event loop, and Django keeps other connections for it,
        # perhaps one that an earlier browser left at another database.
        connections.close_all()
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-background-networking"]
        )
        try:
            yield browser
        finally:
            browser.close()
            connections.close_all()


def _prepared(size: Size) -> Installation:
    """A circle with more people and dates than one screen, and everything sealed in it."""
    there, _elsewhere = sealed_rows.furnish()
    group, now = there.circle.group, timezone.now()
    for number in range(PEOPLE[size]):
        join(group, make_member(f"Dr Person{number} Of{number}"))
    with as_owner():
        for number in range(DATES[size]):
            Session.objects.create(
                group=group,
                starts_at=now + (20 + number) * DAY,
                minutes=90,
                phase="planned",
                time_zone=group.time_zone,
                settled_at=now - DAY,
                runs_until=now + (21 + number) * DAY,
                updated_at=now,
            )
    return there


@dataclass
class Sower:
    """Gives each field the longest payload that fits and stood nowhere yet; then all over again."""

    texts: list[str]
    sown: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    turn: int = 0

    def next(self, name: str, length: int | None) -> str:
        fit = [text for text in self.texts if length is None or len(text) <= length]
        new = [text for text in fit if text not in self.sown]
        self.turn += 1
        chosen = new[-1] if new else fit[self.turn % len(fit)]
        self.sown.add(chosen)
        self.fields.add(name)
        return chosen


def strew(sower: Sower) -> None:
    """Every text that somebody can type, of every row, made a payload."""
    with as_owner():
        for text in sealed_rows.texts():
            row = text.model._default_manager.get(pk=text.row)
            setattr(row, text.name, sower.next(f"{text.model.__name__}.{text.name}", None))
            row.save(update_fields=text.columns)
        for model, names in TYPED.items():
            for row in model._default_manager.order_by("pk"):
                for name in names:
                    column = model._meta.get_field(name)
                    assert isinstance(column, CharField | TextField)
                    setattr(row, name, sower.next(f"{model.__name__}.{name}", column.max_length))
                row.save(update_fields=names)


# A join link is left as it is: its form takes addresses of the web alone, and so it is typed.
TYPED: dict[Any, list[str]] = {
    Member: ["name", "profession"],
    Group: ["name", "alias", "place", "contact"],
    Agreement: ["text"],
    Entrance: ["door"],
    Phone: ["number"],
    Proposal: ["name"],
    Session: ["place"],
}


def _walk(
    browser: Browser,
    running: RunningSite,
    there: Installation,
    texts: list[str],
    *,
    bypass: bool,
    size: Size,
) -> Watched:
    """Those who see the most, through every page; then forms that come back with what was typed."""
    url = f"http://localhost:{running.port}"
    all_seen = Watched(None, url)  # type: ignore[arg-type]
    for who in ("leader", "presenter", "admin") if size == "whole" else ("leader",):
        context = browser.new_context(base_url=url, bypass_csp=bypass)
        watched = Watched(context, url)
        context.expose_binding("__hit", lambda _source, what, w=watched: w.hits.append(what))
        context.add_init_script(WATCH)
        _as(context, url, getattr(there.circle, who))
        page = watched.page()
        for path in _paths(there, who, size):
            watched.look(page, path, texts)
        for path in _forms(there, who, size):
            _typed_and_refused(watched, page, path, texts)
        context.close()
        all_seen.hits += [
            f"{who} {'without' if bypass else 'with'} policy {h}" for h in watched.hits
        ]
        all_seen.pages += watched.pages
        all_seen.shown |= watched.shown
    return all_seen


def _as(context: BrowserContext, url: str, member: Member) -> None:
    session = signed_in(member).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])


def _paths(there: Installation, who: str, size: Size) -> list[str]:
    """Every page that answers this person with a page."""
    places = Nothing(there.known)
    client, paths = signed_in(getattr(there.circle, who)), []
    for address in ADDRESSES:
        for path in address.paths(places):
            files = address.pattern.endswith((".ics", ".pdf"))
            if files or address.name in {"account_logout", "settings_export"}:
                continue
            with taken_back():
                answer = client.get(path)
            if answer.status_code == 200 and "text/html" in answer["Content-Type"]:
                paths.append(path)
    if size == "whole":
        return paths
    return [path for path in paths if not path.startswith("/accounts/")][::3]


def _forms(there: Installation, who: str, size: Size) -> list[str]:
    if who != "leader":
        return []
    group, planned = there.circle.group.pk, there.planned.pk
    paths = [
        "/settings/",
        f"/groups/{group}/schedule/new/",
        f"/sessions/{planned}/edit/",
        f"/groups/{group}/edit/",
        f"/groups/{group}/agreement/edit/",
    ]
    return paths if size == "whole" else paths[:2]


def _typed_and_refused(watched: Watched, page: Page, path: str, texts: list[str]) -> None:
    """All text fields filled with payloads and sent past the browser's own checks."""
    answer = page.goto(f"{watched.url}{path}")
    if answer is None or answer.status != 200:
        return
    with page.expect_navigation():
        page.evaluate(
            """(texts) => {
              const form = document.querySelector("main form[method=post]");
              [...form.elements].filter((one) => ["text", "textarea", "date", "time", "number",
                "url", "email", "tel"].includes(one.type)).forEach((one, at) => {
                  if (one.type !== "textarea") one.type = "text";
                  one.removeAttribute("maxlength");
                  one.value = texts[(at * 7) % texts.length];
              });
              form.noValidate = true;
              HTMLFormElement.prototype.submit.call(form);
            }""",
            texts,
        )
    watched.judge(page, path, texts)


def storage_after_log_out(browser: Browser, running: RunningSite, member: Member) -> dict[str, int]:
    """What a browser still holds of us when somebody has signed out."""
    context = browser.new_context(base_url=f"http://localhost:{running.port}")
    page = context.new_page()
    sign_in(page, member.email)
    page.evaluate(KEEP)
    page.goto("/accounts/logout/")
    page.locator("main form button").first.click()
    page.wait_for_load_state()
    page.goto("/about/")
    kinds = ("local", "session", "caches", "databases")
    left = dict(zip(kinds, page.evaluate(LEFT), strict=True))
    page.goto("/settings/")
    left["signed in"] = int("/accounts/login/" not in page.url)
    context.close()
    return left


def headers_of_every_route(there: Installation) -> dict[str, int]:
    """How many routes there are, and how many say all of it to a leader and to nobody."""
    leader, nobody = signed_in(there.circle.leader), signed_in(None)
    places = Nothing(there.known)
    whole = 0
    for address in ADDRESSES:
        answers = []
        for client in (leader, nobody):
            with taken_back():
                answers.append(client.get(address.path(places)))
        whole += all(_has_all(answer) for answer in answers)
    return {"routes": len(ADDRESSES), "whole": whole}


def _has_all(answer: Any) -> bool:
    """A feed alone may be kept, by the calendar that asked for it."""
    wanted = dict(ALWAYS)
    if answer.get("Content-Type", "").startswith("text/calendar") or answer.status_code == 304:
        wanted["Cache-Control"] = answer["Cache-Control"]
    return (shown(answer), policy(answer)) == (wanted, POLICY)
