"""Who steps out of a case stays out of it; the next morning no times of an evening are left.

Which case of the evening it is, is counted by the steps that began one: a step taken back is not
there any more, and one taken again is the same case.
"""

# ruff: noqa: S608 - statements put together from our own text, never from anybody's input

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

from members.row_security import (
    OWN,
    as_reader,
    open_table,
    reader_function,
    replaced_function,
    secure,
)

T = "public.balint_sessions_"
OUT = "balint_sessions_steppedout"
CONDUCT = "session_id = any((select public.balint_sessions_i_conduct())::uuid[])"
BEGAN = "least(s.starts_at, s.opened_at)"
CASE = "('story', 'questions', 'group_work', 'return')"
TELLING = f"""(
    select count(*) from {T}step t
    where t.session_id = s.id and t.phase in {CASE}
      and (t.came_from not in {CASE} or (t.came_from = 'return' and t.phase = 'story')))"""
# A case is being worked on, and the circle's time is not over.
WORKS = f"s.phase in {CASE} and s.runs_until > now()"
TELLS = f"""exists (
      select from {T}casepresentation c
      where c.session_id = s.id and c.being_told and c.presenter_id = {{person}})"""

REFERENCES = f"""
alter table {OUT} add constraint {OUT}_in_its_sessions_group
  foreign key (session_id, group_id) references balint_sessions_session (id, group_id)
  on delete cascade;
alter table {OUT} add constraint {OUT}_member_id
  foreign key (member_id) references members_member (id) on delete cascade;
"""

FUNCTIONS = {
    # Leaders know of all who are out, everybody else of themselves.
    "balint_out_of_case(of_session uuid)": (
        "uuid[]",
        f"""
  select coalesce(array_agg(o.member_id), '{{}}')
  from public.{OUT} o join {T}session s on s.id = o.session_id
  where s.id = of_session and {WORKS} and o.telling = {TELLING}
    and not {TELLS.format(person="o.member_id")}
    and ((o.member_id = public.balint_me() and s.id = any(public.balint_sessions_i_am_in()))
      or s.id = any(public.balint_sessions_i_run()))
""",
        "",
    ),
    # By the person, or by a leader; whoever tells the case has no way out of it.
    "balint_step_out(of_session uuid, person uuid)": (
        "integer",
        f"""
  with place as (
    select s.id, s.group_id, {TELLING} as telling from {T}session s
    where s.id = of_session and {WORKS} and s.setting <> 'in_person'
      and (s.id = any(public.balint_sessions_i_run())
        or (person = public.balint_me() and s.id = any(public.balint_sessions_i_am_in())))
      and not {TELLS.format(person="person")}
      and exists (
        select from public.groups_membership m
        where m.group_id = s.group_id and m.member_id = person
          and m.starts_at <= {BEGAN} and (m.ended_at is null or m.ended_at > {BEGAN}))
  ), noted as (
    insert into public.{OUT} (id, session_id, group_id, member_id, telling)
    select gen_random_uuid(), place.id, place.group_id, person, place.telling from place
    on conflict (session_id, member_id, telling) do nothing returning 1
  ), unheard as (
    delete from {T}casepresence p using {T}casepresentation c, place
    where p.case_id = c.id and c.session_id = place.id and c.being_told
      and p.member_id = person returning 1
  ), gone as (
    update {T}roompresence r set left_at = now() from place
    where r.session_id = place.id and r.member_id = person and r.left_at is null returning 1
  )
  select count(*)::integer from place
""",
        "volatile",
    ),
    # By another leader than oneself: who knows the patient does not let themselves in.
    "balint_let_back_in(of_session uuid, person uuid)": (
        "integer",
        f"""
  with back as (
    delete from public.{OUT} o using {T}session s
    where s.id = of_session and o.session_id = s.id and o.member_id = person
      and {WORKS} and o.telling = {TELLING} and person <> public.balint_me()
      and s.id = any(public.balint_sessions_i_run()) returning 1)
  select count(*)::integer from back
""",
        "volatile",
    ),
    # Called as a telling begins: who stepped out before a step was taken back stays out.
    "balint_leave_out(of_session uuid)": (
        "integer",
        f"""
  with unheard as (
    delete from {T}casepresence p
    using {T}casepresentation c, {T}session s, public.{OUT} o
    where p.case_id = c.id and c.session_id = s.id and s.id = of_session and c.being_told
      and o.session_id = s.id and o.member_id = p.member_id and o.telling = {TELLING}
      and p.member_id <> c.presenter_id
      and s.id = any(public.balint_sessions_i_run()) returning 1)
  select count(*)::integer from unheard
""",
        "volatile",
    ),
}
ENTER = replaced_function(
    "balint_enter_case_being_told(of_session uuid)",
    "integer",
    f"""
  with entered as (
    insert into {T}casepresence (id, case_id, group_id, member_id)
    select gen_random_uuid(), c.id, c.group_id, public.balint_me()
    from {T}casepresentation c
    join {T}session s on s.id = c.session_id
    join {T}roompresence r
      on r.session_id = s.id and r.member_id = public.balint_me() and r.left_at is null
    where s.id = of_session and c.being_told and s.setting <> 'in_person'
      and s.phase not in ('planned', 'closed', 'cancelled')
      and s.id = any(public.balint_sessions_i_am_in())
      and not exists (
        select from public.{OUT} o
        where o.session_id = s.id and o.member_id = public.balint_me() and o.telling = {TELLING})
    on conflict (case_id, member_id) do nothing returning 1)
  select count(*)::integer from entered
""",
    kind="volatile",
)
# When it was opened matters later only where somebody came or went between that and the start.
KEPT = """case when s.opened_at < s.starts_at and exists (
      select from public.groups_membership m
      where m.group_id = s.group_id and (
        (m.starts_at > s.opened_at and m.starts_at <= s.starts_at)
        or (m.ended_at > s.opened_at and m.ended_at <= s.starts_at)))
    then s.opened_at end"""
