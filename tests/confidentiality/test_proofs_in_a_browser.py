"""Script payloads in a real browser, few; and that one which runs would be seen."""

from tests.confidentiality import browser
from tests.confidentiality.payloads import payloads


def test_no_payload_runs_whatever_field_it_stands_in(unbound):
    found = browser.run("small")
    assert found["executions_first"] == []
    assert found["executions"] == 0
    assert found["payloads_shown"] > 10
    assert (found["payloads_sown"], found["payload_fields"]) == (60, 18)
    assert set(found["storage_left"].values()) == {0}
    assert found["routes"] == found["routes_with_all_headers"]


def test_there_are_five_hundred_payloads_all_different():
    assert len(set(payloads(500))) == 500


def test_a_payload_that_is_not_escaped_is_seen_both_ways(tmp_path):
    page = tmp_path / "page.html"
    with browser.chromium() as chromium:
        context = chromium.new_context()
        watched = browser.Watched(context, "file://")
        context.expose_binding("__hit", lambda source, what: watched.hits.append(what))
        context.add_init_script(browser.WATCH)
        opened = watched.page()
        ran = set()
        for text in payloads(500):
            page.write_text(f"<!doctype html><body>{text}", encoding="utf-8")
            before = len(watched.hits)
            opened.goto(page.as_uri(), wait_until="commit")
            opened.wait_for_load_state()
            watched.judge(opened, "/", [])
            if len(watched.hits) > before:
                ran.add(text)
            if len(ran) > 20:
                break
        context.close()
    assert len(ran) > 20
