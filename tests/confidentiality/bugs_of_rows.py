"""Bugs of the database, tried where no page's filter helps: by rows, by functions, by grants."""

from functools import cache

from tests.confidentiality.bugs import (
    Bug,
    Patch,
    forced,
    forgotten_by,
    function_without,
    grants,
    requests,
    rows,
    sql,
    titles,
)

ENDED = r"\(m\.ended_at is null or m\.ended_at > now\(\)\)"
BEGAN = r"least\(s\.starts_at, s\.opened_at\)"
PRESENTER = r"c\.presenter_id = \(select public\.balint_me\(\)\)"
CASES = "balint_sessions_casepresentation"


def statements(*given: str) -> Patch:
    return lambda: sql(*given)


def without(name: str, pattern: str, other: str) -> Patch:
    return lambda: function_without(name, {pattern: other})


@cache
def bugs() -> tuple[Bug, ...]:
    """Those of the database that the attacks on rows should see."""
    return (
        Bug(
            "everybody reads every answer",
            statements("alter policy app_select on balint_sessions_answer using (true)"),
            rows("answer"),
        ),
        Bug(
            "row security is off for phones",
            statements("alter table members_phone disable row level security"),
            rows("phone"),
            cheap=True,
        ),
        Bug(
            "the row security of cases does not bind its owner",
            statements(f"alter table {CASES} no force row level security"),
            forced,
            cheap=True,
        ),
        Bug(
            "ended memberships count in the database",
            without("balint_groups_i_am_in", ENDED, "true"),
            rows("change"),
        ),
        Bug(
            "the database's circle is that of now",
            without("balint_sessions_i_am_in", BEGAN, "now()"),
            rows("step"),
        ),
        Bug(
            "anybody has a case forgotten by asking",
            without("balint_forget_case", PRESENTER, "true"),
            forgotten_by("case", {"presenter"}),
        ),
        Bug(
            "the office's role reads cases",
            statements(f"grant select on {CASES} to balint_roster"),
            grants,
        ),
        Bug(
            "the worker reads answers",
            statements("grant select on balint_sessions_answer to balint_worker"),
            grants,
        ),
        Bug(
            "leaders write titles",
            statements(f"drop trigger case_rules on {CASES}"),
            titles("leader", "case"),
        ),
    )


@cache
def bugs_seen_by_pages() -> tuple[Bug, ...]:
    """Those that the matrix should see where the application asks nobody anything."""
    return (
        Bug(
            "a case is everybody's of the group in the database",
            statements(
                f"alter policy app_select on {CASES} using"
                " (group_id = any((select public.balint_groups_i_am_in())::uuid[]))"
            ),
            requests("case", "absent", "second_leader", state="told"),
        ),
        Bug(
            "the database keeps a case past its day",
            statements(
                f"alter policy app_select on {CASES} using"
                " (presenter_id = (select public.balint_me()))"
            ),
            requests("case", "presenter", state="due"),
        ),
    )