TIMES = """(s.opened_at is not null
      or (s.closed_at is not null
        and not (s.closed_at = s.runs_until and s.closed_at is not null)))"""
OVER = "s.id = x.session_id and s.runs_until <= now()"
# One that was left open closes itself, and says so by the morning it bears: no time of the meeting.
CLOSE = replaced_function(
    "balint_close_overdue()",
    "integer",
    f"""
  with steps as (
    delete from {T}step x using {T}session s where {OVER} returning 1
  ), rooms as (
    delete from {T}roompresence x using {T}session s where {OVER} returning 1
  ), outside as (
    delete from public.{OUT} x using {T}session s where {OVER} returning 1
  ), told as (
    update {T}casepresentation x set being_told = false
    from {T}session s where x.being_told and {OVER} returning 1
  ), closed as (
    update {T}session s set phase = 'closed', updated_at = now(), opened_at = {KEPT},
      closed_at = case when s.opened_at is not null then s.runs_until end
    where s.phase not in ('closed', 'cancelled') and s.runs_until <= now() returning 1
  ), wiped as (
    update {T}session s set opened_at = {KEPT},
      closed_at = case when s.closed_at = s.runs_until then s.closed_at end
    where s.phase in ('closed', 'cancelled') and s.runs_until <= now() and {TIMES} returning 1
  )
  select count(*)::integer from closed
""",
    kind="volatile",
)
NO_TIMES = Q(opened_at__isnull=False) | (Q(closed_at__isnull=False) & ~Q(closed_at=F("runs_until")))


def owned_by(related: str, to: str, **more: object) -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.CASCADE, related_name=related, to=to, **more
    )


class Migration(migrations.Migration):
    dependencies = [
        ("balint_sessions", "0012_few"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="SteppedOut",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("telling", models.PositiveSmallIntegerField()),
                ("group", owned_by("+", "groups.group")),
                ("member", owned_by("+", settings.AUTH_USER_MODEL, db_constraint=False)),
                ("session", owned_by("+", "balint_sessions.session", db_constraint=False)),
            ],
            options={
                "indexes": [models.Index(fields=["member"], name="steppings_out_of_member")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("session", "member", "telling"),
                        name="one_stepping_out_per_telling",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            "session",
            models.Index(fields=["runs_until"], condition=NO_TIMES, name="session_times_to_wipe"),
        ),
        migrations.RunSQL(secure(OUT, select=f"{OWN} or {CONDUCT}"), open_table(OUT)),
        migrations.RunSQL(REFERENCES, migrations.RunSQL.noop),
        *[
            migrations.RunSQL(
                reader_function(signature, returns, body, callers="balint_app", kind=kind),
                as_reader(f"drop function public.{signature};"),
            )
            for signature, (returns, body, kind) in FUNCTIONS.items()
        ],
        migrations.RunSQL(ENTER),
        migrations.RunSQL(CLOSE),
    ]
