"""A person's wishes, group by group: reminders, and whether the leaders may ring."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from groups.forms.preferences import PreferenceForm
from groups.gate import person
from groups.models import Group, Preference
from groups.policy import memberships_of
from groups.signals import preference_changed
from members.models import Member


def settings_groups(request: HttpRequest) -> HttpResponse:
    """One small form per group; saved together."""
    member, now = person(request), timezone.now()
    groups = [membership.group for membership in memberships_of(member, now)]
    kept = {row.group_id: row for row in Preference.objects.filter(member=member)}
    forms = [
        (
            group,
            PreferenceForm(
                request.POST or None,
                prefix=str(group.pk),
                instance=kept.get(group.pk) or Preference(group=group, member=member),
            ),
        )
        for group in groups
    ]
    if request.method == "POST" and all(form.is_valid() for _group, form in forms):
        for group, form in forms:
            if form.has_changed():
                _save(form, group, member)
        messages.success(request, _("Saved."))
        return redirect("settings_groups")
    return render(request, "groups/settings_groups.html", {"forms": forms})


def _save(form: PreferenceForm, group: Group, member: Member) -> None:
    form.save()
    preference_changed.send(Preference, group=group, member=member, at=timezone.now())
