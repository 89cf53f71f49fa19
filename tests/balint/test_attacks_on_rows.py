"""Row-level security alone, without any filter of ours, against everyone round a circle.

`MAY` is the one table: for each row of content, who may select (s), update (u) and delete (d) it.
Whoever is not named may do nothing. It says what product decisions on who may see what say.
"""

import pytest
from django.apps import apps
from django.db.models import F
from django.utils import timezone

from members.kinds import Kind
from sessions import visible
from sessions.models import (
    Answer,
    Attendance,
    CasePresentation,
    Change,
    DatesReply,
    LeadersNote,
    NoticeSeen,
    Reflection,
    RoomPresence,
    Step,
)
from tests.balint.attacks import (
    CHANGE,
    CIRCLE_TONIGHT,
    EVERYBODY,
    LEADERS,
    rights_of,
    touches,
)
from tests.world import as_member, as_owner


def all_of(rights, names):
    return dict.fromkeys(names.split(), rights)


MAY = {
    "entrance": all_of("s", CIRCLE_TONIGHT) | all_of("sud", LEADERS),
    "leave": all_of("sud", LEADERS) | {"on_leave": "sud"},
    "own_reason": all_of("sud", LEADERS) | {"on_leave": "sud"},
    "leaders_reason": all_of("sud", LEADERS),
    "phone": all_of("s", LEADERS) | {"member": "sud"},
    "count": all_of("s", LEADERS),
    "change": all_of("s", f"{LEADERS} presenter member absent latecomer"),
    "answer": all_of("s", "leader second_leader") | {"absent": "sud"},
    "reply": all_of("sd", LEADERS) | {"member": "sud"},
    # Of tonight's meeting, for those who conduct it.
    "seen": all_of("s", "leader second_leader new_leader") | {"member": "su"},
    "attendance": all_of("sud", "leader second_leader") | {"member": "s"},
    "attendance_tonight": all_of("sud", "leader second_leader new_leader") | {"member": "s"},
    "step": all_of("s", CIRCLE_TONIGHT) | all_of("sd", "leader second_leader new_leader"),
    "room": all_of("s", CIRCLE_TONIGHT) | {"member": "su"},
    # Who observes, said by those who conduct it, for everyone inside.
    "observer": all_of("s", f"{CIRCLE_TONIGHT} {LEADERS} latecomer")
    | all_of("sd", "leader second_leader new_leader"),
    # Of tonight's meeting, for those who conduct it; not in force, so the person knows nothing.
    "shown_out": all_of("s", "leader second_leader new_leader"),
    # Of tonight's meeting, for those who conduct it and the person.
    "out": all_of("s", "leader second_leader new_leader absent"),
    # What leaders know of a case: new or follow-up. The title, below, is the presenter's alone.
    "case": {"leader": "su", "presenter": "su", "member": "s"},
    "case_of_former": {"leader": "su", "former_presenter": "s"},
    "case_tonight": {"leader": "su", "presenter": "su", "just_left": "s"},
    "presence_case_member": {"leader": "sd", "presenter": "s", "member": "s"},
    "presence_case_on_leave": all_of("s", "presenter member on_leave") | {"leader": "sd"},
    "presence_case_tonight_presenter": all_of("s", "presenter just_left") | {"leader": "sd"},
    "reflection_member": {"member": "sud"},
    "reflection_presenter": {"presenter": "sud"},
    "reflection_former_presenter": {"former_presenter": "sud"},
    "reflection_leader": {"leader": "sud"},
    "word_own": {"leader": "sud"},
    "word_shared": {"leader": "s", "second_leader": "sud"},
    # Who leads no more has lost it; what was shared stays with the leader of that time.
    "word_of_former": all_of("s", "leader second_leader"),
    "word_tonight": all_of("s", "leader new_leader") | {"second_leader": "sud"},
}


@pytest.mark.parametrize("name", MAY)
def test_each_row_is_for_those_in_the_table_and_nobody_else(inside, name):
    found = {who: rights_of(inside.people[who], inside.rows[name]) for who in EVERYBODY}
    assert {who: rights for who, rights in found.items() if rights} == MAY[name]


def test_every_content_table_has_a_row_in_the_table(inside):
    content = {m for m in apps.get_models() if getattr(m, "balint_kind", None) == Kind.CONTENT}
    assert {type(inside.rows[name]) for name in MAY} == content == set(CHANGE)


def test_everybody_is_tried(inside):
    assert set(EVERYBODY) == set(inside.people)


@pytest.mark.parametrize("name", ["case", "case_of_former", "case_tonight"])
def test_a_title_is_changed_by_a_presenter_inside_the_group_alone(inside, name):
    rows = CasePresentation.objects.filter(pk=inside.rows[name].pk)
    wrote = []
    for who in EVERYBODY:
        with as_member(inside.people[who]):
            if touches(
                lambda: rows.update(title_sealed=b"x", title_version=F("title_version") + 1)
            ):
                wrote.append(who)
            emptied = touches(lambda: rows.update(title_sealed=None))
            assert bool(emptied) == (who in wrote)
    assert wrote == ([] if name == "case_of_former" else ["presenter"])


@pytest.mark.parametrize(
    ("model", "seen"),
    [
        (Attendance, visible.attendances),
        (Answer, visible.answers),
        (DatesReply, visible.replies),
        (NoticeSeen, visible.seen_notices),
        (Change, visible.changes),
        (Step, visible.steps),
        (RoomPresence, visible.in_room),
        (CasePresentation, lambda who, at: visible.cases(who, at) | visible.told_by(who, at)),
        (Reflection, lambda who, at: visible.reflections(who)),
        (LeadersNote, visible.words),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_the_pages_filters_alone_show_nobody_more_than_the_database_does(inside, model, seen):
    now = timezone.now()
    for who in EVERYBODY:
        person = inside.people[who]
        if person is None:
            continue
        with as_member(person):
            by_database = set(model.objects.values_list("pk", flat=True))
        with as_owner():
            by_filter = set(seen(person, now).values_list("pk", flat=True))
        assert by_filter <= by_database, who
