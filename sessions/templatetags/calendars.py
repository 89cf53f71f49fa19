"""The addresses of a calendar's views: one's own, or those of one of one's groups."""

from datetime import date

from django import template
from django.urls import reverse

from groups.models import Group

register = template.Library()


@register.simple_tag
def month_url(group: Group | None, on: date) -> str:
    """The month of a date in the group's calendar, or in one's own where there is no group."""
    if group:
        return reverse("group_month", args=[group.pk, on.year, on.month])
    return reverse("calendar_month", args=[on.year, on.month])


@register.simple_tag
def agenda_url(group: Group | None) -> str:
    """The same of the months ahead."""
    return reverse("group_agenda", args=[group.pk]) if group else reverse("calendar_agenda")


@register.simple_tag
def year_url(group: Group | None, year: int) -> str:
    """The same of a year; a group's own page shows its year."""
    if group:
        return reverse("group", args=[group.pk], query={"year": year})
    return reverse("calendar_year", args=[year])
