"""A person's profile. Here, not in `members`, since it offers the zones that groups know."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from groups.gate import person
from groups.zones import zone_choices
from members.forms import ProfileForm
from members.models import Member, Phone


def settings(request: HttpRequest) -> HttpResponse:
    """Name, profession, zone, language, and a number to ring; links to everything else."""
    member = person(request)
    phone = Phone.objects.filter(member=member).first()
    form = ProfileForm(
        request.POST or None,
        instance=member,
        initial={"phone": phone.number if phone else ""},
        zones=zone_choices(member.time_zone),
    )
    if request.method == "POST" and form.is_valid():
        form.save()
        _keep_number(member, phone, form.cleaned_data["phone"].strip())
        messages.success(request, _("Saved."))
        return redirect("settings")
    return render(request, "members/settings.html", {"form": form})


def _keep_number(member: Member, phone: Phone | None, number: str) -> None:
    if not number and phone:
        phone.delete()
    elif number and phone and phone.number != number:
        phone.number = number
        phone.save(update_fields=["number"])
    elif number and not phone:
        Phone.objects.create(member=member, number=number)
