"""What holds of every cadence, in every zone of the tz database, over ten years."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from groups.cadence import (
    LAST,
    Break,
    Cadence,
    Rule,
    Unit,
    after_quiet_hours,
    instant,
    last_day,
    next_midnight,
    wall_time_days_before,
)
from groups.zones import is_zone

ZONES = sorted(name for name in available_timezones() if is_zone(name))

rules = st.one_of(
    st.builds(
        Rule,
        st.just(Unit.MONTH),
        st.integers(1, 12),
        st.integers(0, 6),
        st.sampled_from([1, 2, 3, 4, LAST]),
    ),
    st.builds(Rule, st.just(Unit.WEEK), st.integers(1, 52), st.integers(0, 6)),
)
days = st.dates(date(2026, 1, 1), date(2035, 12, 31))
breaks = st.lists(st.tuples(days, st.integers(0, 90)), max_size=3).map(
    lambda spans: tuple(Break(first, first + timedelta(days=n)) for first, n in spans)
)


@st.composite
def cadences(draw: st.DrawFn) -> Cadence:
    first_on, last_on = sorted((draw(days), draw(days)))
    return Cadence(
        rule=draw(rules),
        starts_at=draw(st.times()),
        minutes=draw(st.integers(15, 720)),
        zone=draw(st.sampled_from(ZONES)),
        first_on=first_on,
        last_on=last_on,
        breaks=draw(breaks),
    )


@given(plan=cadences())
@settings(max_examples=300, deadline=None)
def test_local_time_stays_in_every_zone_over_ten_years(plan: Cadence):
    zone = ZoneInfo(plan.zone)
    for occurrence in plan.occurrences():
        local = occurrence.starts_at.astimezone(zone).replace(tzinfo=None)
        wanted = datetime.combine(occurrence.on, plan.starts_at)
        if local != wanted:
            # Only a skipped time may move, forward, by as much as the clock jumped.
            before = _offset(occurrence.starts_at - timedelta(hours=3), zone)
            after = _offset(occurrence.starts_at, zone)
            assert local - wanted == after - before > timedelta()
        assert occurrence.ends_at - occurrence.starts_at == timedelta(minutes=plan.minutes)
        assert local.fold == 0


@given(plan=cadences())
@settings(max_examples=300, deadline=None)
def test_occurrences_increase_stay_within_the_plan_and_share_no_period(plan: Cadence):
    occurrences = plan.occurrences()
    assert all(a.on < b.on and a.starts_at < b.starts_at for a, b in pairwise(occurrences))
    assert all(plan.first_on <= occurrence.on <= plan.last_on for occurrence in occurrences)
    periods = [occurrence.period for occurrence in occurrences]
    assert len(set(periods)) == len(periods)
    assert all(plan.rule.period(o.on) == o.period <= o.on for o in occurrences)


@given(plan=cadences())
@settings(max_examples=300, deadline=None)
def test_breaks_leave_out_what_lies_inside_them_and_move_nothing(plan: Cadence):
    occurrences = plan.occurrences()
    for occurrence in occurrences:
        inside = any(pause.first <= occurrence.on <= pause.last for pause in plan.breaks)
        assert (occurrence.left_out is not None) == inside
        assert not (inside and occurrence.clocks_changed)
    without = Cadence(
        plan.rule, plan.starts_at, plan.minutes, plan.zone, plan.first_on, plan.last_on
    )
    assert [o.starts_at for o in occurrences] == [o.starts_at for o in without.occurrences()]


@given(plan=cadences())
@settings(max_examples=300, deadline=None)
def test_dates_follow_the_rule_and_none_is_missed(plan: Cadence):
    on_rule = [o.on for o in plan.occurrences()]
    assert {on.weekday() for on in on_rule} <= {plan.rule.weekday}
    assert on_rule == [on for on in _every_day(plan) if _fits(on, plan.rule, on_rule)]


def _every_day(plan: Cadence) -> list[date]:
    return [
        plan.first_on + timedelta(days=n) for n in range((plan.last_on - plan.first_on).days + 1)
    ]


def _fits(on: date, rule: Rule, found: list[date]) -> bool:
    """The rule, said another way: by counting days, from the first date found."""
    if on.weekday() != rule.weekday:
        return False
    if rule.unit is Unit.WEEK:
        anchor = found[0] if found else on
        return (on - anchor).days % (7 * rule.interval) == 0
    nth = (on.day - 1) // 7 + 1
    is_last = (on + timedelta(days=7)).month != on.month
    if not (is_last if rule.nth == LAST else nth == rule.nth):
        return False
    anchor = found[0] if found else on
    months = (on.year - anchor.year) * 12 + on.month - anchor.month
    return months % rule.interval == 0


@given(rule=rules, first_on=days)
@settings(max_examples=300, deadline=None)
def test_gaps_of_a_rule_lie_between_what_reminders_and_warnings_assume(rule: Rule, first_on: date):
    found = list(rule.days(first_on, first_on + timedelta(days=3000)))
    assume(len(found) > 1)
    between = [(b - a).days for a, b in pairwise(found)]
    assert rule.gap_days <= min(between)
    assert max(between) <= 7 * rule.usual_weeks


@given(rule=rules)
def test_a_rule_survives_its_select(rule: Rule):
    assert Rule.from_code(rule.code) == rule


@given(
    moment=st.builds(instant, days, st.times(), st.just("UTC")),
    zone=st.sampled_from(ZONES),
    quiet=st.tuples(st.times(), st.times()),
)
@settings(max_examples=300, deadline=None)
def test_quiet_hours_only_ever_delay_and_never_twice(
    moment: datetime, zone: str, quiet: tuple[time, time]
):
    sent = after_quiet_hours(moment, zone, quiet)
    assert moment <= sent < moment + timedelta(hours=26)
    assert after_quiet_hours(sent, zone, quiet) == sent


@given(on=days, zone=st.sampled_from(ZONES))
@settings(max_examples=300, deadline=None)
def test_the_last_day_is_read_back_from_the_midnight_that_ends_it(on: date, zone: str):
    ended_at = next_midnight(on, zone)
    assert last_day(ended_at, zone) == on
    assert ended_at.astimezone(ZoneInfo(zone)).date() == on + timedelta(days=1)


@given(on=days, at=st.times(), zone=st.sampled_from(ZONES), ahead=st.sampled_from([1, 7]))
@settings(max_examples=300, deadline=None)
def test_a_reminder_keeps_the_meetings_wall_time(on: date, at: time, zone: str, ahead: int):
    meeting = instant(on, at, zone)
    shown = meeting.astimezone(ZoneInfo(zone))
    reminder = wall_time_days_before(meeting, zone, ahead)
    assert reminder == instant(shown.date() - timedelta(days=ahead), shown.time(), zone)
    assert abs(meeting - reminder - timedelta(days=ahead)) <= timedelta(hours=3)


@given(zone=st.sampled_from(ZONES))
@settings(max_examples=100, deadline=None)
def test_at_every_clock_change_skipped_moves_forward_and_doubled_is_the_first(zone: str):
    for change, before, after in _clock_changes(ZoneInfo(zone)):
        jump = after - before
        first_shown = change.replace(tzinfo=None) + min(before, after)
        middle = first_shown + abs(jump) / 2
        moment = instant(middle.date(), middle.time(), zone)
        if jump > timedelta():
            assert moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == middle + jump
        else:
            assert moment == change - abs(jump) / 2


def _clock_changes(zone: ZoneInfo) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    """Each change from 2026 to 2035 to the second: its instant, the offsets before and after."""
    noons = [datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(3652)]
    for low, high in pairwise(noons):
        before, after = _offset(low, zone), _offset(high, zone)
        if before == after:
            continue
        while high - low > timedelta(seconds=1):
            middle = low + (high - low) // 2
            low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
        yield high.replace(microsecond=0), before, after


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()
